// @ts-check
// Attention by hand: numbers that one types, and every number that follows from them.
import { html, computed, batch } from "/static/vendor/preact.js";
import { largest, Legend, minus, numbered, Numbers, Typed } from "/static/lib/paint.js";
import { Around, Bar, clamp, Copy, explorer, Failed, KeyLine, keys, Lead, Predict, prediction, questions, state, Veil } from "/static/lib/shell.js";
import { Said, Switch, whose } from "/static/lib/whose.js";

const WORDS = ["the", "cat", "sat", "down", "and", "slept"];
const FIRST = {
  q: [[1, 0, 1, 0], [0, 2, 1, 1], [1, 1, 0, 2], [2, 0, 1, 1]],
  k: [[1, 1, 0, 0], [0, 2, 0, 1], [2, 0, 1, 0], [1, 0, 1, 2]],
  v: [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
};
const EXERCISE = { none: "self_attention", causal: "causal_mask", padding: "padding_mask" };
const STEPS = ["placed_q", "placed_k", "products", "scores", "masked", "exponentials", "weights", "output"];

export default explorer((host, scope) => {
  const s = state(host, scope, { ...FIRST, heads: 1, mask: "none", length: 3, positions: "none", step: "weights", head: 0, i: 1, j: 0, seen: 0, code: "reference", fault: "", riddle: -1 });
  const { got, about, failed, refresh } = questions(host, scope, "hand");
  const isPlaced = (step) => step.startsWith("placed"), onPositions = () => isPlaced(s.step.value) && s.positions.value !== "none";
  const steps = computed(() => STEPS.filter((step) => (step !== "masked" || s.mask.value !== "none") && (!isPlaced(step) || s.positions.value !== "none")));
  const together = () => { const q = s.q.value, columns = q[0].length; return s.heads.value > 1 && s.mask.value === "none" && q.length === s.k.value.length && q.length <= columns && s.v.value[0].length === columns; }; // all heads by one function
  const w = whose(host, scope, about, s, () => (onPositions() ? s.positions.value : together() ? "multi_head_attention" : EXERCISE[s.mask.value]));
  scope.effect(() => refresh({ q: s.q.value, k: s.k.value, v: s.v.value, heads: s.heads.value, mask: s.mask.value, length: s.length.value, positions: s.positions.value, part: onPositions() ? "positions" : "attention", ...w.asked() }));

  const S = computed(() => s.q.value.length), d = computed(() => s.q.value[0].length);
  const words = (n) => Array.from({ length: n }, (_, k) => WORDS[k] ?? `t${k}`);
  const i = computed(() => clamp(s.i.value, S.value));
  const head = computed(() => clamp(s.head.value, got.value?.heads ?? 1));
  const width = () => (s.step.value === "output" || isPlaced(s.step.value) ? got.value.arrays[s.step.value].shape[2] : S.value);
  scope.effect(() => { if (!steps.value.includes(s.step.value)) s.step.value = "weights"; });
  const j = computed(() => clamp(s.j.value, got.value ? width() : S.value));
  // A number of a step, in the head that is looked at. Theirs: weights and output of the code that computes.
  const value = (step, r, c, theirs = true) => {
    const a = got.value.arrays, array = (theirs && a[`their_${step === "weights" ? "attention_weights" : step}`]) || a[step];
    return array.data[(head.value * array.shape[1] + r) * array.shape[2] + c];
  };
  const veiled = computed(() => s.seen.value === 0 && said.value === null);
  const best = computed(() => { const row = Array.from({ length: S.value }, (_, c) => value("weights", i.value, c, false)); return row.indexOf(Math.max(...row)); });
  const differs = (step) => (r, c) => s.code.value !== "reference" && (step === "weights" || step === "output" || isPlaced(step)) && !(Math.abs(value(step, r, c) - value(step, r, c, false)) <= 1e-5);
  const pick = (step) => (r, c) => batch(() => { s.step.value = step; s.i.value = r; s.j.value = c; });
  const { said, say, graded } = prediction(() => [s.q.value, s.k.value, s.heads.value, s.mask.value, s.length.value, s.positions.value, head.value, i.value], w.predicted);
  const guess = (k) => batch(() => { say(k); s.seen.value = 1; s.j.value = k < 0 ? best.value : k; s.step.value = "weights"; });
  const another = () => batch(() => { said.value = null; s.seen.value = 0; s.i.value = (i.value + 1) % S.value; });

  const move = (down, right) => () => batch(() => { s.i.value = clamp(i.value + down, S.value); s.j.value = clamp(j.value + right, width()); });
  const stepBy = (n) => () => { s.step.value = steps.value[clamp(steps.value.indexOf(s.step.value) + n, steps.value.length)]; };
  const pressed = keys(scope, {
    ArrowUp: ["row, column", move(-1, 0)], ArrowDown: ["row, column", move(1, 0)], ArrowLeft: ["row, column", move(0, -1)], ArrowRight: ["row, column", move(0, 1)],
    n: ["next step", stepBy(1)], p: ["step before", stepBy(-1)],
    m: ["mask", () => { s.mask.value = { none: "causal", causal: "padding", padding: "none" }[s.mask.value]; }],
    o: ["positions", () => { s.positions.value = { none: "sinusoidal", sinusoidal: "rotary", rotary: "none" }[s.positions.value]; }],
    h: ["head", () => { s.head.value = (head.value + 1) % s.heads.value; }],
    r: ["other numbers", () => draw()],
  });
  const draw = () => batch(() => { for (const x of [s.q, s.k, s.v]) x.value = x.value.map((row) => row.map(() => Math.round(4 * (Math.random() * 4 - 2)) / 4)); });
  const set = (x) => (r, c, v) => { x.value = x.value.map((row, k) => (k === r ? row.map((old, n) => (n === c ? v : old)) : row)); };
  const resize = (rows) => batch(() => {
    for (const [name, x] of [["q", s.q], ["k", s.k], ["v", s.v]]) x.value = Array.from({ length: rows }, (_, r) => x.value[r] ?? FIRST[name][r % 4]);
    s.length.value = Math.min(s.length.value, rows);
  });

  const Prediction = () => {
    const query = html`<strong class="mono">${words(S.value)[i.value]}</strong>`, where = s.heads.value > 1 ? html` in head ${head.value}` : "";
    if (veiled.value) return html`<${Predict} tag="Predict first" action=${["show me", () => guess(-1)]}>The query ${query} is compared with every key${where}. Which key gets the largest weight?
      <span class="choice">${words(S.value).map((word, k) => html`<button class="icon" onClick=${() => guess(k)}>${word}</button>`)}</span></${Predict}>`;
    if (value("masked", i.value, best.value, false) === -Infinity) return html`<${Predict} tag="It looks at" action=${["another row", another]}>${query} may see no key at all${where}: every weight is 0, and so is its output.</${Predict}>`;
    const k = best.value, right = said.value === null || said.value < 0 || !graded() ? null : value("weights", i.value, said.value, false) >= value("weights", i.value, k, false) - 1e-9;
    return html`<${Predict} tag="It looks at" right=${right} action=${["another row", another]}>
      ${query} takes most from <strong class="mono">${words(S.value)[k]}</strong>: a weight of <strong class="num">${minus(value("weights", i.value, k, false), 3)}</strong>${where}${right === false ? html`; yours, <strong class="mono">${words(S.value)[said.value]}</strong>, gets <span class="num">${minus(value("weights", i.value, said.value, false), 3)}</span>` : ""}. Its product with the query, ${minus(value("products", i.value, k), 2)}, is the largest that it may see.</${Predict}>`;
  };

  const Inputs = () => html`<section class="card"><div class="spread"><h2>What goes in</h2><button class="icon" onClick=${draw}>other numbers <kbd>r</kbd></button></div>
    <div class="typing">${[["q", s.q, "Q", "queries"], ["k", s.k, "K", "keys"], ["v", s.v, "V", "values"]].map(([tint, x, name, label]) => html`<${Typed} name=${html`<b>${name}</b> ${label}`} label=${label} rows=${words(S.value)} columns=${numbered(d.value)} values=${x.value} set=${set(x)} tint=${tint} row=${tint === "q" ? i.value : -1} />`)}</div>
    <div class="options">
      <label>tokens <select aria-label="tokens" value=${S.value} onChange=${(e) => resize(+e.target.value)}>${[2, 3, 4, 5, 6].map((n) => html`<option value=${n}>${n}</option>`)}</select></label>
      <label>mask <select aria-label="mask" value=${s.mask.value} onChange=${(e) => (s.mask.value = e.target.value)}><option value="none">none</option><option value="causal">causal</option><option value="padding">padding</option></select></label>
      ${s.mask.value === "padding" && html`<label>true keys <select aria-label="true keys" value=${s.length.value} onChange=${(e) => (s.length.value = +e.target.value)}>${numbered(S.value + 1).map((n) => html`<option value=${n}>${n}</option>`)}</select></label>`}
      <label>positions <select aria-label="positions" value=${s.positions.value} onChange=${(e) => (s.positions.value = e.target.value)}><option value="none">none</option><option value="sinusoidal">sinusoidal, added</option><option value="rotary">rotary</option></select></label>
      <label>heads <select aria-label="heads" value=${s.heads.value} onChange=${(e) => (s.heads.value = +e.target.value)}>${[1, 2, 4].map((n) => html`<option value=${n}>${n}</option>`)}</select></label>
      ${s.heads.value > 1 && html`<label>shown <select aria-label="shown" value=${head.value} onChange=${(e) => (s.head.value = +e.target.value)}>${numbered(s.heads.value).map((n) => html`<option value=${n}>head ${n}</option>`)}</select></label>`}</div>
    <p class="small soft">${s.heads.value > 1 ? `Each head has ${got.value.d_k} of the ${d.value} columns: head ${head.value} the columns ${head.value * got.value.d_k} to ${(head.value + 1) * got.value.d_k - 1}. The heads' outputs stand side by side again at the end.` : "A row for each token. In a network, Q, K and V are three products of the same tokens with learned matrices; here you type them."}</p></section>`;

  const NAMES = () => ({ placed_q: "Q′", placed_k: "K′", products: "Q Kᵀ", scores: `÷ √${got.value.d_k}`, masked: "mask", exponentials: "exp", weights: "softmax", output: "× V" });
  const SAY = { placed_q: "queries with positions", placed_k: "keys with positions", products: "products", scores: "scores", masked: "scores after the mask", exponentials: "exponentials", weights: "attention weights", output: "output" };
  const gives = () => Boolean(got.value.arrays[onPositions() ? "their_placed_q" : "their_output"]); // the code chosen above
  const Picture = () => {
    const a = got.value.arrays, names = NAMES(), signed = Math.max(largest(a.products.data), largest(a.output.data)), shown = steps.value, wide = (step) => step === "output" || isPlaced(step);
    return html`<section class="card"><div class="spread"><h2>${s.heads.value > 1 ? `Head ${head.value}: ` : ""}softmax(Q Kᵀ ∕ √dₖ) V, step by step</h2><${Legend} kind="signed" from=${`−${signed.toFixed(1)}`} to=${`+${signed.toFixed(1)}`} /></div>
      <div class="steps">${shown.map((step) => html`<div class=${step === s.step.value ? "now" : ""}><${Numbers} name=${html`<b>${names[step]}</b> ${SAY[step]}`} label=${SAY[step]} rows=${words(S.value)} columns=${wide(step) ? numbered(got.value.d_k, head.value * got.value.d_k) : words(S.value)}
        at=${(r, c) => value(step, r, c)} kind=${step === "weights" || step === "exponentials" ? "weight" : "signed"} limit=${wide(step) ? largest(a[step].data) : signed} digits=${step === "weights" || step === "exponentials" ? 3 : 2}
        chosen=${step === s.step.value ? [i.value, j.value] : null} pick=${pick(step)} marked=${differs(step)} veiled=${(r) => veiled.value && !isPlaced(step) && r === i.value} tint=${step === "output" ? "v" : isPlaced(step) ? step.slice(-1) : ""} /></div>`)}</div>
      <div class="spread"><p class="small soft">Rows are queries, columns keys; the output has a row for each query. Click a number to see how it comes about.${s.code.value === "reference" ? "" : gives() ? ` ${onPositions() ? "The positions are" : together() ? "The output of all heads is" : "Softmax and output are"} computed by the code chosen above; a dashed frame marks what differs from the reference.${together() && !onPositions() ? " It gets one-hot tokens X, so that X Wq is Q, X Wk is K and X Wv is V; Wo is the identity." : ""}` : " The code chosen above gives no such numbers: the reference's are shown."}</p><${Copy} array=${a[`their_${s.step.value === "weights" ? "attention_weights" : s.step.value}`] ?? a[s.step.value]} /></div></section>`;
  };

  const term = (a, b, tints) => html`<span class="term"><b class=${tints[0]}>${minus(a)}</b> × <b class=${tints[1]}>${minus(b)}</b></span>`;
  const sum = (terms) => html`<p class="sum-of">${terms.map((t, n) => html`${n ? " + " : ""}${t}`)}</p>`;
  const Arithmetic = () => {
    if (veiled.value) return html`<${Veil} title="How this number comes about">Products, softmax and output stand here once you have predicted. Guessing first, then seeing, is what makes it stick.</${Veil}>`;
    const step = s.step.value, r = i.value, c = j.value, d_k = got.value.d_k, first = head.value * d_k, q = words(S.value)[r], k = words(S.value)[c];
    const at = (name, column = c) => value(name, r, column, false), all = [...Array(S.value).keys()], line = (left, right) => html`<em>${left}</em><b class="num">${right}</b>`;
    const typed = (name, row, n) => s[name].value[row][first + n], placed = (name, row, n) => (s.positions.value === "none" ? typed(name, row, n) : value(`placed_${name}`, row, n, false));
    const position = (name) => () => {
      const angle = value("angles", r, c, false), even = c % 2 === 0, added = (s.positions.value === "sinusoidal" ? (first + c) % 2 === 0 : even) ? "sin" : "cos";
      if (s.positions.value === "sinusoidal") return html`<div class="formula">${line("the number as typed", minus(typed(name, r, c), 3))}${line(html`angle: position ${r} ÷ 10000<sup>${first + c - ((first + c) % 2)}/${d.value}</sup>`, minus(angle, 4))}${line(`+ its ${added === "sin" ? "sine" : "cosine"}`, minus(Math[added](angle), 4))}${line("with its position", minus(at(`placed_${name}`), 4))}</div><p class="small soft">Sines in the even columns, cosines in the odd ones. In a network they are added to the token's vector before Q and K are made of it; here to Q and K themselves.</p>`;
      const x = typed(name, r, even ? c : c - 1), y = typed(name, r, even ? c + 1 : c);
      return html`<div class="formula">${line(`the pair of columns ${even ? c : c - 1} and ${even ? c + 1 : c}`, `${minus(x)}, ${minus(y)}`)}${line(html`angle: position ${r} ÷ 10000<sup>${c - (c % 2)}/${d_k}</sup>`, minus(angle, 4))}${line(even ? "x cos a − y sin a" : "x sin a + y cos a", minus(at(`placed_${name}`), 4))}</div><p class="small soft">Each pair is turned like the hand of a clock, by an angle that grows with the position. The product of a query and a key then depends on how far apart they stand, not on where.</p>`;
    };
    const how = {
      placed_q: position("q"), placed_k: position("k"),
      products: () => html`${sum([...Array(d_k).keys()].map((n) => term(placed("q", r, n), placed("k", c, n), ["q", "k"])))}<div class="formula">${line("the sum: how well they match", minus(at("products"), 3))}</div>`,
      scores: () => html`<div class="formula">${line("product", minus(at("products"), 3))}${line(`÷ √${d_k} = ${Math.sqrt(d_k).toFixed(3)}`, minus(at("scores"), 3))}</div><p class="small soft">A product of ${d_k} numbers of variance 1 has variance ${d_k}; divided by √${d_k} it has 1 again, and the softmax is not driven into its corners.</p>`,
      masked: () => html`<div class="formula">${line("score", minus(at("scores"), 3))}${line(at("masked") === -Infinity ? "hidden: −∞, so that exp gives exactly 0" : "visible: stays as it is", minus(at("masked"), 3))}</div>`,
      exponentials: () => { const most = Math.max(...all.map((n) => at("masked", n))); return html`<div class="formula">${line("score", minus(at("masked"), 3))}${line("− the row's largest, against overflow", minus(most, 3))}${line("exp of the difference", minus(at("exponentials"), 4))}</div><p class="small soft">Taking the row's largest away changes no weight: it divides numerator and denominator by the same number.</p>`; },
      weights: () => { const total = all.reduce((t, n) => t + at("exponentials", n), 0); return html`<div class="formula">${line("this exponential", minus(at("exponentials"), 4))}${line(`÷ the sum of all ${S.value} in the row`, minus(total, 4))}${line("the weight", html`<span data-id="weight">${minus(at("weights"), 4)}</span>`)}</div><p class="small soft">The weights of a row sum to 1.</p>`; },
      output: () => html`${sum(all.map((n) => term(at("weights", n), s.v.value[n][first + c], ["", "v"])))}<div class="formula">${line("the mean of the values, by weight", minus(at("output"), 4))}</div>`,
    };
    const theirs = differs(step)(r, c);
    return html`<section class="card arithmetic"><div class="spread"><h2>How this number comes about</h2><span class="small soft"><b class=${`mono ${step === "placed_k" ? "k" : "q"}`}>${q}</b> ${step === "output" || isPlaced(step) ? html`, column ${first + c}` : html`asks <b class="mono k">${k}</b>`}</span></div>
      <p class="big num">${minus(value(step, r, c), 3)}</p><p class="small soft">${SAY[step]}, ${q} ${step === "output" || isPlaced(step) ? `column ${first + c}` : `and ${k}`}</p>
      ${theirs && html`<p class="wrong-is" data-id="differs">The code chosen above gives <b class="num">${minus(value(step, r, c), 4)}</b>, the reference <b class="num">${minus(value(step, r, c, false), 4)}</b>. Below, the reference:</p>`}
      ${how[step]()}
      <div class="choice">${steps.value.map((one) => html`<button class="icon" aria-pressed=${one === step} onClick=${() => (s.step.value = one)}>${NAMES()[one]}</button>`)}</div></section>`;
  };

  return () => html`<${Bar} title="Attention, every number" about=${about.value} pressed=${pressed}>${about.value && html`<${Switch} w=${w} />`}</${Bar}>
    <main><h1>Attention, every number</h1><${Lead} about=${about.value} /><${Failed} message=${failed.value} />
    ${got.value && html`<${Prediction} /><${Said} w=${w} told=${got.value} /><div class="grid3 hand"><${Inputs} /><${Picture} /><div><${Arithmetic} /></div></div><${KeyLine} pressed=${pressed} />`}
    ${about.value && html`<${Around} about=${about.value} />`}</main>`;
});
