// @ts-check
// Server-sent events, read from the body of an answer: EventSource can send no header, so neither the key nor, in a new
// connection, the number of the last event.

const AGAIN = [250, 500, 1000, 2000, 4000]; // milliseconds until a connection that was lost is tried again

/**
 * Calls `tell(event, data)` for each event, until `signal` says that enough is heard, or the stream says "end" itself. A
 * connection that is lost is opened again from the event after the last that was heard.
 * @param {(last: string) => Promise<Response>} open opens the stream after the event of this number; "" is its beginning
 * @param {(event: string, data: any) => void} tell
 * @param {AbortSignal} signal
 * @param {(how: "lost"|"found"|"gone", why: string) => void} line is told of the connection; after "gone" no more is tried
 */
export async function follow(open, tell, signal, line = () => {}) {
  let last = "", tries = 0;
  const heard = (event) => {
    const fields = Object.fromEntries(event.split("\n").map((line) => { const at = line.indexOf(": "); return [line.slice(0, at), line.slice(at + 2)]; }));
    if (fields.id) last = fields.id;
    if (fields.data) tell(fields.event ?? "message", JSON.parse(fields.data));
    return fields.event === "end";
  };
  for (;;) {
    try {
      const reader = (await open(last)).body.pipeThrough(new TextDecoderStream()).getReader();
      if (tries) line("found", "");
      tries = 0;
      for (let unread = ""; ;) {
        const { value, done } = await reader.read();
        if (done) break;
        const events = (unread + value).split("\n\n");
        unread = events.pop();
        if (events.some(heard)) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error.refused || tries === AGAIN.length) return line("gone", error.message);
    }
    if (signal.aborted) return;
    line("lost", "");
    await new Promise((then) => setTimeout(then, AGAIN[tries++] ?? AGAIN.at(-1)));
  }
}
