// @ts-check
// Whose code computes: reference | my code | with a mistake, the judge's word on the learner's file, and a mistake to name.
import { html, signal, useEffect } from "/static/vendor/preact.js";

/**
 * @param about a signal of what the page knows: its exercises
 * @param s the state: `code`, `fault`, and `riddle`, the number of a mistake that is not named, -1 for none
 * @param exercise the name of the exercise that computes now, a function
 */
export function whose(host, scope, about, s, exercise) {
  const verdict = signal(null), saved = signal(0), guess = signal(null);
  const now = () => about.value?.exercises.find((e) => e.name === exercise());
  const faults = () => now()?.faults ?? [];
  const fault = () => (s.riddle.value >= 0 ? faults()[s.riddle.value]?.name : faults().find((f) => f.name === s.fault.value)?.name ?? faults()[0]?.name) ?? "";
  let listening = false, before = exercise();
  const told = { last: null, old: signal(null) }; // the answer that is shown, and one that other code or an older file gave
  scope.effect(() => { // a number among one exercise's mistakes is another mistake of the next
    if (exercise() === before) return;
    before = exercise();
    s.riddle.value = -1; guess.value = null;
  });
  scope.effect(() => {
    if (s.code.value !== "mine" || !now()) return;
    saved.value; // judged again when it is saved
    const name = exercise();
    verdict.value = null; // what was said of the file before
    host.ask({ exercise: name }, "verdict").then((v) => (verdict.value = v), (error) => (verdict.value = { exercise: name, failed: error.message }));
    if (!listening) scope.listen("saved", (event, names) => { if (names.includes(exercise())) { told.old.value = told.last; saved.value++; } });
    listening = true;
  });
  /** The fields of a question; a saved file asks it again. Before it is known what exercises there are, the reference computes. */
  const asked = () => {
    saved.value;
    if (s.code.value === "reference" || !about.value) return { code: "reference" };
    return s.code.value === "mistake" ? { code: "mistake", fault: fault() } : { code: s.code.value };
  };
  const riddle = (visible) => {
    const choices = faults().map((f, n) => [f.name, n]).filter(([name, n]) => visible.includes(name) && n !== s.riddle.value);
    guess.value = null;
    if (choices.length) s.riddle.value = choices[Math.floor(Math.random() * choices.length)][1];
  };
  /** A prediction was made where the exercise computes: the workspace counts it. */
  const predicted = () => host.ask({ exercise: exercise() }, "predicted").catch(() => {});
  return { s, exercise, now, faults, fault, verdict, guess, asked, riddle, predicted, told };
}

/** The three-way switch of the bar. */
export const Switch = ({ w }) => {
  const e = w.now(), set = (code) => () => { if (code !== w.s.code.value) w.told.old.value = w.told.last; w.s.riddle.value = -1; w.guess.value = null; w.s.code.value = code; };
  const button = (code, label, title, disabled) => html`<button aria-pressed=${w.s.code.value === code} title=${title} disabled=${disabled} onClick=${set(code)}>${label}</button>`;
  return html`<span class="switch" role="group" aria-label="Whose code computes">
    ${button("reference", "reference", "handmade's own code")}
    ${button("mine", "my code", e?.file ? e.file : "handmade start makes a folder of exercises, and the file in it runs here", !e?.file)}
    ${button("mistake", "with a mistake", `the reference with one of ${w.faults().length} mistakes that people make`, !w.faults().length)}</span>`;
};

const apart = (told) => Object.entries(told.difference ?? {}).map(([name, d]) => [name.replaceAll("_", " "), d === "nan" ? Infinity : d]);

/** Below the prediction: what stands to be said about the code that computes. `told` is the answer's meta. */
export const Said = ({ w, told }) => {
  const code = w.s.code.value;
  w.told.last = told;
  if (code === "reference" || !told) return null;
  if (told === w.told.old.value) return html`<div class="said" role="status"><span class="tag">Running …</span><div><p>${code === "mine" ? html`<code>${w.now()?.file}</code> is run. The picture is still` : "The mistake is made. The picture is still"} that of before.</p></div></div>`;
  const differs = apart(told).filter(([, d]) => d !== null && d > 1e-5);
  const where = told.problem ? "" : differs.length ? html`Largest difference from the reference: ${differs.map(([name, d], n) => html`${n ? ", " : ""}${name} <b class="num">${Number.isFinite(d) ? d.toPrecision(3) : "not a number"}</b>`)}.` : "On these numbers it computes what the reference computes.";
  return code === "mine" ? html`<${Mine} w=${w} told=${told} where=${where} />` : html`<${Mistake} w=${w} told=${told} where=${where} />`;
};

