// @ts-check
// What every explorer shares: its life, its state in the address, its keys, the bar on top, the prediction, the help below.
import { html, render, signal, effect, batch, useEffect, useMemo, useRef } from "/static/vendor/preact.js";
import { asNumPy } from "/static/lib/frame.js";
import { paintWithStyleOf, switchTheme, theme } from "/static/lib/paint.js";

/**
 * What an explorer asks and listens through. There are three: a page of the server (page.js), a notebook (notebook.js), and a
 * page that was saved as a file (saved.js). Explorers know nothing of the difference.
 * @typedef {object} Host
 * @property {(question: object, to?: string) => Promise<any>} ask one question, one frame, decoded; `to`: whom, if not the page's explorer
 * @property {(file: File) => Promise<number>} upload gives an image file; its number comes back
 * @property {(path: string, tell: (event: string, data: any) => void, line?: (how: "lost"|"found"|"gone", why: string) => void) => () => void} listen calls `tell` for each event of a stream, until the function that it returns is called; `line` is told of the connection
 * @property {{read: () => URLSearchParams, write: (params: URLSearchParams, entry: boolean) => void, changed: (tell: () => void) => () => void}} address holds the state
 * @property {Window|HTMLElement} area where keys and dropped files are meant for the explorer
 * @property {(names: string[], known: string[]) => void} [unknown] is told what the state has that the explorer knows nothing of
 * @property {string} [home] where the list of explorers is, if there is one
 * @property {(el: Element) => "light"|"dark"} [theme] the theme of what stands around the explorer, if it has one of its own
 * @property {string} [note] what is said above the explorer
 */

let around = { home: "/", note: "", lead: "" }; // what is so of the place where the explorer stands

/**
 * An explorer as a module of pages and notebooks: `make(host, scope)` gives its component.
 * What runs on its own goes through `scope`, so that all of it ends with the explorer.
 */
export const explorer = (make) => ({
  /** @param {{host: Host, el: HTMLElement}} given */
  render({ host, el }) {
    const ends = [], view = Math.random().toString(36).slice(2, 8); // a notebook may show the same explorer twice
    const scope = {
      area: host.area,
      id: (name) => `${name}-${view}`,
      effect: (run) => ends.push(effect(run)),
      on: (target, type, tell) => { target.addEventListener(type, tell); ends.push(() => target.removeEventListener(type, tell)); },
      listen: (path, tell) => ends.push(host.listen(path, tell)),
      end: (run) => ends.push(run),
    };
    el.classList.add("handmade");
    around = { home: host.home, note: host.note, lead: el.querySelector(".lead")?.textContent ?? "" }; // a page of the server has it
    paintWithStyleOf(el);
    if (host.theme) theme.value = host.theme(el);
    scope.effect(() => { el.dataset.theme = theme.value; });
    const Page = make(host, scope);
    render(html`<${Page} />`, el);
    return () => { for (const end of ends) end(); render(null, el); };
  },
});

/**
 * A measurement that takes long, as a job of the explorer's. `begin(question, tell)` calls `tell` for each piece that is
 * found; what was begun before, or is no longer wanted, is cancelled.
 */
export function measurement(host, scope, explorer, fail) {
  const running = signal(false);
  let turn = 0, stop = null, job = 0;
  const over = () => { stop?.(); stop = null; job = 0; running.value = false; };
  const drop = (number) => host.ask({}, `jobs/${number}/cancel`).catch(() => {}); // it may be over by now
  const cancel = () => { turn++; if (job) drop(job); over(); };
  async function begin(question, tell) {
    cancel();
    const mine = turn;
    running.value = true;
    try {
      const begun = (await host.ask(question, `jobs/${explorer}`)).job;
      if (mine !== turn) return drop(begun);
      job = begun;
      stop = host.listen(`jobs/${job}/events`, (event, data) => {
        if (mine !== turn) return;
        if (event === "piece") return tell(data);
        if (event === "failed") fail(new Error(data.message));
        over();
      }, (how, why) => { if (how === "gone" && mine === turn) { fail(new Error(why)); over(); } });
    } catch (error) { if (mine === turn) { fail(error); over(); } }
  }
  scope.end(cancel);
  return { running, begin, cancel };
}

