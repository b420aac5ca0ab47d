// @ts-check
// A training, live: watch it, steer it, fork it and compare; or find out what is wrong with one.
import { html, signal, computed, batch } from "/static/vendor/preact.js";
import { AFTER, live, outcome, SMOOTHED } from "/static/lib/runs.js";
import { minus } from "/static/lib/paint.js";
import { Around, Bar, Copy, explorer, Failed, KeyLine, keys, Lead, Predict, questions, state, Veil } from "/static/lib/shell.js";

const INKS = [["accent", [7, 4]], ["k", [2, 3]], ["v", [9, 3, 2, 3]], ["soft", [1, 3]]]; // of runs that are compared: colour and dashes
const RATES = [0.1, 0.3, 1, 3, 10];
const WORDS = { starting: "starting", training: "trains", paused: "paused", done: "done", saved: "ended, saved", failed: "failed", gone: "not there any more" };
const OUTCOMES = ["higher", "about the same", "lower"];
const count = (n) => Math.round(n).toLocaleString("en");
const rated = (v) => (v === 0 ? "0" : v >= 0.001 ? String(+v.toPrecision(2)) : v.toExponential(1).replace("e-", " · 10⁻").replace(/\d$/, (d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]));
const lossOf = (v) => (v === null || v === undefined ? "no number" : v.toFixed(3));
const short = (name) => name.replace("transformer.", "").replace(/^runs./, "");

