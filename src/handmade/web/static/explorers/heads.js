// @ts-check
// The heads of a model that reads a text: all of them small, one large, one weight by hand, arcs over the text.
import { html, signal, computed, batch } from "/static/vendor/preact.js";
import { rowOf } from "/static/lib/frame.js";
import { bars, color, inkOn, largest, Legend, minus, Painted, shown, theme } from "/static/lib/paint.js";
import { Around, Bar, clamp, Copy, explorer, Failed, KeyLine, keys, latest, Lead, measurement, NoModel, Predict, prediction, questions, state, Veil } from "/static/lib/shell.js";
import { Said, Switch, whose } from "/static/lib/whose.js";

const plus = (v) => (+v.toFixed(2) > 0 ? "+" : "") + minus(v);
const HEIGHT = 64; // of the arcs above the letters
const CROWD = 72; // tokens whose names have room beside a map
const wide = (token) => Math.max(22, 9.7 * shown(token).length + 8); // of a token in the strip
const middles = (tokens) => { let x = 0; return tokens.map((t) => { const w = wide(t); x += w; return x - w / 2; }); };

export default explorer((host, scope) => {
  const s = state(host, scope, { model: "", text: "", layer: 0, head: 0, i: -1, j: -1, sharpness: 1, off: [], seen: [], code: "reference", fault: "", riddle: -1 });
  const without = signal(null), editing = signal(false);
  const of = ({ model, text, sharpness, off }) => JSON.stringify([model, text, sharpness, off]); // what a loss is the loss of
  const { got, about, failed, fail, refresh } = questions(host, scope, "heads", (answer, asked) => { answer.of = of(asked); });
  const part = computed(() => got.value?.parts[clamp(s.layer.value, got.value.parts.length)] ?? null); // where the chosen layer looks, and at what
  const w = whose(host, scope, about, s, () => (part.value?.causal === false ? "self_attention" : "causal_mask"));

  const question = () => ({ model: s.model.value, text: s.text.value, layer: s.layer.value, head: s.head.value, sharpness: s.sharpness.value, off: s.off.value });
  const ablate = latest(host.ask, (answer, asked) => (without.value = { ...answer.arrays.without, of: of(asked) }), () => (without.value = null));
  scope.effect(() => refresh({ ...question(), ...w.asked() }));
  let later;
  scope.effect(() => { // the loss without each head, a little after the last change
    const { model, text, sharpness, off } = question();
    if (!got.value?.ablated) return;
    clearTimeout(later);
    later = setTimeout(() => ablate({ model, text, sharpness, off, ablate: true }), 400);
  });
  scope.end(() => clearTimeout(later));
  const long = measurement(host, scope, "heads", fail); // of a large model, a few heads after another, when it is asked for
  let begun = "";
  const measure = () => {
    const { model, text, sharpness, off } = question(), asked = { model, text, sharpness, off };
    begun = of(asked);
    long.begin(asked, (piece) => {
      const so = without.value;
      if ("total" in piece) without.value = { of: begun, loss: piece.loss, heads: piece.heads, total: piece.total, done: 0, data: new Float32Array(piece.parts * piece.heads).fill(NaN) };
      else { const data = so.data.slice(); data.set(piece.losses, piece.part * so.heads + piece.first); without.value = { ...so, data, done: so.done + piece.losses.length }; }
    });
  };
  scope.effect(() => { if (of(question()) !== begun && long.running.peek()) long.cancel(); });

  const looking = computed(() => (got.value ? got.value.texts[part.value.looks] : [])), looked = computed(() => (got.value ? got.value.texts[part.value.at] : []));
  const cross = computed(() => part.value !== null && part.value.looks !== part.value.at); // one text looks at another
  const T = computed(() => looking.value.length), TK = computed(() => looked.value.length);
  const layer = computed(() => clamp(s.layer.value, got.value?.parts.length ?? 1)), head = computed(() => clamp(s.head.value, part.value?.heads ?? 1));
  const begin = () => { const mask = looking.value.indexOf("[MASK]"); return mask >= 0 ? mask : Math.min(20, Math.floor((2 * T.value) / 3)); };
  const i = computed(() => clamp(s.i.value < 0 ? begin() : s.i.value, T.value)); // the token that looks
  const sees = (k) => k < TK.value && (!part.value?.causal || k <= i.value);
  const arrived = computed(() => got.value !== null && got.value.layer === layer.value && got.value.head === head.value); // else its map is on the way
  const map = (theirs = true) => ((theirs && got.value.arrays.their_map) || got.value.arrays.map).data;
  const small = (l, h) => {
    const a = got.value.arrays, theirs = l === got.value.layer && a.their_small, { shape: [, r, c], data } = theirs || a[`small/${l}`];
    return { rows: r, columns: c, data: data.subarray(h * r * c, (h + 1) * r * c) };
  };
  const rowIn = (data) => data.subarray(i.value * TK.value, (i.value + 1) * TK.value);
  const row = computed(() => (arrived.value ? rowIn(map()) : new Float32Array(TK.value)));
  const best = computed(() => [...row.value].map((weight, k) => [weight, k]).sort((a, b) => b[0] - a[0]));
  const j = computed(() => (s.j.value >= 0 && sees(s.j.value) ? s.j.value : best.value[0]?.[1] ?? 0));
  const has = (list, l, h) => list.some(([a, b]) => a === l && b === h);
  const isOff = (l, h) => has(s.off.value, l, h);
  const toggle = (l, h) => { s.off.value = isOff(l, h) ? s.off.value.filter(([a, b]) => a !== l || b !== h) : [...s.off.value, [l, h]]; };
  const seen = (l, h) => has(s.seen.value, l, h); // a head whose pattern has been predicted, or shown
  const veiled = computed(() => !seen(layer.value, head.value));
  const asking = computed(() => veiled.value || said.value === "ask");
  const show = () => { if (veiled.value) s.seen.value = [...s.seen.value, [layer.value, head.value]]; };
  const { said, say, graded } = prediction(() => [question(), i.value, w.s.code.value, w.fault()], w.predicted);
  const guess = (k) => batch(() => { say(k); show(); });
  const another = () => batch(() => { said.value = "ask"; s.i.value = T.value < 9 ? (i.value + 1) % T.value : clamp(i.value + 7 >= T.value ? (i.value + 7) % 8 : i.value + 7, T.value); s.j.value = -1; });
  const choose = (l, h) => batch(() => { s.layer.value = l; s.head.value = h; s.j.value = -1; if (said.value !== "ask") said.value = null; });
  const showAll = () => batch(() => { said.value = said.value === "ask" ? -1 : said.value; s.seen.value = got.value.parts.flatMap((p, l) => Array.from({ length: p.heads }, (_, h) => [l, h])); });

  const afresh = () => { s.layer.value = 0; s.head.value = 0; s.i.value = -1; s.j.value = -1; s.off.value = []; s.seen.value = []; said.value = null; }; // of another model

  const step = (right, up) => () => batch(() => {
    if (right) { s.i.value = clamp(i.value + right, T.value); s.j.value = -1; } else if (!asking.value) s.j.value = clamp(j.value + up, part.value.causal ? i.value + 1 : TK.value);
  });
  const pressed = keys(scope, {
    ArrowLeft: ["token", step(-1, 0)], ArrowRight: ["token", step(1, 0)], ArrowDown: ["key", step(0, -1)], ArrowUp: ["key", step(0, 1)],
    l: ["layer", () => choose((layer.value + 1) % got.value.parts.length, head.value)], h: ["head", () => choose(layer.value, (head.value + 1) % part.value.heads)],
    x: ["switch the head off", () => toggle(layer.value, head.value)], s: ["show", () => guess(-1)],
  });

  const Arcs = () => {
    const at = middles(looking.value), total = at.length ? at[at.length - 1] + wide(looking.value[at.length - 1]) / 2 : 0, to = at[i.value];
    if (asking.value || !arrived.value) return html`<svg class="arcs" width=${total} height=${HEIGHT} aria-hidden="true"><text x=${to} y=${HEIGHT - 6} text-anchor="middle">?</text></svg>`;
    return html`<svg class="arcs" width=${total} height=${HEIGHT} aria-hidden="true">${best.value.filter(([weight, k]) => sees(k) && weight > 0.015).slice(0, 14).map(([weight, k]) => {
      const from = at[k], span = Math.abs(to - from), rise = 1.25 * Math.min(HEIGHT - 8, 14 + 5.7 * Math.sqrt(span)), thick = Math.min(1, weight);
      const d = span ? `M${from} ${HEIGHT} C${from} ${HEIGHT - rise} ${to} ${HEIGHT - rise} ${to} ${HEIGHT}` : `M${from - 4} ${HEIGHT} C${from - 14} ${HEIGHT - 30} ${from + 14} ${HEIGHT - 30} ${from + 4} ${HEIGHT}`;
      return html`<path d=${d} fill="none" stroke=${k === j.value ? "var(--k)" : "var(--ink-map)"} stroke-width=${0.6 + 9 * thick} stroke-opacity=${0.25 + 0.7 * Math.sqrt(thick)} />`;
    })}</svg>`;
  };
  // A text, token by token. asks: its tokens are those that look. answers: those that are looked at.
  const Run = ({ tokens, label, asks, answers }) => {
    theme.value;
    const pick = (k) => () => batch(() => { if (answers && asking.value) { if (sees(k)) guess(k); } else if (asks) { s.i.value = k; s.j.value = -1; } else s.j.value = k; });
    return html`<div class="run" role="group" aria-label=${label}>${tokens.map((t, k) => {
      const weight = answers && sees(k) && !asking.value ? row.value[k] : 0, now = asks && k === i.value, off = asking.value && (answers ? !sees(k) : !now);
      return html`<button key=${k} aria-current=${now ? "true" : undefined} aria-label=${`${shown(t)}, place ${k}`} tabindex=${now || (asking.value && answers && sees(k)) || (!asks && k === j.value) ? 0 : -1} class=${answers && !asking.value && k === j.value ? "key" : ""} disabled=${off}
        ref=${now ? (e) => e?.scrollIntoView?.({ block: "nearest", inline: "nearest" }) : undefined}
        style=${{ width: `${wide(t)}px`, ...(weight > 0 ? { background: color("weight", weight * 0.8), color: inkOn("weight", weight * 0.8) } : {}) }} onClick=${pick(k)}>${shown(t)}</button>`;
    })}</div>`;
  };
  const Letters = () => html`<div class="letters" tabindex="-1"><div>${cross.value
    ? html`<p class="small soft">The translation looks ...</p><${Run} tokens=${looking.value} label="The translation, token by token" asks=${true} answers=${false} /><p class="small soft">... at the source:</p><${Run} tokens=${looked.value} label="The source, token by token" asks=${false} answers=${true} />`
    : html`<${Arcs} /><${Run} tokens=${looking.value} label="The text, token by token" asks=${true} answers=${true} />`}</div></div>`;
  const Text = () => html`<div class="text">${editing.value
    ? html`<input class="write" ref=${(e) => e?.focus()} aria-label="The text; the model reads its first tokens" maxlength="2000" value=${s.text.value || got.value.text} onInput=${(e) => { if (e.target.value.trim()) s.text.value = e.target.value; }} onBlur=${() => (editing.value = false)} onKeyDown=${(e) => { if (e.key === "Enter" || e.key === "Escape") editing.value = false; }} />`
    : html`<${Letters} />`}<button class="icon edit" onClick=${() => (editing.value = !editing.value)}>${editing.value ? "done" : "change the text"}</button></div>`;

  const token = (k) => html`<strong class="mono">${shown(looking.value[k])}</strong>`, key = (k) => html`<strong class="mono">${shown(looked.value[k])}</strong>`;
  const Prediction = () => {
    const where = html`${named(layer.value)}, head ${head.value}`, [weight, k] = best.value[0];
    if (!arrived.value) return html`<${Predict} tag="…">This head is being computed.</${Predict}>`;
    if (asking.value) return html`<${Predict} tag="Predict first" action=${["show me", () => guess(-1)]}>${cross.value ? html`From ${token(i.value)} (place ${i.value}) of the translation, which token of the source` : part.value.causal ? html`Of the tokens up to ${token(i.value)} (place ${i.value}), which one` : html`From ${token(i.value)} (place ${i.value}), which token, before or behind it,`} does ${where} look at most? Click it in the ${cross.value ? "source" : "text"}.</${Predict}>`;
    const mine = typeof said.value === "number" && said.value >= 0 && graded() ? said.value : null, right = mine === null ? null : mine === k || row.value[mine] >= weight;
    const note = isOff(layer.value, head.value) ? " The head is off: it looks, and gives nothing." : weight < 0.5 ? " No token gets more than half: this head takes an average here." : cross.value ? "" : i.value - k === 1 ? " It looks one token back." : k - i.value === 1 ? " It looks one token ahead." : k === i.value ? " It looks at itself." : "";
    return html`<${Predict} tag="It looks at" right=${right} action=${["another", another]}>
      ${key(k)} (place ${k}) gets <strong class="num">${(100 * weight).toFixed(0)} %</strong>${right === false ? html`; yours, ${key(mine)}, gets <span class="num">${(100 * row.value[mine]).toFixed(0)} %</span>` : ""}.${note}</${Predict}>`;
  };

  const named = (l) => { const name = got.value.parts[l].name; return /^\d/.test(name) ? `layer ${name}` : name; };
  const OF = { writes: "on this text", "fills in": "each token hidden in turn", translates: "of this translation" };
  const Overview = () => {
    const a = got.value, most = Math.max(...a.parts.map((p) => p.heads)), loss = a.loss ?? (without.value?.of === a.of ? without.value.loss : null), measured = without.value?.of === a.of && without.value.data.length === a.parts.length * most ? without.value : null, spoken = a.parts.some((p) => !/^\d/.test(p.name));
    return html`<section class="card"><div class="spread"><h2>Every head</h2><span class="faint small">${a.ablated || measured ? "loss without it" : "layer by head"}</span></div>
      <div class="heads" style=${{ gridTemplateColumns: `${spoken ? "66px" : "22px"} repeat(${most}, minmax(${most > 12 ? 30 : 0}px, 1fr))` }}><span></span>${Array.from({ length: most }, (_, h) => html`<span class="top">${h}</span>`)}
      ${a.parts.map((p, l) => html`<span>${p.name}</span>${Array.from({ length: most }, (_, h) => {
        if (h >= p.heads) return html`<span></span>`;
        const known = measured?.data[l * most + h], cost = known === undefined || Number.isNaN(known) ? null : known - (measured.loss ?? a.loss), open = seen(l, h);
        return html`<button key=${`${l}.${h}`} class=${`thumb${isOff(l, h) ? " off" : ""}`} aria-pressed=${l === layer.value && h === head.value} aria-label=${`${named(l)}, head ${h}${isOff(l, h) ? ", off" : ""}${cost === null ? "" : `, loss without it ${cost < 0 ? "lower" : "higher"} by ${Math.abs(cost).toFixed(2)}`}`} onClick=${() => choose(l, h)} onDblClick=${() => toggle(l, h)}>
          ${open ? html`<${Painted} ...${small(l, h)} kind="weight" />` : html`<span class="veiled" aria-hidden="true">?</span>`}
          ${(a.ablated || measured) && html`<small class=${cost > 0.05 ? "hurts" : ""}>${cost === null ? "…" : plus(cost)}</small>`}</button>`;
      })}`)}</div>
      <div class="spread" style=${{ marginTop: "14px" }}><div>${loss != null && html`<div class="big num" data-id="loss">${loss.toFixed(3)}</div><div class="small soft">nats a token, ${OF[a.kind]}</div>`}
        ${"loss_with" in a && html`<div class="small wrong-is"><b class="num" data-id="loss-with">${a.loss_with == null ? "no number" : a.loss_with.toFixed(3)}</b> with the mistake in every head</div>`}</div>
      <button class="icon" onClick=${() => toggle(layer.value, head.value)}>${isOff(layer.value, head.value) ? "switch on" : "switch off"} <kbd>x</kbd></button></div>
      ${(a.ablated || measured) && html`<p class="small faint" style=${{ marginTop: "10px" }}>Below each head: how much that rises without it.</p>`}
      ${!a.ablated && a.measurable && html`<div style=${{ marginTop: "10px" }}>${long.running.value ? html`<progress aria-label="heads measured" max=${measured?.total ?? 1} value=${measured?.done ?? 0} /><div class="spread"><span class="small soft">${measured ? `${measured.done} of ${measured.total} heads` : "begun"}</span><button class="icon" onClick=${long.cancel}>cancel</button></div>`
        : !(measured?.done === measured?.total && measured) && html`<button class="icon" onClick=${measure}>measure the loss without each head</button>`}</div>`}
      ${s.seen.value.length < a.parts.length * most && html`<button class="link" style=${{ marginTop: "10px", padding: 0 }} onClick=${showAll}>show all heads</button>`}</section>`;
  };

  const Matrix = () => {
    const a = got.value, n = T.value, m = TK.value, causal = part.value.causal, names = Math.max(n, m) <= CROWD;
    const pick = (e) => { const b = e.currentTarget.getBoundingClientRect(), r = Math.floor(((e.clientY - b.top) / b.height) * n), c = Math.floor(((e.clientX - b.left) / b.width) * m); if (!asking.value && (!causal || c <= r) && r < n && c < m) batch(() => { s.i.value = r; s.j.value = c; }); };
    const title = html`<h2>${named(layer.value).replace(/^./, (c) => c.toUpperCase())}, head ${head.value}: this token (row) looks at that one (column)</h2>`;
    const slider = html`<div class="slider" style=${{ marginTop: "14px" }}><label for=${scope.id("sharp")}>sharpness</label><input id=${scope.id("sharp")} data-id="sharp" type="range" min="0" max="4" step="0.05" value=${s.sharpness.value} onInput=${(e) => (s.sharpness.value = +e.target.value)} /><output class="num">× ${s.sharpness.value.toFixed(2)}</output></div>
      <p class="small soft">All scores of all heads are multiplied by this before the softmax: 0 makes every head an average; √${a.d} ≈ ${Math.sqrt(a.d).toFixed(1)} would undo the division by √dₖ.</p>`;
    if (veiled.value || !arrived.value) return html`<section class="card">${title}<div class="curtain">${veiled.value ? "?" : "…"}</div>${slider}</section>`;
    const differs = s.code.value !== "reference" && a.arrays.their_map, data = map();
    return html`<section class="card"><div class="spread">${title}<${Legend} kind="weight" from="0" to="1" /></div>
      <div class="matrix"><div class="names rows" aria-hidden="true">${looking.value.map((t, k) => html`<span class=${k === i.value ? "on-q" : ""}>${names ? shown(t) : ""}</span>`)}</div>
        <${Painted} data=${data} rows=${n} columns=${m} kind="weight" onClick=${pick} label=${`${n} by ${m} attention weights; a table below has the row of ${shown(looking.value[i.value])}`} />
        <svg viewBox="0 0 ${m} ${n}" preserveAspectRatio="none" aria-hidden="true">${asking.value && html`<rect x="0" y=${i.value} width=${m} height="1" fill="var(--card)" />`}
          ${causal && s.code.value === "reference" && html`<path d="M1 0H${n}V${n - 1}${Array.from({ length: n - 1 }, (_, k) => `H${n - 1 - k}V${n - 2 - k}`).join("")}Z" fill="var(--wash)" opacity=".75" />`}
          <rect x="0" y=${i.value} width=${causal ? i.value + 1 : m} height="1" fill="none" stroke="var(--q)" stroke-width="2" vector-effect="non-scaling-stroke" />
          ${!asking.value && html`<rect x=${j.value} y=${i.value} width="1" height="1" fill="none" stroke="var(--k)" stroke-width="2.5" vector-effect="non-scaling-stroke" />`}</svg>
        <div class="names columns" aria-hidden="true">${looked.value.map((t, k) => html`<span class=${k === j.value && !asking.value ? "on-k" : ""}>${names ? shown(t) : ""}</span>`)}</div></div>
      <div class="spread" style=${{ marginTop: "10px" }}><span class="small soft">${differs ? html`Computed by the code chosen above. <${Apart} />` : s.code.value !== "reference" ? "The code chosen above gives no such map here: the reference's is shown." : ""}</span><${Copy} array=${{ shape: [n, m], data }} /></div>${slider}</section>`;
  };
  const Apart = () => {
    const mine = map(), right = map(false);
    let most = 0, where = 0;
    for (let k = 0; k < mine.length; k++) { const d = Math.abs(mine[k] - right[k]); if (d > most || Number.isNaN(d)) { most = d; where = k; if (Number.isNaN(d)) break; } }
    return most > 2e-3 || Number.isNaN(most) ? html`Farthest from the reference: row ${Math.floor(where / TK.value)}, column ${where % TK.value}, <b class="num">${minus(mine[where], 3)}</b> for <b class="num">${minus(right[where], 3)}</b>.` : "It agrees with the reference in this head.";
  };

  const Cells = ({ name, kind, values, limit }) => html`<b class=${kind}>${name}</b>${values.map((v) => html`<span title=${v.toFixed(4)} style=${{ background: color("signed", v, limit) }}></span>`)}`;
  const ByHand = () => {
    theme.value;
    if (!arrived.value) return null;
    if (asking.value) return html`<${Veil} title="One weight, by hand">The products, the score, the softmax and what the model says next stand here once you have predicted. Guessing first, then seeing, is what makes it stick.</${Veil}>`;
    const a = got.value, d = a.d, q = [...rowOf(a.arrays.q, i.value)], k = [...rowOf(a.arrays.k, j.value)];
    const products = q.map((v, n) => v * k[n]), dot = products.reduce((x, y) => x + y, 0), score = (dot / Math.sqrt(d)) * s.sharpness.value, weight = rowIn(map(false))[j.value];
    const limit = Math.max(largest(q), largest(k)), most = largest(products), pieces = Array.from({ length: Math.ceil(d / 16) }, (_, n) => [16 * n, Math.min(d, 16 * n + 16)]).slice(0, 4);
    return html`<section class="card"><div class="spread"><h2>One weight, by hand</h2><span class="small soft"><b class="mono q">${shown(looking.value[i.value])}</b> asks <b class="mono k">${shown(looked.value[j.value])}</b></span></div>
      ${pieces.map(([x, y]) => html`<div class="cells" style=${{ gridTemplateColumns: `42px repeat(${Math.min(16, d)}, 1fr)` }} aria-hidden="true"><${Cells} name="q" kind="q" values=${q.slice(x, y)} limit=${limit} /><${Cells} name="k" kind="k" values=${k.slice(x, y)} limit=${limit} /><${Cells} name="q × k" values=${products.slice(x, y)} limit=${most} /></div>`)}
      <div class="formula"><em>q · k, the sum of ${d} products</em><b>${minus(dot)}</b><em>/ √${d}${s.sharpness.value === 1 ? "" : ` × ${s.sharpness.value.toFixed(2)}`}: the score</em><b>${minus(score)}</b><em>softmax over ${part.value.causal ? i.value + 1 : TK.value} keys: the weight</em><b data-id="weight">${minus(weight, 4)}</b></div></section>
    <section class="card"><h2>What <span class="mono">${shown(looking.value[i.value])}</span> looks at</h2>${bars(best.value.filter(([, n]) => sees(n) || s.code.value !== "reference").slice(0, 6).map(([v, n]) => [shown(looked.value[n]), html`<span class="faint"> ${n}</span>`, v, n === j.value ? "var(--k)" : "var(--ink-map)", ""]))}
      ${part.value.looks === a.says && html`<h2 style=${{ marginTop: "16px" }}>${a.kind === "fills in" ? "What the model would put here" : "What the model says next"}</h2>${bars(a.next[i.value].slice(0, 5).map(([t, p]) => { const right = t === a.right[i.value]; return [shown(t), "", p, right ? "var(--right)" : "var(--ink)", right ? html`<span style=${{ color: "var(--right)" }}> ✓</span>` : ""]; }))}`}</section>
    <div class="sr"><table><caption>What ${shown(looking.value[i.value])} at place ${i.value} looks at, in ${named(layer.value)}, head ${head.value}</caption><tr><th>place</th><th>token</th><th>weight</th></tr>${best.value.filter(([, n]) => sees(n)).map(([v, n]) => html`<tr><td>${n}</td><td>${shown(looked.value[n])}</td><td>${minus(v, 3)}</td></tr>`)}</table></div>`;
  };

  return () => html`<${Bar} title="Attention, head by head" about=${about.value} model=${s.model} changed=${afresh} pressed=${pressed}>${about.value && html`<${Switch} w=${w} />`}</${Bar}>
    <main><h1>Where does each letter look?</h1><${Lead} about=${about.value} /><${Failed} message=${failed.value} />
    ${about.value && !about.value.models.length && html`<${NoModel} about=${about.value} />`}
    ${!got.value && failed.value && about.value?.models.length > 0 && html`<p class="small"><label>another text <input class="write" value=${s.text.value} onChange=${(e) => (s.text.value = e.target.value)} /></label></p>`}
    ${got.value && html`<${Prediction} /><${Said} w=${w} told=${got.value} /><${Text} /><div class="grid3"><${Overview} /><${Matrix} /><div class="stacked"><${ByHand} /></div></div><${KeyLine} pressed=${pressed} />`}
    ${about.value && html`<${Around} about=${about.value} />`}</main>`;
});
