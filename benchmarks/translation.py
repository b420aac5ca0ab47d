"""German to English on the 29,000 sentences of Multi30k, trained for a given time: BLEU along the way and at the end.

    HANDMADE_DATA=... python -m benchmarks translation MODEL [--minutes 45] [--every 3] [--set KEY=VALUE] ...

MODEL is any recipe of a sequence-to-sequence model. Along the way: loss and greedy BLEU on the validation set, at the
end BLEU on test_2016_flickr with a beam of 4; all as JSON lines, in FILE too. Tests do not count as training time.
Minutes are those of the clock on the wall; --processor-time counts the processor's, of all threads, on a busy machine.
"""

import argparse
import json
import time
from pathlib import Path

from benchmarks.timed import for_time, steps
from handmade.errors import InputError
from handmade.files import data_folders
from handmade.recipes import recipe_of
from handmade.tasks import TranslationTask, changed
from handmade.tasks.translation.task import load_pairs
from handmade.text import corpus_bleu
from handmade.train.averaging import LastStates

SETTINGS = {
    "seq2seq": ["embedding_dim=256", "hidden_size=512", "num_layers=2", "dropout=0.3", "learning_rate=0.001"],
    "seq2seq-attention": ["embedding_dim=256", "hidden_size=512", "dropout=0.3", "learning_rate=0.002"],
    "transformer": ["num_layers=3", "dim_feedforward=512", "dropout=0.2", "label_smoothing=0.1"],
}
"""What the recipes, made for dates, need to be for sentences."""

BEAM, ALPHA = 4, 0.6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--minutes", type=float, default=45, help="training time")
    parser.add_argument("--every", type=float, default=3, help="minutes from one test to the next")
    parser.add_argument("--processor-time", action="store_true")
    parser.add_argument("--set", dest="changes", action="append", default=[], help="change the recipe; repeatable")
    parser.add_argument("--average", type=int, default=1, help="also test the average of so many last states")
    parser.add_argument("--out", type=Path, help="a file that the lines are added to")
    arguments = parser.parse_args()
    data = [f"data=parallel:{files('train')}", f"test={files('val')}"]
    recipe = changed(recipe_of(arguments.model), data + SETTINGS.get(arguments.model, []) + arguments.changes)
    clock = time.process_time if arguments.processor_time else time.perf_counter
    task = for_time(recipe, 60 * arguments.minutes, clock)

    def report(**line: object) -> None:
        text = json.dumps({"model": arguments.model, **line})
        print(text, flush=True)
        if arguments.out:
            with arguments.out.open("a", encoding="utf-8") as file:
                file.write(text + "\n")

    report(
        parameters=sum(parameter.numel() for parameter in task.model.parameters()),
        vocabulary=len(task.tokenizer),
        steps=task.total_steps,
    )
    every = max(1, round(task.total_steps * arguments.every / arguments.minutes))
    last = LastStates(arguments.average)
    for line in steps(task, task.total_steps, every, 60 * arguments.minutes, clock):
        minutes = line.pop("seconds") / 60
        measures = {**line, **task.evaluate()}
        report(minutes=round(minutes, 2), **{name: round(value, 4) for name, value in measures.items()})
        last.keep(task.model)
    report(**test(task))
    if arguments.average > 1:
        task.model.load_state_dict(last.average())
        report(averaged=len(last.states), **test(task))
    print(task.sample())


def test(task: TranslationTask) -> dict[str, float]:
    pairs = load_pairs(f"parallel:{files('test_2016_flickr')}", "all")
    started = time.perf_counter()
    made = task.use.translate(pairs.sources, beam=BEAM, alpha=ALPHA)
    score = corpus_bleu(made, [[target] for target in pairs.targets]).score
    return {"test_bleu": round(score, 2), "beam": BEAM, "seconds": round(time.perf_counter() - started, 1)}


def files(part: str) -> str:
    """'FILE.de.gz,FILE.en.gz' of a part of the set."""
    for folder in data_folders():
        pair = [folder / "translation" / f"{part}.{language}.gz" for language in ("de", "en")]
        if all(path.exists() for path in pair):
            return ",".join(map(str, pair))
    raise InputError(f"translation/{part}.de.gz and .en.gz are in no folder of HANDMADE_DATA.")


if __name__ == "__main__":
    main()
