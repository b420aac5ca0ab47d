"""From a language model's logits to the probabilities that the next token is drawn from. In this order:

1. divide the logits by the temperature; temperature 0 puts all probability on the largest logit; 2. top_k, where
given: keep the k most probable tokens, and renormalise; 3. top_p, where given: of what is left, most probable first,
keep as many tokens as it takes for their sum to reach p, the one that crosses p included, and renormalise.

logits is 1-D; return the probabilities, of the same shape, 0 for tokens that are not kept. Logits may be so large, or
the temperature so low, that exp would overflow.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.faults import OVERFLOWS
from handmade.workshop.switches import wrong


def sample_probs(logits, temperature=1.0, top_k=None, top_p=None):
    """logits (V,) -> probabilities (V,)."""
    if temperature == 0 and not wrong("temperature 0 divides by 0") and not wrong("temperature 0 ignored"):
        return (np.arange(len(logits)) == logits.argmax()).astype(float)
    if wrong("ignores the temperature") or (temperature == 0 and wrong("temperature 0 ignored")):
        temperature = 1.0
    if wrong("multiplies by the temperature"):
        logits = logits * temperature
    elif not wrong("temperature after the cuts"):
        logits = logits / temperature
    probs = softmax(logits)
    if wrong("top-p before top-k"):
        probs = keep_top_k(keep_top_p(probs, top_p), top_k)
    else:
        probs = keep_top_p(keep_top_k(probs, top_k), top_p)
    if wrong("temperature after the cuts"):
        probs = (probs / probs.max()) ** (1 / temperature)
        probs = probs / probs.sum()
    return probs


def softmax(logits):
    exponentials = np.exp(logits if wrong("overflows") else logits - logits.max())
    return exponentials / exponentials.sum()


def keep_top_k(probs, k):
    """The k most probable, renormalised."""
    if k is None or wrong("ignores top_k"):
        return probs
    if wrong("keeps one more than k"):
        k = k + 1
    order = np.argsort(probs if wrong("keeps the least probable") else -probs)
    kept = np.zeros_like(probs)
    kept[order[:k]] = probs[order[:k]]
    return kept if wrong("not renormalised after top-k") else kept / kept.sum()


def keep_top_p(probs, p):
    """The most probable whose sum reaches p, renormalised."""
    if p is None or wrong("ignores top_p"):
        return probs
    order = np.arange(len(probs)) if wrong("top-p not sorted") else np.argsort(-probs)
    sums = probs[order].cumsum()
    before = sums - probs[order]  # of all that are more probable
    take = before < p
    if wrong("drops the token that crosses p"):
        take = sums <= p
    if wrong("drops the token that crosses p, but for the first"):
        take = (sums <= p) | (np.arange(len(sums)) == 0)
    if wrong("keeps one token more than p takes"):
        take[1:] = take[:-1].copy()
    kept = np.zeros_like(probs)
    kept[order[take]] = probs[order[take]]
    return kept if wrong("not renormalised after top-p") else kept / kept.sum()


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Each option alone and all together; cuts that fall between tokens; large logits."""
    logits = np.array([1.2, -0.4, 2.1, 0.3, 1.7, -1.5, 0.8])
    for label, options in [
        ("no options", {}),
        ("temperature", {"temperature": 0.6}),
        ("high temperature", {"temperature": 2.5}),
        ("temperature 0", {"temperature": 0.0}),
        ("temperature 0 with cuts", {"temperature": 0, "top_k": 3, "top_p": 0.8}),
        ("top_k", {"top_k": 3}),
        ("top_k = 1", {"top_k": 1, "temperature": 0.7}),
        ("top_p", {"top_p": 0.7}),
        ("a small top_p", {"top_p": 0.1}),
        ("temperature and top_k", {"temperature": 1.7, "top_k": 4}),
        ("temperature and top_p", {"temperature": 2.0, "top_p": 0.6}),
        ("top_k and top_p", {"top_k": 3, "top_p": 0.75}),
        ("top_k above top_p", {"top_k": 5, "top_p": 0.55}),
        ("a large top_p", {"top_k": 3, "top_p": 0.97}),
        ("all three", {"temperature": 1.6, "top_k": 5, "top_p": 0.66}),
    ]:
        yield Case(label, (rng.permutation(logits),), options)
    yield Case("large logits", (logits + 1e4,))
    yield Case("very negative logits", (logits - 1e4,), {"top_k": 4})
    yield Case("low temperature", (logits,), {"temperature": 0.001, "top_p": 0.9})


