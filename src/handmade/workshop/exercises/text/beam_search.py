"""The best sentence need not begin with the best word. Beam search keeps several beginnings, the hypotheses, extends
each by every word, and keeps the most likely of the results.

step(prefix) gives the log-probabilities (vocabulary,) of the next token; prefix is a list that begins with bos. Each of
at most max_len steps looks at all continuations of the hypotheses in the beam by one token and takes the `beam` most
likely of them. Those that end in eos are finished and leave the beam; the others are the beam of the next step. In the
end the finished ones and those that are still open are ranked by

    score = log p / ((5 + len) / 6) ^ alpha

log p is the sum of the tokens' log-probabilities, len the number of tokens generated, eos included. Return the best, at
most `beam` of them, best first: a list of pairs (tokens, score), tokens without bos and with eos where there is one.
"""

from collections.abc import Iterator

import numpy as np

from handmade.workshop.cell.cases import Case
from handmade.workshop.exercise import Exercise, Fault
from handmade.workshop.switches import convention, wrong


def beam_search(step, bos, eos, beam, max_len, alpha=0.0):
    """step(prefix) -> (vocabulary,) -> [(tokens, score), ...], the best first."""
    if wrong("one step too few"):
        max_len -= 1
    live, finished = [([], 0.0)], []  # pairs of tokens and log-probability
    for _ in range(max_len):
        candidates = []
        for tokens, log_p in live:
            prefix = [bos, *tokens]
            if wrong("step sees the last token only"):
                prefix = prefix[-1:]
            if wrong("step does not see bos"):
                prefix = tokens
            log_probs = step(prefix)
            if wrong("only the last token's probability"):
                log_p = 0.0
            extended = [([*tokens, token], log_p + log_probs[token]) for token in range(len(log_probs))]
            if wrong("each hypothesis goes on alone") and tokens:
                extended = [max(extended, key=lambda candidate: candidate[1])]
            candidates += extended
        if convention("finished compete, by log-probability") or convention("finished compete, by score"):
            candidates, finished = candidates + finished, []
        candidates.sort(key=lambda candidate: candidate[1], reverse=True)
        if convention("finished compete, by score"):
            candidates.sort(key=lambda candidate: candidate[1] / penalty(candidate[0], eos, alpha), reverse=True)
        places = beam - len(finished) if convention("finished keep their places") else beam
        taken = candidates[: 1 if wrong("greedy") else places]
        ended = [candidate for candidate in taken if candidate[0][-1] == eos]
        live = [candidate for candidate in taken if candidate[0][-1] != eos]
        if convention("refilled"):
            live = [candidate for candidate in candidates if candidate[0][-1] != eos][:beam]
        if convention("refilled, every end counts") or convention("refilled, ends before the beam is full"):
            live = [candidate for candidate in candidates if candidate[0][-1] != eos][:beam]
        if convention("refilled, every end counts"):
            ended = [candidate for candidate in candidates if candidate[0][-1] == eos]
        if convention("refilled, ends before the beam is full") and live:
            ended = [c for c in candidates[: candidates.index(live[-1])] if c[0][-1] == eos]
        if wrong("goes on after eos"):
            live, ended = taken, []
        finished += ended
        if wrong("stops at the first end") and finished:
            break
        if wrong("stops when enough are finished") and len(finished) >= beam:
            break
    hypotheses = finished + live
    if wrong("open hypotheses lost"):
        hypotheses = finished
    if wrong("open ones only if none is finished"):
        hypotheses = finished or live
    if wrong("best chosen before the penalty"):
        hypotheses = sorted(hypotheses, key=lambda hypothesis: hypothesis[1], reverse=True)[:beam]
    scored = []
    for tokens, log_p in hypotheses:
        factor = penalty(tokens, eos, alpha)
        score = log_p * factor if wrong("multiplied by the penalty") else log_p / factor
        if wrong("eos cut off") and tokens[-1] == eos:
            tokens = tokens[:-1]
        if wrong("bos among the tokens"):
            tokens = [bos, *tokens]
        scored.append((tokens, score))
    if not wrong("not sorted"):
        scored.sort(key=lambda hypothesis: hypothesis[1], reverse=True)
    if wrong("worst first"):
        scored.reverse()
    return scored if wrong("more than beam come back") else scored[:beam]


