// @ts-check
// How far the gradient reaches: by layer in plain and residual networks, by step in recurrent ones. Sketch it, then see it.
import { html, signal, computed, batch, useRef } from "/static/vendor/preact.js";
import { minus } from "/static/lib/paint.js";
import { Around, Bar, clamp, Copy, explorer, Failed, KeyLine, keys, Lead, Predict, prediction, questions, state, Veil } from "/static/lib/shell.js";
import { Said, Switch, whose } from "/static/lib/whose.js";

const LOW = -12, HIGH = 6; // decades of the axis: always the same, so that it gives nothing away
const W = 640, H = 380, LEFT = 52, RIGHT = 16, TOP = 14, BELOW = 40; // of the chart
const CURVES = { // of each kind: its name, its dashes, its colour
  plain: ["plain", "", "var(--ink)"], residual: ["residual", "7 4", "var(--accent)"],
  rnn: ["RNN", "", "var(--ink)"], lstm: ["LSTM", "7 4", "var(--accent)"], cell: ["LSTM’s cell", "2 4", "var(--accent)"], gru: ["GRU", "9 3 2 3", "var(--k)"],
  right: ["reference", "", "var(--ink)"], theirs: ["this code", "5 4", "var(--wrong)"], their_plain: ["plain, this code", "5 4", "var(--wrong)"], their_residual: ["residual, this code", "2 4", "var(--wrong)"],
};
const log = (v) => (v > 0 ? Math.log10(v) : -Infinity);
/** A small or large number in words that are read: 0.0005, 3.1 × 10⁻⁸. */
const size = (v) => {
  if (!(v > 0)) return v === 0 ? "0" : "not a number";
  const power = Math.floor(Math.log10(v) + 1e-9);
  if (power >= -3 && power < 4) return v >= 100 ? v.toFixed(0) : String(+v.toPrecision(2));
  return html`${(v / 10 ** power).toFixed(1)} × 10<sup>${minus(power, 0)}</sup>`;
};