/**
 * Signals whose values the address holds, as far as they differ from the defaults. A step that took a click is an entry
 * of the history, quick successions (a slider, a key held down) are one.
 */
export function state(host, scope, defaults) {
  const unknown = [...host.address.read().keys()].filter((name) => !(name in defaults));
  if (unknown.length) host.unknown?.(unknown, Object.keys(defaults));
  const plain = (v) => (typeof v === "object" ? JSON.stringify(v) : String(v));
  const read = (usual, text) => {
    if (text === null) return usual;
    try {
      if (typeof usual === "number") return Number.isFinite(+text) ? +text : usual;
      if (typeof usual !== "object") return text;
      const v = JSON.parse(text);
      return Array.isArray(v) === Array.isArray(usual) && v !== null && typeof v === typeof usual ? v : usual;
    } catch { return usual; }
  };
  const from = (params) => Object.entries(defaults).map(([name, usual]) => [name, read(usual, params.get(name))]);
  const signals = Object.fromEntries(from(host.address.read()).map(([name, value]) => [name, signal(value)]));
  let last = -Infinity, first = true, next = null;
  const write = () => { if (next) host.address.write(next.out, next.entry); next = null; };
  scope.end(() => (next = null));
  scope.effect(() => {
    const out = new URLSearchParams();
    for (const [name, s] of Object.entries(signals)) {
      const text = plain(s.value);
      if (text !== plain(defaults[name]) && text.length <= 2000) out.set(name, text);
    }
    const now = performance.now(), entry = !first && now - last > 700;
    if (!next) setTimeout(write); // behind the question that the change asks: the browser takes its time for an address
    next = { out, entry: entry || Boolean(next?.entry) };
    last = now; first = false;
  });
  scope.end(host.address.changed(() => batch(() => { last = performance.now(); for (const [name, value] of from(host.address.read())) signals[name].value = value; })));
  return signals;
}

/** At most one question under way; of those asked meanwhile only the last is sent. No slider ever builds a queue. */
export function latest(send, receive, fail) {
  let busy = false, next = null;
  return async function go(question) {
    next = question;
    if (busy) return;
    busy = true;
    while (next !== null) {
      const now = next;
      next = null;
      try { receive(await send(now), now); } catch (error) { fail(error); }
    }
    busy = false;
  };
}

/**
 * The questions of a page: `refresh` asks one, and `got` holds the last answer, after `prepare`. What stands around the
 * picture, `about`, is asked for behind the first answer, which may be that no model fits.
 */
export function questions(host, scope, name, prepare = (answer, asked) => {}) {
  const got = signal(null), about = signal(null), failed = signal("");
  const ask = () => host.ask({ explorer: name }, "about").then((a) => (about.value = a), (error) => (failed.value = error.message));
  let first = null;
  const around = () => (first ??= ask()), behind = () => (document.hidden ? around() : requestAnimationFrame(() => setTimeout(around))); // once the picture is painted
  const fail = (error) => (failed.value = error.message);
  const refresh = latest(host.ask, (answer, asked) => { if (answer.no_model) return around(); prepare(answer, asked); got.value = answer; failed.value = ""; behind(); }, (error) => { fail(error); around(); });
  scope.on(window, "focus", () => { const all = about.value?.exercises ?? []; if (all.length && !all.some((e) => e.file)) ask(); }); // `handmade start` may have come meanwhile
  return { got, about, failed, fail, refresh };
}

/** The place of `count` places that is nearest to `n`. */
export const clamp = (n, count) => Math.max(0, Math.min(count - 1, n));