def penalty(tokens, eos, alpha):
    """What a hypothesis' log-probability is divided by, for its length."""
    length = len(tokens)
    if wrong("eos not counted") and tokens[-1] == eos:
        length -= 1
    if wrong("bos counted"):
        length += 1
    if wrong("no length penalty"):
        alpha = 0.0
    return length**alpha if wrong("divided by the length") else ((5 + length) / 6) ** alpha


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Beams of one to three, ends early, late and never; bos is unlikely, and its number differs from case to case.

    The tables have seeds of their own, chosen so that the conventions and the mistakes give different hypotheses.
    """
    for label, seed, vocabulary, bos, eos, beam, max_len, ends, options in [
        ("length penalty", 17, 7, 4, 0, 3, 5, 1.0, {"alpha": 2.0}),
        ("no length penalty", 20, 7, 0, 1, 3, 4, 0.5, {}),
        ("beam of 2", 21, 6, 2, 0, 2, 4, 1.0, {"alpha": 0.6}),
        ("beam of 1", 6, 6, 1, 5, 1, 5, 1.0, {"alpha": 2.0}),
        ("ends at once", 1, 6, 1, 5, 1, 4, 4.0, {}),
        ("nothing ends", 0, 6, 3, 2, 2, 3, -9.0, {"alpha": 0.7}),
    ]:
        rng = np.random.default_rng(seed)
        logits = rng.choice([0.5, 2.5], (61, 1)) * rng.standard_normal((61, vocabulary))  # some rows sure, some not
        logits[:, eos] += ends
        logits[:, bos] -= 6
        table = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        yield Case(label, (table, bos, eos, beam, max_len), options)


EXERCISE = Exercise(
    title="Beam search",
    paper="Wu et al. 2016, Google's Neural Machine Translation System, section 7; Sutskever et al. 2014, section 3.2",
    minutes=30,
    functions=(beam_search,),
    outputs=("scores", "tokens"),
    cases=cases,
    driver="table_of_steps",
    conventions={
        "finished keep their places": "A finished hypothesis keeps its place: the beam is then narrower by one.",
        "finished compete, by log-probability": "Finished hypotheses keep their places until likelier ones take them.",
        "finished compete, by score": "Finished hypotheses keep their places until ones of better score take them.",
        "refilled": "The beam is refilled with the next best candidates when some of the best end, as fairseq does.",
        "refilled, ends before the beam is full": "The beam is refilled, and ends met until it is full are finished "
        "hypotheses.",
        "refilled, every end counts": "The beam is refilled, and every hypothesis' continuation by eos is a finished "
        "one.",
    },
    faults={
        "greedy": Fault(
            "Only one hypothesis is kept at each step.",
            "A sentence whose first word is not the most likely is never found.",
            "Keep the best `beam` of all candidates.",
        ),
        "each hypothesis goes on alone": Fault(
            "After the first step each hypothesis keeps its own best continuation.",
            "Poor beginnings hold their places for ever, and good ones cannot branch: that is greedy search, several "
            "times.",
            "Collect the continuations of all hypotheses and take the best of them together.",
        ),
        "only the last token's probability": Fault(
            "A candidate is judged by its last token alone: log-probabilities are not added up.",
            "What was said before does not count, so nonsense followed by a sure word wins.",
            "log_p + log_probs[token].",
        ),
        "step sees the last token only": Fault(
            "step gets the last token, not the whole prefix.",
            "The model forgets what the sentence was about.",
            "step([bos, *tokens]).",
        ),
        "step does not see bos": Fault(
            "step gets the generated tokens without bos.",
            "The model was never trained on such a beginning.",
            "step([bos, *tokens]).",
        ),
        "goes on after eos": Fault(
            "Hypotheses that end in eos are extended like all others.",
            "Sentences go on after their end, and short ones are lost.",
            "Move what ends in eos from the beam to the finished ones.",
        ),
        "stops at the first end": Fault(
            "The search stops as soon as one hypothesis is finished.",
            "Short sentences win, whatever the length penalty says.",
            "Go on until the beam is empty, or max_len is reached.",
        ),
        "stops when enough are finished": Fault(
            "The search stops when `beam` hypotheses are finished.",
            "With a length penalty, longer sentences with better scores are missed.",
            "Go on until the beam is empty, or max_len is reached.",
        ),
        "one step too few": Fault(
            "bos is counted in max_len, or the loop ends one step early.",
            "The longest sentences lose their last word.",
            "max_len is the number of tokens generated: for _ in range(max_len).",
        ),
        "open hypotheses lost": Fault(
            "What is still open at max_len is thrown away.",
            "If nothing ends in time, nothing comes back at all.",
            "Rank finished + live.",
        ),
        "open ones only if none is finished": Fault(
            "What is still open at max_len comes back only if nothing is finished.",
            "A better sentence that was cut short is hidden by a poor one that ended.",
            "Rank finished + live together.",
        ),
        "best chosen before the penalty": Fault(
            "The best are chosen by log-probability, and only then is the length penalty applied.",
            "Long sentences, which the penalty should help, are thrown away before it can.",
            "Score all, sort by score, take the first `beam`.",
        ),
        "no length penalty": Fault(
            "alpha is ignored.",
            "Each token lowers log p, so short sentences win.",
            "Divide log p by ((5 + len) / 6) ** alpha.",
        ),
        "multiplied by the penalty": Fault(
            "log p is multiplied by the penalty.",
            "log p is negative: long sentences are punished twice.",
            "Divide by it.",
        ),
        "divided by the length": Fault(
            "log p is divided by len ** alpha.",
            "Sentences of a few words are favoured or punished more than the formula means to.",
            "((5 + len) / 6) ** alpha.",
        ),
        "eos not counted": Fault(
            "len leaves eos out.",
            "Finished hypotheses are ranked below open ones of the same length.",
            "len counts all generated tokens, eos too.",
        ),
        "bos counted": Fault(
            "len counts bos.",
            "The scores differ from those of other implementations.",
            "len counts generated tokens; bos was given.",
        ),
        "eos cut off": Fault(
            "eos is cut off the tokens.",
            "One cannot see which sentences have ended.",
            "Return the tokens with eos.",
        ),
        "bos among the tokens": Fault(
            "The tokens begin with bos.",
            "What was given is taken for what was generated.",
            "Return the generated tokens only.",
        ),
        "not sorted": Fault(
            "The hypotheses come in the order in which they were found.",
            "The first, which is taken for the best, is the one that ended first.",
            "Sort by score, highest first.",
        ),
        "worst first": Fault(
            "The hypotheses are sorted from the lowest score to the highest.",
            "The first, which is taken for the best, is the worst.",
            "reverse=True.",
        ),
        "more than beam come back": Fault(
            "All hypotheses come back.",
            "Whoever asked for three gets ten.",
            "[:beam] after sorting.",
        ),
    },
    hints=(
        "Keep two lists of pairs (tokens, log p): what is in the beam, and what is finished. Begin with ([], 0.0).",
        "A step: all continuations of all that is in the beam in one list, sorted; the first `beam` are taken, and "
        "split into those that end in eos and the others.",
        "candidates.append(([*tokens, k], log_p + log_probs[k])); finally sort finished + live by "
        "log_p / ((5 + len(tokens)) / 6) ** alpha and return the first `beam`.",
    ),
)
