// @ts-check
// A run that trains now, as the events of its job tell it.
import { signal } from "/static/vendor/preact.js";

const DRAWN = 800; // points of a curve at most: more cannot be seen, and each costs the time of drawing
export const AFTER = 30; // steps after which a change of the rate is judged
export const SMOOTHED = 10; // steps whose mean is the curve; the losses of single batches are noisy

/**
 * @param {import("/static/lib/shell.js").Host} host
 * @param {number} job
 * @param {(event: string, data: any) => void} told is called after each event
 */
export function live(host, job, told = () => {}) {
  const run = {
    job, begun: signal(null), state: signal("starting"), step: signal(0), rate: signal(0), speed: signal(0), failed: signal(""), line: signal(""),
    sample: signal(""), layers: signal([]), by_hand: signal([]), changed: signal(0), // `changed` counts: the lists below are the same ones all the time
    steps: [], losses: [], means: [], tested: { steps: [], values: [] }, norm: { steps: [], values: [] },
    /** Every so many steps, and the values there. */
    drawn: (values) => {
      const each = Math.ceil(run.steps.length / DRAWN), kept = (all) => (each > 1 ? all.filter((_, k) => (k + 1) % each === 0) : all);
      return { steps: kept(run.steps), values: kept(values) };
    },
    /** The mean of the last losses. */
    loss: () => run.means.at(-1), first: () => run.losses[0], training: () => ["starting", "training", "paused"].includes(run.state.value),
  };
  const hear = {
    begun(d) { run.begun.value = d; run.step.value = d.step; run.rate.value = d.rate; run.state.value = "training"; },
    steps(d) {
      d.losses.forEach((loss, n) => {
        run.steps.push(d.step - d.losses.length + 1 + n);
        run.losses.push(loss);
        const last = run.losses.slice(-SMOOTHED);
        run.means.push(last.includes(null) ? null : last.reduce((a, b) => a + b, 0) / last.length); // null is what is no number
      });
      if (d.norms.length) { run.norm.steps.push(d.step); run.norm.values.push(d.norm); run.layers.value = d.norms; }
      run.step.value = d.step; run.rate.value = d.rate; run.speed.value = d.per_second;
    },
    epoch(d) { run.tested.steps.push(d.step); run.tested.values.push(d.test_loss); if (d.sample) run.sample.value = d.sample; },
    paused(d) { run.state.value = "paused"; if (d.absent) run.line.value = "It paused while nobody looked."; },
    going() { run.state.value = "training"; run.line.value = ""; },
    changed(d) { run.by_hand.value = [...run.by_hand.value, d]; if (d.rate) run.rate.value = d.rate; },
    forked(d) { run.by_hand.value = [...run.by_hand.value, { step: d.step, what: "forked", run: d.run }]; },
    ended(d) { run.state.value = d.done ? "done" : "saved"; run.step.value = d.step; },
    failed(d) { run.state.value = "failed"; run.failed.value = d.message; },
  };
  run.stop = host.listen(`jobs/${job}/events`, (event, data) => {
    hear[event]?.(data);
    run.changed.value++;
    told(event, data);
  }, (how, why) => {
    if (how === "gone" && run.training()) { run.state.value = "gone"; run.failed.value = why; }
    run.line.value = how === "lost" ? "The connection is lost; it is tried again." : "";
  });
  return run;
}

/**
 * What a change of the rate after `step` did to the training loss: its mean before, and AFTER steps later; `noise`, two
 * standard errors of their difference, from the batches before; and in a word what follows. null as long as it is open.
 */
export function outcome(run, step) {
  const k = step - run.steps[0], before = run.means[k] ?? null, batches = run.losses.slice(Math.max(0, k + 1 - SMOOTHED), k + 1);
  if (batches.length < SMOOTHED || k + AFTER >= run.steps.length || before === null) return null;
  const after = run.means[k + AFTER], variance = batches.reduce((sum, loss) => sum + (loss - before) ** 2, 0) / (SMOOTHED - 1);
  const noise = 2 * Math.sqrt((2 * variance) / SMOOTHED);
  return { before, after, noise, what: after === null || after - before > noise ? "higher" : before - after > noise ? "lower" : "about the same" };
}