EXERCISE = Exercise(
    title="Sampling",
    paper="Holtzman et al. 2020, The Curious Case of Neural Text Degeneration, section 3; top-k: Fan et al. 2018",
    minutes=12,
    functions=(sample_probs,),
    outputs=("probabilities",),
    cases=cases,
    faults={
        "ignores the temperature": Fault(
            "The temperature has no effect: it is not used, or cancels when the probabilities are normalised.",
            "Text is as wild, or as dull, whatever is asked for.",
            "Divide the logits, before the softmax.",
        ),
        "multiplies by the temperature": Fault(
            "The logits are multiplied by the temperature.",
            "A low temperature makes text wilder, and a high one duller.",
            "Divide by it.",
        ),
        "temperature 0 ignored": Fault(
            "Temperature 0 is treated as 1.",
            "Whoever asks for the most probable token gets a random one.",
            "Temperature 0 is the limit: all probability on the largest logit.",
        ),
        "temperature 0 divides by 0": Fault(
            "Temperature 0 is not a case of its own: the logits are divided by 0, and the result is nan.",
            "Greedy decoding, which everybody asks for first, fails.",
            "Return all probability on the largest logit where temperature is 0.",
        ),
        "temperature after the cuts": Fault(
            "The temperature is applied after top-k and top-p.",
            "top-p keeps other tokens than it should: at a high temperature too few.",
            "First the temperature, then top-k, then top-p.",
        ),
        "ignores top_k": Fault(
            "top_k has no effect.",
            "Improbable tokens are drawn now and then, and the text derails.",
            "Set all but the k most probable to 0.",
        ),
        "keeps one more than k": Fault(
            "k + 1 tokens are kept.",
            "top_k=1 is not greedy any more.",
            "Keep exactly k.",
        ),
        "keeps the least probable": Fault(
            "top-k keeps the k least probable tokens: the sort is ascending.",
            "Text is noise.",
            "np.argsort sorts ascending: take the last k, or sort -probs.",
        ),
        "not renormalised after top-k": Fault(
            "After top-k the probabilities are not divided by their sum.",
            "They do not sum to 1, and top-p then keeps more tokens than it should.",
            "Divide by the sum after each cut.",
        ),
        "ignores top_p": Fault(
            "top_p has no effect.",
            "Improbable tokens are drawn now and then, and the text derails.",
            "Keep the most probable tokens whose sum reaches p.",
        ),
        "top-p not sorted": Fault(
            "top-p sums the tokens up in the order of the vocabulary.",
            "Which tokens are kept depends on their numbers, and the best one may be lost.",
            "Sort the probabilities first, descending.",
        ),
        "drops the token that crosses p": Fault(
            "The token with which the sum crosses p is dropped.",
            "Less than p is kept, and nothing at all where the most probable token alone has more than p.",
            "Keep a token where the sum of those before it is still below p.",
        ),
        "drops the token that crosses p, but for the first": Fault(
            "The token with which the sum crosses p is dropped, unless it is the most probable one.",
            "Less than p is kept, so text is duller than asked for.",
            "Keep a token where the sum of those before it is still below p.",
        ),
        "keeps one token more than p takes": Fault(
            "One token more is kept after the sum has reached p.",
            "A small top_p is never greedy.",
            "Keep a token where the sum of those before it is still below p; the first has 0 before it.",
        ),
        "not renormalised after top-p": Fault(
            "After top-p the probabilities are not divided by their sum.",
            "They do not sum to 1: a sampler fails, or draws the last token too often.",
            "Divide by the sum of what was kept.",
        ),
        "top-p before top-k": Fault(
            "top-p is applied before top-k, or its sums run over probabilities from before top-k.",
            "Where both are given, the sum reaches p later, and more tokens are kept than elsewhere.",
            "First top-k, renormalised, then top-p on what is left.",
        ),
        "overflows": OVERFLOWS,
    },
    hints=(
        "Three small steps in a row, each from probabilities to probabilities that sum to 1.",
        "For top-p sort descending and sum up; a token stays if the sum of those before it is below p.",
        "order = np.argsort(-probs); before = np.cumsum(probs[order]) - probs[order]; keep order[before < "
        "top_p]; divide by "
        "the sum",
    ),
)
