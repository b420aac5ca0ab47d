// @ts-check
// The logit lens: guesses from layer to layer, what raises one token, how the next one is chosen, and the cache.
import { html, signal, computed, batch } from "/static/vendor/preact.js";
import { color, inkOn, largest, Legend, minus, numbered, Numbers, shown, theme, Token } from "/static/lib/paint.js";
import { Around, Bar, clamp, Copy, explorer, Failed, KeyLine, keys, Lead, NoModel, Predict, prediction, questions, state, TextField, Veil } from "/static/lib/shell.js";
import { Said, Switch, whose } from "/static/lib/whose.js";

const plus = (v) => (v > 0 ? "+" : "") + minus(v);
const said3 = (token) => [...token].map(shown).join("");
const millions = (n) => (n >= 1e9 ? `${(n / 1e9).toFixed(2)} billion` : n >= 1e6 ? `${(n / 1e6).toFixed(2)} million` : n.toLocaleString("en"));

export default explorer((host, scope) => {
  const s = state(host, scope, { model: "", text: "", place: -1, token: -1, temperature: 1, top_k: 0, top_p: 1, seed: 0, seen: 0, code: "reference", fault: "", riddle: -1 });
  const editing = signal(false);
  const { got, about, failed, refresh } = questions(host, scope, "lens");
  const w = whose(host, scope, about, s, () => "sampling");
  const question = () => ({ model: s.model.value, text: s.text.value, place: s.place.value });
  const choice = () => ({ temperature: s.temperature.value, top_k: s.top_k.value, top_p: s.top_p.value });
  scope.effect(() => refresh({ ...question(), token: s.token.value, ...choice(), seed: s.seed.value, ...w.asked() }));

  const T = computed(() => got.value?.tokens.length ?? 0), place = computed(() => got.value?.place ?? 0), bert = computed(() => got.value?.kind === "bert");
  const best = computed(() => got.value.likely[0]);
  const asking = computed(() => s.seen.value === 0);
  const { said, say, graded } = prediction(() => [question()], w.predicted);
  const guess = (token) => batch(() => { say(token); s.seen.value = 1; s.token.value = -1; });
  const write = () => { // the next letter: only when the last one has been answered
    if (bert.value || got.value.drawn === null || got.value.wrote) return;
    batch(() => { got.value.wrote = true; said.value = null; s.text.value = (got.value.text + got.value.drawn).slice(-2000); s.place.value = -1; s.token.value = -1; });
  };
  const ask = () => batch(() => { said.value = null; s.seen.value = 0; s.token.value = -1; if (bert.value || place.value < T.value - 1) s.place.value = (place.value + 1) % T.value; else write(); });
  const afresh = () => { s.text.value = ""; s.place.value = -1; s.token.value = -1; s.seen.value = 0; s.top_k.value = 0; said.value = null; s.riddle.value = -1; }; // of another model
  const go = (by) => () => batch(() => { said.value = null; s.place.value = clamp(place.value + by, T.value); s.token.value = -1; });
  const other = (by) => () => { if (asking.value) return; const list = got.value.likely.map(([n]) => n), k = list.indexOf(got.value.token); s.token.value = list[clamp(k + by, list.length)]; };
  const pressed = keys(scope, {
    ArrowLeft: ["place", go(-1)], ArrowRight: ["place", go(1)], ArrowUp: ["token that is looked at", other(-1)], ArrowDown: ["token that is looked at", other(1)],
    w: ["write the next one", write], r: ["other dice", () => { s.seed.value += 1; }], s: ["show", () => guess(-1)],
  });

  const Prediction = () => {
    const a = got.value, until = a.tokens.slice(Math.max(0, place.value - 11), place.value + 1).join("");
    const options = [...a.likely].sort((x, y) => (x[1] < y[1] ? -1 : 1));
    const where = bert.value ? html`at place ${place.value}, <${Token} text=${a.tokens[place.value]} />` : html`after <${Token} text=${until} />`;
    if (asking.value) return html`<${Predict} tag="Predict first" action=${["show me", () => guess(-1)]}>What does the model hold most likely ${where}?
      <span class="choice">${options.map(([n, piece]) => html`<button class="icon mono" onClick=${() => guess(n)}>${said3(piece)}</button>`)}</span></${Predict}>`;
    const mine = typeof said.value === "number" && said.value >= 0 && graded() ? said.value : null, right = mine === null ? null : mine === best.value[0], top = a.ladder.at(-1), from = a.ladder.findIndex((rung, n) => a.ladder.slice(n).every((later) => later.best === top.best));
    const yours = right === false ? a.likely.find(([n]) => n === mine) : null;
    return html`<${Predict} tag="It says" right=${right} action=${[bert.value ? "next place" : "ask for the next", ask]}><${Token} text=${top.best} /> gets <strong class="num" data-id="top">${(100 * top.p_best).toFixed(0)} %</strong> ${where}${yours ? html`; yours, <${Token} text=${yours[1]} />, is less likely` : ""}. ${from === 0 ? "The embeddings alone say so." : html`It is the first guess from layer ${from - 1} on; the last is layer ${a.ladder.length - 2}.`}</${Predict}>`;
  };

  const Ladder = () => {
    const a = got.value;
    if (asking.value) return html`<${Veil} title="From layer to layer">What the model would say after each layer stands here once you have predicted.</${Veil}>`;
    const last = a.ladder.length - 1;
    return html`<section class="card"><div class="spread"><h2>From layer to layer</h2><span class="small soft">probability and rank of <b class="mono">${said3(a.piece)}</b></span></div>
      <div class="ladder">${[...a.ladder].reverse().map((rung, n) => html`<span class="small faint">${n === last ? "input" : `layer ${last - n - 1}`}</span><span class="mono guess">${said3(rung.best)}</span><span class="track" title=${`${said3(rung.best)}: ${rung.p_best.toFixed(3)}`}><span class="fill" style=${{ width: `${100 * rung.p_best}%`, background: "var(--soft)" }}></span><span class="fill thin" style=${{ width: `${100 * rung.p}%` }}></span></span><span class="num">${(100 * rung.p).toFixed(1)} %</span><span class="num faint">${rung.rank}.</span>`)}</div>
      <p class="small soft" style=${{ marginTop: "8px" }}>Grey: the first guess of a layer. Blue: <b class="mono">${said3(a.piece)}</b>, with its probability and its rank among ${a.vocabulary.toLocaleString("en")}.</p></section>
    <div class="sr"><table><caption>After each layer: the first guess, and ${said3(a.piece)}</caption><tr><th>layer</th><th>first guess</th><th>its probability</th><th>probability of ${said3(a.piece)}</th></tr>${a.ladder.map((rung, n) => html`<tr><td>${n ? n - 1 : "input"}</td><td>${said3(rung.best)}</td><td>${minus(rung.p_best, 3)}</td><td>${minus(rung.p, 3)}</td></tr>`)}</table></div>`;
  };

  const Matrix = () => {
    theme.value;
    const a = got.value, n = T.value - a.first, L = a.guesses.length, p = a.arrays.probabilities.data, wide = Math.max(20, ...a.guesses.flat().map((g) => 12 + 8 * Math.min(9, [...g].length)));
    const cell = (l, k) => { const v = p[l * n + k], hidden = asking.value && k + a.first === place.value, right = !bert.value && a.guesses[l][k] === a.tokens[a.first + k + 1];
      return html`<span aria-hidden="true" class=${`${right && !hidden ? "right" : ""}${k + a.first === place.value ? " now" : ""}`} style=${hidden ? {} : { background: color("weight", v), color: inkOn("weight", v) }} title=${hidden ? "" : `${said3(a.guesses[l][k])}: ${v.toFixed(3)}`}>${hidden ? "?" : said3(a.guesses[l][k])}</span>`; };
    const letter = (k) => html`<button key=${k} aria-current=${k === place.value ? "true" : undefined} aria-label=${`${said3(a.tokens[k])}, place ${k}`} tabindex=${k === place.value ? 0 : -1} ref=${k === place.value ? (e) => e?.scrollIntoView?.({ block: "nearest", inline: "nearest" }) : undefined} onClick=${() => batch(() => { said.value = null; s.place.value = k; s.token.value = -1; })}>${said3(a.tokens[k])}</button>`;
    return html`<section class="card shape"><div class="spread"><h2>What it would say if it stopped after a layer</h2><${Legend} kind="weight" from="0" to="1" /></div>
      <div class="scroll lens" tabindex="0" role="group" aria-label="The text, and above it the first guesses after each layer"><div class="guesses" style=${{ gridTemplateColumns: `52px repeat(${n}, minmax(${wide}px, 1fr))` }}>
        ${Array.from({ length: L }, (_, r) => L - 1 - r).map((l) => html`<b aria-hidden="true">${l ? `layer ${l - 1}` : "input"}</b>${Array.from({ length: n }, (_, k) => cell(l, k))}`)}
        <b>it reads</b>${Array.from({ length: n }, (_, k) => letter(k + a.first))}</div></div>
      <div class="spread"><p class="small soft">${bert.value ? "Each column is a place, from below: the token that is read there, and what the model would put in its place." : "Each column is a place, from below: the letter that is read, and the guess at the next one. A frame: that one does follow."}${a.first > 0 ? ` The last ${n} places: the model is large.` : ""}${a.skipped > 0 ? ` It sees ${T.value} tokens at once; the ${a.skipped} before are cut off.` : ""}</p>
        <span class="choice">${!bert.value && html`<button class="icon" onClick=${write}>write the next letter <kbd>w</kbd></button>`}<${TextField} editing=${editing} value=${a.text} set=${(v) => batch(() => { s.text.value = v; s.place.value = -1; s.token.value = -1; })} label="The text; the model reads its last tokens" lines=${2} />${!asking.value && html`<${Copy} array=${a.arrays.probabilities} />`}</span></div></section>`;
  };

  const Parts = () => {
    const a = got.value;
    if (!a.parts) return null;
    if (asking.value) return html`<${Veil} title="What raises a letter's score">The shares of the embeddings, of each head and of each MLP stand here once you have predicted. Guessing first, then seeing, is what makes it stick.</${Veil}>`;
    const { heads, mlps } = a.arrays, [L, H] = heads.shape, data = Float32Array.from({ length: L * (H + 1) }, (_, k) => { const l = Math.floor(k / (H + 1)), h = k % (H + 1); return h < H ? heads.data[l * H + h] : mlps.data[l]; });
    const sum = (list) => list.reduce((x, y) => x + y, 0), { token, position, biases, logit } = a.parts;
    return html`<section class="card"><div class="spread"><h2>What raises the score of <span class="mono">${said3(a.piece)}</span></h2></div>
      <p class="choice">${a.likely.map(([n, piece]) => html`<button class="icon mono" aria-pressed=${n === a.token} onClick=${() => (s.token.value = n)}>${said3(piece)}</button>`)}</p>
      <div class="scroll" tabindex="0" role="group" aria-label="Shares of heads and MLPs"><${Numbers} name="a row a layer, a column a head, then the MLP" label=${`shares in the score of ${said3(a.piece)}`} rows=${numbered(L)} columns=${[...numbered(H), "MLP"]} at=${(r, c) => data[r * (H + 1) + c]} kind="signed" limit=${largest(data)} /></div>
      <div class="formula"><em>the letter <span class="mono">${said3(a.tokens[place.value])}</span> itself</em><b>${plus(token)}</b><em>its place, ${place.value}</em><b>${plus(position)}</b><em>all heads</em><b>${plus(sum([...heads.data]))}</b><em>all MLPs</em><b>${plus(sum([...mlps.data]))}</b>${Math.abs(biases) > 1e-6 && html`<em>biases</em><b>${plus(biases)}</b>`}<em>the score above the mean of all</em><b data-id="logit">${plus(logit)}</b></div>
      <div class="spread" style=${{ marginTop: "8px" }}><p class="small soft">The stream is a sum, so the score is one too: each part's share is its product with the unembedding of <span class="mono">${said3(a.piece)}</span>, after the final norm.</p><${Copy} array=${{ shape: [L, H + 1], data }} /></div></section>`;
  };

  const Sampling = () => {
    if (asking.value) return html`<${Veil} title="How the next one is chosen">Temperature, top-k and top-p, and what they cut away, stand here once you have predicted.</${Veil}>`;
    const a = got.value, theirs = a.arrays.theirs, final = (theirs ?? a.arrays.final).data, slider = (id, label, sig, min, max, step, text) => html`<div class="slider"><label for=${scope.id(id)}>${label}</label><input id=${scope.id(id)} data-id=${id} type="range" min=${min} max=${max} step=${step} value=${sig.value} onInput=${(e) => (sig.value = +e.target.value)} /><output class="num">${text}</output></div>`;
    return html`<section class="card"><h2>How the next one is chosen</h2>
      <div class="sliders">${slider("temperature", "temperature", s.temperature, 0, 3, 0.05, s.temperature.value.toFixed(2))}${slider("top-k", "top-k", s.top_k, 0, Math.min(a.vocabulary, 40), 1, s.top_k.value || "all")}${slider("top-p", "top-p", s.top_p, 0.05, 1, 0.05, s.top_p.value < 1 ? s.top_p.value.toFixed(2) : "all")}</div>
      <div class="bars choosing">${a.shown.map((piece, k) => { const differs = theirs && !(Math.abs(theirs.data[k] - a.arrays.final.data[k]) <= 1e-5); return html`<span class=${`name${a.cut[k] ? " cut" : ""}`}>${said3(piece)}</span><span class="track"><span class="fill" style=${{ width: `${100 * Math.max(0, Math.min(1, final[k] || 0))}%` }}></span><span class="ghost" style=${{ left: `calc(${100 * a.arrays.plain.data[k]}% - 1px)` }} title=${`as the model gives it: ${a.arrays.plain.data[k].toFixed(3)}`}></span></span><span class=${`num${differs ? " wrong-is" : ""}`}>${a.cut[k] && !theirs ? a.cut[k] : minus(final[k], 3)}</span>`; })}</div>
      <p class="small soft" style=${{ marginTop: "8px" }} data-id="kept">${a.kept.toLocaleString("en")} of ${a.vocabulary.toLocaleString("en")} can be drawn. Top-k cuts ${(100 * a.mass["top-k"]).toFixed(1)}\u00a0% of the probability away, top-p ${(100 * a.mass["top-p"]).toFixed(1)}\u00a0%; what is left is divided by its sum. The blue marks are the model's own probabilities.${theirs ? " The bars are computed by the code chosen above." : ""}</p>
      ${!bert.value && html`<p class="choice" style=${{ marginTop: "10px" }}><button class="icon" onClick=${write}>draw and write it <kbd>w</kbd></button><button class="icon" onClick=${() => (s.seed.value += 1)}>other dice <kbd>r</kbd></button></p>`}
      <div class="sr"><table><caption>How the next one is chosen</caption><tr><th>token</th><th>the model's probability</th><th>after the cuts</th><th>cut by</th></tr>${a.shown.map((piece, k) => html`<tr><td>${said3(piece)}</td><td>${minus(a.arrays.plain.data[k], 3)}</td><td>${minus(final[k], 3)}</td><td>${a.cut[k]}</td></tr>`)}</table></div></section>`;
  };

  const Cache = () => {
    const c = got.value.cache;
    if (!c) return null;
    return html`<section class="card"><h2>The cache of keys and values</h2>
      <div class="bars"><span class="name small">${T.value}</span><span class="track"><span class="fill" style=${{ width: `${(100 * T.value) / c.block}%` }}></span></span><span class="num">of ${c.block}</span></div>
      <div class="formula plain" style=${{ marginTop: "8px" }}><em>numbers in it</em><b data-id="numbers">${c.numbers.toLocaleString("en")}</b><em>in float32</em><b>${(c.numbers * 4 / 1024).toLocaleString("en", { maximumFractionDigits: 0 })} KiB</b><em>more with each letter</em><b>${(c.numbers / T.value).toLocaleString("en")}</b><em>multiply-adds for the next letter</em><b>${millions(c.cached)}</b><em>the same, reading all again</em><b>${millions(c.again)}</b><em>so the cache makes it cheaper</em><b data-id="saved">${(c.again / c.cached).toFixed(1)} times</b></div>
      <p class="small soft" style=${{ marginTop: "8px" }}>A key and a value for each letter and layer. They do not change when a letter is added, so only the new letter is computed.</p></section>`;
  };

  return () => html`<${Bar} title="The logit lens" about=${about.value} model=${s.model} changed=${afresh} pressed=${pressed}>${about.value && html`<${Switch} w=${w} />`}</${Bar}>
    <main><h1>${got.value && bert.value ? "How does a hidden token take shape?" : "How does the next letter take shape?"}</h1><${Lead} about=${about.value} /><${Failed} message=${failed.value} />
    ${about.value && !about.value.models.length && html`<${NoModel} about=${about.value} />`}
    ${!got.value && failed.value && about.value?.models.length > 0 && html`<p class="small"><label>another text <input class="write" value=${s.text.value} onChange=${(e) => (s.text.value = e.target.value)} /></label></p>`}
    ${got.value && html`<${Prediction} /><${Said} w=${w} told=${got.value} /><${Matrix} /><div class="grid3"><div class="stacked"><${Ladder} /><${Cache} /></div><div class="stacked"><${Sampling} /></div><div class="stacked"><${Parts} /></div></div><${KeyLine} pressed=${pressed} />`}
    ${about.value && html`<${Around} about=${about.value} />`}</main>`;
});
