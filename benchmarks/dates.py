"""Dates with and without attention, trained for the same time: how many come out right, by the input's length.

    python -m benchmarks dates [--seconds 180] [--out docs/pictures/seq2seq-dates.png]

Beside that picture it draws where the model with attention looks as it writes a date, into seq2seq-dates-alignment.png.
The test dates are of days that training never saw. The bar: with attention at least 97 % right within 3 minutes.
"""

import argparse
from pathlib import Path

from benchmarks.timed import for_time, steps
from handmade.recipes import recipe_of
from handmade.tasks import TranslationTask
from handmade.tasks.translation.alignment import draw_alignment, draw_exact_by_length

BAR = 0.97
LONG = 60  # characters
SENTENCE = "the meeting of Thursday, 3 May 1979 at noon"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=180, help="training time of each model")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures/seq2seq-dates.png"))
    arguments = parser.parse_args()
    curves = {}
    for name in ("seq2seq-attention", "seq2seq"):
        task = for_time(recipe_of(name), arguments.seconds)
        train(task, arguments.seconds)
        curves[name] = lengths, right = task.exact_by_length(len(task.test_pairs))
        shorter, longer = right[lengths < LONG].mean(), right[lengths >= LONG].mean()
        print(f"{name}: {right.mean():.1%} right, {shorter:.1%} below {LONG} characters, {longer:.1%} above\n")
        if aligned := task.use.alignment(SENTENCE, task.use.translate(SENTENCE)):
            draw_alignment(arguments.out.with_stem(f"{arguments.out.stem}-alignment"), *aligned)
    draw_exact_by_length(arguments.out, curves)
    reached = curves["seq2seq-attention"][1].mean()
    print(f"{'reached' if reached >= BAR else 'missed'}: {reached:.1%} with attention, {BAR:.0%} was to be reached")


def train(task: TranslationTask, seconds: float) -> None:
    parameters = sum(parameter.numel() for parameter in task.model.parameters())
    print(
        f"{task.recipe.model}: {parameters:,} parameters, {task.total_steps} steps of {task.steps_per_epoch} an epoch"
    )
    for line in steps(task, task.total_steps, every=max(1, task.total_steps // 6), seconds=seconds):
        tested = task.evaluate()
        print(
            f"{line['seconds']:5.0f} s, step {line['step']:5.0f}: train {line['train_loss']:.3f}, "
            f"test {tested['loss']:.3f}, {tested['exact']:.1%} right",
            flush=True,
        )


if __name__ == "__main__":
    main()