/** Whether a key is the control's own: all where one types or chooses, of a slider those that move it, of a box the space. */
const its = (target, key) => target.matches?.("input, select, textarea") && !(target.type === "range" ? !/^(Arrow|Page|Home|End)/.test(key) : /^(checkbox|radio)$/.test(target.type) && key !== " ");

/** Keys that act: name -> [what it does in a word, action, when it does, always without]. They rest while something is typed. */
export function keys(scope, actions) {
  const showing = signal(false);
  scope.on(scope.area, "keydown", (event) => {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || its(target, key)) return;
    const presses = (key === " " || key === "Enter") && target.closest?.("button, a, summary, [role=button]");
    if (key === "?") showing.value = !showing.value;
    else if (key === "Escape" && showing.value) showing.value = false;
    else if (actions[key] && acts(actions[key]) && !presses && !showing.value) { event.preventDefault(); actions[key][1](); }
  });
  return { actions, showing };
}

const acts = ([, , when]) => !when || when();
const ARROWS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Enter: "⏎", " ": "space" };
const grouped = (actions) => {
  const groups = new Map();
  for (const [key, [what]] of Object.entries(actions).filter(([, action]) => acts(action))) groups.set(what, [...(groups.get(what) ?? []), ARROWS[key] ?? key]);
  return [...groups];
};

const Keys = ({ pressed }) => {
  const ref = useRef();
  useEffect(() => { const d = ref.current; if (pressed.showing.value) d.showModal?.(); else d.close?.(); }, [pressed.showing.value]);
  return html`<dialog ref=${ref} class="keys" aria-label="Keys" onClose=${() => (pressed.showing.value = false)}>
    <div class="spread"><h2>Keys</h2><button class="icon" onClick=${() => (pressed.showing.value = false)}>close</button></div>
    <dl>${grouped(pressed.actions).map(([what, list]) => html`<dt>${list.map((key) => html`<kbd>${key}</kbd> `)}</dt><dd>${what}</dd>`)}<dt><kbd>?</kbd></dt><dd>these keys</dd></dl></dialog>`;
};

/** What the page is about. */
export const Lead = ({ about }) => html`<p class="lead">${about?.lead ?? around.lead}</p>`;

/** The keys in one line at the foot of a page. */
export const KeyLine = ({ pressed, children }) => html`<p class="small faint foot">${grouped(pressed.actions).map(([what, list]) => html`<span>${list.map((key) => html`<kbd>${key}</kbd> `)}${what}</span>`)}${children}</p>`;

/** @param changed what the page forgets when another model is chosen, a function */
export const Bar = ({ title, about, model, changed, pressed, children }) => html`<header class="bar">
  ${around.home ? html`<a class="brand" href=${around.home}>handmade</a><nav class="crumbs" aria-label="Where you are"><a href=${around.home}>Observatory</a> / <span>${title}</span></nav>` : html`<span class="brand">handmade</span><span class="crumbs"><span>${title}</span></span>`}
  ${about?.models?.length > 0 && html`<${Model} about=${about} model=${model} changed=${changed} />`}
  ${around.note && html`<span class="chip">${around.note}</span>`}<span class="push"></span>${children}
  ${pressed && html`<button class="icon keys" aria-label="Keys" title="Keys" onClick=${() => (pressed.showing.value = true)}>?</button>`}
  <button class="icon" onClick=${switchTheme} aria-label=${`Switch to ${theme.value === "dark" ? "light" : "dark"}`}>${theme.value === "dark" ? "light" : "dark"}</button>
  ${pressed && html`<${Keys} pressed=${pressed} />`}</header>`;

const Model = ({ about, model, changed }) => {
  const said = (m) => `${m.name} · ${m.name === m.network ? "" : `${m.network} · `}${m.parameters === null ? "" : `${m.parameters.toLocaleString("en")} parameters`}`.replace(/ · $/, "");
  const now = about.models.find((m) => m.name === model.value) ?? about.models[0];
  if (about.models.length === 1) return html`<span class="chip"><i></i>${said(now)}</span>`;
  return html`<label class="chip"><i></i><span class="sr">Model</span><select value=${now.name} onChange=${(e) => batch(() => { model.value = e.target.value; changed?.(); })}>${about.models.map((m) => html`<option value=${m.name}>${said(m)}</option>`)}</select></label>`;
};

