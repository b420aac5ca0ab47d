"""Sizes: parameters, memory and multiply-adds of a GPT that one types, and the counts of every network."""

from dataclasses import asdict, dataclass
from typing import Any

from handmade.lens.sizes import BYTES, GPTShape, Term, total
from handmade.models import ZOO
from handmade.models.gpt import CONFIGS
from handmade.web.explorers import Explorer
from handmade.web.frames import Answer
from handmade.web.observatory import Observatory
from handmade.web.questions import choice, flag, whole

LARGEST = 1 << 20


@dataclass(frozen=True)
class Question:
    """The GPT: layers L, width d, vocabulary V, tokens T, heads H and G, batch B; and how its numbers are kept."""

    L: int = whole(12, 1, 1000)
    d: int = whole(768, 1, LARGEST)
    V: int = whole(50257, 1, 1 << 24)
    T: int = whole(1024, 1, 1 << 24)
    H: int = whole(12, 1, 1024)
    G: int = whole(12, 1, 1024)
    B: int = whole(1, 1, LARGEST)
    format: str = choice(*BYTES)
    tied: bool = flag(True)
    kept: bool = flag(True)


def answer(question: Question, observatory: Observatory) -> Answer:
    """Every count as its terms, formulas with the numbers in; and the table of all networks."""
    shape = GPTShape(question.L, question.d, question.V, question.T, question.H, question.G, question.tied)
    groups = {
        "parameters": shape.parameters(),
        "training": shape.training(question.B, question.format, question.kept),
        "writing": shape.writing(question.B, question.format),
        "multiply_adds": shape.multiply_adds(),
    }
    return Answer(
        {
            "groups": {name: _told(terms) for name, terms in groups.items()},
            "guesses": shape.guesses(),
            "presets": [_preset(name) for name in CONFIGS],
            "networks": [_network(name) for name in ZOO],
        }
    )


def _told(terms: list[Term]) -> dict[str, Any]:
    return {"terms": [asdict(term) for term in terms], "total": total(terms)}


def _preset(name: str) -> dict[str, Any]:
    config = CONFIGS[name]
    shape = {"L": config.n_layer, "d": config.n_embd, "V": config.vocab_size, "T": config.block_size}
    return {"name": name, **shape, "H": config.n_head, "G": config.n_head}


def _network(name: str) -> dict[str, Any]:
    """What its card says. Weights in float32."""
    card = ZOO[name]
    facts = card.summary()
    kept = ("name", "year", "input_shape", "parameters", "multiply_adds", "activations", "receptive_field")
    return {**{key: facts[key] for key in kept}, "input": card.input}


EXPLORER = Explorer(
    question=Question,
    answer=answer,
    related=("output_size", "kv_cache"),
    files=("lens/sizes.py", "lens/costs.py", "models/gpt.py"),
)
