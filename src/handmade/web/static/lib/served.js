// @ts-check
// The host of a page that `handmade look` serves: it asks over HTTP, and the address of the page holds the state.
import { decode } from "/static/lib/frame.js";

// The key comes in the address's fragment, which no server sees, and stays in this tab. No cookie: cookies go to every
// port of a host. A second tab asks the first.
const tabs = new BroadcastChannel("handmade");
function take() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (!given.has("token")) return false;
  sessionStorage.setItem("token", given.get("token"));
  given.delete("token");
  history.replaceState(null, "", given.size ? `#${given}` : location.pathname);
  return true;
}
take();
for (const type of ["popstate", "hashchange"]) addEventListener(type, () => { if (take()) location.reload(); }); // a new address in an open tab
const stored = () => sessionStorage.getItem("token");
tabs.addEventListener("message", ({ data }) => {
  if (data === "token?" && stored()) tabs.postMessage({ token: stored() });
  if (data?.token && !stored()) sessionStorage.setItem("token", data.token);
});
async function token() {
  if (!stored()) {
    tabs.postMessage("token?");
    for (let n = 0; n < 20 && !stored(); n++) await new Promise((then) => setTimeout(then, 25));
  }
  return stored() ?? "";
}

async function sent(path, body, signal) {
  const key = await token(), headers = { Authorization: `Bearer ${key}` };
  const answer = await fetch(`/api/${path}`, { method: "POST", body, headers, signal }).catch((error) => {
    throw error.name === "AbortError" ? error : new Error("The server does not answer. Is `handmade look` still running?");
  });
  if (answer.ok) return answer;
  if (answer.status === 401 && stored() === key) sessionStorage.removeItem("token"); // of a server that has ended
  const text = await answer.text();
  let said = text;
  try { said = JSON.parse(text).error; } catch { /* a refusal in plain words */ }
  throw new Error(said);
}

/** @param {string} name of the page @returns {import("/static/lib/host.js").Host} */
export function servedHost(name) {
  return {
    area: window,
    home: "/",
    ask: async (question, to = name) => decode(await (await sent(to, JSON.stringify(question))).arrayBuffer()),
    upload: async (file) => decode(await (await sent("image", file)).arrayBuffer()).image,
    listen(path, tell) {
      const ending = new AbortController();
      follow(path, tell, ending.signal).catch(() => {});
      return () => ending.abort();
    },
    address: {
      read: () => new URLSearchParams(location.hash.slice(1)),
      write(params, entry) {
        const to = params.size ? `#${params}` : location.pathname;
        if (to !== (location.hash || location.pathname)) history[entry ? "pushState" : "replaceState"](null, "", to);
      },
      changed: (tell) => { addEventListener("popstate", tell); return () => removeEventListener("popstate", tell); },
    },
  };
}

// Server-sent events, read from the body of an answer: EventSource can send no header.
async function follow(path, tell, signal) {
  const reader = (await sent(path, "{}", signal)).body.pipeThrough(new TextDecoderStream()).getReader();
  let unread = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const events = (unread + value).split("\n\n");
    unread = events.pop();
    for (const event of events) {
      const fields = Object.fromEntries(event.split("\n").map((line) => { const at = line.indexOf(": "); return [line.slice(0, at), line.slice(at + 2)]; }));
      if (fields.data) tell(fields.event ?? "message", JSON.parse(fields.data));
    }
  }
}
