// @ts-check
// The attention of a translator: the decoder step by step, one weight by hand, its beam as a tree, its n-grams.
import { html, computed, batch } from "/static/vendor/preact.js";
import { rowOf } from "/static/lib/frame.js";
import { bars, color, inkOn, largest, Legend, minus, nextBars, Painted, shown, theme, Token } from "/static/lib/paint.js";
import { Around, Bar, clamp, Copy, explorer, Failed, KeyLine, keys, Lead, NoModel, Predict, prediction, questions, state, Veil } from "/static/lib/shell.js";
import { Said, Switch, whose } from "/static/lib/whose.js";

const W = 22, BETWEEN = 74; // of a letter, and between source and target
const EXERCISE = { beam: "beam_search", bleu: "bleu" }; // behind the other parts
const ADDITIVE = ["additive", "concat"];
const PARTS = { align: "attention", beam: "beam", bleu: "BLEU" };
const COLUMN = 53, LINE = 40; // of the tree

export default explorer((host, scope) => {
  const s = state(host, scope, { model: "", source: "the meeting of the 8th of july 2025 at noon", target: "2025-07-08", forced: 0, part: "align", beam: 3, alpha: 0.6, t: 0, j: -1, seen: 0, code: "reference", fault: "", riddle: -1 });
  const { got, about, failed, refresh } = questions(host, scope, "align");
  const w = whose(host, scope, about, s, () => EXERCISE[s.part.value] ?? (!got.value || ADDITIVE.includes(got.value.method) ? "bahdanau" : "self_attention"));
  const question = () => ({ model: s.model.value, source: s.source.value, target: s.target.value, forced: s.forced.value });
  scope.effect(() => refresh({ ...question(), part: s.part.value, beam: s.beam.value, alpha: s.alpha.value, ...w.asked() }));

  const S = computed(() => got.value?.tokens.length ?? 0), T = computed(() => got.value?.said.length ?? 0);
  const open = computed(() => Math.min(s.seen.value, T.value)); // steps that have been predicted, or shown
  const t = computed(() => clamp(s.t.value, Math.min(T.value, open.value + 1)));
  const asking = computed(() => t.value >= open.value);
  const weights = (row, theirs = true) => rowOf((theirs && got.value.arrays.their_weights) || got.value.arrays.weights, row);
  const row = computed(() => (got.value ? weights(t.value) : []));
  const best = computed(() => [...row.value].map((weight, k) => [weight, k]).sort((a, b) => b[0] - a[0]));
  const j = computed(() => (s.j.value >= 0 && s.j.value < S.value ? s.j.value : best.value[0]?.[1] ?? 0));
  const { said, say, graded } = prediction(() => [question(), t.value, w.s.code.value, w.fault()], w.predicted);
  const guess = (k) => batch(() => { say(k); s.seen.value = Math.max(s.seen.value, t.value + 1); s.t.value = t.value; s.j.value = -1; });
  const showAll = () => batch(() => { said.value = null; s.seen.value = T.value; });
  const step = (by) => () => batch(() => {
    if (by > 0 && asking.value) return guess(-1);
    said.value = null; s.j.value = -1; s.t.value = clamp(t.value + by, Math.min(T.value, open.value + 1));
  });
  const another = step(1);
  const again = () => { s.t.value = 0; s.j.value = -1; s.seen.value = 0; said.value = null; }; // of another text, or model
  const part = (name) => () => batch(() => { s.riddle.value = -1; s.part.value = name; });
  const pressed = keys(scope, {
    ArrowLeft: ["step", step(-1)], ArrowRight: ["step", step(1)], ArrowUp: ["source letter", () => { if (!asking.value) s.j.value = clamp(j.value - 1, S.value); }], ArrowDown: ["source letter", () => { if (!asking.value) s.j.value = clamp(j.value + 1, S.value); }],
    a: ["attention", part("align")], b: ["beam", part("beam")], u: ["BLEU", part("bleu")], f: ["teacher forcing", () => { batch(() => { s.forced.value = s.forced.value ? 0 : 1; again(); }); }], s: ["show all", showAll],
  });

  const Prediction = () => {
    const written = html`<${Token} text=${got.value.read.slice(1, t.value + 1).join("")} />`;
    if (asking.value) return html`<${Predict} tag="Predict first" action=${["show me", () => guess(-1)]}>${t.value ? html`${s.forced.value ? "It has read" : "It has written"} ${written}` : "It has written nothing yet"}. At which letter of the source does it look most before it writes the ${t.value ? "next" : "first"} one? Click it.</${Predict}>`;
    const [weight, k] = best.value[0], mine = typeof said.value === "number" && said.value >= 0 && graded() ? said.value : null, right = mine === null ? null : mine === k || row.value[mine] >= weight;
    return html`<${Predict} tag="It looks at" right=${right} action=${t.value + 1 < T.value ? ["next step", another] : ["from the start", again]}><${Token} text=${got.value.tokens[k]} /> (place ${k}) gets <strong class="num" data-id="most">${(100 * weight).toFixed(0)} %</strong>${right === false ? html`; yours, <${Token} text=${got.value.tokens[mine]} />, gets <span class="num">${(100 * row.value[mine]).toFixed(0)} %</span>` : ""}. It writes <${Token} text=${got.value.said[t.value]} />.${weight < 0.5 ? " No letter gets more than half: it reads a mean." : ""}</${Predict}>`;
  };

  const Strip = () => {
    theme.value;
    const a = got.value, wide = Math.max(S.value, T.value) * W, from = (k) => k * W + W / 2;
    const lines = asking.value ? [] : best.value.filter(([weight]) => weight > 0.015).slice(0, 14);
    const source = (token, k) => { const weight = asking.value ? 0 : row.value[k]; return html`<button key=${k} tabindex=${asking.value || k === j.value ? 0 : -1} class=${!asking.value && k === j.value ? "key" : ""} aria-label=${`${shown(token)}, source place ${k}`} style=${weight > 0 ? { background: color("weight", weight * 0.8), color: inkOn("weight", weight * 0.8) } : {}} onClick=${() => (asking.value ? guess(k) : (s.j.value = k))}>${shown(token)}</button>`; };
    const target = (token, k) => { const hidden = k >= open.value; return html`<button key=${k} tabindex=${k === t.value ? 0 : -1} aria-current=${k === t.value ? "true" : undefined} disabled=${k > open.value} aria-label=${hidden ? `step ${k}, not shown yet` : `${shown(token)}, step ${k}`} onClick=${() => batch(() => { said.value = null; s.j.value = -1; s.t.value = k; })}>${hidden ? (k === t.value ? "?" : "·") : shown(token)}</button>`; };
    return html`<div class="letters pair" tabindex="0" role="group" aria-label="Source and target"><div style=${{ width: `${wide}px` }}>
      <div class="run" role="group" aria-label="The source, letter by letter">${a.tokens.map(source)}</div>
      <svg class="arcs" width=${wide} height=${BETWEEN} aria-hidden="true">${lines.map(([weight, k]) => html`<path d=${`M${from(k)} 2 C${from(k)} ${BETWEEN * 0.55} ${from(t.value)} ${BETWEEN * 0.45} ${from(t.value)} ${BETWEEN - 2}`} fill="none" stroke=${k === j.value ? "var(--k)" : "var(--ink-map)"} stroke-width=${0.6 + 9 * Math.min(1, weight)} stroke-opacity=${0.25 + 0.7 * Math.sqrt(Math.min(1, weight))} />`)}</svg>
      <div class="run" role="group" aria-label="What it writes, step by step">${a.said.map(target)}</div></div></div>`;
  };

  const Inputs = () => {
    const a = got.value;
    return html`<section class="card"><h2>What it reads</h2>
      <label class="field small soft">source<textarea class="write" rows="3" maxlength="400" value=${s.source.value} onChange=${(e) => { if (e.target.value.trim()) batch(() => { s.source.value = e.target.value; again(); }); }}></textarea></label>
      <label class="field small soft">the right translation, if you know it<input class="write" maxlength="400" value=${s.target.value} onChange=${(e) => batch(() => { s.target.value = e.target.value; if (!e.target.value.trim()) s.forced.value = 0; })} /></label>
      <p class="choice" style=${{ marginTop: "10px" }}><button class="icon" aria-pressed=${Boolean(s.forced.value)} disabled=${!s.target.value.trim()} onClick=${() => batch(() => { s.forced.value = s.forced.value ? 0 : 1; again(); })}>teacher forcing <kbd>f</kbd></button></p>
      <p class="small soft" style=${{ marginTop: "8px" }}>${s.forced.value ? "Each step reads the right letter, whatever the step before said, as in training." : "Each step reads what the step before wrote, as in use."}</p>
      ${a.unknown.length > 0 && html`<p class="small wrong-is">It does not know ${a.unknown.join(" ")}, and reads “unknown” there.</p>`}
      <div style=${{ marginTop: "14px" }}><div class="big mono" data-id="text">${open.value >= T.value || s.part.value !== "align" ? a.text || "nothing" : "…"}</div><div class="small soft">what it ${s.forced.value ? "says, letter by letter" : "writes"}</div>
        ${a.loss !== null && html`<div class="small soft"><b class="num" data-id="loss">${a.loss.toFixed(3)}</b> nats a letter of the right translation</div>`}
        ${"writes" in a && html`<div class="small wrong-is"><b class="mono" data-id="writes">${a.writes ?? "no numbers"}</b> with the mistake in every step</div>`}</div>
      ${open.value < T.value && html`<button class="link" style=${{ marginTop: "10px", padding: 0 }} onClick=${showAll}>show all steps</button>`}</section>`;
  };

  const Matrix = () => {
    const a = got.value, n = S.value, m = T.value, all = (a.arrays.their_weights ?? a.arrays.weights).data, data = Float32Array.from({ length: m * n }, (_, k) => (Math.floor(k / n) < open.value ? all[k] : 0));
    const pick = (e) => { const b = e.currentTarget.getBoundingClientRect(), r = Math.floor(((e.clientY - b.top) / b.height) * m), c = Math.floor(((e.clientX - b.left) / b.width) * n); if (r < open.value && c < n) batch(() => { said.value = null; s.t.value = r; s.j.value = c; }); };
    return html`<div class="spread"><h2>Each step (row) looks at the source (column)</h2><${Legend} kind="weight" from="0" to="1" /></div>
      <div class="matrix"><div class="names rows" aria-hidden="true">${a.said.map((token, k) => html`<span class=${k === t.value ? "on-q" : ""}>${k < open.value ? shown(token) : "?"}</span>`)}</div>
        <${Painted} style=${{ aspectRatio: `${n} / ${Math.max(m, n / 2.6)}` }} data=${data} rows=${m} columns=${n} kind="weight" onClick=${pick} label=${`${m} steps by ${n} source letters; a table below has the step that is chosen`} />
        <svg viewBox="0 0 ${n} ${m}" preserveAspectRatio="none" aria-hidden="true">${open.value < m && html`<rect x="0" y=${open.value} width=${n} height=${m - open.value} fill="var(--wash)" />`}<rect x="0" y=${t.value} width=${n} height="1" fill="none" stroke="var(--q)" stroke-width="2" vector-effect="non-scaling-stroke" />${!asking.value && html`<rect x=${j.value} y=${t.value} width="1" height="1" fill="none" stroke="var(--k)" stroke-width="2.5" vector-effect="non-scaling-stroke" />`}</svg>
        <div class="names columns" aria-hidden="true">${a.tokens.map((token, k) => html`<span class=${k === j.value && !asking.value ? "on-k" : ""}>${shown(token)}</span>`)}</div></div>
      <div class="spread" style=${{ marginTop: "10px" }}><p class="small soft">${s.code.value !== "reference" && a.arrays.their_weights ? "Computed by the code chosen above." : `■ is the end of the text. A row sums to 1${open.value < m ? "; rows below the last step are shown when you get there" : ""}.`}</p>${open.value >= m && html`<${Copy} array=${{ shape: [m, n], data }} />`}</div>`;
  };

  const Tree = () => {
    const tree = got.value.tree;
    if (!tree) return html`<h2>Beam search</h2><p class="small soft">The tree is being computed.</p>`;
    const nodes = tree.nodes, winner = tree.ended[0]?.node, path = new Set();
    for (let n = winner ?? -1; n >= 0; n = nodes[n].parent) path.add(n);
    const rank = nodes.map((node, n) => nodes.slice(0, n).filter((other) => other.step === node.step).length), wide = (nodes.at(-1).step + 1) * COLUMN + 30, high = (Math.max(...rank) + 1) * LINE + 8;
    const x = (n) => (n < 0 ? 6 : 30 + nodes[n].step * COLUMN), y = (n) => (n < 0 ? LINE / 2 : rank[n] * LINE + LINE / 2);
    return html`<div class="spread"><h2>Beam search: the ${s.beam.value} best continuations go on</h2><span class="small soft">log-probability below each letter</span></div>
      <div class="options"><label>beam <select aria-label="beam" value=${s.beam.value} onChange=${(e) => (s.beam.value = +e.target.value)}>${[1, 2, 3, 4, 5, 6].map((n) => html`<option value=${n}>${n}</option>`)}</select></label></div>
      <div class="slider"><label for=${scope.id("alpha")}>length penalty α</label><input id=${scope.id("alpha")} data-id="alpha" type="range" min="0" max="4" step="0.1" value=${s.alpha.value} onInput=${(e) => (s.alpha.value = +e.target.value)} /><output class="num">${s.alpha.value.toFixed(1)}</output></div>
      <div class="scroll tree" tabindex="0" role="img" aria-label=${`The search as a tree of ${nodes.length} nodes; a table below has the hypotheses that ended`}><svg width=${wide} height=${high} aria-hidden="true">
        ${nodes.map((node, n) => html`<path class=${`edge ${node.state.replace(" ", "-")}${path.has(n) ? " best" : ""}`} d=${`M${x(node.parent) + (node.parent < 0 ? 0 : 26)} ${y(node.parent)} C${x(n) - 26} ${y(node.parent)} ${x(n) - 26} ${y(n)} ${x(n)} ${y(n)}`} />`)}
        ${nodes.map((node, n) => html`<g class=${`node ${node.state.replace(" ", "-")}${path.has(n) ? " best" : ""}`}><title>${node.state}: log p ${minus(node.log_p, 3)}, with the length penalty ${minus(node.score, 3)}</title><rect x=${x(n)} y=${y(n) - 13} width="26" height="20" rx="5" /><text x=${x(n) + 13} y=${y(n) + 2} text-anchor="middle">${shown(node.token)}</text><text class="p" x=${x(n) + 13} y=${y(n) + 18} text-anchor="middle">${minus(node.log_p, 2)}</text></g>`)}</svg></div>
      <p class="small soft">Framed: open. Green: ended, by ■. Dashed and pale: dropped, not among the ${s.beam.value} best of its step. The thick path is the winner.</p>
      <table class="sums hypotheses" style=${{ marginTop: "10px" }}><caption class="sr">Hypotheses that ended, best first</caption><tr><th scope="col">ended</th><th scope="col">log p</th><th scope="col">÷ penalty</th><th scope="col">score</th></tr>${tree.ended.slice(0, 6).map(({ node, text }, k) => { const { log_p, score, step: last } = nodes[node]; return html`<tr><th scope="row" class="mono">${k ? text : html`<b>${text}</b>`} <span class="faint">${last + 1} letters</span></th><td class="num">${minus(log_p, 3)}</td><td class="num">${minus(score ? log_p / score : 1, 3)}</td><td class="num">${minus(score, 3)}</td></tr>`; })}</table>
      ${got.value.found && html`<table class="sums" style=${{ marginTop: "12px" }}><caption class="sr">What the search with the mistake gives</caption><tr><th scope="col">with the mistake, best first</th><th scope="col">score</th></tr>${got.value.found.map(({ text, score }) => html`<tr><th scope="row" class="mono"><span class="wrong-is">${text || "nothing"}</span></th><td class="num">${minus(score, 3)}</td></tr>`)}</table>`}
      <p class="small soft" style=${{ marginTop: "8px" }}>Score = log p ÷ ((5 + letters) ∕ 6)<sup>α</sup>. With α = 0 the sum of log-probabilities decides, which prefers short texts.</p>`;
  };

  const Ngrams = () => {
    const marked = got.value.bleu;
    if (!marked) return html`<h2>BLEU</h2><p class="small soft">${s.target.value.trim() ? "It is being computed; where it writes nothing there is none." : "BLEU compares what it writes with a right translation: give one, on the left."}</p>`;
    const n = marked.hypothesis.length, unit = 44, rows = marked.orders.flatMap((order, k) => order.matched.map((hit, first) => ({ hit, first, size: k + 1, line: (k * (k + 1)) / 2 + (first % (k + 1)) + 0.7 * k })));
    const p = marked.orders.map((order) => order.precision);
    return html`<div class="spread"><h2>BLEU: the n-grams that the right translation has too</h2></div>
      <div class="scroll tree" tabindex="0" role="img" aria-label="The n-grams of what it writes; a table below has their counts"><svg width=${Math.max(n * unit + 64, 200)} height=${70 + 12.4 * 16} aria-hidden="true">
        <text x="0" y="16" class="side">right</text>${marked.reference.map((token, k) => html`<text x=${64 + k * unit + unit / 2} y="16" text-anchor="middle">${token}</text>`)}
        <text x="0" y="44" class="side">it writes</text>${marked.hypothesis.map((token, k) => html`<text class=${marked.orders[0].matched[k] ? "hit" : "miss"} x=${64 + k * unit + unit / 2} y="44" text-anchor="middle">${token}</text>`)}
        ${[1, 2, 3, 4].map((size) => html`<text class="side" x="0" y=${70 + 16 * ((size * (size - 1)) / 2 + 0.7 * (size - 1))}>${size}-grams</text>`)}
        ${rows.map(({ hit, first, size, line }) => html`<rect class=${hit ? "hit" : "miss"} x=${64 + first * unit + 3} y=${60 + 16 * line} width=${size * unit - 6} height="10" rx="4" />`)}</svg></div>
      <p class="small soft">Green: matched, as often as the right translation has it. Dashed: not matched.</p>
      <table class="sums" style=${{ marginTop: "8px" }}><caption class="sr">N-grams that are matched</caption><tr><th scope="col">n</th><th scope="col">matched</th><th scope="col">of</th><th scope="col">precision</th></tr>${marked.orders.map((order, k) => html`<tr><th scope="row">${k + 1}-grams</th><td class="num">${order.matched.filter(Boolean).length}</td><td class="num">${order.matched.length}</td><td class="num">${minus(order.precision, 3)}</td></tr>`)}</table>
      <div class="formula"><em>brevity penalty: ${n} ${n < marked.reference.length ? "<" : "≥"} ${marked.reference.length} ${n < marked.reference.length ? "tokens, exp(1 − r ∕ c)" : "tokens, none"}</em><b>${minus(marked.penalty, 3)}</b><em>(${p.map((v) => minus(v, 3)).join(" × ")})<sup>1∕4</sup> × penalty: BLEU</em><b data-id="bleu">${minus(marked.score, 4)}</b>${"their_score" in got.value && html`<em>by the code chosen above</em><b class="wrong-is" data-id="their-bleu">${got.value.their_score === null ? "no number" : minus(got.value.their_score, 4)}</b>`}</div>
      <p class="small soft">One precision of 0 makes the product 0: on one short text BLEU is harsh, and is meant for a whole corpus.</p>`;
  };
  const Main = () => html`<section class="card"><p class="switch parts" role="group" aria-label="What is looked at">${Object.entries(PARTS).map(([name, label]) => html`<button aria-pressed=${s.part.value === name} onClick=${part(name)}>${label} <kbd>${name === "bleu" ? "u" : label[0]}</kbd></button>`)}</p>
    ${s.part.value === "beam" ? html`<${Tree} />` : s.part.value === "bleu" ? html`<${Ngrams} />` : html`<${Matrix} />`}</section>`;

  const Cells = ({ name, kind, values, limit }) => html`<b class=${kind}>${name}</b>${values.map((v) => html`<span title=${v.toFixed(4)} style=${{ background: color("signed", v, limit) }}></span>`)}`;
  const ByHand = () => {
    theme.value;
    if (asking.value) return html`<${Veil} title="One weight, by hand">What is compared, the score, the softmax and what it writes stand here once you have predicted. Guessing first, then seeing, is what makes it stick.</${Veil}>`;
    const a = got.value, q = [...rowOf(a.arrays.asked, t.value)], k = [...rowOf(a.arrays.keys, j.value)], v = a.arrays.v && [...a.arrays.v.data], scores = rowOf(a.arrays.scores, t.value);
    const squashed = v && q.map((x, n) => Math.tanh(x + k[n])), products = v ? squashed.map((x, n) => x * v[n]) : q.map((x, n) => x * k[n]), limit = Math.max(largest(q), largest(k)), most = largest(products), top = Math.max(...scores), exp = (x) => Math.exp(x - top), total = scores.reduce((sum, x) => sum + exp(x), 0);
    const pieces = Array.from({ length: Math.ceil(q.length / 16) }, (_, n) => [16 * n, Math.min(q.length, 16 * n + 16)]).slice(0, v ? 2 : 4);
    return html`<section class="card"><div class="spread"><h2>One weight, by hand</h2><span class="small soft">step <b class="q mono">${t.value}</b> asks <b class="mono k">${shown(a.tokens[j.value])}</b></span></div>
      ${pieces.map(([x, y]) => html`<div class="cells wide" aria-hidden="true"><${Cells} name=${v ? "W q" : "q"} kind="q" values=${q.slice(x, y)} limit=${limit} /><${Cells} name=${v ? "U m" : "k"} kind="k" values=${k.slice(x, y)} limit=${limit} />${v && html`<${Cells} name="tanh(+)" values=${squashed.slice(x, y)} limit=${1} />`}<${Cells} name=${v ? "× v" : "q × k"} values=${products.slice(x, y)} limit=${most} /></div>`)}
      ${q.length > 16 * pieces.length && html`<p class="small faint">The first ${16 * pieces.length} of ${q.length} numbers.</p>`}
      ${s.code.value !== "reference" && html`<p class="small soft">As the reference computes it.</p>`}
      <div class="formula"><em>${v ? `v · tanh(W q + U m), ${q.length} products` : `q · k, the sum of ${q.length} products`}: the score</em><b data-id="score">${minus(scores[j.value], 3)}</b><em>exp(score − the row's largest, ${minus(top, 3)})</em><b>${minus(exp(scores[j.value]), 4)}</b><em>÷ the sum over ${S.value} places, ${minus(total, 3)}: the weight</em><b data-id="weight">${minus(weights(t.value, false)[j.value], 4)}</b></div></section>
    <section class="card"><h2>Where step ${t.value} looks</h2>${bars(best.value.slice(0, 6).map(([x, n]) => [shown(a.tokens[n]), html`<span class="faint"> ${n}</span>`, x, n === j.value ? "var(--k)" : "var(--ink-map)", ""]))}
      <h2 style=${{ marginTop: "16px" }}>What it writes next</h2>${nextBars(a.next[t.value], a.said[t.value])}</section>
    <div class="sr"><table><caption>Where step ${t.value} looks, which writes ${shown(a.said[t.value])}</caption><tr><th>place</th><th>letter</th><th>weight</th></tr>${best.value.map(([x, n]) => html`<tr><td>${n}</td><td>${shown(a.tokens[n])}</td><td>${minus(x, 3)}</td></tr>`)}</table></div>`;
  };

  return () => html`<${Bar} title="Attention of a translator" about=${about.value} model=${s.model} changed=${again} pressed=${pressed}>${about.value && html`<${Switch} w=${w} />`}</${Bar}>
    <main><h1>Which word is being translated?</h1><${Lead} about=${about.value} /><${Failed} message=${failed.value} />
    ${about.value && !about.value.models.length && html`<${NoModel} about=${about.value} />`}
    ${!got.value && failed.value && about.value?.models.length > 0 && html`<p class="small"><label>another source <input class="write" value=${s.source.value} onChange=${(e) => (s.source.value = e.target.value)} /></label></p>`}
    ${got.value && html`<${Prediction} /><${Said} w=${w} told=${got.value} /><${Strip} /><div class="grid3"><${Inputs} /><${Main} /><div class="stacked"><${ByHand} /></div></div><${KeyLine} pressed=${pressed} />`}
    ${about.value && html`<${Around} about=${about.value} />`}</main>`;
});
