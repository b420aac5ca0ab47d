// @ts-check
// The gates of an LSTM or a GRU: a strip for each unit below the text, one step by hand, and a gate that is held.
import { html, signal, computed, batch } from "/static/vendor/preact.js";
import { rowOf } from "/static/lib/frame.js";
import { largest, Legend, minus, nextBars, Painted, shown, Token } from "/static/lib/paint.js";
import { Around, Bar, clamp, Copy, explorer, Failed, KeyLine, keys, latest, Lead, NoModel, Predict, prediction, questions, state, TextField, Veil } from "/static/lib/shell.js";
import { Said, Switch, whose } from "/static/lib/whose.js";

const ROWS = 24, HIGH = 15, WIDE = 12; // strips at once; of a strip and of a letter, at least
const EXERCISE = { lstm: "lstm_step", gru: "gru_step" };
const SAY = {
  i: ["input gate", "how much of the candidate is written"], f: ["forget gate", "how much of the old cell is kept"], g: ["candidate", "what is to be written"],
  o: ["output gate", "how much of the cell is shown"], c: ["cell", "the long memory"], h: ["state", "what the next step sees"],
  r: ["reset gate", "how much of the old state the candidate sees"], z: ["update gate", "how much of the old state is kept"], n: ["candidate", "what is to be written"],
};
const signed = (name) => "gnch".includes(name);
const plus = (v) => (v > 0 ? "+" : "") + minus(v);

