// @ts-check
// Today's cards, one after another. A rating is recorded at once, as by `handmade review`, in the same journal.
import { html, signal, batch, useEffect, useRef } from "/static/vendor/preact.js";
import { Bar, explorer, Failed, KeyLine, keys, state } from "/static/lib/shell.js";

const RATINGS = [[1, "again"], [2, "hard"], [3, "good"], [4, "easy"]];

export default explorer((host, scope) => {
  const s = state(host, scope, { part: "", numbers: 0 });
  const got = signal(null), failed = signal(""), told = signal(null), typed = signal("");
  let began = performance.now(), busy = false;
  const seconds = () => Math.min(86400, (performance.now() - began) / 1000);
  const ask = async (question, receive = () => {}) => {
    if (busy) return; // a key that is pressed twice rates once
    busy = true;
    try {
      const answer = await host.ask({ part: s.part.value, numbers: s.numbers.value === 1, ...question });
      batch(() => { if (question.do !== "show") began = performance.now(); got.value = answer; failed.value = ""; typed.value = ""; receive(answer); });
    } catch (error) {
      failed.value = error.message;
      if (question.do !== "type") try { got.value = await host.ask({ part: s.part.value, numbers: s.numbers.value === 1 }); } catch { /* said already */ }
    } finally { busy = false; }
  };
  scope.effect(() => { s.part.value; s.numbers.value; told.value = null; busy = false; ask({}); });
  const card = () => got.value?.card, open = () => card()?.answer !== undefined;
  const show = () => { if (card()?.kind === "card" && !open()) ask({ do: "show", card: card().id }); };
  const rate = (rating) => () => { if (open()) ask({ do: "rate", card: card().id, rating, seconds: seconds() }, () => (told.value = null)); };
  const undo = () => ask({ do: "undo" }, (answer) => (told.value = answer.undone ? "The last rating is undone." : "There is no rating to undo."));
  const skip = () => { if (card()) ask({ do: "skip", card: card().id }, () => (told.value = "It comes back another day.")); };
  const submit = (e) => { e.preventDefault(); if (typed.value.trim()) ask({ do: "type", card: card().id, typed: typed.value, seconds: seconds() }, (answer) => (told.value = answer.typed)); };
  const pressed = keys(scope, { " ": ["show the answer", show], Enter: ["show the answer", show], ...Object.fromEntries(RATINGS.map(([n]) => [String(n), ["rate", rate(n)]])), u: ["undo", undo], s: ["skip for today", skip], n: ["numbers only", () => { s.numbers.value = 1 - s.numbers.value; }], p: ["plan", () => location.assign("/plan")] });

  const Told = () => {
    const t = told.value;
    if (!t) return null;
    if (typeof t === "string") return html`<p class="small soft" role="status">${t}</p>`;
    return html`<div class=${`predict ${t.right ? "right" : "wrong"}`} role="status"><span class="tag">${t.right ? "Right" : "Not right"}</span><span>${t.ask} <strong class="num" data-id="was">${t.answer}</strong></span></div>`;
  };
  const Number = () => {
    const field = useRef();
    useEffect(() => field.current?.focus(), [card().id]);
    return html`<form class="choice" onSubmit=${submit}><input class="small-number wide" ref=${field} aria-label="The number" inputmode="text" autocomplete="off" value=${typed.value} onInput=${(e) => (typed.value = e.target.value)} onKeyDown=${(e) => { if (e.key === "Escape") e.target.blur(); }} /><button class="icon">that is it</button></form>`;
  };
  const Asked = () => {
    const c = card();
    return html`<section class="card asked" aria-label="The card"><div class="spread small faint"><span>${c.section}</span><span>${got.value.left} left</span></div><p class="ask" data-id="ask">${c.ask}</p>
      ${c.kind === "number" && html`<${Number} key=${c.id} />`}
      ${c.kind === "exercise" && html`<p class="small soft">The judge rates this one, against the clock: <code>handmade review</code> in your folder. Skip it here.</p>`}
      ${c.kind === "card" && !open() && html`<button class="icon go" onClick=${show}>show the answer <kbd>space</kbd></button>`}
      ${open() && html`<div class="answered"><p data-id="answer">${c.answer}</p><p class="small faint">${c.source}${c.proofs.length ? " See: " : ""}${c.proofs.map((one, n) => html`${n ? "; " : ""}${one.startsWith("handmade look ") ? html`<a href=${`/${one.slice(14)}`}><code>${one}</code></a>` : html`<code>${one}</code>`}`)}</p></div>
        <div class="ratings" role="group" aria-label="How well did you know it?">${RATINGS.map(([n, word]) => html`<button class="icon" onClick=${rate(n)}><b>${word}</b> <kbd>${n}</kbd><br /><span class="small faint">${c.dates[n]}</span></button>`)}</div>`}
      <p class="choice later"><button class="link" onClick=${skip}>skip for today</button><button class="link" disabled=${!got.value.answered} onClick=${undo}>undo the last rating</button></p></section>`;
  };
  const End = () => html`<section class="card asked"><h2>${got.value.answered ? "That is all for now" : "Nothing is due here today"}</h2><p data-id="end">Answered: ${got.value.answered}${got.value.again ? `, ${got.value.again} of them again` : ""}. Left today: ${got.value.rest}. Due by this time tomorrow: ${got.value.tomorrow} ${got.value.tomorrow === 1 ? "card" : "cards"}.</p>
    <p class="choice later">${got.value.answered > 0 && html`<button class="icon" onClick=${undo}>undo the last rating</button>`}<button class="icon" onClick=${() => (s.numbers.value = 1 - s.numbers.value)}>${s.numbers.value ? "all cards" : "drill numbers"}</button><a class="icon" href="/plan">the plan</a></p></section>`;

  return () => html`<${Bar} title="Today’s cards" pressed=${pressed}>${got.value && html`<label class="small soft">cards <select aria-label="which cards" value=${s.part.value} onChange=${(e) => (s.part.value = e.target.value)}><option value="">of all parts</option>${Object.entries(got.value.sections).map(([key, name]) => html`<option value=${key}>${name}</option>`)}</select></label><button class="icon" aria-pressed=${s.numbers.value === 1} onClick=${() => (s.numbers.value = 1 - s.numbers.value)}>numbers only</button>`}<a class="icon" href="/plan">plan</a></${Bar}>
    <main class="review"><h1>Today’s cards</h1><p class="lead">Say the answer first, aloud if you can; then see it, and rate yourself. Each rating is saved at once.</p><${Failed} message=${failed.value} /><${Told} />
    ${got.value && (card() ? html`<${Asked} />` : html`<${End} />`)}<${KeyLine} pressed=${pressed} /></main>`;
});
