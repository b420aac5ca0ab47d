// @ts-check
// The list of explorers, in the order of study.
import { html, signal } from "/static/vendor/preact.js";
import { Bar, explorer, Failed } from "/static/lib/shell.js";

export default explorer((host) => {
  const all = signal(null), failed = signal("");
  host.ask({}, "about").then((a) => (all.value = a.explorers), (error) => (failed.value = error.message));
  const needs = (e) => (!e.needs_model ? "needs no model" : e.models.length ? e.models.map((m) => m.name).join(", ") : html`no model yet: <code>${e.trains}</code>`);
  return () => html`<${Bar} title="Explorers"><a class="icon" href="/plan">plan</a><a class="icon" href="/review">review</a></${Bar}><main><h1>The observatory</h1>
    <p class="lead">Pages over the live models on this machine, and over your own code. Each asks you to predict first, and then shows what is so.</p><${Failed} message=${failed.value} />
    <ol class="list">${(all.value ?? []).map((e) => html`<li class="card"><h2><a href=${`/${e.name}`}>${e.asks}</a></h2><p class="small soft">${e.lead}</p><p class="small faint">${needs(e)}</p></li>`)}</ol></main>`;
});
