// @ts-check
// A page that `handmade look` serves: the module of its name, given the element that it fills and its host, which asks
// over HTTP and keeps the state in the address of the page.
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

async function sent(path, how) {
  const key = await token(), headers = { ...how.headers, Authorization: `Bearer ${key}` };
  const answer = await fetch(`/api/${path}`, { ...how, headers }).catch((error) => {
    throw error.name === "AbortError" ? error : new Error("The server does not answer. Is `handmade look` still running?");
  });
  if (answer.ok) return answer;
  if (answer.status === 401 && stored() === key) sessionStorage.removeItem("token"); // of a server that has ended
  const text = await answer.text();
  let said = text;
  try { said = JSON.parse(text).error; } catch { /* a refusal in plain words */ }
  throw Object.assign(new Error(said), { refused: true });
}
const posted = (path, body) => sent(path, { method: "POST", body });

/** @param {string} name of the page @returns {import("/static/lib/shell.js").Host} */
function servedHost(name) {
  return {
    area: window,
    home: "/",
    ask: async (question, to = name) => decode(await (await posted(to, JSON.stringify(question))).arrayBuffer()),
    upload: async (file) => decode(await (await posted("image", file)).arrayBuffer()).image,
    listen(path, tell, line) {
      const ending = new AbortController(), { signal } = ending;
      const how = (last) => (path.startsWith("jobs/") ? { signal, headers: last ? { "Last-Event-ID": last } : {} } : { signal, method: "POST", body: "{}" });
      import("/static/lib/stream.js").then(({ follow }) => follow((last) => sent(path, how(last)), tell, signal, line)); // few pages need it
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

const name = document.body.dataset.page;
const { default: explorer } = await import(`/static/explorers/${name}.js`);
explorer.render({ host: servedHost(name), el: document.getElementById("page") });
