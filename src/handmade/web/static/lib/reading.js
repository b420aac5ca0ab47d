// @ts-check
// What pages about a text share: bars by name, the field in which the text is changed, and a token that is named.
import { html } from "/static/vendor/preact.js";
import { minus, shown } from "/static/lib/paint.js";

/**
 * Bars from 0 to 1, each [name, what stands behind it, value, colour, mark].
 * @param {any[][]} items
 */
export const bars = (items, digits = 3) => html`<div class="bars">${items.map(([name, place, v, fill, mark]) => html`<span class="name">${name}${place}${mark}</span><span class="track"><span class="fill" style=${{ width: `${100 * Math.max(0, Math.min(1, v))}%`, background: fill }}></span></span><span class="num">${minus(v, digits)}</span>`)}</div>`;

/** What a model says next, [[text, probability], ...], with a mark at what does follow. */
export const nextBars = (likely, right) => bars(likely.map(([t, p]) => [shown(t), "", p, t === right ? "var(--right)" : "var(--ink)", t === right ? html`<span style=${{ color: "var(--right)" }}> ✓</span>` : ""]));

/** A token in a sentence. */
export const Token = ({ text }) => html`<strong class="mono">${[...text].map(shown).join("")}</strong>`;

/** A button that opens a field for the text; several lines where the text may have some. */
export const TextField = ({ editing, value, set, label, lines = 1 }) => {
  const keep = (e) => { if (e.target.value.trim()) set(e.target.value); };
  const press = (e) => { if (e.key === "Escape" || (e.key === "Enter" && (lines === 1 || e.ctrlKey))) editing.value = false; };
  if (!editing.value) return html`<button class="icon edit" onClick=${() => (editing.value = true)}>change the text</button>`;
  const field = lines > 1 ? html`<textarea class="write" rows=${lines} maxlength="2000" aria-label=${label} onInput=${keep} onKeyDown=${press} ref=${(e) => { if (e && !e.value) { e.value = value; e.focus(); } }}></textarea>`
    : html`<input class="write" maxlength="400" aria-label=${label} value=${value} onInput=${keep} onKeyDown=${press} ref=${(e) => e?.focus()} />`;
  return html`<span class="editing">${field}<button class="icon edit" onClick=${() => (editing.value = false)}>done</button></span>`;
};
