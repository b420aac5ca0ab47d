// @ts-check
// Sizes: a GPT that one types, every formula with the numbers in, and the table of all networks.
import { html, computed, batch } from "/static/vendor/preact.js";
import { Around, Bar, explorer, Failed, KeyLine, keys, Lead, Predict, prediction, questions, state, Veil } from "/static/lib/shell.js";

const FIELDS = { L: ["layers L", 1000], d: ["width d", 1 << 20], V: ["vocabulary V", 1 << 24], T: ["tokens T", 1 << 24], H: ["heads H", 1024], G: ["heads of keys G", 1024], B: ["batch B", 1 << 20] };
const COLUMNS = { name: "network", year: "year", parameters: "parameters", multiply_adds: "multiply-adds", activations: "activations", receptive_field: "sees" };
const big = (n) => (n === null || n === undefined ? "" : n.toLocaleString("en"));
const inWords = (n) => { for (const [size, unit] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]]) if (n >= size) return `${(n / size).toPrecision(3)} ${unit}`; return String(n); };
const bytes = (n) => { for (const [power, unit] of [[40, "TiB"], [30, "GiB"], [20, "MiB"], [10, "KiB"]]) if (n >= 2 ** power) return `${(n / 2 ** power).toFixed(2)} ${unit}`; return `${n} bytes`; };

