"""A network that listens says something at every moment: a letter, or the blank, which means nothing new. To read it,
take the most likely label of each frame, collapse runs of the same label into one, and then drop the blanks.

    - a a - a b b - -   ->   - a - a b -   ->   a a b

A blank between two equal letters is what keeps them two. log_probs is (T, K), one row a frame; `blank` is the blank's
label. Return the list of labels, which may be empty.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import wrong


def ctc_greedy(log_probs, blank=0):
    """log_probs (T, K) -> a list of labels."""
    if wrong("blank is always 0"):
        blank = 0
    if wrong("blank is the last label"):
        blank = log_probs.shape[1] - 1
    axis = 0 if wrong("likeliest frame of each label") else 1
    path = log_probs.argmin(axis) if wrong("least likely label") else log_probs.argmax(axis)
    if wrong("last frame lost"):
        path = path[:-1]
    if wrong("blanks dropped first"):
        path = path[path != blank]
    labels, previous = [], 0 if wrong("label 0 before the first") else None
    for label in path.tolist():
        repeats = label in labels if wrong("each label once") else label == previous
        if wrong("repeats kept"):
            repeats = False
        if not repeats and (label != blank or wrong("blanks kept")):
            labels.append(label)
        previous = label
    if wrong("labels counted without the blank"):
        labels = [label - (label > blank) for label in labels]
    return labels


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Runs of several lengths, equal letters with and without a blank between them, blanks at both ends, and only
    blanks; blank first, last and in the middle."""
    for label, path, K, options in [
        ("runs and blanks", [0, 1, 1, 0, 1, 2, 2, 0, 0], 4, {}),
        ("equal letters apart", [3, 3, 3, 0, 0, 3, 2, 3], 5, {}),
        ("ends in a letter", [2, 1, 2, 2, 4], 5, {}),
        ("only blanks", [0, 0, 0], 3, {}),
        ("one frame", [2], 4, {}),
        ("blank in the middle", [2, 0, 0, 2, 0, 3, 3, 2, 1, 4, 4], 5, {"blank": 2}),
        ("blank at the end", [3, 1, 3, 3, 1, 1, 0, 0, 3, 0, 2, 3], 4, {"blank": 3}),
        ("begins with label 0, which is no blank", [0, 0, 1, 3, 1, 0, 0, 2], 4, {"blank": 3}),
        ("begins with a letter", [1, 1, 0, 1, 0, 0, 3, 2, 2, 2, 3, 3], 6, {}),
    ]:
        logits = rng.standard_normal((len(path), K))
        logits[range(len(path)), path] = logits.max(1) + rng.uniform(0.1, 2, len(path))
        yield Case(label, (logits - np.log(np.exp(logits).sum(1, keepdims=True)),), options)


EXERCISE = Exercise(
    title="CTC, greedy decoding",
    paper="Graves et al. 2006, Connectionist Temporal Classification, section 3.2",
    minutes=10,
    functions=(ctc_greedy,),
    outputs=("labels",),
    cases=cases,
    faults={
        "blank is always 0": Fault(
            "`blank` is ignored: 0 is assumed to be the blank.",
            "Models with their blank elsewhere lose a letter, and their blanks are printed.",
            "Compare with blank.",
        ),
        "blank is the last label": Fault(
            "The last label is assumed to be the blank, whatever `blank` is.",
            "The last letter is never heard, and blanks are printed.",
            "Compare with blank.",
        ),
        "likeliest frame of each label": Fault(
            "argmax runs over the frames (axis 0), not over the labels.",
            "It gives a frame number for each label.",
            "log_probs.argmax(1): one label a frame.",
        ),
        "least likely label": Fault(
            "The label with the smallest log-probability is taken.",
            "Log-probabilities are negative; the most likely is still the largest, nearest to 0.",
            "argmax, not argmin.",
        ),
        "last frame lost": Fault(
            "The last frame is not read.",
            "A letter at the very end is lost.",
            "Go through all T frames.",
        ),
        "blanks dropped first": Fault(
            "Blanks are dropped before runs are collapsed, or a letter is compared with the last one that was written.",
            "Doubled letters become one: hello is read as helo.",
            "Compare with the frame before, blank or not; drop blanks afterwards.",
        ),
        "each label once": Fault(
            "A label that was already written is never written again.",
            "Each letter of the alphabet appears once at most: banana is read as ban.",
            "Compare with the frame before only.",
        ),
        "repeats kept": Fault(
            "Runs of the same label are not collapsed.",
            "Each letter is written as often as it has frames: hheeelllo.",
            "Skip a frame whose label is that of the frame before.",
        ),
        "blanks kept": Fault(
            "The blanks stay in the result.",
            "The text is full of labels that mean nothing.",
            "Drop them after collapsing the runs.",
        ),
        "label 0 before the first": Fault(
            "The label before the first frame is said to be 0, which is a letter where the blank is another.",
            "A text that begins with that letter loses it.",
            "Begin with the blank, or with None: there is no label before the first.",
        ),
        "labels counted without the blank": Fault(
            "Labels above the blank are lowered by one.",
            "With the alphabet as the model knows it every letter becomes its neighbour.",
            "Return the labels as they are.",
        ),
    },
    hints=(
        "The most likely label of each frame takes one call. Then go through them and remember the frame before.",
        "Write a label if it differs from the frame before and is not the blank.",
        "if label != previous and label != blank: labels.append(label); then, in any case, previous = label",
    ),
    forbidden=("torchaudio",),
)
