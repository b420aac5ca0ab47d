// @ts-check
// Convolution by hand: step a window over an image that one types.
import { html, signal, computed, batch } from "/static/vendor/preact.js";
import { latest } from "/static/lib/host.js";
import { largest, Legend, minus } from "/static/lib/paint.js";
import { numbered, numberIn, Numbers, Typed } from "/static/lib/numbers.js";
import { Around, Bar, clamp, Copy, explorer, Failed, KeyLine, keys, Predict, prediction, state, Veil } from "/static/lib/shell.js";
import { Said, Switch, whose } from "/static/lib/whose.js";

const EDGE = [[0, 0, 2, 2, 2], [0, 0, 2, 2, 2], [0, 0, 2, 2, 1], [0, 0, 2, 1, 1], [0, 0, 1, 1, 0]];
const KERNELS = { "vertical edge": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], "horizontal edge": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]], mean: Array.from({ length: 3 }, () => [0.111, 0.111, 0.111]), sharpen: [[0, -1, 0], [-1, 5, -1], [0, -1, 0]], "one pixel": [[0, 0, 0], [0, 1, 0], [0, 0, 0]] };

export default explorer((host, scope) => {
  const s = state(host, scope, { image: EDGE, kernel: KERNELS["vertical edge"], bias: 0, stride: 1, padding: 0, dilation: 1, channels: 3, kernels: 8, groups: 1, i: 0, j: 0, seen: 0, code: "reference", fault: "", riddle: -1 });
  const got = signal(null), failed = signal(""), about = signal(null), open = signal(s.seen.value > 1);
  host.ask({ explorer: "conv" }, "about").then((a) => (about.value = a), (error) => (failed.value = error.message));
  const w = whose(host, scope, about, s, () => "conv2d");
  const refresh = latest(host.ask, (answer) => { got.value = answer; failed.value = ""; }, (error) => (failed.value = error.message));
  scope.effect(() => {
    const code = s.code.value === "reference" || about.value ? w.asked() : { code: "reference" };
    refresh({ image: s.image.value, kernel: s.kernel.value, bias: s.bias.value, stride: s.stride.value, padding: s.padding.value, dilation: s.dilation.value, channels: s.channels.value, kernels: s.kernels.value, groups: s.groups.value, ...code });
  });
  const size = computed(() => got.value?.size ?? [1, 1]);
  const i = computed(() => clamp(s.i.value, size.value[0])), j = computed(() => clamp(s.j.value, size.value[1]));
  const R = computed(() => s.kernel.value.length), S = computed(() => s.kernel.value[0].length);
  const at = (array, r, c) => array.data[r * array.shape[1] + c];
  const output = (r, c, theirs = true) => at((theirs && got.value.arrays.their_output) || got.value.arrays.output, r, c);
  const pixel = (r, c) => [s.stride.value * i.value + s.dilation.value * r, s.stride.value * j.value + s.dilation.value * c];
  const products = computed(() => Array.from({ length: R.value }, (_, r) => Array.from({ length: S.value }, (_, c) => ({ x: at(got.value.arrays.padded, ...pixel(r, c)), k: s.kernel.value[r][c] }))).flat());
  const differs = (r, c) => s.code.value !== "reference" && got.value.arrays.their_output && !(Math.abs(output(r, c) - output(r, c, false)) <= 1e-5);
  const asksSize = computed(() => s.seen.value === 0), asksSum = computed(() => s.seen.value === 1 || !open.value);

  const go = (r, c) => batch(() => { s.i.value = r; s.j.value = c; });
  const next = (by) => () => { const n = size.value[0] * size.value[1], place = (i.value * size.value[1] + j.value + by + n) % n; go(Math.floor(place / size.value[1]), place % size.value[1]); };
  const another = () => batch(() => { next(1)(); said.value = null; open.value = false; });
  const { said, say, graded } = prediction(() => [s.image.value, s.kernel.value, s.bias.value, s.stride.value, s.padding.value, s.dilation.value, ...(typeof said.value === "number" ? [i.value, j.value] : [])], w.predicted);
  const sum = (given) => batch(() => { say(given); s.seen.value = 2; open.value = true; });
  const move = (down, right) => () => go(clamp(i.value + down, size.value[0]), clamp(j.value + right, size.value[1]));
  const draw = () => { s.image.value = s.image.value.map((row) => row.map(() => Math.floor(Math.random() * 4))); };
  const cycle = (x, most, from) => () => { x.value = x.value >= most ? from : x.value + 1; };
  const pressed = keys(scope, {
    ArrowUp: ["move the window", move(-1, 0)], ArrowDown: ["move the window", move(1, 0)], ArrowLeft: ["move the window", move(0, -1)], ArrowRight: ["move the window", move(0, 1)],
    " ": ["next window", next(1)], s: ["stride", cycle(s.stride, 3, 1)], p: ["padding", cycle(s.padding, 2, 0)], d: ["dilation", cycle(s.dilation, 2, 1)], r: ["another image", draw],
  });
  const set = (x) => (r, c, v) => { x.value = x.value.map((row, a) => (a === r ? row.map((old, b) => (b === c ? v : old)) : row)); };
  const resized = (rows, side) => Array.from({ length: side }, (_, r) => Array.from({ length: side }, (_, c) => rows[r]?.[c] ?? 0));
  const select = (label, x, values) => html`<label>${label} <select aria-label=${label} value=${x.value} onChange=${(e) => (x.value = +e.target.value)}>${values.map((v) => html`<option value=${v}>${v}</option>`)}</select></label>`;
  const count = (label, x) => html`<label>${label} <input class="small-number" type="number" min="1" max="2048" aria-label=${label} value=${x.value} onInput=${(e) => { const v = +e.target.value; if (Number.isInteger(v) && v >= 1 && v <= 2048) x.value = v; }} /></label>`;

  const Prediction = () => {
    const [OH, OW] = size.value, H = s.image.value.length, moves = html`stride ${s.stride.value}, padding ${s.padding.value}${s.dilation.value > 1 ? `, dilation ${s.dilation.value}` : ""}`;
    if (asksSize.value) {
      const square = (n) => `${n} × ${n}`, right = `${OH} × ${OW}`, choices = [...new Set([right, square(OH + 1), square(Math.max(1, OH - 1)), square(H), square(H - R.value + 2)])].filter((c) => !/^0/.test(c)).sort().slice(0, 4);
      const offered = choices.includes(right) ? choices : [...choices.slice(1), right].sort();
      const answer = (given) => batch(() => { say(given); s.seen.value = 1; });
      return html`<${Predict} tag="Predict first" action=${["show me", () => batch(() => { answer(null); sum(null); })]}>An image of ${H} × ${s.image.value[0].length}, a kernel of ${R.value} × ${S.value}, ${moves}: how large is the output? <span class="choice">${offered.map((c) => html`<button class="icon" onClick=${() => answer(c)}>${c}</button>`)}</span></${Predict}>`;
    }
    if (asksSum.value) {
      const first = typeof said.value === "string" && graded() ? (said.value === `${OH} × ${OW}` ? `Right, ${OH} × ${OW}. ` : `Not ${said.value}: it is ${OH} × ${OW}. `) : "";
      const submit = (e) => { e.preventDefault(); const v = numberIn(e.target.elements.sum.value); if (Number.isFinite(v)) sum(v); };
      return html`<${Predict} tag="Predict first" action=${["show me", () => sum(null)]}>${first}The window stands at row ${i.value}, column ${j.value}. What is the sum of its products${s.bias.value ? `, plus the bias of ${s.bias.value}` : ""}? <form class="choice" onSubmit=${submit}><input class="small-number" name="sum" aria-label="The sum" inputmode="decimal" autocomplete="off" /><button class="icon">say</button></form></${Predict}>`;
    }
    const v = output(i.value, j.value, false), right = typeof said.value === "number" && graded() ? Math.abs(said.value - v) < 0.01 + 1e-3 * Math.abs(v) : null;
    return html`<${Predict} tag="The sum" right=${right} wrong="Not that" action=${["next window", another]}>At row ${i.value}, column ${j.value} the products sum to <strong class="num">${minus(v)}</strong>${right === false ? html`, not ${minus(said.value)}` : ""}. It goes to the same place of the output.</${Predict}>`;
  };

  const Inputs = () => html`<section class="card"><div class="spread"><h2>What goes in</h2><button class="icon" onClick=${draw}>another image <kbd>r</kbd></button></div>
    <div class="typing"><${Typed} name=${html`<b>x</b> image`} label="image" rows=${numbered(s.image.value.length)} columns=${numbered(s.image.value[0].length)} values=${s.image.value} set=${set(s.image)} />
    <${Typed} name=${html`<b>w</b> kernel`} label="kernel" rows=${numbered(R.value)} columns=${numbered(S.value)} values=${s.kernel.value} set=${set(s.kernel)} tint="k" /></div>
    <div class="options"><label>kernel <select aria-label="a known kernel" value="" onChange=${(e) => { if (KERNELS[e.target.value]) s.kernel.value = KERNELS[e.target.value]; }}><option value="">choose ...</option>${Object.keys(KERNELS).map((k) => html`<option value=${k}>${k}</option>`)}</select></label>
      <label>image <select aria-label="size of the image" value=${s.image.value.length} onChange=${(e) => (s.image.value = resized(s.image.value, +e.target.value))}>${[3, 4, 5, 6, 7].map((n) => html`<option value=${n}>${n} × ${n}</option>`)}</select></label>
      <label>size <select aria-label="size of the kernel" value=${R.value} onChange=${(e) => (s.kernel.value = resized(s.kernel.value, +e.target.value))}>${[1, 2, 3].map((n) => html`<option value=${n}>${n} × ${n}</option>`)}</select></label>
      ${select("stride", s.stride, [1, 2, 3])}${select("padding", s.padding, [0, 1, 2])}${select("dilation", s.dilation, [1, 2])}
      <label>bias <input class="small-number" aria-label="bias" inputmode="decimal" value=${String(s.bias.value)} onInput=${(e) => { const v = numberIn(e.target.value); if (Math.abs(v) <= 1e6) s.bias.value = v; }} /></label></div></section>`;

  const Picture = () => {
    const a = got.value.arrays, [h, wide] = a.padded.shape, P = s.padding.value, limit = largest(a.padded.data), most = Math.max(largest(a.output.data), a.their_output ? largest(a.their_output.data) : 0);
    const under = new Set(Array.from({ length: R.value * S.value }, (_, n) => pixel(Math.floor(n / S.value), n % S.value).join()));
    const [OH, OW] = size.value;
    return html`<section class="card"><div class="spread"><h2>The window at row ${i.value}, column ${j.value}</h2><${Legend} kind="signed" from=${`−${most.toFixed(1)}`} to=${`+${most.toFixed(1)}`} /></div>
      <div class="steps"><div><${Numbers} name=${html`<b>x</b> ${P ? `image, ${P} zeros around` : "image"}`} label=${P ? "padded image" : "image under the window"} rows=${numbered(h, -P)} columns=${numbered(wide, -P)} at=${(r, c) => at(a.padded, r, c)} limit=${limit} digits=${1} marked=${() => false} ringed=${(r, c) => under.has(`${r},${c}`)} /></div>
      ${asksSize.value ? html`<div class="curtain small-curtain">?</div>` : html`<div><${Numbers} name=${html`<b>out</b> ${OH} × ${OW}`} label="output" rows=${numbered(OH)} columns=${numbered(OW)} at=${(r, c) => output(r, c)} limit=${most} chosen=${[i.value, j.value]} pick=${go} marked=${differs} veiled=${(r, c) => asksSum.value && (s.seen.value < 2 || (r === i.value && c === j.value))} /></div>`}</div>
      <div class="spread"><p class="small soft">Framed: the pixels under the kernel. ${P ? "The border of zeros is what padding adds. " : ""}${s.code.value !== "reference" ? "The output is computed by the code chosen above; a dashed frame marks what differs from the reference." : "Click a number of the output to stand there."}</p>${!asksSize.value && !asksSum.value && html`<${Copy} array=${a.their_output ?? a.output} />`}</div></section>`;
  };

  const axis = (n, k) => html`<span class="mono">⌊(${n} + 2·${s.padding.value} − ${s.dilation.value}·(${k} − 1) − 1) / ${s.stride.value}⌋ + 1</span>`;
  const Arithmetic = () => {
    if (asksSize.value) return html`<${Veil} title="One number of the output">The products, their sum and the formula of the size stand here once you have predicted. Guessing first, then seeing, is what makes it stick.</${Veil}>`;
    const [OH, OW] = size.value, g = got.value, theirs = differs(i.value, j.value), big = (n) => n.toLocaleString("en");
    return html`${asksSum.value ? html`<${Veil} title="One number of the output">The products and their sum stand here once you have said the sum.</${Veil}>` : html`<section class="card arithmetic"><h2>One number of the output</h2><p class="big num" id="sum">${minus(output(i.value, j.value))}</p>
      ${theirs && html`<p class="wrong-is" id="differs">The code chosen above gives <b class="num">${minus(output(i.value, j.value), 4)}</b>, the reference <b class="num">${minus(output(i.value, j.value, false), 4)}</b>. Below, the reference:</p>`}
      <p class="sum-of">${products.value.map(({ x, k }, n) => html`${n ? " + " : ""}<span class="term"><b>${minus(x, 1)}</b> × <b class="k">${minus(k, Number.isInteger(k) ? 0 : 2)}</b></span>`)}${s.bias.value ? html` + <span class="term">${minus(s.bias.value)}</span>` : ""}</p></section>`}
    <section class="card"><h2>The size, and what a layer of it costs</h2><div class="formula plain"><em>${axis(s.image.value.length, R.value)}</em><b id="size">${OH}</b><em>${axis(s.image.value[0].length, S.value)}</em><b>${OW}</b></div>
      <div class="options">${count("channels C", s.channels)}${count("kernels K", s.kernels)}${count("groups g", s.groups)}</div>
      <div class="formula plain"><em>parameters: K · C/g · ${R.value} · ${S.value} + K</em><b id="parameters">${big(g.parameters)}</b><em>multiply-adds: K · C/g · ${R.value} · ${S.value} · ${OH} · ${OW}</em><b>${big(g.multiply_adds)}</b></div></section>`;
  };

  return () => html`<${Bar} title="What one window sees" about=${about.value} pressed=${pressed}>${about.value && html`<${Switch} w=${w} />`}</${Bar}>
    <main><h1>What does one window see?</h1><p class="lead">${about.value?.lead ?? ""}</p><${Failed} message=${failed.value} />
    ${got.value && html`<${Prediction} /><${Said} w=${w} told=${got.value} /><div class="grid3 hand"><${Inputs} /><${Picture} /><div class="stacked"><${Arithmetic} /></div></div><${KeyLine} pressed=${pressed} />`}
    ${about.value && html`<${Around} about=${about.value} />`}</main>`;
});