/**
 * What was predicted, a signal: null, or -1, where one asked to be shown. It is graded only where it was asked: `here`
 * gives what the question is about. `count` is called for each prediction that is made.
 */
export function prediction(here, count) {
  const said = signal(null), now = () => JSON.stringify(here());
  let place = "";
  return { said, say: (given) => { said.value = given; place = now(); if (given !== null && given !== -1) count?.(); }, graded: () => place === now() };
}

/**
 * The strip that asks first and then says what is so. `tag` is a word or two, in place of which a prediction is graded:
 * `right` is null without one, `wrong` what is said of a wrong one. `action` is [label, what it does].
 */
export const Predict = ({ tag, right = null, wrong = "Not that one", action, children }) => {
  const [word, kind] = right === null ? [tag, ""] : right ? ["Right", "right"] : [wrong, "wrong"];
  return html`<div class=${`predict ${kind}`} role="status"><span class="tag">${word}</span><span>${children}</span>
    ${action && html`<button class="link" onClick=${action[1]}>${action[0]}</button>`}</div>`;
};

export const Veil = ({ title, children }) => html`<section class="card veil"><h2>${title}</h2><p class="small soft">${children}</p></section>`;

/** An error stands where the result would; the last good picture stays. */
export const Failed = ({ message }) => (message ? html`<p class="failed" role="alert">${message}</p>` : null);

export const Copy = ({ array, what = "copy as NumPy" }) => {
  const done = useMemo(() => signal(false), []), press = async () => { try { await navigator.clipboard.writeText(asNumPy(array)); } catch { return; /* the browser does not let the page */ } done.value = true; setTimeout(() => (done.value = false), 1200); };
  return html`<button class="icon" onClick=${press}>${done.value ? "copied" : what}</button>`;
};

/** A button that opens a field for the text; several lines where the text may have some. */
export const TextField = ({ editing, value, set, label, lines = 1 }) => {
  const keep = (e) => { if (e.target.value.trim()) set(e.target.value); };
  const press = (e) => { if (e.key === "Escape" || (e.key === "Enter" && (lines === 1 || e.ctrlKey))) editing.value = false; };
  if (!editing.value) return html`<button class="icon edit" onClick=${() => (editing.value = true)}>change the text</button>`;
  const field = lines > 1 ? html`<textarea class="write" rows=${lines} maxlength="2000" aria-label=${label} onInput=${keep} onKeyDown=${press} ref=${(e) => { if (e && !e.value) { e.value = value; e.focus(); } }}></textarea>`
    : html`<input class="write" maxlength="400" aria-label=${label} value=${value} onInput=${keep} onKeyDown=${press} ref=${(e) => e?.focus()} />`;
  return html`<span class="editing">${field}<button class="icon edit" onClick=${() => (editing.value = false)}>done</button></span>`;
};

/** What a page stands on: no model that fits is said, with the command that makes one. */
export const NoModel = ({ about }) => html`<section class="card none"><h2>No model for this page yet</h2>
  <p class="small soft">This page looks into a trained model, and there is none here. <code>${about.trains}</code> ${about.trains.startsWith("handmade train") ? "makes one" : "opens published weights"}; reload this page after a run was saved. Start <code>handmade look</code> in the folder that has <code>runs</code> in it.</p></section>`;

const PACKAGED = 20; // images that come along

/**
 * Images to be chosen and dropped: `image` is a signal of the number, `given` how many there are, a function; where there
 * are none, the packaged ones, which count down from -1. `fail` is told an error.
 */