export default explorer((host, scope) => {
  const s = state(host, scope, { model: "", text: "", layer: 0, signal: "", unit: -1, sort: "", i: -1, at: -1, hold: {}, value: 0, dice: 0, length: 160, seen: 0, code: "reference", fault: "", riddle: -1 });
  const texts = signal(null), editing = signal(false);
  const { got, about, failed, fail, refresh } = questions(host, scope, "gates", (answer, asked) => { answer.hold = asked.hold; });
  const w = whose(host, scope, about, s, () => EXERCISE[got.value?.kind ?? "lstm"]);
  const question = () => ({ model: s.model.value, text: s.text.value, hold: s.hold.value });
  const write = latest(host.ask, (answer) => (texts.value = answer), fail);
  scope.effect(() => refresh({ ...question(), layer: s.layer.value, signal: s.signal.value, unit: s.unit.value, sort: s.sort.value, ...w.asked() }));
  scope.effect(() => { if (about.value?.models.length && s.dice.value) write({ ...question(), write: clamp(s.length.value, 201) || 1, seed: s.dice.value }); });

  const T = computed(() => got.value?.tokens.length ?? 0), tokens = computed(() => got.value?.tokens ?? []);
  const stop = computed(() => { for (const mark of [".", "!", "?", "\n", ",", " "]) { const k = tokens.value.indexOf(mark, 3); if (k >= 0) return k; } return T.value - 1; });
  const at = computed(() => (s.at.value >= 0 ? clamp(s.at.value, T.value) : stop.value)); // the place that the page asks about
  const i = computed(() => (s.i.value >= 0 ? clamp(s.i.value, T.value) : at.value));
  const name = computed(() => got.value?.signal ?? "f"), unit = computed(() => got.value?.unit ?? 0);
  const order = computed(() => [...(got.value?.arrays.order.data ?? [])]);
  const first = computed(() => ROWS * Math.floor(order.value.indexOf(unit.value) / ROWS));
  const rows = computed(() => order.value.slice(first.value, first.value + ROWS));
  const theirs = computed(() => got.value?.arrays[`their_${name.value}`]);
  const strips = computed(() => { // units by tokens
    const { data, shape: [n, units] } = theirs.value ?? got.value.arrays.shown, out = new Float32Array(rows.value.length * n);
    rows.value.forEach((u, r) => { for (let t = 0; t < n; t++) out[r * n + t] = data[t * units + u]; });
    return out;
  });
  const limit = computed(() => (name.value === "c" ? largest(got.value.arrays.shown.data) : 1));
  const of = (what, t = i.value) => { const k = got.value.signals.indexOf(what); return k < 0 || t < 0 ? 0 : rowOf(got.value.arrays.unit, k)[t]; };
  const mean = (what, t) => rowOf(got.value.arrays.means, got.value.signals.indexOf(what))[t];
  const usual = (what) => got.value.arrays.usual.data[got.value.signals.indexOf(what)];
  const closing = computed(() => got.value.gates.map((g) => [mean(g, at.value) - usual(g), g]).sort((a, b) => a[0] - b[0]));

  const asking = computed(() => s.seen.value === 0);
  const { said, say, graded } = prediction(() => [question(), s.layer.value, at.value], w.predicted);
  const guess = (g) => batch(() => { say(g); s.seen.value = 1; s.i.value = at.value; if (g) s.signal.value = closing.value[0][1]; });
  const another = () => batch(() => {
    let next = at.value;
    do next = (next + 1) % T.value; while (/[a-z]/i.test(tokens.value[next]) && next !== at.value);
    said.value = null; s.seen.value = 0; s.at.value = next; s.i.value = next;
  });
  const afresh = () => { s.layer.value = 0; s.signal.value = ""; s.unit.value = -1; s.i.value = -1; s.at.value = -1; s.hold.value = {}; s.dice.value = 0; s.seen.value = 0; said.value = null; texts.value = null; s.riddle.value = -1; }; // of another model

  const key = (all) => `${s.layer.value}.${name.value}.${all ? "*" : unit.value}`;
  const hold = (all, value = s.value.value) => batch(() => { s.unit.value = unit.value; s.hold.value = { ...s.hold.value, [key(all)]: value }; }); // the unit stays, whatever follows now
  const loose = (one) => { const left = { ...s.hold.value }; delete left[one]; s.hold.value = left; };
  const show = (what) => () => { if (got.value?.signals.includes(what)) s.signal.value = what; };
  const move = (right, down) => () => batch(() => {
    if (right) s.i.value = clamp(i.value + right, T.value);
    else s.unit.value = order.value[clamp(order.value.indexOf(unit.value) + down, order.value.length)];
  });
  const pressed = keys(scope, {
    ArrowLeft: ["letter", move(-1, 0)], ArrowRight: ["letter", move(1, 0)], ArrowUp: ["unit", move(0, -1)], ArrowDown: ["unit", move(0, 1)],
    ...Object.fromEntries(Object.keys(SAY).map((what) => [what, ["signal", show(what), () => !got.value || got.value.signals.includes(what)]])),
    l: ["layer", () => { s.layer.value = (s.layer.value + 1) % got.value.layers; }, () => !got.value || got.value.layers > 1], x: ["hold or let go", () => (key(false) in s.hold.value ? loose(key(false)) : hold(false))], w: ["write on", () => { if (!asking.value) s.dice.value += 1; }], s: ["show", () => guess(null)],
  });

  const Prediction = () => {
    const where = html`<${Token} text=${tokens.value[at.value]} /> at place ${at.value}`, called = (g) => SAY[g][0];
    if (asking.value) return html`<${Predict} tag="Predict first" action=${["show me", () => guess(null)]}>The network reads ${where}. Which gate of layer ${s.layer.value} closes most there?
      <span class="choice">${got.value.gates.map((g) => html`<button class="icon" onClick=${() => guess(g)}>${called(g)} ${g}</button>`)}</span></${Predict}>`;
    const [[change, best], ...others] = closing.value, right = said.value === null || !graded() ? null : said.value === best;
    const goes = (g, id) => html`<span class="num">${minus(usual(g), 3)}</span> to <strong class="num" data-id=${id}>${minus(mean(g, at.value), 3)}</strong>`;
    return html`<${Predict} tag="It closes" right=${right} action=${["another place", another]}>${change < 0 ? html`The <strong>${called(best)}</strong> closes most at ${where}` : html`No gate closes at ${where}; nearest to it is the <strong>${called(best)}</strong>`}: its mean over the ${got.value.units} units goes from ${goes(best, "there")}. ${others.map(([, g], n) => html`${n ? ", " : "The "}${n ? "the " : ""}${called(g)} goes from ${goes(g)}`)}. The first number is the mean over the whole text.</${Predict}>`;
  };

  const Sorting = () => html`<select aria-label="units first that follow" value=${got.value.sort} onChange=${(e) => batch(() => { s.sort.value = e.target.value; s.unit.value = -1; })}>${got.value.patterns.map((p) => html`<option value=${p}>${p}</option>`)}<option value="number">nothing: by number</option></select>`;
  const Strips = () => {
    const a = got.value, n = T.value, kind = signed(name.value) ? "signed" : "weight", r = rows.value.indexOf(unit.value), bound = limit.value.toFixed(1);
    const letter = (t, k) => html`<button key=${k} aria-current=${k === i.value ? "true" : undefined} aria-label=${`${shown(t)}, place ${k}`} tabindex=${k === i.value ? 0 : -1} ref=${k === i.value ? (e) => e?.scrollIntoView?.({ block: "nearest", inline: "nearest" }) : undefined} onClick=${() => (s.i.value = k)}>${shown(t)}</button>`;
    const pick = (e) => { const b = e.currentTarget.getBoundingClientRect(); batch(() => { s.i.value = clamp(Math.floor(((e.clientX - b.left) / b.width) * n), n); s.unit.value = rows.value[clamp(Math.floor(((e.clientY - b.top) / b.height) * rows.value.length), rows.value.length)]; }); };
    return html`<section class="card strips"><div class="spread"><h2>The ${SAY[name.value][0]} ${name.value}, a strip a unit; first those that follow <${Sorting} /></h2>
        ${kind === "signed" ? html`<${Legend} kind="signed" from=${`−${bound}`} to=${`+${bound}`} />` : html`<${Legend} kind="weight" from="0 closed" to="open 1" />`}</div>
      <div class="scroll" tabindex="0" role="group" aria-label="The text and the strips below it"><div class="under" style=${{ minWidth: `${96 + n * WIDE}px` }}>
        <span></span><div class="letters-row" role="group" aria-label="The text, letter by letter">${a.tokens.map(letter)}</div>
        ${asking.value ? html`<span></span><div class="curtain wide">?</div>` : html`<div class="units" role="group" aria-label="Units">${rows.value.map((u) => html`<button key=${u} tabindex=${u === unit.value ? 0 : -1} aria-pressed=${u === unit.value} style=${{ height: `${HIGH}px` }} onClick=${() => (s.unit.value = u)}>${u}<span>${a.sort === "number" ? "" : plus(a.arrays.follows.data[u])}</span></button>`)}</div>
        <div class="stack"><${Painted} style=${{ height: `${HIGH * rows.value.length}px` }} data=${strips.value} rows=${rows.value.length} columns=${n} kind=${kind} limit=${limit.value} onClick=${pick} label=${`${SAY[name.value][0]} of ${rows.value.length} units over ${n} letters; a table below has unit ${unit.value}`} />
          <svg style=${{ height: `${HIGH * rows.value.length}px` }} viewBox="0 0 ${n} ${rows.value.length}" preserveAspectRatio="none" aria-hidden="true"><rect x=${i.value} y="0" width="1" height=${rows.value.length} /><rect x="0" y=${r} width=${n} height="1" class="on" /></svg></div>`}</div></div>
      <div class="spread"><p class="small soft">${asking.value ? "The strips are shown once you have predicted." : html`Units ${first.value + 1} to ${first.value + rows.value.length} of ${a.units}; the number behind a unit is its correlation with what it follows.${s.code.value === "reference" ? "" : theirs.value ? " Computed by the code chosen above, each step from the reference's state." : " A step returns no gates: what the code chosen above computes is seen in h" + (a.kind === "lstm" ? " and c." : ".")}`}</p>
        <span class="choice"><${TextField} editing=${editing} value=${a.tokens.join("").replace(/^\n/, "")} set=${(v) => batch(() => { s.text.value = v; s.i.value = -1; s.at.value = -1; })} label="The text that the network reads" lines=${4} />${!asking.value && html`<${Copy} array=${theirs.value ?? a.arrays.shown} />`}</span></div></section>`;
  };

  const Signals = () => {
    const a = got.value;
    return html`<section class="card"><div class="spread"><h2>What is shown</h2>${a.layers > 1 && html`<label class="small soft">layer <select aria-label="layer" value=${s.layer.value} onChange=${(e) => batch(() => { s.layer.value = +e.target.value; s.unit.value = -1; })}>${Array.from({ length: a.layers }, (_, l) => html`<option value=${l}>${l}</option>`)}</select></label>`}</div>
      <div class="signals">${a.signals.map((what) => html`<button aria-pressed=${what === name.value} onClick=${show(what)}><kbd>${what}</kbd><span><b>${SAY[what][0]}</b><small>${SAY[what][1]}</small></span>${asking.value ? "" : html`<span class="num">${minus(mean(what, i.value))}<small>${minus(usual(what))}</small></span>`}</button>`)}</div>
      ${!asking.value && html`<p class="small soft">Right, the mean over all units at <span class="mono">${shown(tokens.value[i.value])}</span>, and below it over the whole text.</p>`}
      <div class="spread" style=${{ marginTop: "14px" }}><div><div class="big num" data-id="loss">${a.loss.toFixed(3)}</div><div class="small soft">nats a letter, on this text</div>
        ${Object.keys(a.hold).length > 0 && html`<div class="small soft"><b class="num" data-id="free">${a.loss_free.toFixed(3)}</b> with nothing held</div>`}
        ${"loss_with" in a && html`<div class="small wrong-is"><b class="num" data-id="loss-with">${a.loss_with == null ? "no number" : a.loss_with.toFixed(3)}</b> with the mistake in every step</div>`}</div></div></section>`;
  };

  const Step = () => {
    if (asking.value) return html`<${Veil} title="One step by hand">The sums, the gates and the new state stand here once you have predicted. Guessing first, then seeing, is what makes it stick.</${Veil}>`;
    const a = got.value, t = i.value, letter = shown(a.tokens[t]), lstm = a.kind === "lstm", gates = lstm ? ["i", "f", "g", "o"] : ["r", "z", "n"], before = (what) => of(what, t - 1);
    const frozen = (what) => [`${s.layer.value}.${what}.${unit.value}`, `${s.layer.value}.${what}.*`].some((one) => one in a.hold), value = (what) => html`<b class="num">${minus(of(what), 3)}</b>${frozen(what) ? html` <span class="wrong-is">held</span>` : ""}`;
    const line = (left, what, id) => html`<em>${left}</em><b data-id=${id}>${value(what)}</b>`, num = (v) => minus(v, 3);
    return html`<section class="card arithmetic"><div class="spread"><h2>Unit ${unit.value}, one step by hand</h2><span class="small soft">it reads <b class="mono">${letter}</b>, place ${t}</span></div>
      <div class="traces" aria-hidden="true">${a.signals.map((what) => html`<b class="mono">${what}</b><div class="stack"><${Painted} data=${rowOf(a.arrays.unit, a.signals.indexOf(what))} rows=${1} columns=${T.value} kind=${signed(what) ? "signed" : "weight"} limit=${what === "c" ? largest(rowOf(a.arrays.unit, a.signals.indexOf("c"))) : 1} /><svg viewBox="0 0 ${T.value} 1" preserveAspectRatio="none"><rect x=${t} y="0" width="1" height="1" /></svg></div>`)}</div>
      <table class="sums"><caption class="sr">What the gates are made of</caption><tr><td></td><th scope="col">${s.layer.value ? "from the layer below" : "from the letter"}</th><th scope="col">from the state</th><th scope="col">${lstm ? "of the sum" : "squashed"}</th></tr>
        ${gates.map((what, k) => html`<tr><th scope="row"><span class="mono">${what}</span> ${SAY[what][0]}</th><td class="num">${num(a.arrays.from_x.data[t * gates.length + k])}</td><td class="num">${num(a.arrays.from_h.data[t * gates.length + k])}${what === "n" ? " × r" : ""}</td><td>${"gn".includes(what) ? "tanh" : "σ"} ${value(what)}</td></tr>`)}</table>
      <div class="formula">${lstm ? html`${line(html`c = f × c before + i × g<br />${num(of("f"))} × ${num(before("c"))} + ${num(of("i"))} × ${num(of("g"))}`, "c", "cell")}${line(html`h = o × tanh(c)<br />${num(of("o"))} × ${num(Math.tanh(of("c")))}`, "h", "state")}`
        : line(html`h = (1 − z) × n + z × h before<br />${num(1 - of("z"))} × ${num(of("n"))} + ${num(of("z"))} × ${num(before("h"))}`, "h", "state")}</div>
      <p class="small soft">${lstm ? "The cell is a sum: where f is near 1 and i near 0 it stays as it was, however many letters pass." : "The state is a mean of old and new: where z is near 1 it stays as it was."}</p></section>
    <div class="sr"><table><caption>Unit ${unit.value} of layer ${s.layer.value} over the text</caption><tr><th>place</th><th>letter</th>${a.signals.map((what) => html`<th>${what}</th>`)}</tr>${a.tokens.map((token, k) => html`<tr><td>${k}</td><td>${shown(token)}</td>${a.signals.map((what) => html`<td>${minus(of(what, k), 3)}</td>`)}</tr>`)}</table></div>`;
  };

  const Hold = () => {
    const what = SAY[name.value][0], [from, to] = signed(name.value) ? [-2, 2] : [0, 1], names = Object.entries(s.hold.value), said = (one) => { const [l, g, u] = one.split("."); return `${g} of ${u === "*" ? "all units" : `unit ${u}`}, layer ${l}`; };
    return html`<section class="card"><h2>Hold the ${what}, and let it write</h2>
      <div class="slider"><label for=${scope.id("value")}>at</label><input id=${scope.id("value")} data-id="value" type="range" min=${from} max=${to} step="0.05" value=${s.value.value} onInput=${(e) => { const v = +e.target.value; batch(() => { s.value.value = v; for (const all of [false, true]) if (key(all) in s.hold.value) hold(all, v); }); }} /><output class="num">${minus(s.value.value)}</output></div>
      <p class="choice" style=${{ marginTop: "10px" }}><button class="icon" onClick=${() => hold(false)}>${name.value} of unit ${unit.value} <kbd>x</kbd></button><button class="icon" onClick=${() => hold(true)}>${name.value} of all units</button></p>
      ${names.length > 0 && html`<ul class="held">${names.map(([one, v]) => html`<li><span>${said(one)} at <b class="num">${minus(v)}</b></span><button class="link" onClick=${() => loose(one)}>let go</button></li>`)}</ul>`}
      ${asking.value ? html`<p class="small soft" style=${{ marginTop: "10px" }}>What it writes is shown once you have predicted.</p>` : html`<p style=${{ marginTop: "12px" }}><button class="icon" onClick=${() => (s.dice.value += 1)}>${texts.value ? "write something else" : "write on"} <kbd>w</kbd></button></p>
      ${texts.value && html`<h2 style=${{ marginTop: "12px" }}>It goes on, free</h2><pre class="written" data-id="written">${texts.value.written}</pre>${names.length > 0 && html`<h2>With what is held, by the same dice</h2><pre class="written" data-id="with">${texts.value.with}</pre>`}`}`}</section>
    ${!asking.value && html`<section class="card"><h2>What it says next, after <span class="mono">${shown(tokens.value[i.value])}</span></h2>${nextBars(got.value.next[i.value], tokens.value[i.value + 1])}</section>`}`;
  };

  return () => html`<${Bar} title="Gates of an LSTM or a GRU" about=${about.value} model=${s.model} changed=${afresh} pressed=${pressed}>${about.value && html`<${Switch} w=${w} />`}</${Bar}>
    <main><h1>What does the cell remember?</h1><${Lead} about=${about.value} /><${Failed} message=${failed.value} />
    ${about.value && !about.value.models.length && html`<${NoModel} about=${about.value} />`}
    ${!got.value && failed.value && about.value?.models.length > 0 && html`<p class="small"><label>another text <input class="write" value=${s.text.value} onChange=${(e) => (s.text.value = e.target.value)} /></label></p>`}
    ${got.value && html`<${Prediction} /><${Said} w=${w} told=${got.value} /><${Strips} /><div class="grid3"><${Signals} /><div><${Step} /></div><div class="stacked"><${Hold} /></div></div><${KeyLine} pressed=${pressed} />`}
    ${about.value && html`<${Around} about=${about.value} />`}</main>`;
});
