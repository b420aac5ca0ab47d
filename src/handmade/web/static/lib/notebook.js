// @ts-check
// The host of a notebook: an anywidget model carries questions to Python and frames back, and its `address` the state.
import { decode } from "/static/lib/frame.js";

const PATIENCE = 60_000; // milliseconds
const LATE = "Python does not answer. Is the kernel running, and not busy with another cell?";

/** @returns {import("/static/lib/shell.js").Host & {end: () => void}} */
export function notebookHost(model, el) {
  const waiting = new Map(), listening = new Map();
  let last = 0;
  const view = Math.random().toString(36).slice(2); // two views of one widget share its messages
  const received = (message, buffers) => {
    if (message.view !== view) return;
    if ("event" in message) return listening.get(message.id)?.(message.event, message.data);
    const asked = waiting.get(message.id);
    waiting.delete(message.id);
    if (!asked) return;
    clearTimeout(asked.late);
    if (message.error) return asked.reject(new Error(message.error));
    const bytes = buffers[0]; // a DataView or a Buffer, as the notebook has it
    asked.resolve(decode(bytes.buffer ? bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) : bytes));
  };
  model.on("msg:custom", received);
  const asked = (message, buffers = []) => new Promise((resolve, reject) => {
    const id = ++last;
    waiting.set(id, { resolve, reject, late: setTimeout(() => { waiting.delete(id); reject(new Error(LATE)); }, PATIENCE) });
    model.send({ ...message, view, id }, undefined, buffers);
  });
  const problem = document.createElement("p");
  el.setAttribute("data-lm-suppress-shortcuts", "true"); // JupyterLab's own keys rest here
  el.tabIndex = -1;
  return {
    area: el,
    theme: brightness,
    ask: (question, to = "") => asked({ to, question: JSON.stringify(question) }),
    upload: async (file) => (await asked({ to: "image" }, [await file.arrayBuffer()])).image,
    listen(path, tell) {
      const id = ++last;
      listening.set(id, tell);
      model.send({ listen: path, view, id });
      return () => { listening.delete(id); model.send({ stop: path, view, id }); };
    },
    unknown(names, known) {
      problem.className = "failed";
      problem.textContent = `There is no ${names.join(", ")} here. explore() takes ${known.join(", ")}.`;
      el.before(problem);
    },
    address: {
      read: () => new URLSearchParams(model.get("address")),
      write(params) { if (String(params) !== model.get("address")) { model.set("address", String(params)); model.save_changes(); } },
      changed: (tell) => { model.on("change:address", tell); return () => model.off("change:address", tell); },
    },
    end() {
      model.off("msg:custom", received);
      for (const { late } of waiting.values()) clearTimeout(late);
      problem.remove();
    },
  };
}

/** Whether it is light or dark around an element, by the first background that is not transparent. */
function brightness(el) {
  for (let above = el.parentElement; above; above = above.parentElement) {
    const [r, g, b, alpha = 1] = getComputedStyle(above).backgroundColor.match(/[\d.]+/g)?.map(Number) ?? [];
    if (r !== undefined && alpha > 0) return 0.2126 * r + 0.7152 * g + 0.0722 * b < 128 ? "dark" : "light";
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
