// @ts-check
// What an explorer asks and listens through. There are three hosts, and explorers know nothing of the difference: a page
// of the server (page.js), a notebook (notebook.js), and a page that was saved as a file (saved.js).

/**
 * @typedef {object} Host
 * @property {(question: object, to?: string) => Promise<any>} ask one question, one frame, decoded; `to`: whom, if not the page's explorer
 * @property {(file: File) => Promise<number>} upload gives an image file; its number comes back
 * @property {(path: string, tell: (event: string, data: any) => void, line?: (how: "lost"|"found"|"gone", why: string) => void) => () => void} listen calls `tell` for each event of a stream, until the function that it returns is called; `line` is told of the connection
 * @property {{read: () => URLSearchParams, write: (params: URLSearchParams, entry: boolean) => void, changed: (tell: () => void) => () => void}} address holds the state
 * @property {Window|HTMLElement} area where keys and dropped files are meant for the explorer
 * @property {(names: string[], known: string[]) => void} [unknown] is told what the state has that the explorer knows nothing of
 * @property {string} [home] where the list of explorers is, if there is one
 * @property {(el: Element) => "light"|"dark"} [theme] the theme of what stands around the explorer, if it has one of its own
 * @property {string} [note] what is said above the explorer
 */

/** At most one question under way; of those asked meanwhile only the last is sent. No slider ever builds a queue. */
export function latest(send, receive, fail) {
  let busy = false, next = null;
  return async function go(question) {
    next = question;
    if (busy) return;
    busy = true;
    while (next !== null) {
      const now = next;
      next = null;
      try { receive(await send(now), now); } catch (error) { fail(error); }
    }
    busy = false;
  };
}
