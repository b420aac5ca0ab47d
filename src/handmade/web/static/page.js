// @ts-check
// A page of the observatory: the module of its name, given what it asks through and the element that it fills.
import { servedHost } from "/static/lib/served.js";

const name = document.body.dataset.page;
const { default: explorer } = await import(`/static/explorers/${name}.js`);
explorer.render({ host: servedHost(name), el: document.getElementById("page") });
