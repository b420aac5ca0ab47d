"""How close a translation comes to those of people: the share of its n-grams that also occur in a reference.

    BLEU = brevity penalty * (precision_1 * ... * precision_N) ^ (1 / N),   N = max_n

precision_n is the number of the hypothesis' n-grams that are matched, over all of them; an n-gram is matched at most as
often as it occurs in the one reference that has it most often ("the the the" does not match one "the" three times). The
penalty is exp(1 - r / c) where the hypothesis' length c is less than r, the length of the reference that is closest to
c (of two equally close, the shorter), else 1.

hypothesis is a list of tokens, references a list of such lists. Return the BLEU of this one sentence, from 0 to 1,
without smoothing: 0 if any precision is 0, or the hypothesis has fewer than max_n tokens.
"""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import wrong


def bleu(hypothesis, references, max_n=4):
    """hypothesis: tokens; references: lists of tokens -> a number from 0 to 1."""
    if wrong("max_n ignored"):
        max_n = 4
    if wrong("first reference only"):
        references = references[:1]
    length, log_precisions = len(hypothesis), []
    if wrong("shorter n-grams for short sentences") and length:
        max_n = min(max_n, length)
    if length < max_n:
        return 0.0
    for n in range(1, max_n + 1):
        counts = ngrams(hypothesis, n)
        highest = Counter()
        for reference in references:
            if wrong("counts of all references added"):
                highest += ngrams(reference, n)
            else:
                highest |= ngrams(reference, n)
        if wrong("each n-gram counted once"):
            counts, highest = Counter(set(counts)), Counter(set(highest))
        matched = (counts & highest).total()
        if wrong("counts not clipped"):
            matched = sum(count for ngram, count in counts.items() if ngram in highest)
        total = max(counts.total(), 1) if wrong("last n-gram lost") else counts.total()
        if wrong("recall in place of precision"):
            total = max(highest.total(), 1)
        if wrong("smoothed"):
            matched, total = matched + 1, total + 1
        if wrong("precisions of 0 left out") and matched == 0 and log_precisions:
            continue
        if matched == 0:
            return 0.0
        log_precisions.append(np.log(matched / total))
    mean = np.sum(log_precisions) if wrong("product without root") else np.mean(log_precisions)
    score = np.mean(np.exp(log_precisions)) if wrong("arithmetic mean") else np.exp(mean)
    closest = closest_length(length, [len(reference) for reference in references])
    if wrong("lengths exchanged in the penalty"):
        length, closest = closest, length
    penalty = length / closest if wrong("penalty is the ratio of lengths") else np.exp(1 - closest / length)
    if not wrong("long sentences rewarded"):
        penalty = min(1.0, penalty)
    if wrong("in percent"):
        score = 100 * score
    return score if wrong("no brevity penalty") else penalty * score


def ngrams(tokens, n):
    """How often each n tokens in a row stand in the sentence."""
    count = len(tokens) - n if wrong("last n-gram lost") else len(tokens) - n + 1
    return Counter(tuple(tokens[i : i + n]) for i in range(count))


