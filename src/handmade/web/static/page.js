// @ts-check
// A page of the observatory: the module of its name, given what it asks through and the element that it fills.
import { pageHost } from "/static/lib/host.js";

const name = document.body.dataset.page;
const { default: explorer } = await import(`/static/explorers/${name}.js`);
explorer.render({ host: pageHost(name), el: document.getElementById("page") });
