// @ts-check
// Feature flow: the blocks of a residual network or of a GoogLeNet, what each does, and what is left when a part is cut.
import { html, signal, computed, batch, useEffect, useRef } from "/static/vendor/preact.js";
import { largest, Legend, minus, paint, paintImage, Painted, Photo, theme } from "/static/lib/paint.js";
import { Around, Bar, clamp, Copy, explorer, Failed, images, KeyLine, keys, Lead, measurement, NoModel, Predict, prediction, questions, state, Strange } from "/static/lib/shell.js";
import { Said, Switch, whose } from "/static/lib/whose.js";

const LEFT = 118, STEP = 100, BETWEEN = 16, ARCH = 74, TILE = 38; // of the drawing
const short = (name) => name.replace(/^(layer|inception)/, "");
const LANE = 19; // between the branches of an Inception block
const norm = (b, path) => b.parts.find((part) => part.name === path)?.norm ?? 0;
const millions = (n) => (n >= 1e5 ? `${(n / 1e6).toFixed(1)} M` : `${Math.round(n / 1e3)} k`);

// The photo, dark where the block finds no evidence. @param {{evidence: any, photo: any}} given
const Lit = ({ evidence, photo }) => {
  const ref = useRef();
  useEffect(() => {
    const { data, shape: [h, wide] } = evidence, most = largest(data), image = new ImageData(wide, h);
    for (let n = 0; n < data.length; n++) image.data[4 * n + 3] = 205 * (1 - Math.max(0, data[n]) / most);
    ref.current.width = wide; ref.current.height = h;
    ref.current.getContext("2d").putImageData(image, 0, 0);
  }, [evidence]);
  return html`<div class="framed lit">${photo}<canvas ref=${ref} aria-hidden="true" /></div>`;
};

