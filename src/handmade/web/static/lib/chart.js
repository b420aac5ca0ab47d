// @ts-check
// Curves over the steps of a training, drawn by uPlot in the colours of the theme.
import uPlot from "/static/vendor/uplot.js";
import { html, useEffect, useRef, useState } from "/static/vendor/preact.js";
import { theme } from "/static/lib/paint.js";

/**
 * @typedef {object} Curve
 * @property {string} name
 * @property {ArrayLike<number>} steps
 * @property {ArrayLike<number|null>} values null and what is not finite are left out
 * @property {string} ink a colour of the style sheet, as "ink" or "accent"
 * @property {number[]} [dash]
 * @property {boolean} [dots] points without a line between them
 * @property {boolean} [faint] thin and pale: what is noisy
 */

const number = (v) => (v === 0 ? "0" : Math.abs(v) >= 1e4 || Math.abs(v) < 1e-3 ? v.toExponential(1).replace(".0e", "e") : Math.abs(v) >= 100 ? v.toFixed(0) : String(+v.toPrecision(3)));
const drawable = (values, log) => Array.from(values, (v) => (v === null || !Number.isFinite(v) || (log && v <= 0) ? null : v));

/** @param {{curves: Curve[], label: string, log?: boolean, height?: number}} options */
export const Chart = ({ curves, label, log = false, height = 240 }) => {
  const ref = useRef(), chart = useRef(null), [under, say] = useState("");
  const kind = JSON.stringify([theme.value, log, height, curves.map((c) => [c.name, c.ink, c.dash, c.dots, c.faint])]);
  const data = () => (curves.length ? uPlot.join(curves.map((c) => [Array.from(c.steps), drawable(c.values, log)])) : [[], []]);
  useEffect(() => {
    const el = ref.current, probe = el.appendChild(document.createElement("span"));
    const color = (name) => { probe.style.color = `var(--${name})`; return getComputedStyle(probe).color; };
    const axis = { stroke: color("faint"), font: "11px Mono, monospace", grid: { stroke: color("line"), width: 1 }, ticks: { show: false } };
    const series = curves.map((c) => ({ label: c.name, stroke: color(c.ink), width: c.faint ? 1 : 2, alpha: c.faint ? 0.45 : 1, dash: c.dash, spanGaps: true, points: c.dots ? { show: true, size: 7, fill: color(c.ink) } : { show: false }, paths: c.dots ? () => null : undefined }));
    const told = (u) => {
      const k = u.cursor.idx;
      say(k === null || k === undefined ? "" : `step ${u.data[0][k]}: ${curves.map((c, n) => [c.name, u.data[n + 1]?.[k]]).filter(([, v]) => v !== null && v !== undefined).map(([name, v]) => `${name} ${number(v)}`).join(", ")}`);
    };
    const lines = (u, at) => { // over many powers of ten only these: all ten between two of them are a grey block
      const many = log && u.scales.y.max / u.scales.y.min > 1e3, power = (v) => Math.abs(Math.log10(v) - Math.round(Math.log10(v))) < 1e-6;
      return at.map((v) => (many && !power(v) ? null : v));
    };
    chart.current = new uPlot({
      width: el.clientWidth, height, legend: { show: false }, cursor: { drag: { x: false, y: false }, points: { show: false } },
      scales: { x: { time: false }, y: log ? { distr: 3 } : {} },
      axes: [{ ...axis, size: 26 }, { ...axis, size: 48, grid: { ...axis.grid, filter: lines }, values: (u, at) => at.map((v) => (v === null ? "" : number(v))) }],
      series: [{}, ...series], hooks: { setCursor: [told] },
    }, data(), el);
    probe.remove();
    const sized = new ResizeObserver(() => chart.current?.setSize({ width: el.clientWidth, height }));
    sized.observe(el);
    return () => { sized.disconnect(); chart.current.destroy(); chart.current = null; };
  }, [kind]);
  useEffect(() => { chart.current?.setData(data()); });
  return html`<div class="chart"><div ref=${ref} role="img" aria-label=${label}></div><p class="small faint num under">${under || " "}</p></div>`;
};

/** What the curves of a chart are, each with its stroke. @param {{curves: Curve[]}} options */
export const Strokes = ({ curves }) => html`<p class="strokes small soft">${curves.map((c) => html`<span><svg width="26" height="10" aria-hidden="true" style=${{ color: `var(--${c.ink})`, opacity: c.faint ? 0.6 : 1 }}>${c.dots ? html`<circle cx="13" cy="5" r="3.5" fill="currentColor" />` : html`<line x1="0" x2="26" y1="5" y2="5" stroke="currentColor" stroke-width=${c.faint ? 1 : 2} stroke-dasharray=${(c.dash ?? []).join(" ")} />`}</svg>${c.name}</span>`)}</p>`;
