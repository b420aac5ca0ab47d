// @ts-check
// Numbers to pixels, to bars, and to tables whose cells are coloured. The three scales stand in the style sheet, once for each theme.
import { html, signal, useEffect, useRef } from "/static/vendor/preact.js";

const dark = matchMedia("(prefers-color-scheme: dark)");
const chosen = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
export const theme = signal(chosen() ?? (dark.matches ? "dark" : "light"));
dark.addEventListener("change", () => { if (!chosen()) theme.value = dark.matches ? "dark" : "light"; });
export function switchTheme() {
  theme.value = theme.value === "dark" ? "light" : "dark";
  try { localStorage.setItem("theme", theme.value); } catch { /* a notebook may forbid it */ }
}

const rgb = (text) => text.match(/[0-9a-f]{2}/gi).map((pair) => parseInt(pair, 16));
const tables = new Map();
let styled = document.body;
export const paintWithStyleOf = (element) => { styled = element; };

/** 256 colours of a scale, RGBA. */
export function table(kind) {
  const key = `${kind}-${theme.value}`;
  if (!tables.has(key)) {
    const stops = getComputedStyle(styled).getPropertyValue(`--scale-${key}`).split(/\s+/).filter(Boolean).map(rgb);
    const out = new Uint8ClampedArray(256 * 4);
    for (let i = 0; i < 256; i++) {
      const at = (i / 255) * (stops.length - 1), k = Math.min(stops.length - 2, Math.floor(at)), t = at - k;
      for (let c = 0; c < 3; c++) out[4 * i + c] = stops[k][c] * (1 - t) + stops[k + 1][c] * t;
      out[4 * i + 3] = 255;
    }
    tables.set(key, out);
  }
  return tables.get(key);
}

// signed: -limit..limit; weight: 0..1, by the square root, so that 0.05 among many is seen; heat: 0..limit.
const place = {
  signed: (v, limit) => 127.5 + 127.5 * Math.max(-1, Math.min(1, v / limit)),
  weight: (v) => 255 * Math.sqrt(Math.max(0, Math.min(1, v))),
  heat: (v, limit) => 255 * Math.max(0, Math.min(1, v / limit)),
};
const at = (kind, v, limit) => 4 * Math.round(place[kind](Number.isNaN(v) ? 0 : v, limit));

export function paint(canvas, data, rows, columns, kind, limit = 1) {
  canvas.width = columns; canvas.height = rows;
  const context = canvas.getContext("2d"), image = context.createImageData(columns, rows), lut = table(kind);
  for (let i = 0; i < rows * columns; i++) {
    const k = at(kind, data[i], limit);
    for (let c = 0; c < 4; c++) image.data[4 * i + c] = lut[k + c];
  }
  context.putImageData(image, 0, 0);
}

/** An image of bytes, H W 3. */
export function paintImage(canvas, { data, shape: [h, w] }) {
  canvas.width = w; canvas.height = h;
  const image = new ImageData(w, h);
  for (let i = 0; i < h * w; i++) image.data.set([data[3 * i], data[3 * i + 1], data[3 * i + 2], 255], 4 * i);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

export const color = (kind, v, limit = 1) => { const l = table(kind), k = at(kind, v, limit); return `rgb(${l[k]} ${l[k + 1]} ${l[k + 2]})`; };
/** Black or white, whichever is read better on that colour: by relative luminance, as WCAG has it. */
export const inkOn = (kind, v, limit = 1) => {
  const l = table(kind), k = at(kind, v, limit), linear = (c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(l[k]) + 0.7152 * linear(l[k + 1]) + 0.0722 * linear(l[k + 2]) > 0.179 ? "#000000" : "#ffffff";
};
export const largest = (data) => { let m = 0; for (const v of data) { const a = Math.abs(v); if (a > m && Number.isFinite(a)) m = a; } return m || 1; };

export const Painted = ({ data, rows, columns, kind, limit, label, ...rest }) => {
  const ref = useRef(), t = theme.value;
  useEffect(() => { if (data) paint(ref.current, data, rows, columns, kind, limit); }, [data, kind, limit, t]);
  return html`<canvas ref=${ref} role=${label ? "img" : undefined} aria-hidden=${label ? undefined : "true"} aria-label=${label} ...${rest} />`;
};

export const Photo = ({ image, ...rest }) => {
  const ref = useRef();
  useEffect(() => paintImage(ref.current, image), [image]);
  return html`<canvas ref=${ref} ...${rest} />`;
};

export const Legend = ({ kind, from, to }) => {
  const ref = useRef(), t = theme.value;
  useEffect(() => {
    const c = ref.current; c.width = 256; c.height = 1;
    c.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(table(kind)), 256, 1), 0, 0);
  }, [kind, t]);
  return html`<span class="legend">${from}<canvas ref=${ref} aria-hidden="true" />${to}</span>`;
};

export const minus = (v, n = 2) => (v === Infinity ? "∞" : v === -Infinity ? "−∞" : Number.isNaN(v) ? "nan" : (v < 0 && +v.toFixed(n) !== 0 ? "−" : "") + Math.abs(v).toFixed(n));
export const shown = (t) => (t === " " ? "␣" : t === "\n" ? "⏎" : t);

/**
 * Bars from 0 to 1, each [name, what stands behind it, value, colour, mark].
 * @param {any[][]} items
 */
export const bars = (items, digits = 3) => html`<div class="bars">${items.map(([name, place, v, fill, mark]) => html`<span class="name">${name}${place}${mark}</span><span class="track"><span class="fill" style=${{ width: `${100 * Math.max(0, Math.min(1, v))}%`, background: fill }}></span></span><span class="num">${minus(v, digits)}</span>`)}</div>`;

/** What a model says next, [[text, probability], ...], with a mark at what does follow. */
export const nextBars = (likely, right) => bars(likely.map(([t, p]) => [shown(t), "", p, t === right ? "var(--right)" : "var(--ink)", t === right ? html`<span style=${{ color: "var(--right)" }}> ✓</span>` : ""]));

/** A token in a sentence. */
export const Token = ({ text }) => html`<strong class="mono">${[...text].map(shown).join("")}</strong>`;

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