export default explorer((host, scope) => {
  const s = state(host, scope, { what: "layers", depth: 20, scale: 0.7, norm: 0, steps: 40, radius: 0.9, keeping: 0, cell: "rnn", i: 0, seen: 0, code: "reference", fault: "", riddle: -1 });
  const sketch = signal([]);
  const { got, about, failed, refresh } = questions(host, scope, "gradient");
  const deep = () => s.what.value === "layers";
  const w = whose(host, scope, about, s, () => (deep() ? "scaled_init" : `${s.cell.value}_backward`));
  const settings = () => (deep() ? { depth: s.depth.value, scale: s.scale.value, norm: s.norm.value } : { steps: s.steps.value, radius: s.radius.value, keeping: s.keeping.value, cell: s.cell.value });
  scope.effect(() => refresh({ what: s.what.value, ...settings(), ...w.asked() }));

  const asked = computed(() => (deep() ? "plain" : "rnn")); // the curve that the page asks about
  const layers = computed(() => got.value?.what === "layers"); // what is shown, which may be of a moment ago
  const veiled = computed(() => s.seen.value === 0);
  const shown = computed(() => { // the curves, by name
    const a = got.value.arrays, names = layers.value ? ["plain", "residual", "their_plain", "their_residual"] : s.code.value !== "reference" && a.right ? ["right", "theirs"] : ["rnn", "lstm", "cell", "gru"];
    return names.filter((name) => a[name]).map((name) => [name, a[name].data]);
  });
  const n = computed(() => { // places: layers, or steps
    const a = got.value;
    return !a ? 2 : veiled.value ? a.arrays[layers.value ? "plain" : "rnn"].shape[0] : shown.value[0][1].length;
  });
  const i = computed(() => clamp(s.i.value, n.value));
  const { said, say, graded } = prediction(() => [s.what.value, settings()], w.predicted);
  const line = (end) => { sketch.value = Array.from({ length: n.value }, (_, k) => end * (1 - k / (n.value - 1))); };
  const end = computed(() => sketch.value[0] ?? 0);
  const reveal = (given) => batch(() => { say(given); s.seen.value = 1; });
  const done = () => { if (veiled.value && sketch.value.length === n.value) reveal(sketch.value); };
  const again = () => batch(() => { say(null); s.seen.value = 0; sketch.value = []; if (deep()) s.scale.value = [0.4, 0.7, 1, 1.3][Math.floor(Math.random() * 4)]; else s.radius.value = [0.5, 0.9, 1.2, 1.5][Math.floor(Math.random() * 4)]; });
  const choose = (what) => batch(() => { if (what === s.what.value) return; s.what.value = what; s.i.value = 0; s.seen.value = 0; sketch.value = []; say(null); });
  scope.effect(() => { if (sketch.value.length && sketch.value.length !== n.value) sketch.value = []; });

  const lift = (by) => () => { if (veiled.value) line(Math.max(LOW, Math.min(HIGH, end.value + by))); };
  const step = (by) => () => { s.i.value = clamp(i.value + by, n.value); };
  const pressed = keys(scope, {
    ArrowLeft: ["layer or step", step(-1)], ArrowRight: ["layer or step", step(1)], ArrowUp: ["lift or lower the sketch", lift(0.5)], ArrowDown: ["lift or lower the sketch", lift(-0.5)],
    Enter: ["that is my sketch", done], s: ["show", () => { if (veiled.value) reveal(null); }], m: ["layers, steps", () => choose(deep() ? "steps" : "layers")], n: ["norm", () => { s.norm.value = 1 - s.norm.value; }],
  });

  const x = (k) => LEFT + ((W - LEFT - RIGHT) * k) / (n.value - 1), y = (v) => TOP + ((H - TOP - BELOW) * (HIGH - Math.max(LOW - 0.4, Math.min(HIGH + 0.4, v)))) / (HIGH - LOW);
  const path = (values) => values.map((v, k) => `${k ? "L" : "M"}${x(k).toFixed(1)} ${y(v).toFixed(1)}`).join("");
  const Chart = () => {
    const svg = useRef(), drawing = useRef(null);
    const place = (e) => {
      const at = new DOMPoint(e.clientX, e.clientY).matrixTransform(svg.current.getScreenCTM().inverse());
      return [clamp(Math.round(((at.x - LEFT) / (W - LEFT - RIGHT)) * (n.value - 1)), n.value), Math.max(LOW, Math.min(HIGH, HIGH - ((at.y - TOP) / (H - TOP - BELOW)) * (HIGH - LOW)))];
    };
    const begin = (e) => { const [k, v] = place(e); s.i.value = k; if (!veiled.value) return; svg.current.setPointerCapture(e.pointerId); if (sketch.value.length !== n.value) line(0); drawing.current = [k, v]; draw(e); };
    const draw = (e) => {
      if (!drawing.current || !veiled.value) return;
      const [from, low] = drawing.current, [k, v] = place(e), next = [...sketch.value];
      for (let m = Math.min(from, k); m <= Math.max(from, k); m++) next[m] = from === k ? v : low + ((v - low) * (m - from)) / (k - from);
      next[n.value - 1] = 0; // the end is where it starts from
      sketch.value = next; drawing.current = [k, v];
    };
    const last = n.value - 1, every = Math.max(1, Math.ceil(last / 8 / 5) * 5) || 1, ticks = last <= 10 ? [...Array(n.value).keys()] : Array.from({ length: Math.floor(last / every) + 1 }, (_, k) => k * every);
    const drawn = veiled.value ? [] : shown.value;
    return html`<svg ref=${svg} class=${`curves${veiled.value ? " sketching" : ""}`} viewBox="0 0 ${W} ${H}" role="img" aria-label=${veiled.value ? "An empty chart to sketch the curve in" : `${drawn.map(([name, data]) => CURVES[name][0]).join(", ")}: a table below has the numbers`}
      onPointerDown=${begin} onPointerMove=${draw} onPointerUp=${() => (drawing.current = null)}>
      ${[-12, -9, -6, -3, 0, 3, 6].map((d) => html`<line x1=${LEFT} x2=${W - RIGHT} y1=${y(d)} y2=${y(d)} class=${d === 0 ? "zero" : "grid"} /><text x=${LEFT - 8} y=${y(d) + 4} text-anchor="end">${d === 0 ? "1" : html`10<tspan dy="-5" font-size="9">${minus(d, 0)}</tspan>`}</text>`)}
      ${ticks.map((k) => html`<text x=${x(k)} y=${H - BELOW + 18} text-anchor="middle">${k}</text>`)}
      <text x=${(LEFT + W - RIGHT) / 2} y=${H - 6} text-anchor="middle" class="name">${layers.value ? "layer, from the input to the output" : "step, from the first to the last"}</text>
      <line x1=${x(i.value)} x2=${x(i.value)} y1=${TOP} y2=${H - BELOW} class="now" />
      ${sketch.value.length === n.value && html`<path d=${path(sketch.value)} class="sketch" />`}
      ${!sketch.value.length && veiled.value && html`<text x=${(LEFT + W - RIGHT) / 2} y=${y(3)} text-anchor="middle" class="hint">draw here: it ends at 1 on the right</text>`}
      ${drawn.map(([name, data]) => html`<path key=${name} d=${path([...data].map(log))} stroke=${CURVES[name][2]} stroke-dasharray=${CURVES[name][1]} class="curve" /><circle cx=${x(Math.min(i.value, data.length - 1))} cy=${y(log(data[Math.min(i.value, data.length - 1)]))} r="3.5" fill=${CURVES[name][2]} />`)}
      <circle cx=${x(last)} cy=${y(0)} r="3" class="end" /></svg>
      ${!veiled.value && html`<p class="keyed small">${drawn.map(([name]) => html`<span><svg width="30" height="8" aria-hidden="true"><line x1="0" x2="30" y1="4" y2="4" stroke=${CURVES[name][2]} stroke-width="2" stroke-dasharray=${CURVES[name][1]} /></svg>${CURVES[name][0]}</span>`)}${sketch.value.length === n.value ? html`<span><svg width="30" height="8" aria-hidden="true"><line x1="0" x2="30" y1="4" y2="4" class="sketch" /></svg>your sketch</span>` : ""}</p>`}`;
  };

  const Picture = () => {
    const all = shown.value, rows = [...Array(n.value).keys()], columns = Math.max(...all.map(([, data]) => data.length)), array = { shape: [all.length, columns], data: Float64Array.from(all.flatMap(([, data]) => Array.from({ length: columns }, (_, k) => data[k] ?? NaN))) };
    const title = layers.value ? "‖∂L/∂xₗ‖, as a share of that at the output" : s.code.value !== "reference" && got.value.arrays.right ? (s.cell.value === "rnn" ? "‖∂L/∂xₜ‖ by rnn_backward, as a share of the last step’s" : "‖∂L/∂hₜ‖ by lstm_backward, each step given the reference’s") : html`‖∂h<sub>T</sub>/∂hₜ‖: what the last state keeps of each before`;
    return html`<section class="card"><div class="spread"><h2>${title}</h2>${!veiled.value && html`<${Copy} array=${array} />`}</div><${Chart} />
      ${!veiled.value && html`<div class="sr"><table><caption>${title}</caption><tr><th>${layers.value ? "layer" : "step"}</th>${all.map(([name]) => html`<th>${CURVES[name][0]}</th>`)}</tr>${rows.map((k) => html`<tr><td>${k}</td>${all.map(([, data]) => html`<td>${k < data.length ? data[k].toExponential(2) : ""}</td>`)}</tr>`)}</table></div>`}</section>`;
  };

  const range = (label, name, low, high, by, digits, note) => html`<div class="setting"><div class="slider"><label for=${scope.id(name)}>${label}</label><input id=${scope.id(name)} data-id=${name} type="range" min=${low} max=${high} step=${by} value=${s[name].value} onInput=${(e) => (s[name].value = +e.target.value)} /><output class="num">${minus(s[name].value, digits)}</output></div><p class="small faint">${note}</p></div>`;
  const Settings = () => html`<section class="card settings"><h2>The network</h2>
    <span class="switch" role="group" aria-label="What the gradient goes through">${[["layers", "layers"], ["steps", "steps"]].map(([what, label]) => html`<button aria-pressed=${s.what.value === what} onClick=${() => choose(what)}>${label}</button>`)}</span>
    ${deep() ? html`${range("depth", "depth", 2, 60, 1, 0, "layers of 32 features, each relu(W x)")}
      ${range("weights", "scale", 0.1, 2, 0.05, 2, html`times He’s √(2 / fan in); a linear layer of PyTorch starts at 0.41`)}
      <label class="check"><input type="checkbox" checked=${s.norm.value === 1} onChange=${(e) => (s.norm.value = e.target.checked ? 1 : 0)} /> batch norm before each ReLU <kbd>n</kbd></label>`
    : html`${range("steps", "steps", 5, 60, 1, 0, "random inputs; 16 units; one state for each step")}
      ${range("radius", "radius", 0.1, 2, 0.05, 2, "the RNN’s: largest absolute eigenvalue of its recurrent weights")}
      ${range("gate bias", "keeping", -4, 8, 0.5, 1, "of the LSTM’s forget gate and of the GRU’s update gate, which keep the old state")}
      <label class="small soft">my code and mistakes compute the <select aria-label="whose backward pass" value=${s.cell.value} onChange=${(e) => (s.cell.value = e.target.value)}><option value="rnn">RNN</option><option value="lstm">LSTM, step by step</option></select></label>`}</section>`;

  const Prediction = () => {
    const curve = deep() ? "plain network" : "RNN", first = deep() ? "the first layer’s input" : "the state before the first step";
    if (veiled.value) return html`<${Predict} tag="Predict first" action=${["show me", () => reveal(null)]}>The gradient starts at 1 on the right. How much of it reaches ${first} of the <strong>${curve}</strong>? Sketch the curve in the chart, or set where it ends:
      <span class="choice"><label class="aim"><span class="sr">How much reaches the first, as a power of ten</span><input type="range" min=${LOW} max=${HIGH} step="0.5" value=${end.value} onInput=${(e) => line(+e.target.value)} /></label><span class="num">${size(10 ** end.value)}</span><button class="icon" disabled=${sketch.value.length !== n.value} onClick=${done}>that is my sketch</button></span></${Predict}>`;
    const data = got.value.arrays[asked.value]?.data;
    if (!data) return html`<${Predict} tag="…">It is being computed.</${Predict}>`;
    const mine = Array.isArray(said.value) && graded() && said.value.length === data.length ? said.value : null, apart = mine && mine.reduce((sum, v, k) => sum + Math.abs(v - Math.max(LOW, Math.min(HIGH, log(data[k])))), 0) / mine.length;
    const right = mine === null ? null : apart <= 1;
    return html`<${Predict} tag="It reaches" right=${right} wrong="Farther off" action=${["another", again]}>${first[0].toUpperCase() + first.slice(1)} of the ${curve} gets <strong class="num" data-id="reaches">${size(data[0])}</strong> of the gradient${mine ? html`; your sketch is off by a factor of <strong class="num" data-id="off">${size(10 ** apart)}</strong> on average` : ""}. ${deep() ? html`The residual network’s: <strong class="num">${size(got.value.arrays.residual.data[0])}</strong>.` : html`The LSTM’s: <strong class="num">${size(got.value.arrays.lstm.data[0])}</strong>, the GRU’s: <strong class="num">${size(got.value.arrays.gru.data[0])}</strong>.${shown.value[0][0] === "right" ? " The chart and the table now show another gradient: what the exercise’s function gives." : ""}`}</${Predict}>`;
  };

  const ByHand = () => {
    if (veiled.value) return html`<${Veil} title="What each ${deep() ? "layer" : "step"} does to it">The factors and their product stand here once you have predicted. Guessing first, then seeing, is what makes it stick.</${Veil}>`;
    const a = got.value, L = n.value - 1, k = Math.min(i.value, L - 1), unit = layers.value ? "layer" : "step";
    const rows = shown.value.filter(([name]) => name !== "cell");
    const [name, data] = rows[0], factor = a.rates[name];
    return html`<section class="card"><h2>From ${unit} ${k + 1} back to ${unit} ${k}</h2><table class="sums"><tr><td></td><th scope="col">at ${k + 1}</th><th scope="col">at ${k}</th><th scope="col">factor</th></tr>
      ${rows.map(([one, values]) => html`<tr><th scope="row">${CURVES[one][0]}</th><td class="num">${size(values[k + 1])}</td><td class="num">${size(values[k])}</td><td class="num">${size(values[k] / values[k + 1])}</td></tr>`)}</table>
      <div class="formula"><em>${CURVES[name][0]}: the factor, as the geometric mean of all ${L}</em><b data-id="factor">${minus(factor, 3)}</b><em>that to the power of ${L}: what is left at ${unit} 0</em><b data-id="product">${size(factor ** L)}</b></div></section>
    <section class="card"><h2>Why</h2>${layers.value ? html`<p class="small soft">plain: ∂L/∂xₗ = ∂L/∂xₗ₊₁ · J, a product of ${L} Jacobians.</p><p class="small soft">residual: ∂L/∂xₗ = ∂L/∂xₗ₊₁ · (I + J): the I lets the gradient past each layer unchanged.</p>${"ratio" in a ? html`<p class="small wrong-is" data-id="ratio">${a.ratio === null ? "The code chosen above draws no finite weights." : html`The code chosen above draws weights with <b class="num">${size(a.ratio)}</b> times He’s standard deviation.`}</p>` : ""}`
      : html`<p class="small soft">RNN: ∂hₛ/∂hₛ₋₁ = diag(1 − hₛ²) W<sub>hh</sub>. Its spectral radius here is <b class="num" data-id="radius">${minus(a.radius, 2)}</b>; tanh only takes away from it. From the largest singular value follows a bound: at step 0 it is <b class="num">${size(a.arrays.bound.data[0])}</b>.</p><p class="small soft">LSTM: along the cell the factor is the forget gate; GRU: along the state it is the update gate. A bias opens either from the start.</p>`}</section>`;
  };

  return () => html`<${Bar} title="How far the gradient reaches" about=${about.value} pressed=${pressed}>${about.value && html`<${Switch} w=${w} />`}</${Bar}>
    <main class="gradient"><h1>How far does the gradient reach?</h1><${Lead} about=${about.value} /><${Failed} message=${failed.value} />
    ${got.value && html`<${Prediction} /><${Said} w=${w} told=${got.value} /><div class="grid3"><${Settings} /><${Picture} /><div class="stacked"><${ByHand} /></div></div><${KeyLine} pressed=${pressed} />`}
    ${about.value && html`<${Around} about=${about.value} />`}</main>`;
});
