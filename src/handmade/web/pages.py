"""The pages by name, in the order of study: what they are called and what they ask.

Nothing that answers is imported here: a page can be sent while all of that still loads.
"""

from typing import NamedTuple


class Page(NamedTuple):
    """title: in the bar and in the browser's tab. asks: its question. lead: what it is about, in a sentence or two."""

    title: str
    asks: str
    lead: str


EXPLORERS = {
    "conv": Page(
        "What one window sees",
        "What does one window see?",
        "A small kernel is laid over every window of the image; the products under it are summed, and that sum is one "
        "number of the output. Step the window over numbers of your own, or look at one number of a trained network.",
    ),
    "flow": Page(
        "Feature flow, block by block",
        "What does each block add?",
        "An image on its way through a network. Each block of a ResNet keeps what it gets and adds something, "
        "x + F(x); each of a GoogLeNet looks with four branches side by side. Cut a part and see what it says then.",
    ),
    "gradient": Page(
        "How far the gradient reaches",
        "How far does the gradient reach?",
        "Backward, a deep network multiplies the gradient by one matrix for each layer, a recurrent one by one for "
        "each step. Below 1 it vanishes, above 1 it explodes; skips and gates are ways around the product.",
    ),
    "gates": Page(
        "Gates of an LSTM or a GRU",
        "What does the cell remember?",
        "A recurrent network reads a text letter by letter. At each letter its gates decide, unit by unit, what is "
        "forgotten, what is written and what is shown. Hold one, and see what it writes then.",
    ),
    "align": Page(
        "Attention of a translator",
        "Which word is being translated?",
        "An encoder has read the source. Before each step the decoder compares its state with every place of it, and "
        "reads most where they fit. Step it, and say first where it looks.",
    ),
    "hand": Page(
        "Attention, every number",
        "Attention, every number",
        "Each query is compared with each key; the better they match, the more of that key's value is taken. Change "
        "any number and see what follows from it.",
    ),
    "heads": Page(
        "Attention, head by head",
        "Where does each letter look?",
        "A model reads a text. In each of its heads a token asks others, and takes the most from those that answer. "
        "Everything here is computed by the model, as you touch it.",
    ),
    "lens": Page(
        "The logit lens",
        "How does the next letter take shape?",
        "Every layer of a Transformer adds to the same stream of vectors, and the last step, which turns it into "
        "scores, can read it after any layer. See the next letter take shape, what raises it, and how it is chosen.",
    ),
    "train": Page(
        "Training",
        "What is wrong with this run?",
        "A network learns here while you watch: pause it, change its learning rate, fork it and compare. Or take a "
        "run with a mistake in it, and tell from its curves what is wrong.",
    ),
    "sizes": Page(
        "Sizes",
        "How many, how large, how dear?",
        "The numbers that interviews ask for: parameters, memory and multiply-adds of a GPT of any size, each formula "
        "with the numbers in it, and those of every network here.",
    ),
}
"""Each has a file of its name in `explorers`, here and in `static`."""

STUDY = {
    "plan": Page("The plan", "What is next?", ""),
    "review": Page(
        "Today's cards",
        "Today's cards",
        "Say the answer first, aloud if you can; then see it, and rate yourself. Each rating is saved at once.",
    ),
}
"""The pages of the study room."""

LIST = Page(
    "The observatory",
    "The observatory",
    "Pages over the live models on this machine, and over your own code. Each asks you to predict first, and then "
    "shows what is so.",
)
"""The page at /, which leads to the explorers."""