def closest_length(length, lengths):
    """The nearest of the lengths; of two that are equally near, the shorter."""
    if wrong("shortest reference's length"):
        return min(lengths)
    if wrong("of equally close lengths the first"):
        return min(lengths, key=lambda other: abs(other - length))
    if wrong("of equally close lengths the longer"):
        return min(lengths, key=lambda other: (abs(other - length), -other))
    return min(lengths, key=lambda other: (abs(other - length), other))


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Repeated words, several references of different lengths in no order, sentences shorter and longer than they."""
    for label, hypothesis, references, options in [
        (
            "two references",
            "the cat sat on the mat by the door",
            ["a cat sat on the mat near the door today", "the cat was on the mat"],
            {},
        ),
        ("one reference, longer", "there is a cat on the mat", ["there is a big cat on the mat over there"], {}),
        (
            "repeated words",
            "the the the cat the cat sat the",
            ["the cat sat on the mat", "a cat near the cat sat on a rug and a sofa"],
            {"max_n": 2},
        ),
        (
            "repeated n-grams",
            "the dog and the dog and the dog and the dog and a dog ran home",
            ["the dog and the dog ran and a dog ran home again", "the dog and the cat and the dog and a dog ran away"],
            {},
        ),
        (
            "two references equally close",
            "we went to the sea",
            ["we went to sea", "we all went to the sea", "to the sea we went by train and bus"],
            {"max_n": 2},
        ),
        (
            "two equally close, the longer first",
            "it rains a lot here",
            ["it rains a lot in here", "it rains a lot", "it rains"],
            {"max_n": 3},
        ),
        (
            "all references longer",
            "my dog eats grass",
            ["my old dog eats green grass all day", "my dog eats some grass", "often my dog eats the grass"],
            {"max_n": 2},
        ),
        ("the same", "to be or not to be", ["to be or not to be"], {}),
        ("longer than the reference", "he reads one more very long book now", ["he reads one more book"], {}),
        ("no 4-gram matches", "one two three five four six", ["one two three four five six"], {}),
        ("nothing matches", "ein Haus am See", ["a house by the lake"], {"max_n": 2}),
        ("single words", "green ideas sleep", ["ideas sleep furiously", "green ideas"], {"max_n": 1}),
        ("as many tokens as max_n", "a small black cat", ["a small black cat sleeps"], {}),
        ("fewer tokens than max_n", "a small cat", ["a small cat"], {}),
        ("no tokens", "", ["a small cat"], {}),
    ]:
        yield Case(label, (hypothesis.split(), [reference.split() for reference in references]), options)


EXERCISE = Exercise(
    title="BLEU",
    paper="Papineni et al. 2002, BLEU: a Method for Automatic Evaluation of Machine Translation, section 2",
    minutes=25,
    functions=(bleu,),
    outputs=("bleu",),
    cases=cases,
    faults={
        "max_n ignored": Fault(
            "n always goes up to 4.",
            "Scores for other orders are wrong, and short sentences get 0.",
            "for n in range(1, max_n + 1).",
        ),
        "first reference only": Fault(
            "Only the first reference is used.",
            "What is right in another translator's words is punished.",
            "Take each n-gram's highest count over all references, and the closest of their lengths.",
        ),
        "shorter n-grams for short sentences": Fault(
            "A sentence with fewer than max_n tokens is scored by the shorter n-grams it has.",
            "Some toolkits do so; one word that is right then gets full marks. Here such a sentence gets 0.",
            "if len(hypothesis) < max_n: return 0.0.",
        ),
        "counts of all references added": Fault(
            "An n-gram may be matched as often as it occurs in all references together.",
            "The more references, the more a repeated word is worth.",
            "Clip by the highest count in any one reference: counters' |, not +.",
        ),
        "each n-gram counted once": Fault(
            "n-grams are compared as sets.",
            "A word that is rightly said twice counts once, and so does one that is repeated without end.",
            "Count them: collections.Counter, and & of two counters.",
        ),
        "counts not clipped": Fault(
            "Every n-gram that occurs in a reference counts as often as the hypothesis has it.",
            '"the the the the" gets full precision for single words.',
            "min(count in the hypothesis, highest count in a reference).",
        ),
        "recall in place of precision": Fault(
            "Matches are divided by the number of the references' n-grams.",
            "That is recall (as in ROUGE): long output is rewarded, not punished.",
            "Divide by the number of the hypothesis' n-grams.",
        ),
        "smoothed": Fault(
            "1 is added to matches and totals.",
            "Numbers cannot be compared with unsmoothed ones, and nonsense gets more than 0.",
            "Divide as it is; 0 if any precision is 0.",
        ),
        "precisions of 0 left out": Fault(
            "A precision of 0 is left out of the mean.",
            "A sentence without a single matching 4-gram is scored as if they were not asked for.",
            "The geometric mean with a 0 in it is 0.",
        ),
        "product without root": Fault(
            "The precisions are multiplied, and no root is taken.",
            "Scores are far too low, the more so the higher max_n is.",
            "Divide the sum of logarithms by max_n.",
        ),
        "arithmetic mean": Fault(
            "The precisions are averaged arithmetically.",
            "Single words, which are easy, outweigh the longer n-grams.",
            "exp of the mean of the logarithms.",
        ),
        "no brevity penalty": Fault(
            "There is no brevity penalty.",
            "Two words that are surely right beat a whole translation.",
            "Times exp(1 - r / c) where c < r.",
        ),
        "long sentences rewarded": Fault(
            "The penalty is exp(1 - r / c) even where the sentence is longer than the reference, and then above 1.",
            "Long output is rewarded, and a score can exceed 1.",
            "1 where c >= r: min(1, exp(1 - r / c)).",
        ),
        "lengths exchanged in the penalty": Fault(
            "The penalty is exp(1 - c / r) where c > r.",
            "Sentences that are too long are punished twice, those that are too short not at all.",
            "exp(1 - r / c) where c < r: c is the hypothesis' length.",
        ),
        "penalty is the ratio of lengths": Fault(
            "The penalty is c / r, not exp(1 - r / c).",
            "Short sentences are punished too little.",
            "exp(1 - r / c) where c < r.",
        ),
        "shortest reference's length": Fault(
            "r is the shortest reference's length.",
            "One short reference switches the penalty off.",
            "The length closest to the hypothesis' length.",
        ),
        "of equally close lengths the longer": Fault(
            "Of two lengths that are equally close the longer one is taken.",
            "A sentence between the two is punished; scores differ from those of the standard tools.",
            "min(lengths, key=lambda r: (abs(r - c), r)).",
        ),
        "of equally close lengths the first": Fault(
            "Of two lengths that are equally close the one of the earlier reference is taken.",
            "The score depends on the order of the references.",
            "The shorter: min(lengths, key=lambda r: (abs(r - c), r)).",
        ),
        "last n-gram lost": Fault(
            "The last n-gram of each sentence is not counted.",
            "What is said at the end does not matter, and a sentence of n tokens has no n-gram.",
            "There are len(tokens) - n + 1 of them.",
        ),
        "in percent": Fault(
            "The score is multiplied by 100.",
            "Tools print it so; but it cannot be compared with scores from 0 to 1.",
            "Return a number from 0 to 1.",
        ),
    },
    hints=(
        "Write a function that counts a sentence's n-grams as tuples, with collections.Counter.",
        "Counters know minimum (&) and maximum (|): the references' highest counts, then the clipped matches.",
        "precision = (counts & highest).total() / counts.total(); r = min(lengths, key=lambda r: (abs(r - c), r)); "
        "min(1, exp(1 - r / c)) * exp(mean of the logarithms)",
    ),
    forbidden=("nltk", "sacrebleu", "torchtext", "torchmetrics", "evaluate"),
)
