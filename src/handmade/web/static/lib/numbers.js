// @ts-check
// A matrix of numbers as a table: each cell a button or a field, coloured by its value.
import { html } from "/static/vendor/preact.js";
import { color, inkOn, minus, theme } from "/static/lib/paint.js";

/** The names of rows and columns that have none: "0", "1" ... */
export const numbered = (n, from = 0) => Array.from({ length: n }, (_, k) => String(from + k));

/** The number that was typed, with a comma as well as with a point; not a number where it is none. */
export const numberIn = (text) => (text.trim() ? Number(text.replace("−", "-").replace(",", ".")) : NaN);

/**
 * @param {{name: any, rows: string[], columns: string[], at: (r: number, c: number) => number, kind?: string, limit?: number,
 *   chosen?: number[]|null, pick?: (r: number, c: number) => void, ringed?: (r: number, c: number) => boolean, marked?: (r: number, c: number) => boolean,
 *   veiled?: (r: number, c: number) => boolean, label?: string, digits?: number, tint?: string}} options
 */
export const Numbers = ({ name, label, rows, columns, at, kind = "signed", limit = 1, chosen = null, pick, marked = () => false, ringed = () => false, veiled = () => false, digits = 2, tint = "" }) => {
  theme.value; // its colours follow the theme
  return html`<table class=${`numbers${tint && ` of-${tint}`}`} aria-label=${label}><caption>${name}</caption>
    <tr><td></td>${columns.map((c) => html`<th scope="col">${c}</th>`)}</tr>
    ${rows.map((r, i) => html`<tr><th scope="row">${r}</th>${columns.map((c, j) => {
      const v = at(i, j), hidden = veiled(i, j), on = chosen?.[0] === i && chosen?.[1] === j;
      const style = hidden ? {} : v === -Infinity ? { background: "var(--wash)", color: "var(--soft)" } : { background: color(kind, v, limit), color: inkOn(kind, v, limit) };
      if (!pick) return html`<td class=${`cell still${ringed(i, j) ? " ringed" : ""}`} style=${style}>${minus(v, digits)}</td>`;
      return html`<td><button class=${`cell${on ? " on" : ""}${marked(i, j) && !hidden ? " marked" : ""}${ringed(i, j) ? " ringed" : ""}`} tabindex=${on || (!chosen && !i && !j) ? 0 : -1} aria-pressed=${on} style=${style}
        aria-label=${`${label}, ${r} ${c}: ${hidden ? "not shown before you predict" : minus(v, digits)}${marked(i, j) && !hidden ? ", differs from the reference" : ""}`} onClick=${() => pick(i, j)}>${hidden ? "?" : minus(v, digits)}</button></td>`;
    })}</tr>`)}</table>`;
};

/** The same, to be typed into. `set(r, c, number)` is told what was typed as soon as it is a number. */
export const Typed = ({ name, label, rows, columns, values, set, tint = "", row = -1 }) => html`<table class=${`numbers typed${tint && ` of-${tint}`}`} aria-label=${label}><caption>${name}</caption>
  <tr><td></td>${columns.map((c) => html`<th scope="col">${c}</th>`)}</tr>
  ${rows.map((r, i) => html`<tr class=${i === row ? "now" : ""}><th scope="row">${r}</th>${columns.map((c, j) => html`<td><input class="cell" inputmode="decimal" aria-label=${`${label}, ${r} ${c}`} value=${String(values[i][j])}
    onFocus=${(e) => e.target.select()} onInput=${(e) => { const v = numberIn(e.target.value), fits = Math.abs(v) <= 1e6; e.target.setAttribute("aria-invalid", String(!fits)); if (fits) set(i, j, v); }} /></td>`)}</tr>`)}</table>`;
