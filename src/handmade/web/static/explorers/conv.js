// @ts-check
// Convolution: step a window over an image that one types, or look at one number of a layer inside a network.
import { html, signal, computed, batch } from "/static/vendor/preact.js";
import { largest, Legend, minus, numbered, numberIn, Numbers, Painted, Photo, Typed } from "/static/lib/paint.js";
import { Around, Bar, clamp, Copy, explorer, Failed, images, KeyLine, keys, Lead, Predict, prediction, questions, state, Strange, Veil } from "/static/lib/shell.js";
import { Said, Switch, whose } from "/static/lib/whose.js";

const EDGE = [[0, 0, 2, 2, 2], [0, 0, 2, 2, 2], [0, 0, 2, 2, 1], [0, 0, 2, 1, 1], [0, 0, 1, 1, 0]];
const KERNELS = { "vertical edge": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], "horizontal edge": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]], mean: Array.from({ length: 3 }, () => [0.111, 0.111, 0.111]), sharpen: [[0, -1, 0], [-1, 5, -1], [0, -1, 0]], "one pixel": [[0, 0, 0], [0, 1, 0], [0, 0, 0]] };

const COLOURS = ["red", "green", "blue"];

export default explorer((host, scope) => {
  const s = state(host, scope, { view: "numbers", operation: "convolution", columns: 0, image: EDGE, kernel: KERNELS["vertical edge"], bias: 0, stride: 1, padding: 0, dilation: 1, channels: 3, kernels: 8, groups: 1, i: 0, j: 0, seen: 0, code: "reference", fault: "", riddle: -1, model: "", photo: 0, layer: "", map: 0, row: 12, column: 12, known: [] });
  const inside = () => s.view.value === "layer", typed = () => !inside(); // a network, or numbers that are typed
  const pools = () => typed() && s.operation.value === "max pool", convolves = () => typed() && !pools(), asColumns = () => convolves() && s.columns.value === 1, padding = () => (pools() ? 0 : s.padding.value), dilation = () => (pools() ? 1 : s.dilation.value);
  const open = signal(s.seen.value > 1);
  const { got, about, failed, fail, refresh } = questions(host, scope, "conv");
  const w = whose(host, scope, about, s, () => (pools() ? "max_pool" : asColumns() ? "im2col" : "conv2d"));
  scope.effect(() => {
    const code = w.asked();
    if (inside()) refresh({ view: "layer", model: s.model.value, photo: s.photo.value, layer: s.layer.value, map: s.map.value, row: s.row.value, column: s.column.value, ...code });
    else refresh({ operation: s.operation.value, columns: asColumns(), image: s.image.value, kernel: s.kernel.value, bias: s.bias.value, stride: s.stride.value, padding: s.padding.value, dilation: s.dilation.value, channels: s.channels.value, kernels: s.kernels.value, groups: s.groups.value, ...code });
  });
  const shown = computed(() => (got.value?.view === s.view.value ? got.value : null)); // the last answer, if it is of this view
  const size = computed(() => (shown.value && !inside() ? shown.value.size : [1, 1]));
  const i = computed(() => clamp(s.i.value, size.value[0])), j = computed(() => clamp(s.j.value, size.value[1]));
  const R = computed(() => s.kernel.value.length), S = computed(() => s.kernel.value[0].length);
  const at = (array, r, c) => array.data[r * array.shape[1] + c];
  const output = (r, c, theirs = true) => at((theirs && got.value.arrays.their_output) || got.value.arrays.output, r, c);
  const pixel = (r, c) => [s.stride.value * i.value + dilation() * r, s.stride.value * j.value + dilation() * c];
  const products = computed(() => Array.from({ length: R.value }, (_, r) => Array.from({ length: S.value }, (_, c) => ({ x: at(got.value.arrays.padded, ...pixel(r, c)), k: s.kernel.value[r][c] }))).flat());
  const differs = (r, c) => s.code.value !== "reference" && got.value.arrays.their_output && !(Math.abs(output(r, c) - output(r, c, false)) <= 1e-5);
  const asksSize = computed(() => s.seen.value === 0), asksSum = computed(() => s.seen.value === 1 || !open.value);

  const go = (r, c) => batch(() => { s.i.value = r; s.j.value = c; });
  const next = (by) => () => { const n = size.value[0] * size.value[1], place = (i.value * size.value[1] + j.value + by + n) % n; go(Math.floor(place / size.value[1]), place % size.value[1]); };
  const another = () => batch(() => { next(1)(); said.value = null; open.value = false; });
  const { said, say, graded } = prediction(() => [s.operation.value, s.image.value, s.kernel.value, s.bias.value, s.stride.value, s.padding.value, s.dilation.value, ...(typeof said.value === "number" ? [i.value, j.value] : [])], w.predicted);
  const sum = (given) => batch(() => { say(given); s.seen.value = 2; open.value = true; });
  const move = (down, right) => () => go(clamp(i.value + down, size.value[0]), clamp(j.value + right, size.value[1]));
  const draw = () => { s.image.value = s.image.value.map((row) => row.map(() => Math.floor(Math.random() * 4))); };
  const cycle = (x, most, from) => () => { x.value = x.value >= most ? from : x.value + 1; };
  // --- a layer of a network
  const { another: photo, Chooser } = images(host, scope, s.photo, () => (inside() && shown.value?.given) || 0, fail);
  const layer = computed(() => (inside() && shown.value?.layers.find((l) => l.name === shown.value.layer)) || null);
  const within = (k) => clamp(k, layer.value?.shape[0] ?? 1), row = (n) => clamp(n, layer.value?.shape[1] ?? 1), column = (n) => clamp(n, layer.value?.shape[2] ?? 1);
  const stand = (r, c) => batch(() => { s.row.value = row(r); s.column.value = column(c); });
  const enter = (l) => batch(() => { s.layer.value = l.name; s.map.value = clamp(s.map.value, l.shape[0]); s.row.value = Math.floor(l.shape[1] / 2); s.column.value = Math.floor(l.shape[2] / 2); guessed.value = null; });
  const nextLayer = () => { const all = shown.value?.layers ?? [], n = all.findIndex((l) => l.name === layer.value?.name); if (all.length) enter(all[(n + 1) % all.length]); };
  const nextMap = () => { const list = shown.value?.shown ?? [0]; s.map.value = list[(list.indexOf(s.map.value) + 1) % list.length]; };
  const guessed = signal(null); // how much of the image a unit sees
  const hidden = computed(() => inside() && !!layer.value && !s.known.value.includes(layer.value.name));
  const guessField = (given) => batch(() => { guessed.value = given; s.known.value = [...s.known.value, layer.value.name]; if (given) w.predicted(); });
  const afresh = () => { s.layer.value = ""; s.map.value = 0; s.row.value = 12; s.column.value = 12; s.known.value = []; guessed.value = null; }; // of another model

  const pressed = keys(scope, {
    ArrowUp: ["move", () => (inside() ? stand(s.row.value - 1, s.column.value) : move(-1, 0)())], ArrowDown: ["move", () => (inside() ? stand(s.row.value + 1, s.column.value) : move(1, 0)())],
    ArrowLeft: ["move", () => (inside() ? stand(s.row.value, s.column.value - 1) : move(0, -1)())], ArrowRight: ["move", () => (inside() ? stand(s.row.value, s.column.value + 1) : move(0, 1)())],
    v: ["numbers, or a network", () => { s.view.value = inside() ? "numbers" : "layer"; }],
    " ": ["next window", next(1), typed], s: ["stride", cycle(s.stride, 3, 1), typed], p: ["padding", cycle(s.padding, 2, 0), convolves], d: ["dilation", cycle(s.dilation, 2, 1), convolves], c: ["windows as columns", () => { s.columns.value = 1 - s.columns.value; }, convolves], r: ["another image", () => (inside() ? photo(1)() : draw())],
    l: ["layer", nextLayer, inside], m: ["map", nextMap, inside],
  });
  const set = (x) => (r, c, v) => { x.value = x.value.map((row, a) => (a === r ? row.map((old, b) => (b === c ? v : old)) : row)); };
  const resized = (rows, side) => Array.from({ length: side }, (_, r) => Array.from({ length: side }, (_, c) => rows[r]?.[c] ?? 0));
  const select = (label, x, values) => html`<label>${label} <select aria-label=${label} value=${x.value} onChange=${(e) => (x.value = +e.target.value)}>${values.map((v) => html`<option value=${v}>${v}</option>`)}</select></label>`;
  const count = (label, x) => html`<label>${label} <input class="small-number" type="number" min="1" max="2048" aria-label=${label} value=${x.value} onInput=${(e) => { const v = +e.target.value; if (Number.isInteger(v) && v >= 1 && v <= 2048) x.value = v; }} /></label>`;

  const Prediction = () => {
    const [OH, OW] = size.value, H = s.image.value.length, moves = pools() ? html`stride ${s.stride.value}` : html`stride ${s.stride.value}, padding ${s.padding.value}${s.dilation.value > 1 ? `, dilation ${s.dilation.value}` : ""}`;
    if (asksSize.value) {
      const square = (n) => `${n} × ${n}`, right = `${OH} × ${OW}`, choices = [...new Set([right, square(OH + 1), square(Math.max(1, OH - 1)), square(H), square(H - R.value + 2)])].filter((c) => !/^0/.test(c)).sort().slice(0, 4);
      const offered = choices.includes(right) ? choices : [...choices.slice(1), right].sort();
      const answer = (given) => batch(() => { say(given); s.seen.value = 1; });
      return html`<${Predict} tag="Predict first" action=${["show me", () => batch(() => { answer(null); sum(null); })]}>An image of ${H} × ${s.image.value[0].length}, a ${pools() ? "window" : "kernel"} of ${R.value} × ${S.value}, ${moves}: how large is the output? <span class="choice">${offered.map((c) => html`<button class="icon" onClick=${() => answer(c)}>${c}</button>`)}</span></${Predict}>`;
    }
    if (asksSum.value) {
      const first = typeof said.value === "string" && graded() ? (said.value === `${OH} × ${OW}` ? `Right, ${OH} × ${OW}. ` : `Not ${said.value}: it is ${OH} × ${OW}. `) : "";
      const submit = (e) => { e.preventDefault(); const v = numberIn(e.target.elements.sum.value); if (Number.isFinite(v)) sum(v); };
      return html`<${Predict} tag="Predict first" action=${["show me", () => sum(null)]}>${first}The window stands at row ${i.value}, column ${j.value}. ${pools() ? "What is the largest number in it" : "What is the sum of its products"}${!pools() && s.bias.value ? `, plus the bias of ${s.bias.value}` : ""}? <form class="choice" onSubmit=${submit}><input class="small-number" name="sum" aria-label="The sum" inputmode="decimal" autocomplete="off" /><button class="icon">say</button></form></${Predict}>`;
    }
    const v = output(i.value, j.value, false), right = typeof said.value === "number" && graded() ? Math.abs(said.value - v) < 0.01 + 1e-3 * Math.abs(v) : null;
    return html`<${Predict} tag=${pools() ? "The largest" : "The sum"} right=${right} wrong="Not that" action=${["next window", another]}>At row ${i.value}, column ${j.value} ${pools() ? "the largest number is" : "the products sum to"} <strong class="num">${minus(v)}</strong>${right === false ? html`, not ${minus(said.value)}` : ""}. It goes to the same place of the output.</${Predict}>`;
  };

  const Inputs = () => html`<section class="card"><div class="spread"><h2>What goes in</h2><button class="icon" onClick=${draw}>another image <kbd>r</kbd></button></div>
    <div class="typing"><${Typed} name=${html`<b>x</b> image`} label="image" rows=${numbered(s.image.value.length)} columns=${numbered(s.image.value[0].length)} values=${s.image.value} set=${set(s.image)} />
    ${!pools() && html`<${Typed} name=${html`<b>w</b> kernel`} label="kernel" rows=${numbered(R.value)} columns=${numbered(S.value)} values=${s.kernel.value} set=${set(s.kernel)} tint="k" />`}</div>
    <div class="options"><label>operation <select aria-label="operation" value=${s.operation.value} onChange=${(e) => (s.operation.value = e.target.value)}><option>convolution</option><option>max pool</option></select></label>
      ${!pools() && html`<label>kernel <select aria-label="a known kernel" value="" onChange=${(e) => { if (KERNELS[e.target.value]) s.kernel.value = KERNELS[e.target.value]; }}><option value="">choose ...</option>${Object.keys(KERNELS).map((k) => html`<option value=${k}>${k}</option>`)}</select></label>`}
      <label>image size <select aria-label="size of the image" value=${s.image.value.length} onChange=${(e) => (s.image.value = resized(s.image.value, +e.target.value))}>${[3, 4, 5, 6, 7].map((n) => html`<option value=${n}>${n} × ${n}</option>`)}</select></label>
      <label>${pools() ? "window" : "kernel"} size <select aria-label="size of the kernel" value=${R.value} onChange=${(e) => (s.kernel.value = resized(s.kernel.value, +e.target.value))}>${[1, 2, 3].map((n) => html`<option value=${n}>${n} × ${n}</option>`)}</select></label>
      ${select("stride", s.stride, [1, 2, 3])}${!pools() && html`${select("padding", s.padding, [0, 1, 2])}${select("dilation", s.dilation, [1, 2])}
      <label>bias <input class="small-number" aria-label="bias" inputmode="decimal" value=${String(s.bias.value)} onInput=${(e) => { const v = numberIn(e.target.value); if (Math.abs(v) <= 1e6) s.bias.value = v; }} /></label>`}</div></section>`;

  const Picture = () => {
    const a = got.value.arrays, [h, wide] = a.padded.shape, P = padding(), limit = largest(a.padded.data), most = Math.max(largest(a.output.data), a.their_output ? largest(a.their_output.data) : 0);
    const under = new Set(Array.from({ length: R.value * S.value }, (_, n) => pixel(Math.floor(n / S.value), n % S.value).join()));
    const [OH, OW] = size.value;
    const place = i.value * OW + j.value, columns = asColumns() && !asksSize.value && a.columns, cell = (r, c, theirs = true) => at((theirs && a.their_columns) || a.columns, r, c);
    const Columns = () => html`<div class="steps"><div><${Numbers} name=${html`<b>im2col</b> the windows as columns, ${a.columns.shape.join(" × ")}`} label="the windows as columns" rows=${Array.from({ length: R.value * S.value }, (_, n) => `${Math.floor(n / S.value)},${n % S.value}`)} columns=${Array.from({ length: OH * OW }, (_, n) => `${Math.floor(n / OW)},${n % OW}`)} at=${cell} limit=${limit} digits=${1} pick=${(r, c) => go(Math.floor(c / OW), c % OW)} ringed=${(r, c) => c === place} marked=${(r, c) => s.code.value !== "reference" && a.their_columns && !(Math.abs(cell(r, c) - cell(r, c, false)) <= 1e-5)} /></div></div>
      <p class="small soft">Above each column the place of its window, before each row the place in the kernel. The kernel, laid flat as a row of ${R.value * S.value}, times this matrix is the output, laid flat: a convolution is one matrix product.${s.code.value === "reference" ? "" : a.their_columns ? " The columns are computed by the code chosen above; a dashed frame marks what differs from the reference." : " The code chosen above gives no such columns: the reference's are shown."}</p>`;
    return html`<section class="card"><div class="spread"><h2>The window at row ${i.value}, column ${j.value}</h2><${Legend} kind="signed" from=${`−${most.toFixed(1)}`} to=${`+${most.toFixed(1)}`} /></div>
      <div class="steps"><div><${Numbers} name=${html`<b>x</b> ${P ? `image, zeros around it: ${P} on each side` : "image"}`} label=${P ? "padded image" : "image under the window"} rows=${numbered(h, -P)} columns=${numbered(wide, -P)} at=${(r, c) => at(a.padded, r, c)} limit=${limit} digits=${1} marked=${() => false} ringed=${(r, c) => under.has(`${r},${c}`)} /></div>
      ${asksSize.value ? html`<div class="curtain small-curtain">?</div>` : html`<div><${Numbers} name=${html`<b>out</b> ${OH} × ${OW}`} label="output" rows=${numbered(OH)} columns=${numbered(OW)} at=${(r, c) => output(r, c)} limit=${most} chosen=${[i.value, j.value]} pick=${go} marked=${differs} veiled=${(r, c) => asksSum.value && (s.seen.value < 2 || (r === i.value && c === j.value))} /></div>`}</div>
      <div class="spread"><p class="small soft">Framed: the pixels under the ${pools() ? "window" : "kernel"}. ${P ? "The border of zeros is what padding adds. " : ""}${s.code.value === "reference" || asColumns() ? "Click a number of the output to stand there." : a.their_output ? "The output is computed by the code chosen above; a dashed frame marks what differs from the reference." : "The code chosen above gives no such output: the reference's is shown."}</p>${!asksSize.value && !asksSum.value && html`<${Copy} array=${a.their_columns ?? (columns || null) ?? a.their_output ?? a.output} />`}</div>
      ${!pools() && html`<p class="later"><button class="icon" aria-pressed=${asColumns()} onClick=${() => (s.columns.value = 1 - s.columns.value)}>windows as columns: im2col <kbd>c</kbd></button></p>`}${columns && html`<${Columns} />`}${asColumns() && s.dilation.value > 1 && html`<p class="small soft">The exercise im2col has no dilation: set it to 1.</p>`}</section>`;
  };

  const axis = (n, k) => html`<span class="mono">⌊(${n} + 2·${padding()} − ${dilation()}·(${k} − 1) − 1) / ${s.stride.value}⌋ + 1</span>`;
  const Arithmetic = () => {
    if (asksSize.value) return html`<${Veil} title="One number of the output">The products, their sum and the formula of the size stand here once you have predicted. Guessing first, then seeing, is what makes it stick.</${Veil}>`;
    const [OH, OW] = size.value, g = got.value, theirs = differs(i.value, j.value), big = (n) => n.toLocaleString("en");
    return html`${asksSum.value ? html`<${Veil} title="One number of the output">The products and their sum stand here once you have said the sum.</${Veil}>` : html`<section class="card arithmetic"><h2>One number of the output</h2><p class="big num" data-id="sum">${minus(output(i.value, j.value))}</p>
      ${theirs && html`<p class="wrong-is" data-id="differs">The code chosen above gives <b class="num">${minus(output(i.value, j.value), 4)}</b>, the reference <b class="num">${minus(output(i.value, j.value, false), 4)}</b>. Below, the reference:</p>`}
      ${pools() ? html`<p class="sum-of">max(${products.value.map(({ x }, n) => html`${n ? ", " : ""}<b class=${x === output(i.value, j.value, false) ? "k" : ""}>${minus(x, 1)}</b>`)})</p><p class="small soft">What was found counts, not exactly where. Backward, the whole gradient goes to the pixel that was largest.</p>` : html`<p class="sum-of">${products.value.map(({ x, k }, n) => html`${n ? " + " : ""}<span class="term"><b>${minus(x, 1)}</b> × <b class="k">${minus(k, Number.isInteger(k) ? 0 : 2)}</b></span>`)}${s.bias.value ? html` + <span class="term">${minus(s.bias.value)}</span>` : ""}</p>`}</section>`}
    <section class="card"><h2>${pools() ? "The size" : "The size, and what a layer of it costs"}</h2><div class="formula plain"><em>${axis(s.image.value.length, R.value)}</em><b data-id="size">${OH}</b><em>${axis(s.image.value[0].length, S.value)}</em><b>${OW}</b></div>
      ${pools() ? html`<p class="small soft" style=${{ marginTop: "8px" }}>It has no weights, and multiplies nothing.</p>` : html`<div class="options">${count("channels C", s.channels)}${count("kernels K", s.kernels)}${count("groups g", s.groups)}</div>
      <div class="formula plain"><em>parameters: K · C/g · ${R.value} · ${S.value} + K</em><b data-id="parameters">${big(g.parameters)}</b><em>multiply-adds: K · C/g · ${R.value} · ${S.value} · ${OH} · ${OW}</em><b>${big(g.multiply_adds)}</b></div>`}</section>`;
  };

  const FieldPrediction = () => {
    const a = shown.value, [down, across] = layer.value.sees, [H, W] = a.size, said = (n) => `${n} × ${n}`, name = html`<strong class="mono">${a.layer}</strong>`;
    if (hidden.value) {
      const [R] = layer.value.kernel, choices = [...new Set([down, R, 2 * R, down + R - 1, down > R ? Math.floor(down / 2) : 3 * R, H])].filter((n) => n > 0 && n <= Math.max(H, down)), offered = [down, ...choices.filter((n) => n !== down).slice(0, 3)].sort((x, y) => x - y);
      return html`<${Predict} tag="Predict first" action=${["show me", () => guessField(null)]}>One number of ${name} is computed by a kernel of ${R} × ${layer.value.kernel[1]}. How many pixels of the image, of ${H} × ${W}, does it depend on? <span class="choice">${offered.map((n) => html`<button class="icon" onClick=${() => guessField(n)}>${said(n)}</button>`)}</span></${Predict}>`;
    }
    const right = guessed.value === null ? null : guessed.value === down, whole = down >= H && across >= W;
    return html`<${Predict} tag="It sees" right=${right} wrong="Not that many" action=${["next layer", nextLayer]}>A unit of ${name} sees <strong class="num">${down} × ${across}</strong> pixels${right === false ? html`, not ${said(guessed.value)}` : ""}: ${whole ? "more than the image; what is beyond its edge is padding." : "its receptive field, framed on the image. Move the unit, and the frame moves along."}</${Predict}>`;
  };

  const TheImage = () => {
    const a = shown.value, [H, W] = a.size, [top, bottom] = a.rows, [left, right] = a.columns, cut = top < 0 || left < 0 || bottom > H || right > W;
    return html`<section class="card"><div class="spread"><h2>The image</h2>${a.label && html`<span class="small faint">${a.photo < 0 ? "packaged:" : "its folder:"} <b style=${{ color: "var(--ink)" }}>${a.label}</b></span>`}</div>
      <div class="framed"><${Photo} image=${a.arrays.image} role="img" aria-label=${`the image as the network sees it${a.label ? `: ${a.label}` : ""}`} />
        <svg viewBox=${`0 0 ${W} ${H}`} aria-hidden="true">${!hidden.value && html`<rect x=${Math.max(0, left)} y=${Math.max(0, top)} width=${Math.min(W, right) - Math.max(0, left)} height=${Math.min(H, bottom) - Math.max(0, top)} fill="none" stroke="var(--field)" stroke-width="2.5" vector-effect="non-scaling-stroke" />`}</svg></div>
      <p class="small soft" style=${{ margin: "10px 0 12px" }}>${hidden.value ? "The frame of what the unit sees stands here once you have predicted." : html`Framed: rows ${Math.max(0, top)} to ${Math.min(H, bottom) - 1}, columns ${Math.max(0, left)} to ${Math.min(W, right) - 1}.${cut ? " The rest of its field lies in the padding." : ""}`} The network says <b>${a.says}</b>, ${(100 * a.sure).toFixed(0)} %.</p>${a.strange && html`<${Strange} of=${a.label} />`}<${Chooser} /></section>`;
  };

  const TheLayer = () => {
    const a = shown.value, [, h, wide] = layer.value.shape, n = h * wide, data = a.arrays.their_output?.data ?? a.arrays.map.data, limit = largest(a.arrays.map.data), small = largest(a.arrays.maps.data), r = row(s.row.value), c = column(s.column.value);
    const pick = (e) => { const box = e.currentTarget.getBoundingClientRect(); stand(Math.floor(((e.clientY - box.top) / box.height) * h), Math.floor(((e.clientX - box.left) / box.width) * wide)); };
    return html`<section class="card"><div class="spread"><h2>Map ${s.map.value} of <select aria-label="layer" value=${a.layer} onChange=${(e) => enter(a.layers.find((l) => l.name === e.target.value))}>${a.layers.map((l) => html`<option value=${l.name}>${l.name}: ${l.shape[0]} maps, ${l.shape[1]} × ${l.shape[2]}</option>`)}</select></h2><${Legend} kind="signed" from=${`−${limit.toFixed(1)}`} to=${`+${limit.toFixed(1)}`} /></div>
      <div class="strip" role="group" aria-label="Maps of the layer">${a.shown.map((k, place) => html`<button class="thumb" aria-pressed=${k === s.map.value} aria-label=${`map ${k}`} onClick=${() => (s.map.value = k)}><${Painted} style=${{ aspectRatio: `${wide} / ${h}` }} data=${a.arrays.maps.data.subarray(place * n, (place + 1) * n)} rows=${h} columns=${wide} kind="signed" limit=${small} /><small>${k}</small></button>`)}</div>
      <div class="framed large"><${Painted} style=${{ aspectRatio: `${wide} / ${h}` }} data=${data} rows=${h} columns=${wide} kind="signed" limit=${limit} onClick=${pick} label=${`map ${s.map.value} of ${a.layer}, ${h} by ${wide}; the unit at row ${r}, column ${c} is ${minus(a.value)}`} />
        <svg viewBox=${`0 0 ${wide} ${h}`} aria-hidden="true"><rect x=${c} y=${r} width="1" height="1" fill="none" stroke="var(--field)" stroke-width="2.5" vector-effect="non-scaling-stroke" /></svg></div>
      <div class="spread" style=${{ marginTop: "10px" }}><p class="small soft">${s.code.value !== "reference" && a.arrays.their_output ? "Computed by the code chosen above, on what comes into this layer. " : ""}Before the ReLU or tanh that follows. Click a place, or use the arrows.${a.shown.length < layer.value.shape[0] ? ` Shown are the ${a.shown.length} of ${layer.value.shape[0]} maps that respond most.` : ""}</p><${Copy} array=${{ shape: [h, wide], data }} /></div></section>`;
  };

  const MadeOf = () => {
    const a = shown.value, [R, S] = layer.value.kernel, n = R * S, windows = largest(a.arrays.window.data), kernels = largest(a.arrays.kernel.data), r = row(s.row.value), c = column(s.column.value);
    const theirs = s.code.value !== "reference" && a.arrays.their_output ? a.arrays.their_output.data[r * layer.value.shape[2] + c] : null, apart = theirs !== null && !(Math.abs(theirs - a.value) <= 1e-4 + 1e-4 * Math.abs(a.value));
    const part = (array, k) => a.arrays[array].data.subarray(k * n, (k + 1) * n), line = (left, right) => html`<em>${left}</em><b>${right}</b>`;
    return html`<section class="card arithmetic"><div class="spread"><h2>What this number is made of</h2><span class="small soft">row ${r}, column ${c}</span></div><p class="big num" data-id="unit">${minus(a.value, 3)}</p>
      ${apart && html`<p class="wrong-is" data-id="differs">The code chosen above gives <b class="num">${minus(theirs, 4)}</b>, the reference <b class="num">${minus(a.value, 4)}</b>. Below, the reference:</p>`}
      <div class="products"><span></span><span class="small soft">what it sees</span><span></span><span class="small soft">the kernel</span><span class="small soft">adds</span>
      ${a.inputs.map((channel, k) => html`<span class="small mono">${a.layer !== a.layers[0].name ? `map ${channel}` : a.seen === 3 ? COLOURS[channel] : "image"}</span><${Painted} data=${part("window", k)} rows=${R} columns=${S} kind="signed" limit=${windows} label=${`window over channel ${channel}`} /><span>×</span><${Painted} data=${part("kernel", k)} rows=${R} columns=${S} kind="signed" limit=${kernels} label=${`kernel of channel ${channel}`} /><b class="num">${minus(a.contributions[k], 3)}</b>`)}</div>
      <div class="formula">${a.seen > a.inputs.length ? line(`the other ${a.seen - a.inputs.length} channels`, minus(a.rest, 3)) : ""}${line("bias", minus(a.bias, 3))}${line(`the sum of ${a.seen} × ${R} × ${S} products, and the bias`, minus(a.value, 3))}</div>
      <p class="small soft">${a.seen > a.inputs.length ? `The ${a.inputs.length} channels that add or take away most. ` : ""}Blue times blue, and orange times orange, adds; blue times orange takes away.</p></section>
    <div class="sr"><table><caption>What the unit at row ${r}, column ${c} of map ${s.map.value} is made of</caption><tr><th>channel</th><th>adds</th></tr>${a.inputs.map((channel, k) => html`<tr><td>${channel}</td><td>${minus(a.contributions[k], 3)}</td></tr>`)}<tr><td>the others</td><td>${minus(a.rest, 3)}</td></tr><tr><td>bias</td><td>${minus(a.bias, 3)}</td></tr></table></div>`;
  };

  const tab = (view, label) => html`<button aria-pressed=${s.view.value === view} onClick=${() => (s.view.value = view)}>${label}</button>`;
  return () => html`<${Bar} title="What one window sees" about=${about.value && { ...about.value, models: inside() ? about.value.models : [] }} model=${s.model} changed=${afresh} pressed=${pressed}>${about.value && html`<${Switch} w=${w} />`}</${Bar}>
    <main><h1>What does one window see?</h1><${Lead} about=${about.value} />
    <p class="tabs"><span class="switch" role="group" aria-label="What is looked at">${tab("numbers", "numbers of your own")}${tab("layer", "inside a network")}</span></p><${Failed} message=${failed.value} />
    ${shown.value && (inside() ? html`<${FieldPrediction} /><${Said} w=${w} told=${shown.value} /><div class="grid3 hand"><${TheImage} /><${TheLayer} /><div class="stacked"><${MadeOf} /></div></div>`
      : html`<${Prediction} /><${Said} w=${w} told=${shown.value} /><div class="grid3 hand"><${Inputs} /><${Picture} /><div class="stacked"><${Arithmetic} /></div></div>`)}<${KeyLine} pressed=${pressed} />
    ${about.value && html`<${Around} about=${about.value} />`}</main>`;
});