const Mine = ({ w, told, where }) => {
  const v = w.verdict.value?.exercise === w.exercise() ? w.verdict.value : null;
  const [tag, kind] = !v ? ["Judging …", ""] : v.passed ? ["Passes", "right"] : ["Not yet", "wrong"];
  return html`<div class=${`said ${kind}`} role="status"><span class="tag">${tag}</span><div><p><code>${w.now()?.file}</code> ${told.problem ? "gave no numbers, or not all, for this picture; where they are missing, the reference's stand. Save it, and the picture follows." : html`computes here; save it, and the picture follows. ${where}`}</p>
    ${v?.mistakes?.map((m) => html`<p><b>${m.name}</b>${m.line ? html` <span class="faint">line ${m.line}</span>` : ""}. ${m.message}</p>`)}
    ${v?.failed && html`<p>${v.failed}</p>`}
    ${told.problem && !v?.mistakes?.length && html`<p>${told.problem}</p>`}
    ${told.printed && html`<p>It printed:</p><pre>${told.printed}</pre>`}</div></div>`;
};

const Mistake = ({ w, told, where }) => {
  const all = w.faults(), now = all.find((f) => f.name === w.fault()), hidden = w.s.riddle.value >= 0, guess = w.guess.value, seen = (f) => (told.visible ?? []).includes(f.name);
  const chosen = all.some((f) => f.name === w.s.fault.value), first = hidden || chosen || !told.visible || (now && seen(now)) ? null : all.find(seen);
  useEffect(() => { if (first) w.s.fault.value = first.name; }, [first?.name]); // before one is chosen, one that shows
  const options = (list, label) => list.length > 0 && html`<optgroup label=${label}>${list.map((f) => html`<option value=${f.name}>${f.name}</option>`)}</optgroup>`;
  const another = html`<button class="icon" disabled=${!told.visible?.length} onClick=${() => w.riddle(told.visible ?? [])}>${hidden ? "another" : "hide its name: let me find it"}</button>`;
  if (hidden && guess === null) {
    const shift = w.s.riddle.value, others = all.filter((f) => f !== now && (told.visible ?? []).includes(f.name)), offered = [now, ...[0, 1, 2].map((n) => others[(shift * 7 + n * 3) % (others.length || 1)])].filter((f, n, list) => f && list.indexOf(f) === n).sort((a, b) => a.name.localeCompare(b.name));
    if (!others.length) return html`<div class="said" role="status"><span class="tag">Which mistake?</span><div><p>${told.problem || "On these numbers no other mistake can be seen, so there is nothing to choose from: change what is typed."}</p></div></div>`; // the one would be given away
    return html`<div class="said" role="status"><span class="tag">Which mistake?</span><div><p>One line of the reference is wrong now. ${where}${told.problem} Which mistake is it?</p>
      <p class="choice">${offered.map((f) => html`<button class="icon" onClick=${() => (w.guess.value = f.name)}>${f.name}</button>`)}${another}</p></div></div>`;
  }
  const [tag, kind] = !hidden ? ["With a mistake", "wrong"] : guess === now?.name ? ["Right", "right"] : ["Not that one", "wrong"];
  return html`<div class=${`said ${kind}`} role="status"><span class="tag">${tag}</span><div>
    ${hidden ? html`<p>It is <b>${now?.name}</b>.</p>` : html`<p><label>mistake <select aria-label="mistake" value=${now?.name} onChange=${(e) => (w.s.fault.value = e.target.value)}>${options(all.filter(seen), "seen in this picture")}${options(all.filter((f) => !seen(f)), "not seen in it")}</select></label> </p>`}
    <p>${now?.cause} ${now?.consequence}</p><p>${told.problem}${where}</p><p class="choice">${another}</p></div></div>`;
};