export function images(host, scope, image, given, fail) {
  const over = signal(false), sign = () => (given() ? 1 : -1), count = () => given() || PACKAGED;
  const now = () => Math.min(Math.max(1, sign() * image.value), count()), dropped = () => image.value > given();
  const drop = async (file) => {
    if (!file) return;
    try { const n = await host.upload(file); if (n === image.value) image.value = 0; image.value = n; } catch (error) { fail(error); } // a number of an address can be that of the new image
  };
  scope.on(window, "dragover", (e) => { e.preventDefault(); over.value = true; });
  scope.on(window, "dragleave", () => (over.value = false));
  scope.on(window, "drop", (e) => { e.preventDefault(); over.value = false; drop(e.dataTransfer.files[0]); });
  const another = (by) => () => { const n = count(); if (n) image.value = sign() * (((now() - 1 + by + n) % n) + 1); };
  const Chooser = () => html`<label class="icon drop">${over.value ? "let it go" : "choose or drop an image"}<input type="file" accept="image/*" class="sr" onChange=${(e) => drop(e.target.files[0])} /></label>
    ${count() > 1 && html`<div class="slider" style=${{ marginTop: "12px", gridTemplateColumns: "1fr auto" }}><input type="range" aria-label="which image" min="1" max=${count()} value=${now()} onInput=${(e) => (image.value = sign() * e.target.value)} /><output class="num small">${dropped() ? "yours" : `${now()}/${count()}`}</output></div>`}`;
  return { another, Chooser };
}

/** Of a packaged image that the network has not learned: `of` is what it is. */
export const Strange = ({ of }) => html`<p class="small wrong-is" style=${{ margin: "10px 0" }}>This ${of.toLowerCase()} comes along with handmade; the network has learned other classes, so it can only guess. Choose or drop an image of one of its own.</p>`;

const FIRST = 5; // questions that are shown at once
const asked = (cards) => cards.map((card) => html`<details><summary>${card.ask}</summary><p class="small">${card.answer}</p><p class="small faint">${card.source}</p></details>`);

// Those whose code the switch of the page runs, and the others.
const Exercises = ({ all, run }) => {
  const here = all.filter((e) => run.includes(e.name)), others = all.filter((e) => !run.includes(e.name));
  const list = (some) => html`<ul>${some.map((e) => html`<li><b>${e.title}</b> <span class="small faint">${[e.passed ? "passed" : e.file ? "not passed yet" : "", e.predictions ? `${e.predictions} predicted` : ""].filter(Boolean).join(", ")}</span><br /><code>handmade check ${e.name}</code></li>`)}</ul>`;
  return html`<div><h2>Build it yourself</h2>${here.length > 0 && html`<p class="small soft">${here.some((e) => e.file) ? html`<i>My code</i>, above, runs your ${here.length > 1 ? "files" : "file"} of:` : html`<code>handmade start</code> makes a folder of exercises. Then <i>my code</i>, above, runs your ${here.length > 1 ? "files" : "file"} of:`}</p>${list(here)}`}
    ${others.length > 0 && html`<p class="small soft">${here.length ? "Related, but not run on this page:" : "Related; their code is not run on this page:"}</p>${list(others)}`}</div>`;
};

/** Help where one stands: what interviews ask, the exercises, the files. */
export const Around = ({ about }) => html`<section class="around" aria-label="Around this page">
  ${about.cards.length > 0 && html`<div><h2>Asked in interviews</h2>${asked(about.cards.slice(0, FIRST))}${about.cards.length > FIRST && html`<details><summary class="soft">${about.cards.length - FIRST} more</summary>${asked(about.cards.slice(FIRST))}</details>`}</div>`}
  ${about.exercises.length > 0 && html`<${Exercises} all=${about.exercises} run=${about.run} />`}
  ${about.files.length > 0 && html`<div><h2>Where it is written</h2><ul>${about.files.map((f) => html`<li><code>handmade/${f}</code></li>`)}</ul></div>`}</section>`;
