// @ts-check
// The plan of study: what is next today, and how far each item is. The record is that of `handmade plan`.
import { html, signal, computed } from "/static/vendor/preact.js";
import { Bar, clamp, explorer, Failed, KeyLine, keys, state } from "/static/lib/shell.js";

export default explorer((host, scope) => {
  const s = state(host, scope, { item: "" });
  const got = signal(null), failed = signal("");
  const ask = (question) => host.ask(question).then((answer) => { got.value = answer; failed.value = ""; }, (error) => (failed.value = error.message));
  ask({});
  const items = computed(() => got.value?.items ?? []);
  const now = computed(() => items.value.find((one) => one.id === s.item.value) ?? items.value.find((one) => one.id === got.value?.next.watch) ?? items.value[0]);
  const mark = (one) => { if (one?.kind === "watch") ask(one.watched ? { undo: one.id } : { done: one.id }); };
  const step = (by) => () => { s.item.value = items.value[clamp(items.value.indexOf(now.value) + by, items.value.length)].id; };
  const pressed = keys(scope, { ArrowUp: ["item", step(-1)], ArrowDown: ["item", step(1)], d: ["watched, or not", () => mark(now.value)], r: ["review", () => location.assign("/review")] });
  const away = (link, title) => (link ? html`<a href=${link} target="_blank" rel="noopener noreferrer">${title}</a>` : title);

  const Today = () => {
    const a = got.value, watch = items.value.find((one) => one.id === a.next.watch);
    return html`<section class="today" aria-label="Today"><div class="card"><h2>Review</h2><p class="big">${a.due}</p><p class="small soft">${a.due === 1 ? "card" : "cards"} today</p>${a.due > 0 ? html`<a class="icon" href="/review">review them <kbd>r</kbd></a>` : html`<p class="small faint">nothing more is due</p>`}</div>
      <div class="card"><h2>Watch</h2>${watch ? html`<p>${away(watch.link, watch.title)}</p><button class="icon" onClick=${() => mark(watch)}>I have watched it</button>` : html`<p class="small faint">nothing is left to watch</p>`}</div>
      <div class="card"><h2>Build</h2>${a.next.exercise ? html`<p><b>${a.next.exercise}</b></p><code class="small">handmade check ${a.next.exercise}</code>` : html`<p class="small faint">every exercise is passed</p><code class="small">handmade interview --whole</code>`}</div></section>`;
  };
  const Item = ({ one }) => {
    const on = one.id === now.value?.id, [sign, word] = one.complete ? ["✓", "complete"] : one.begun ? ["→", "open"] : ["", "later"];
    return html`<li class=${`item${on ? " on" : ""}${one.complete ? " complete" : ""}`} aria-current=${on ? "true" : undefined} onClick=${() => (s.item.value = one.id)} ref=${on && s.item.value ? (e) => e?.scrollIntoView?.({ block: "nearest" }) : undefined}>
      <span class="sign" aria-hidden="true">${sign}</span><span><b>${away(one.link, one.title)}</b><span class="sr">, ${word}</span><span class="small faint"> ${one.day}</span><br /><span class="small soft">${one.said}</span></span>
      <span class="choice">${one.look.map((name) => html`<a class="icon" href=${`/${name}`}>look: ${name}</a>`)}${one.kind === "watch" && html`<button class="icon" aria-pressed=${one.watched} onClick=${(e) => { e.stopPropagation(); mark(one); }}>${one.watched ? "watched" : "not watched"}</button>`}</span></li>`;
  };
  return () => html`<${Bar} title="The plan" pressed=${pressed}><a class="icon" href="/review">review</a></${Bar}><main><h1>What is next?</h1><p class="lead">${got.value?.headline ?? ""}</p><${Failed} message=${failed.value} />
    ${got.value && html`<${Today} />${got.value.behind.length > 0 && html`<p class="small wrong-is">Behind: ${got.value.behind.map((id) => items.value.find((one) => one.id === id)?.title ?? id).join(", ")}.</p>`}
      ${got.value.parts.map((part) => html`<section class="card part"><h2>${part}</h2><ul>${items.value.filter((one) => one.part === part).map((one) => html`<${Item} key=${one.id} one=${one} />`)}</ul></section>`)}<${KeyLine} pressed=${pressed} />`}</main>`;
});