export default explorer((host, scope) => {
  const s = state(host, scope, { model: "", image: 0, block: "", cut: {}, evidence: 0, seen: 0, code: "reference", fault: "", riddle: -1 });
  const { got, about, failed, fail, refresh } = questions(host, scope, "flow", (answer, asked) => { answer.cut = asked.cut; });
  const inception = () => got.value?.kind === "inception", residual = () => !inception();
  const w = whose(host, scope, about, s, () => (inception() ? "inception_module" : "residual_block"));
  scope.effect(() => refresh({ model: s.model.value, image: s.image.value, block: s.block.value, cut: s.cut.value, evidence: s.evidence.value === 1, ...w.asked() }));

  const names = computed(() => got.value?.blocks.map((b) => b.name) ?? []);
  const block = computed(() => s.block.value || got.value?.block || "");
  const asked = computed(() => names.value[Math.min(Math.floor(names.value.length / 2), names.value.length - 1)]); // the one that the page asks about
  const cut = (name, path) => { const now = { ...s.cut.value }; if (now[name] === path) delete now[name]; else now[name] = path; s.cut.value = now; };
  const mend = () => { s.cut.value = {}; };
  const { said, say, graded } = prediction(() => [s.model.value, s.image.value, s.cut.value], w.predicted);
  const askedPart = () => (inception() ? "branch2" : "branch");
  const said_ = (b, path) => (inception() ? `branch ${path.slice(-1)} (${got.value.blocks.find((one) => one.name === b)?.parts.find((part) => part.name === path)?.kernel})` : path); // in words
  const guess = (given) => batch(() => { s.seen.value = 1; s.block.value = asked.value; s.cut.value = { [asked.value]: askedPart() }; say(given); });
  const step = (by) => () => { s.block.value = names.value[clamp(names.value.indexOf(block.value) + by, names.value.length)]; };
  const { another, Chooser } = images(host, scope, s.image, () => got.value?.given ?? 0, fail);
  const asking = computed(() => s.seen.value === 0);
  const covering = measurement(host, scope, "flow", fail), covered = signal(null); // what is lost where a grey square hides the image
  const whose_ = () => JSON.stringify([s.model.value, s.image.value]);
  const cover = () => {
    if (covering.running.value || covered.value) { covering.cancel(); covered.value = null; return; }
    covering.begin({ model: s.model.value, image: s.image.value }, (piece) => {
      const so = covered.value;
      if ("total" in piece) covered.value = { ...piece, of: whose_(), done: 0, data: new Float32Array(piece.rows * piece.columns) };
      else { const data = so.data.slice(); data.set(piece.drops.map((d) => 100 * d), piece.row * so.columns); covered.value = { ...so, data, done: piece.row + 1 }; }
    });
  };
  let before = whose_();
  scope.effect(() => { const now = whose_(); if (now === before) return; before = now; covering.cancel(); covered.value = null; }); // of another image
  const afresh = () => { s.block.value = ""; s.cut.value = {}; s.seen.value = 0; said.value = null; }; // of another model
  const pressed = keys(scope, {
    ArrowLeft: ["block", step(-1)], ArrowRight: ["block", step(1)], b: ["cut its branch", () => { if (!asking.value) cut(block.value, "branch"); }, residual], s: ["cut its skip", () => { if (!asking.value) cut(block.value, "skip"); }, residual],
    ...Object.fromEntries([1, 2, 3, 4].map((n) => [String(n), ["cut one of four branches", () => { if (!asking.value) cut(block.value, `branch${n}`); }, inception]])), e: ["evidence", () => { s.evidence.value = 1 - s.evidence.value; }], o: ["occlusion", cover],
    m: ["mend all", mend], n: ["next image", another(1)], p: ["image before", another(-1)],
  });
  const stages = computed(() => names.value.map((n) => n.match(/^[^.\d]*\d*/)[0]));
  const at = (n) => LEFT + n * STEP + stages.value.slice(1, n + 1).filter((name, k) => name !== stages.value[k]).length * BETWEEN;
  const Drawing = () => {
    const TOP = inception() ? 30 : ARCH, HIGH = TOP + 3 * TILE; // room for the skips' arches
    const a = got.value, blocks = a.blocks, most = Math.max(...blocks.flatMap((b) => b.parts.map((part) => part.norm))), wide = (v) => 1.5 + (12 * v) / most, W = at(blocks.length) + 30;
    const strip = useRef(), t = theme.value;
    useEffect(() => { // all maps into one canvas: one for each would cost eight times as much to redraw
      const canvas = strip.current, context = canvas.getContext("2d"), k = 2, spare = document.createElement("canvas");
      canvas.width = W * k; canvas.height = HIGH * k; context.imageSmoothingEnabled = false;
      const put = (x, y, size) => context.drawImage(spare, x * k, y * k, size * k, size * k);
      paintImage(spare, a.arrays.image); put(0, TOP, 2 * TILE);
      blocks.forEach((b, n) => { const { data, shape: [count, h, wide] } = a.arrays[`small/${n}`], limit = largest(data);
        for (let c = 0; c < count; c++) { paint(spare, data.subarray(c * h * wide, (c + 1) * h * wide), h, wide, "heat", limit); put(at(n) + 4 + (c % 2) * TILE, TOP + Math.floor(c / 2) * TILE, TILE - 1); } });
    }, [a, t]);
    const mid = TOP + TILE, press = (run) => (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); e.stopPropagation(); run(); } };
    const part = (b, path, d) => { const run = () => { if (asking.value) return; batch(() => { s.block.value = b.name; cut(b.name, path); }); }, gone = s.cut.value[b.name] === path;
      return html`<path class=${`hit${inception() ? " lane" : ""}`} d=${d} onClick=${run}><title>${inception() ? `the ${said_(b.name, path)}` : path === "skip" ? "the skip: x, or its projection where the shape changes" : "the branch, F(x)"}: its size is ${norm(b, path).toFixed(1)}. ${asking.value ? "" : "Click to cut or mend it."}</title></path><path class=${`wire ${path}${gone ? " gone" : ""}`} stroke-width=${gone ? 2.5 : wide(norm(b, path))} d=${d} />`; };
    return html`<section class="card flow" aria-label="The network, block by block"><div class="scroll" tabindex="0" role="group" aria-label="The blocks from left to right"><div class="stack" style=${{ minWidth: `${Math.min(W, 1060)}px`, width: W > 1330 ? `${W}px` : undefined }}><canvas ref=${strip} aria-hidden="true" /><svg viewBox="0 0 ${W} ${HIGH}">
      ${stages.value.map((name, n) => (n === 0 || name !== stages.value[n - 1]) && html`<text x=${at(n) + TILE} y="14" class="mono">${inception() ? "" : `${blocks[n].shape[0]} channels, `}${blocks[n].shape[1]} × ${blocks[n].shape[2]}</text>`)}
      <text x=${TILE} y=${TOP + 2 * TILE + 17} text-anchor="middle">image</text><path class="wire" stroke-width="1.5" d="M${2 * TILE + 2} ${mid}H${LEFT - 16}" />
      ${blocks.map((b, n) => { const x = at(n), on = b.name === block.value, from = n ? at(n - 1) + 2 * TILE + 2 : LEFT - 22;
        return html`<g key=${b.name}>${inception() ? b.parts.map(({ name }, k) => part(b, name, `M${from} ${TOP + 9 + k * LANE}H${x + 2}`)) : html`${part(b, "skip", `M${from - (n ? 10 : 0)} ${TOP - 3} C${from} ${TOP - 46} ${x + TILE - 18} ${TOP - 46} ${x + TILE} ${TOP - 4}`)}${part(b, "branch", `M${from} ${mid}H${x + 2}`)}`}
          <rect class=${`box${on ? " on" : ""}`} x=${x + 1} y=${TOP - 3} width=${2 * TILE + 5} height=${2 * TILE + 5} rx="5" />
          <rect class="pick" x=${x + 1} y=${TOP - 3} width=${2 * TILE + 5} height=${2 * TILE + 5} role="button" tabindex=${on ? 0 : -1} aria-pressed=${on} aria-label=${`block ${short(b.name)}${s.cut.value[b.name] ? `, ${s.cut.value[b.name]} cut` : ""}`} onClick=${() => (s.block.value = b.name)} onKeyDown=${press(() => (s.block.value = b.name))} />
          <text x=${x + TILE + 3} y=${TOP + 2 * TILE + 17} text-anchor="middle" class=${on ? "now" : ""}>${short(b.name)}</text><text class="mono" x=${x + TILE + 3} y=${TOP + 2 * TILE + 33} text-anchor="middle">${inception() ? millions(b.parts.reduce((sum, one) => sum + one.multiply_adds, 0)) : b.ratio.toFixed(2)}</text></g>`; })}
      <text class="mono" x="0" y=${TOP + 2 * TILE + 33}>${inception() ? "multiply-adds" : "‖F(x)‖/‖skip‖"}</text></svg></div></div>
    <p class="small soft">${inception() ? html`Before each block its four branches, from above: ${blocks[0].parts.map((part) => part.kernel).join(", ")}. Their width is their size, the norm.` : html`<b style=${{ color: "var(--accent)" }}>Above, the skip</b>: x, or its projection where the shape changes. <b style=${{ color: "var(--ink)" }}>Straight, the branch</b>: F(x). Their width is their size, the norm ‖·‖; the number below a block, that of F(x) beside that of the skip.`} Click a line to cut it, a block to open it.</p>
    <p class="choice" style=${{ marginTop: "8px" }}>${(inception() ? blocks[0].parts.map((part) => part.name) : ["branch", "skip"]).map((path, k) => html`<button class="icon" disabled=${asking.value} aria-pressed=${s.cut.value[block.value] === path} onClick=${() => cut(block.value, path)}>cut the ${said_(block.value, path)} of ${short(block.value)} <kbd>${inception() ? k + 1 : path[0]}</kbd></button>`)}${Object.keys(s.cut.value).length > 0 && html`<button class="icon" onClick=${mend}>mend all <kbd>m</kbd></button>`}</p></section>`;
  };

  // The four branches of a block of GoogLeNet: what each finds, and what it costs.
  const Branches = () => {
    const a = got.value, b = a.blocks.find((one) => one.name === a.block), total = b.parts.reduce((sum, one) => sum + one.multiply_adds, 0), gone = s.cut.value[a.block];
    const row = (part, prefix, what) => { const { data, shape: [, h, wide] } = a.arrays[prefix + part.name], n = h * wide, limit = largest(a.arrays[part.name].data);
      return html`<span class="op"><b>${part.kernel}</b>${what}</span>${a.channels[part.name].map((c, k) => html`<${Painted} style=${{ opacity: gone === part.name ? 0.15 : 1 }} data=${data.subarray(k * n, (k + 1) * n)} rows=${h} columns=${wide} kind="heat" limit=${limit} label=${`${part.kernel} branch, channel ${c}`} />`)}`; };
    return html`<section class="card"><div class="spread"><h2>Inside block ${short(a.block)}: what each branch finds</h2><span class="small faint">${b.shape[0]} channels, ${b.shape[1]} × ${b.shape[2]}</span></div>
      <div class="maps">${b.parts.map((part) => html`${row(part, "", `${part.channels} channels`)}${a.arrays[`theirs/${part.name}`] && row(part, "theirs/", s.code.value === "mine" ? "yours" : "mistaken")}`)}</div>
      <div class="bars" style=${{ marginTop: "14px" }}>${b.parts.map((part) => html`<span class="name">${part.kernel}</span><span class="track"><span class="fill" style=${{ width: `${(100 * part.multiply_adds) / total}%`, background: "var(--soft)" }}></span></span><span class="num">${millions(part.multiply_adds)}</span>`)}</div>
      <p class="small soft" style=${{ marginTop: "10px" }}>Of each branch the eight channels that respond most; below, its multiply-adds with the 1 × 1 that reduces what comes in. The output is all channels side by side.</p>
      <div class="sr"><table><caption>The branches of block ${short(a.block)}</caption><tr><th>branch</th><th>channels</th><th>multiply-adds</th><th>size</th></tr>${b.parts.map((part) => html`<tr><td>${part.kernel}</td><td>${part.channels}</td><td>${part.multiply_adds}</td><td>${part.norm.toFixed(2)}</td></tr>`)}</table></div></section>`;
  };

  const Open = () => {
    const a = got.value, [, h, wide] = a.arrays.out.shape, n = h * wide, limit = 0.7 * Math.max(largest(a.arrays.skip.data), largest(a.arrays.branch.data)), gone = s.cut.value[a.block];
    const row = (key, op, what, dim) => html`<span class="op"><b>${op}</b>${what}</span>${a.channels.out.map((c, k) => html`<${Painted} style=${{ opacity: dim ? 0.15 : 1 }} data=${a.arrays[key].data.subarray(k * n, (k + 1) * n)} rows=${h} columns=${wide} kind="signed" limit=${limit} label=${`${op}, channel ${c}`} />`)}`;
    return html`<section class="card"><div class="spread"><h2>Inside block ${short(a.block)}: what the branch adds to what is there</h2><${Legend} kind="signed" from=${`−${limit.toFixed(1)}`} to=${`+${limit.toFixed(1)}`} /></div>
      <div class="maps"><span></span>${a.channels.out.map((c) => html`<span class="ch">${c}</span>`)}${row("skip", "x", "the skip", gone === "skip")}${row("branch", "+ F(x)", "the branch", gone === "branch")}${row("out", "out", "of the block", false)}${a.arrays.theirs && html`${row("theirs", s.code.value === "mine" ? "yours" : "mistaken", "uncut", false)}`}</div>
      <div class="spread" style=${{ marginTop: "12px" }}><p class="small soft">The eight channels in which the branch does most, numbered above. Where F(x) shows nothing, x passes unchanged; blue is added, orange is taken away.</p><${Copy} array=${a.arrays.out} /></div></section>`;
  };

  const Prediction = () => {
    const a = got.value, name = html`<strong>${short(asked.value)}</strong>`;
    if (asking.value) return html`<${Predict} tag="Predict first" action=${["show me", () => guess(null)]}>The network says <strong>${a.said}</strong>. The ${said_(asked.value, askedPart())} of block ${name} is cut. Does that answer stay? <span class="choice">${["it stays", "it changes"].map((v) => html`<button class="icon" onClick=${() => guess(v)}>${v}</button>`)}</span></${Predict}>`;
    if (JSON.stringify(a.cut) !== JSON.stringify(s.cut.value)) return html`<${Predict} tag="…">What it says now is being computed.</${Predict}>`;
    const tried = Object.keys(s.cut.value).length > 0, holds = a.says === a.said, right = said.value === null || !graded() ? null : (said.value === "it stays") === holds;
    const again = ["ask again", () => batch(() => { said.value = null; s.seen.value = 0; mend(); another(1)(); })];
    if (!tried) return html`<${Predict} tag="Whole" action=${again}>It says <strong>${a.said}</strong>. Cut what you like, and guess before you look.</${Predict}>`;
    return html`<${Predict} tag="It says" right=${right} wrong="Not so" action=${again}><strong data-id="says">${a.says}</strong> now, ${holds ? "as before" : html`no longer <strong>${a.said}</strong>`}. ${s.cut.value[asked.value] !== askedPart() ? "" : inception() ? "What if another branch of the same block goes?" : "What if the skip of the same block goes instead?"}</${Predict}>`;
  };

  const Classes = () => {
    const a = got.value, cuts = Object.entries(s.cut.value);
    return html`<section class="card"><div class="spread"><h2>What it says</h2>${a.label && html`<span class="small faint">${a.photo < 0 ? "the image:" : "its folder:"} <b style=${{ color: "var(--ink)" }}>${a.label}</b></span>`}</div>
      <div class="bars">${a.classes.map((name, k) => html`<span style=${{ fontWeight: name === a.says ? 650 : 450 }}>${name}</span><span class="track"><span class="fill" style=${{ width: `${100 * a.p[k]}%`, background: name === a.said ? "var(--right)" : "var(--soft)" }}></span>${cuts.length > 0 && html`<span class="ghost" style=${{ left: `calc(${100 * a.whole[k]}% - 1px)` }} title=${`before: ${a.whole[k].toFixed(3)}`}></span>`}</span><span class="num">${(100 * a.p[k]).toFixed(1)} %</span>`)}</div>
      ${cuts.length > 0 && html`<p class="small soft" style=${{ marginTop: "12px" }}>Cut: ${cuts.map(([n, p]) => `${said_(n, p)} of ${short(n)}`).join(", ")}. The blue marks are what it said before; green is its first answer.</p>`}
      <div class="sr"><table><caption>Probabilities of the classes, in percent</caption><tr><th>class</th><th>now</th><th>before</th></tr>${a.classes.map((name, k) => html`<tr><td>${name}</td><td>${(100 * a.p[k]).toFixed(1)}</td><td>${(100 * a.whole[k]).toFixed(1)}</td></tr>`)}</table></div></section>`;
  };

  const Occluded = () => {
    const c = covered.value, [h, wide] = got.value.arrays.image.shape;
    if (!c) return covering.running.value ? html`<p class="small soft">Occlusion begins.</p>` : null;
    const limit = largest(c.data), most = c.data.indexOf(Math.max(...c.data)), points = (n) => minus(n, 1), row = Math.floor(most / c.columns);
    return html`<div style=${{ marginBottom: "12px" }}>${c.done < c.rows && html`<progress aria-label="rows measured" max=${c.rows} value=${c.done} />`}
      <${Painted} style=${{ aspectRatio: `${wide} / ${h}`, width: "100%" }} data=${c.data} rows=${c.rows} columns=${c.columns} kind="signed" limit=${limit || 1} label=${`what hiding each place takes from ${c.said}; a table below has the numbers`} />
      <p class="small soft">Points of probability lost there: <${Legend} kind="signed" from=${minus(-limit, 0)} to=${minus(limit, 0)} /></p>
      <p class="small soft" id="occlusion">A grey square of ${c.patch} × ${c.patch} pixels hides one place after another${c.done < c.rows ? `: ${c.done} of ${c.rows} rows so far` : ""}. Blue: the whole network is less sure of <b>${c.said}</b> then, orange: surer.${c.done === c.rows ? (c.data[most] > 0 ? html` Most is lost at row ${row}, column ${most % c.columns}: from ${(100 * c.p).toFixed(1)} to <b class="num">${(100 * c.p - c.data[most]).toFixed(1)} %</b>.` : " No place takes anything away.") : ""}</p>
      <div class="sr"><table><caption>Percentage points that ${c.said} loses where the square hides a place</caption>${Array.from({ length: c.done }, (_, r) => html`<tr><th>row ${r}</th>${[...c.data.subarray(r * c.columns, (r + 1) * c.columns)].map((v) => html`<td>${points(v)}</td>`)}</tr>`)}</table></div></div>`;
  };

  const Image = () => {
    const a = got.value, photo = html`<${Photo} image=${a.arrays.image} class="photo" role="img" aria-label=${`the image as the network sees it${a.label ? `: ${a.label}` : ""}`} />`, on = s.evidence.value === 1;
    return html`<section class="card"><h2>The image</h2>${on && a.arrays.evidence ? html`<${Lit} evidence=${a.arrays.evidence} photo=${photo} />` : photo}
      <p style=${{ margin: "12px 0" }}><button class="icon" aria-pressed=${on} onClick=${() => (s.evidence.value = on ? 0 : 1)}>evidence <kbd>e</kbd></button> <button class="icon" aria-pressed=${covering.running.value || covered.value !== null} onClick=${cover}>occlusion <kbd>o</kbd></button></p>
      ${on && html`<p class="small soft" style=${{ marginBottom: "12px" }}>Grad-CAM: lit is where block ${short(a.block)} of the whole network has evidence for <b>${a.said}</b>. Open another block to see its.</p>`}<${Occluded} />${a.strange && html`<${Strange} of=${a.label} />`}<${Chooser} /></section>`;
  };

  return () => html`<${Bar} title="Feature flow, block by block" about=${about.value} model=${s.model} changed=${afresh} pressed=${pressed}>${about.value && html`<${Switch} w=${w} />`}</${Bar}>
    <main><h1>What does each block add?</h1><${Lead} about=${about.value} />
    ${about.value && !about.value.models.length && html`<${NoModel} about=${about.value} />`}
    ${got.value ? html`<${Failed} message=${failed.value} /><${Prediction} /><${Said} w=${w} told=${got.value} /><${Drawing} /><div class="two"><${Image} />${inception() ? html`<${Branches} />` : html`<${Open} />`}<${Classes} /></div><${KeyLine} pressed=${pressed} />`
      : about.value?.models.length > 0 && failed.value ? html`<section class="card none"><h2>An image to begin with</h2><p class="small soft">${failed.value}</p><div style=${{ marginTop: "12px" }}><${Chooser} /></div></section>` : html`<${Failed} message=${failed.value} />`}
    ${about.value && html`<${Around} about=${about.value} />`}</main>`;
});
