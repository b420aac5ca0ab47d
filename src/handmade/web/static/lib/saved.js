// @ts-check
// The host of a page that is a file: it holds some answers, finds them again, and says what needs Python.
import { decode } from "/static/lib/frame.js";

/** The answers that a file holds: one frame, packed, in letters. @param {string} packed */
export async function unpacked(packed) {
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  return decode(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
}

/** @param {any} held by `unpacked`: `answers` and `arrays`, which several answers may share @returns {import("/static/lib/shell.js").Host} */
export function savedHost({ name, answers, usual, address, arrays }) {
  const needs = (what) => new Error(`${what} needs Python, and this page is a file: it holds what it held when it was saved. \`handmade look ${name}\` computes the rest on your machine.`);
  const found = new Map(answers.map((one) => [JSON.stringify([one.to, one.question]), one]));
  const tell = () => location.hash.slice(1) || address;
  return {
    area: window,
    note: "a saved page",
    async ask(question, to = name) {
      if (to === "predicted") return {};
      const one = found.get(JSON.stringify([to, { ...usual[to], ...question }]));
      if (!one) throw needs(to === "verdict" ? "The judge" : question.code === "mine" ? "Your code" : question.code === "mistake" ? "A mistake" : "This");
      return { ...structuredClone(one.meta), arrays: Object.fromEntries(Object.entries(one.arrays).map(([key, at]) => [key, arrays[at]])) };
    },
    upload: async () => { throw needs("Another image"); },
    listen: () => () => {},
    address: {
      read: () => new URLSearchParams(tell()),
      write(params, entry) { if (String(params) !== tell()) history[entry ? "pushState" : "replaceState"](null, "", `#${params}`); },
      changed: (then) => { addEventListener("popstate", then); return () => removeEventListener("popstate", then); },
    },
  };
}