export default explorer((host, scope) => {
  const s = state(host, scope, { L: 12, d: 768, V: 50257, T: 1024, H: 12, G: 12, B: 1, format: "float32", tied: 1, kept: 1, sort: "", seen: 0, asks: 0 });
  const { got, about, failed, refresh } = questions(host, scope, "sizes");
  const shape = () => Object.fromEntries(Object.keys(FIELDS).map((name) => [name, s[name].value]));
  scope.effect(() => refresh({ ...shape(), format: s.format.value, tied: Boolean(s.tied.value), kept: Boolean(s.kept.value) }));

  // What is asked, one after another: each hides its own card.
  const ASKED = ["parameters", "writing", "training"], asked = computed(() => (s.seen.value ? null : ASKED[s.asks.value % ASKED.length]));
  const value = (group) => (group === "writing" ? got.value.groups.writing.terms[1].value : got.value.groups[group].total);
  const offered = computed(() => {
    if (!asked.value || !got.value) return [];
    if (asked.value === "parameters") return got.value.guesses.map((n) => [n, inWords(n)]);
    const right = value(asked.value), weights = got.value.groups.training.terms[0].value;
    return [...new Set(asked.value === "writing" ? [right / 2, right, right * (s.H.value / s.G.value) * 2, right * s.H.value] : [weights, 2 * weights, right, 2 * right])].sort((a, b) => a - b).map((n) => [n, bytes(n)]);
  });
  const { said, say, graded } = prediction(() => [shape(), s.format.value, s.tied.value, s.kept.value, s.asks.value], () => host.ask({ exercise: "kv_cache" }, "predicted").catch(() => {}));
  const answer = (n) => batch(() => { say(n); s.seen.value = 1; });
  const another = () => batch(() => { s.asks.value = (s.asks.value + 1) % ASKED.length; s.seen.value = 0; said.value = null; });
  const preset = (p) => batch(() => { for (const name of ["L", "d", "V", "T", "H", "G"]) s[name].value = p[name]; });
  const now = computed(() => got.value?.presets.find((p) => ["L", "d", "V", "T", "H", "G"].every((name) => p[name] === s[name].value))?.name ?? "");
  const scale = (name, by) => () => { const v = Math.round(s[name].value * by); if (v >= 1 && v <= FIELDS[name][1]) s[name].value = v; };
  const FORMATS = ["float32", "float16", "int8"], turn = (x) => () => { x.value = x.value ? 0 : 1; };
  const next = (by) => () => { const all = got.value.presets, k = all.findIndex((p) => p.name === now.value); preset(all[(k + by + all.length) % all.length]); };
  const pressed = keys(scope, {
    ArrowDown: ["another network", next(1)], ArrowUp: ["another network", next(-1)], l: ["layers × 2", scale("L", 2)], L: ["layers ÷ 2", scale("L", 0.5)], t: ["tokens × 2", scale("T", 2)], T: ["tokens ÷ 2", scale("T", 0.5)], b: ["batch × 2", scale("B", 2)], B: ["batch ÷ 2", scale("B", 0.5)],
    f: ["format", () => { s.format.value = FORMATS[(FORMATS.indexOf(s.format.value) + 1) % FORMATS.length]; }], k: ["keep attention weights", turn(s.kept)], n: ["another question", another],
  });

  const Prediction = () => {
    const what = { parameters: "How many parameters does this GPT have?", writing: html`It writes ${s.B.value > 1 ? `${s.B.value} texts` : "a text"} of ${big(s.T.value)} tokens, its numbers in ${s.format.value}. How large is its cache of keys and values?`, training: html`It trains with Adam on ${s.B.value > 1 ? `${s.B.value} sequences` : "one sequence"} of ${big(s.T.value)} tokens. How much memory does that take in all?` };
    if (asked.value) return html`<${Predict} tag="Predict first" action=${["show me", () => answer(null)]}>${what[asked.value]} <span class="choice">${offered.value.map(([n, label]) => html`<button class="icon" onClick=${() => answer(n)}>${label}</button>`)}</span></${Predict}>`;
    const group = ASKED[s.asks.value % ASKED.length], right = value(group), shown = group === "parameters" ? inWords : bytes;
    const mark = said.value !== null && graded() ? said.value === right : null;
    const words = { parameters: html`It has <strong class="num">${big(right)}</strong> parameters${said.value !== null && mark === false ? html`, not ${shown(said.value)}` : ""}.`, writing: html`Its cache takes <strong class="num">${bytes(right)}</strong>${mark === false ? html`, not ${shown(said.value)}` : ""}: for each token, layer and head of keys one key and one value.`, training: html`It takes <strong class="num">${bytes(right)}</strong>${mark === false ? html`, not ${shown(said.value)}` : ""}: 16 bytes a parameter, and what the backward pass needs.` };
    return html`<${Predict} tag="The number" right=${mark} action=${["another question", another]}>${words[group]}</${Predict}>`;
  };

  const Shape = () => html`<section class="card"><h2>A GPT</h2><div class="options"><label>as <select aria-label="a known GPT" value=${now.value} onChange=${(e) => { const p = got.value.presets.find((one) => one.name === e.target.value); if (p) preset(p); }}><option value="">one of your own</option>${got.value.presets.map((p) => html`<option value=${p.name}>${p.name}</option>`)}</select></label></div>
    <div class="fields">${Object.entries(FIELDS).map(([name, [label, most]]) => html`<label>${label}<input class="small-number" type="number" min="1" max=${most} aria-label=${label} value=${s[name].value} onInput=${(e) => { const v = +e.target.value, fits = Number.isInteger(v) && v >= 1 && v <= most; e.target.setAttribute("aria-invalid", String(!fits)); if (fits) s[name].value = v; }} /></label>`)}
      <label>format<select aria-label="format" value=${s.format.value} onChange=${(e) => (s.format.value = e.target.value)}>${FORMATS.map((f) => html`<option value=${f}>${f}</option>`)}</select></label></div>
    <p class="small options"><label><input type="checkbox" checked=${Boolean(s.tied.value)} onChange=${turn(s.tied)} /> tied: the output layer reuses the token embedding</label><label><input type="checkbox" checked=${Boolean(s.kept.value)} onChange=${turn(s.kept)} /> attention weights are kept for backward (FlashAttention: off)</label></p></section>`;

  const Group = ({ name, title, unit, note }) => {
    const { terms, total } = got.value.groups[name], most = Math.max(...terms.map((t) => t.value)), whole = unit === "bytes" ? bytes(total) : big(total);
    if (asked.value === name || asked.value === "parameters") return html`<${Veil} title=${title}>This stands here once you have predicted.</${Veil}>`;
    return html`<section class="card"><div class="spread"><h2>${title}</h2><span class="num small faint">${unit === "bytes" ? `${big(total)} bytes` : ""}</span></div><p class="big num" data-id=${name}>${whole}</p>
      <table class="terms"><caption class="sr">${title}, term by term</caption><tr class="sr"><th scope="col">what</th><th scope="col">formula</th><th scope="col">value</th></tr>${terms.map((t) => html`<tr><th scope="row">${t.name}<small class="mono">${t.formula}</small></th><td class="mono"><span class="filled">${t.filled}</span><span class="share" aria-hidden="true"><i style=${{ width: `${(100 * t.value) / most}%` }}></i></span></td><td class="num">${unit === "bytes" ? bytes(t.value) : big(t.value)}</td></tr>`)}</table>
      ${note && html`<p class="small soft later">${note}</p>`}</section>`;
  };

  const Networks = () => {
    const sort = s.sort.value, rows = [...got.value.networks];
    if (sort) rows.sort((a, b) => (typeof a[sort] === "string" ? a[sort].localeCompare(b[sort]) : (b[sort] ?? -1) - (a[sort] ?? -1)));
    if (asked.value === "parameters") return html`<${Veil} title="Every network here">The table stands here once you have predicted.</${Veil}>`;
    return html`<section class="card table"><div class="spread"><h2>Every network here, one example forward</h2><span class="small faint">activations: numbers that its operations compute; sees: the side of the square that its last layer sees</span></div>
      <div class="wide" tabindex="0" role="region" aria-label="Every network here"><table class="networks"><tr>${Object.entries(COLUMNS).map(([key, label]) => html`<th scope="col" aria-sort=${sort === key ? (key === "name" ? "ascending" : "descending") : "none"}><button onClick=${() => (s.sort.value = sort === key ? "" : key)}>${label}${sort === key ? (key === "name" ? " ↑" : " ↓") : ""}</button></th>`)}<th scope="col">input</th></tr>
      ${rows.map((n) => html`<tr><th scope="row">${n.name}</th>${Object.keys(COLUMNS).slice(1).map((key) => html`<td class="num">${key === "year" ? n.year : big(n[key])}</td>`)}<td class="num">${n.input_shape.join(" × ")}</td></tr>`)}</table></div></section>`;
  };

  const training = () => (s.format.value === "float32" ? "Weights, gradients and both of Adam's averages: 16 bytes a parameter." : "In mixed precision weights and gradients take 2 bytes, and a copy of the weights and Adam's averages 4 each: 16 bytes a parameter, as in float32.");
  return () => html`<${Bar} title="Sizes" about=${about.value} pressed=${pressed} />
    <main><h1>How many, how large, how dear?</h1><${Lead} about=${about.value} /><${Failed} message=${failed.value} />
    ${got.value && html`<${Prediction} /><div class="grid3 sizes"><${Shape} />
      <div class="stacked"><${Group} name="parameters" title="Parameters N" /><${Group} name="multiply_adds" title="Multiply-adds for one token, forward" note="Each is two operations (FLOPs); the backward pass takes twice as many as the forward pass. So training takes about 6 operations a parameter and token, and attention comes on top." /></div>
      <div class="stacked"><${Group} name="training" title="Memory in training" unit="bytes" note=${training()} /><${Group} name="writing" title="Memory when it writes" unit="bytes" note=${`kv = G d / H = ${big((s.G.value * s.d.value) / s.H.value)}, the width of a token's keys.`} /></div></div>
    <${Networks} /><${KeyLine} pressed=${pressed} />`}
    ${about.value && html`<${Around} about=${about.value} />`}</main>`;
});