export default explorer((host, scope) => {
  const s = state(host, scope, { mode: "watch", job: 0, beside: 0, riddle: 0, compare: [], network: "gpt", rate: 1, mine: 0, seen: 0 });
  const { got, about, failed, fail, refresh } = questions(host, scope, "train");
  const solved = signal(null), offered = signal([]), said = signal(null), busy = signal(false), bet = signal(null); // bet: what is predicted of a change of the rate
  const look = () => refresh({ compare: s.compare.value });
  scope.effect(look);

  const diagnosing = computed(() => s.mode.value === "diagnosis"), hidden = computed(() => !diagnosing.value && s.seen.value === 0);
  const charts = signal(null); // what draws curves comes when the first can be seen
  scope.effect(() => { if (!hidden.value && !charts.value) import("/static/lib/chart.js").then((module) => (charts.value = module), fail); });

  // The runs that are listened to, by the numbers of their jobs.
  const heard = new Map(), listened = signal(0);
  const hear = (job) => {
    if (!job) return null;
    if (!heard.has(job)) heard.set(job, live(host, job, (event) => { if (["begun", "epoch", "changed", "forked", "ended", "failed"].includes(event) && s.mode.value === "watch") look(); }));
    return heard.get(job);
  };
  scope.end(() => heard.forEach((run) => run.stop()));
  const run = computed(() => { listened.value; return hear(diagnosing.value ? s.riddle.value : s.job.value); });
  const beside = computed(() => (diagnosing.value ? hear(s.beside.value) : null));
  scope.effect(() => { if (diagnosing.value && s.riddle.value) host.ask({ job: s.riddle.value }).then((a) => (offered.value = a.offered), fail); });
  const name = computed(() => run.value?.begun.value?.run ?? "");

  const ask = async (to, question, then = () => {}) => {
    if (busy.value) return;
    busy.value = true;
    try { then(await host.ask(question, to)); failed.value = ""; } catch (error) { fail(error); }
    busy.value = false;
  };
  const order = (what, question = {}) => () => { if (run.value?.training()) ask(`jobs/${run.value.job}/${what}`, question); };
  const pause = () => order("pause", { paused: run.value?.state.value !== "paused" })();
  const rates = () => run.value.by_hand.value.filter((one) => one.what === "rate");
  const rate = (factor) => () => { if (steering() && run.value?.training()) bet.value = { job: run.value.job, factor, nth: rates().length, guess: undefined }; };
  const venture = (guess) => { bet.value = { ...bet.value, guess }; order("rate", { factor: bet.value.factor })(); };
  const fork = () => { if (run.value && !diagnosing.value) ask(`jobs/${run.value.job}/fork`, {}); };
  const begin = (question) => ask("jobs", question, ({ job }) => batch(() => { s.job.value = job; s.seen.value = 1; }));
  const train = () => begin({ network: s.network.value, rate: s.rate.value, mine: Boolean(s.mine.value) });
  const resume = (of) => begin({ run: of, mine: false });
  const compare = (of) => { const now = s.compare.value.filter((one) => one !== of); s.compare.value = now.length < s.compare.value.length ? now : [...now, of].slice(-INKS.length); };
  const examine = async () => {
    await ask("jobs", { fault: "any" }, ({ job }) => batch(() => { s.riddle.value = job; solved.value = null; offered.value = []; }));
    if (!s.beside.value || hear(s.beside.value).state.value === "failed" || hear(s.beside.value).state.value === "gone") await ask("jobs", { fault: "none" }, ({ job }) => (s.beside.value = job));
  };
  const answer = (guess) => { if (s.riddle.value && !solved.value) host.ask(guess ? { job: s.riddle.value, guess } : { job: s.riddle.value, show: true }).then((a) => (solved.value = { ...a, guess }), fail); };
  const another = async () => { if (run.value?.training()) await ask(`jobs/${run.value.job}/cancel`, {}); await examine(); };
  const turn = () => batch(() => { s.mode.value = diagnosing.value ? "watch" : "diagnosis"; failed.value = ""; });
  const steering = () => !diagnosing.value && !hidden.value;
  const first = (v) => batch(() => { said.value = v; s.seen.value = 1; });
  const wagered = () => bet.value !== null && bet.value.job === run.value?.job;
  const betting = computed(() => steering() && wagered() && bet.value.guess === undefined);
  const choices = computed(() => { // what the keys 1 to 4 answer now, and what "show me" does
    if (diagnosing.value) return s.riddle.value && !solved.value ? [...offered.value.map((fault) => () => answer(fault)), () => answer("")] : [];
    if (hidden.value) return [...(got.value?.offered ?? []).map((v) => () => first(v)), () => first(null)];
    return betting.value ? [...OUTCOMES.map((one) => () => venture(one)), () => venture(null)] : [];
  });
  const nth = (n) => ["answer", () => choices.value[n](), () => n < choices.value.length - 1];

  const pressed = keys(scope, {
    " ": ["pause, go on", pause, () => Boolean(run.value)], "+": ["rate × 2", rate(2), steering], "-": ["rate ÷ 2", rate(0.5), steering], f: ["fork", fork, steering], x: ["save and end", order("cancel"), () => Boolean(run.value)], d: ["watch, diagnose", turn],
    1: nth(0), 2: nth(1), 3: nth(2), 4: nth(3), s: ["show", () => choices.value.at(-1)(), () => choices.value.length > 0],
  });

  const First = () => {
    const { letters, offered: losses } = got.value;
    return html`<${Predict} tag="Predict first" action=${["show me", () => first(null)]}>A GPT for ${letters} letters has learned nothing yet. What is its loss on the first batch, in nats? <span class="choice">${losses.map((v, n) => html`<button class="icon" onClick=${() => first(v)}>${v < 0.1 ? v.toFixed(3) : v.toFixed(2)} <kbd>${n + 1}</kbd></button>`)}</span></${Predict}>`;
  };
  const Began = () => {
    run.value?.changed.value;
    const { chance, letters } = got.value, b = run.value?.begun.value, first = run.value?.first() ?? undefined, right = said.value === null ? null : said.value === chance;
    const law = html`Guessing among ${letters} costs log ${letters} = <strong class="num">${chance.toFixed(2)}</strong> nats, whatever the network is: a first loss far above it tells of a mistake in the start values.`;
    if (!run.value || first === undefined || b?.step > 0 || !b?.chance) return html`<${Predict} tag="The first loss" right=${right}>${law} ${run.value ? "" : "Train one, and see."}</${Predict}>`;
    return html`<${Predict} tag="It began at" right=${right} wrong="Not that"><strong class="num">${first.toFixed(2)}</strong>. ${b.choices === letters ? law : html`Guessing among ${b.choices} costs log ${b.choices} = <strong class="num">${b.chance.toFixed(2)}</strong> nats.`}</${Predict}>`;
  };
  const Rate = () => {
    const r = run.value, b = bet.value, change = rates()[b.nth], word = b.factor > 1 ? `× ${b.factor}` : `÷ ${1 / b.factor}`, done = ["go on", () => (bet.value = null)];
    r.changed.value;
    if (b.guess === undefined) return html`<${Predict} tag="Predict first" action=${["just do it", () => venture(null)]}>The rate is ${rated(r.rate.value)} and becomes ${rated(r.rate.value * b.factor)} (${word}). Where is the training loss ${AFTER} steps later? <span class="choice">${OUTCOMES.map((one, n) => html`<button class="icon" onClick=${() => venture(one)}>${one} <kbd>${n + 1}</kbd></button>`)}</span></${Predict}>`;
    const o = change && outcome(r, change.step);
    if (!o) return html`<${Predict} tag=${r.training() ? "Wait" : "It ended"} action=${done}>${b.guess ? html`You say <strong>${b.guess}</strong>. ` : ""}${!change ? "The rate changes after this step." : change.step - r.steps[0] + 1 < SMOOTHED ? `The change came before step ${SMOOTHED} of this page: too early to compare.` : html`The change came after step ${count(change.step)}; step ${count(change.step + AFTER)} tells.`}</${Predict}>`;
    const why = b.factor > 1 ? "A larger rate makes larger steps: the loss falls faster, until the steps overshoot; then it jumps, and comes back slowly or never." : "A smaller rate makes smaller steps: the loss is less noisy and often a little lower at once, but what is left to learn takes longer.";
    return html`<${Predict} tag="The loss is" right=${b.guess ? b.guess === o.what : null} wrong="Not that" action=${done}><strong data-id="outcome">${o.what}</strong>: from ${lossOf(o.before)} to ${lossOf(o.after)} nats in ${AFTER} steps, both means of ${SMOOTHED} batches; less than ${o.noise.toFixed(3)} between them is noise (two standard errors). ${why}</${Predict}>`;
  };
  const Riddle = () => {
    const r = run.value, a = solved.value;
    r?.changed.value;
    if (!s.riddle.value) return html`<${Predict} tag="Predict first" action=${["train it", examine]}>A small GPT trains here with one of seven mistakes in it, and beside it the same GPT without: ${got.value.steps} steps each, some seconds. Then you say what is wrong.</${Predict}>`;
    if (!a) return html`<${Predict} tag="What is wrong?" action=${["show me", () => answer("")]}>${r.losses.length ? "Look at both losses, at the gradients and at what it writes." : "It starts."} <span class="choice">${offered.value.map((fault, n) => html`<button class="icon" onClick=${() => answer(fault)}>${fault} <kbd>${n + 1}</kbd></button>`)}</span></${Predict}>`;
    return html`<${Predict} tag="It is" right=${a.guess ? a.right : null} action=${["another", another]}><strong>${a.fault}</strong>${a.guess && !a.right ? html`, not ${a.guess}` : ""}. ${a.cause}</${Predict}>
      <div class="said"><span class="tag">How it shows</span><div><p>${a.sign}</p><p>The right line: <code>${a.mend}</code></p></div></div>`;
  };

  const curves = () => {
    const out = [], r = run.value, b = beside.value;
    r?.changed.value; b?.changed.value;
    if (b) out.push({ name: "without a mistake", ...b.drawn(b.means), ink: "accent", dash: [7, 4] }, { name: "its test", steps: b.tested.steps, values: b.tested.values, ink: "accent", dots: true, faint: true });
    if (!diagnosing.value) got.value.compared.forEach((of, n) => {
      const a = got.value.arrays, [ink, dash] = INKS[n], half = (x) => x.shape[1], row = (x, k) => x.data.subarray(k * half(x), (k + 1) * half(x));
      if (!a[`train_${n}`]) return;
      out.push({ name: short(of), steps: row(a[`train_${n}`], 0), values: row(a[`train_${n}`], 1), ink, dash });
      if (half(a[`test_${n}`])) out.push({ name: `${short(of)}, test`, steps: row(a[`test_${n}`], 0), values: row(a[`test_${n}`], 1), ink, dots: true });
    });
    if (r?.steps.length) out.push({ name: "each batch", ...r.drawn(r.losses), ink: "faint", faint: true }, { name: "training loss", ...r.drawn(r.means), ink: "ink" }, { name: "test loss", steps: r.tested.steps, values: r.tested.values, ink: "wrong", dots: true });
    return out;
  };
  const norms = () => {
    const r = run.value, b = beside.value, out = [];
    if (b) out.push({ name: "without a mistake", steps: b.norm.steps, values: b.norm.values, ink: "accent", dash: [7, 4] });
    if (r) out.push({ name: "this run", steps: r.norm.steps, values: r.norm.values, ink: "ink" });
    return out;
  };

  const Charts = () => {
    const shown = curves(), r = run.value, { Chart, Strokes } = charts.value ?? {};
    if (shown.length && !Chart) return null;
    if (!shown.length) return html`<section class="card"><h2>The loss</h2><p class="small soft">${r ? "It starts: a moment, while the data are read." : diagnosing.value ? "The curves of both stand here while they train." : "Train a network, resume a run, or tick runs to compare: their curves stand here."}</p></section>`;
    const { steps, losses } = r ?? { steps: [], losses: [] };
    return html`<section class="card"><div class="spread"><h2>The loss in nats, step by step</h2>${losses.length > 0 && html`<${Copy} array=${{ shape: [2, steps.length], get data() { return [...steps, ...losses]; } }} />`}</div>
      <${Strokes} curves=${shown} /><${Chart} curves=${shown} label=${`The loss over the steps. ${r ? told(r) : ""}`} height=${250} />
      ${r && html`<h2 class="later">The norm of all gradients</h2><${Chart} curves=${norms()} log=${true} label="The norm of all gradients over the steps, on a logarithmic scale" height=${150} />`}
      ${r && html`<${Table} r=${r} />`}</section>`;
  };
  const told = (r) => (r.losses.length ? `Step ${r.step.value}: training loss ${lossOf(r.loss())}${r.tested.values.length ? `, test loss ${lossOf(r.tested.values.at(-1))}` : ""}.` : "");
  const Table = ({ r }) => {
    const each = Math.max(1, Math.ceil(r.steps.length / 12)), rows = r.steps.map((_, k) => k).filter((k) => (k + 1) % each === 0 || k === r.steps.length - 1);
    const near = (curve, step) => { let v = null; curve.steps.forEach((at, k) => { if (at <= step) v = curve.values[k]; }); return (v ?? null) === null ? "" : v.toPrecision(3); };
    return html`<div class="sr"><table><caption>The run so far</caption><tr><th scope="col">step</th><th scope="col">training loss</th><th scope="col">test loss</th><th scope="col">norm of the gradients</th></tr>
      ${rows.map((k) => html`<tr><th scope="row">${r.steps[k]}</th><td>${lossOf(r.means[k])}</td><td>${near(r.tested, r.steps[k])}</td><td>${near(r.norm, r.steps[k])}</td></tr>`)}</table></div>`;
  };

  const Runs = () => html`<section class="card"><h2>Runs</h2>${got.value.runs.length ? html`<ul class="runs">${got.value.runs.map((one) => {
    const n = got.value.compared.indexOf(one.name), now = one.name === name.value && run.value.training();
    return html`<li><label><input type="checkbox" checked=${s.compare.value.includes(one.name)} onChange=${() => compare(one.name)} disabled=${now} /><span><b>${short(one.name)}</b> ${n >= 0 && !now && html`<svg width="26" height="8" aria-hidden="true" style=${{ color: `var(--${INKS[n][0]})` }}><line x1="0" x2="26" y1="4" y2="4" stroke="currentColor" stroke-width="2" stroke-dasharray=${INKS[n][1].join(" ")} /></svg>`}<br /><span class="small faint">step ${count(one.step)}${one.loss === null ? "" : `, test ${one.loss.toFixed(3)}`}${one.by_hand.length ? `, changed by hand ${one.by_hand.length === 1 ? "once" : `${one.by_hand.length} times`}` : ""}</span></span></label>
      ${one.job ? (one.job === s.job.value ? html`<span class="small soft">now</span>` : html`<button class="icon" onClick=${() => (s.job.value = one.job)}>watch</button>`) : html`<button class="icon" disabled=${busy.value} onClick=${() => resume(one.name)}>${one.begun ? "resume" : "train"}</button>`}</li>`;
  })}</ul>` : html`<p class="small soft">None yet in <code>runs</code>.</p>`}</section>`;
  const New = () => {
    const takes = got.value.networks.find((one) => one.name === s.network.value)?.takes;
    return html`<section class="card"><h2>Train anew</h2><div class="options"><label>network <select aria-label="network" value=${s.network.value} onChange=${(e) => batch(() => { s.network.value = e.target.value; s.mine.value = 0; })}>${got.value.networks.map((one) => html`<option value=${one.name}>${one.name}</option>`)}</select></label>
      <label>rate <select aria-label="learning rate" value=${s.rate.value} onChange=${(e) => (s.rate.value = +e.target.value)}>${RATES.map((v) => html`<option value=${v}>${v === 1 ? "the recipe's" : v > 1 ? `× ${v}` : `÷ ${Math.round(1 / v)}`}</option>`)}</select></label>
      <label class=${takes ? "" : "faint"}><input type="checkbox" checked=${Boolean(s.mine.value)} disabled=${!takes} onChange=${(e) => (s.mine.value = +e.target.checked)} /> with my <code>${takes || "code"}</code></label></div>
      ${s.mine.value ? html`<p class="small soft">Once the judge passes it, it trains outside the sandbox, in the process of this training.</p>` : ""}<p class="choice"><button class="icon go" disabled=${busy.value} onClick=${train}>train</button></p></section>`;
  };

  const Now = () => {
    const r = run.value, b = r?.begun.value, off = !r?.training() || busy.value, speed = r?.speed.value ?? 0;
    if (!r) return diagnosing.value ? html`<${Veil} title="The run">Its loss, its gradients by layer and what it writes stand here while it trains.</${Veil}>` : html`<${Veil} title="No run is watched">Train a network or resume a run: its numbers stand here.</${Veil}>`;
    const loss = r.loss();
    return html`<section class="card"><div class="spread"><h2>${diagnosing.value ? "The run with a mistake" : short(name.value) || "The run"}</h2><span class=${`state ${r.state.value}`} role="status">${WORDS[r.state.value]}</span></div>
      <div class="spread"><span><span class="big num" data-id="loss">${loss === undefined ? "–" : loss === null ? "no number" : minus(loss, 3)}</span> <span class="small faint">mean of the last 10 batches</span></span></div>
      ${b && html`<progress max=${b.steps} value=${r.step.value} aria-label="steps"></progress><p class="small soft num" data-id="step">step ${count(r.step.value)} of ${count(b.steps)} · ${count(speed)} ${b.unit}/s</p>`}
      ${!diagnosing.value && b && html`<p class="small soft">rate <b class="num" data-id="rate">${rated(r.rate.value)}</b> · ${b.network} on ${b.data} · ${count(b.parameters)} parameters</p>`}
      <p class="choice later"><button class="icon" disabled=${off} onClick=${pause}>${r.state.value === "paused" ? "go on" : "pause"} <kbd>space</kbd></button>
        ${!diagnosing.value && html`${[[0.1, "÷ 10"], [0.5, "÷ 2"], [2, "× 2"], [10, "× 10"]].map(([factor, word]) => html`<button class="icon" disabled=${off} aria-label=${`learning rate ${word}`} onClick=${rate(factor)}>${word}</button>`)}
        <button class="icon" disabled=${busy.value || r.state.value === "starting"} onClick=${fork}>fork <kbd>f</kbd></button>`}<button class="icon" disabled=${off} onClick=${order("cancel")}>end <kbd>x</kbd></button></p>
      ${r.line.value && html`<p class="small soft later">${r.line.value}</p>`}
      ${r.by_hand.value.length > 0 && html`<ul class="byhand small soft">${r.by_hand.value.map((one) => html`<li>step ${count(one.step)}: ${one.what === "rate" ? `rate × ${one.factor}, now ${rated(one.rate)}` : one.what === "forked" ? `forked to ${short(one.run)}: resume it, with another rate, and tick both` : `trains with your ${one.exercise}`}</li>`)}</ul>`}
      <${Failed} message=${r.failed.value} />${["failed", "saved", "gone"].includes(r.state.value) && name.value.startsWith("runs/") && html`<p class="choice later"><button class="icon go" disabled=${busy.value} onClick=${() => resume(name.value)}>resume</button></p>`}</section>`;
  };
  const Layers = () => {
    const r = run.value, names = r?.begun.value?.layers ?? [], values = r?.layers.value ?? [], usual = beside.value?.layers.value ?? [];
    if (!values.length) return null;
    const top = Math.max(...values, ...usual, 1e-12), width = (v) => (v > 0 ? Math.max(0, 100 * (1 + Math.log10(v / top) / 5)) : 0); // five powers of ten
    return html`<section class="card"><div class="spread"><h2>Gradient norm by layer, at step ${count(r.norm.steps.at(-1))}</h2></div><div class="bars">${names.map((layer, k) => html`<span class="name">${short(layer)}</span><span class="track"><span class="fill" style=${{ width: `${width(values[k])}%` }}></span>${usual.length > 0 && html`<span class="ghost" style=${{ left: `${width(usual[k])}%` }}></span>`}</span><span class="num">${values[k] === null ? "nan" : values[k] === 0 ? "0" : values[k] >= 0.001 ? values[k].toFixed(3) : values[k].toExponential(0)}</span>`)}</div>
      <p class="small faint later">Logarithmic: five powers of ten from left to right${usual.length ? "; the stroke is the run without a mistake" : ""}. From the input, above, to the output.</p></section>`;
  };
  const Writes = () => { const text = run.value?.sample.value; return text ? html`<section class="card"><h2>What it writes after the last test</h2><pre class="writes">${text}</pre></section>` : null; };

  const Both = () => html`<span class="switch" role="group" aria-label="What to do">${[["watch", "watch and steer"], ["diagnosis", "find the mistake"]].map(([mode, label]) => html`<button aria-pressed=${s.mode.value === mode} onClick=${() => { if (s.mode.value !== mode) turn(); }}>${label}</button>`)}</span>`;
  return () => html`<${Bar} title="Training" about=${about.value} pressed=${pressed}><${Both} /></${Bar}>
    <main><h1>${diagnosing.value ? "What is wrong with this run?" : "How does this network learn?"}</h1><${Lead} about=${about.value} /><${Failed} message=${failed.value} />
    ${got.value && html`${diagnosing.value ? html`<${Riddle} />` : hidden.value ? html`<${First} />` : wagered() ? html`<${Rate} />` : html`<${Began} />`}
      ${hidden.value ? html`<${Veil} title="The runs and their curves">They stand here once you have said what the first loss is.</${Veil}>` : html`<div class=${`grid3 train${diagnosing.value ? " found" : ""}`}>${!diagnosing.value && html`<div class="stacked"><${Runs} /><${New} /></div>`}<${Charts} /><div class="stacked"><${Now} /><${Layers} /><${Writes} /></div></div>`}<${KeyLine} pressed=${pressed} />`}
    ${about.value && html`<${Around} about=${about.value} />`}</main>`;
});
