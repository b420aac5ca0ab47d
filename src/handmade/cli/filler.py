"""What a trained BERT fills in for masks, for `handmade predict`."""

from collections.abc import Iterator

from handmade.tasks import MaskedLanguageModelling
from handmade.text.wordpiece import MASK


def filled(task: MaskedLanguageModelling, text: str) -> Iterator[str]:
    """The text with its masks filled in, then a line for each mask: the likeliest tokens and their probabilities.

    Raises InputError where nothing is masked, or the text is longer than the model can see.
    """
    guesses = task.fill(text)
    parts = text.split(MASK)
    whole = "".join(part.removesuffix(" ") + best[0][0] for part, best in zip(parts, guesses, strict=False)) + parts[-1]
    yield whole.replace("\n", "¶")
    for number, best in enumerate(guesses, 1):
        likely = ", ".join(f"{token.strip() or repr(token)} {100 * probability:.1f} %" for token, probability in best)
        yield f"  mask {number}: {likely}"
