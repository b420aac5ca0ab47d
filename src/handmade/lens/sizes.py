"""How many numbers a GPT has, how much memory it takes and what it computes: formulas, with the numbers put in.

What is kept for the backward pass follows Korthikanti et al., "Reducing Activation Recomputation in Large Transformer
Models" (2022), section 4.1, without dropout. Grouped keys and values: Ainslie et al., "GQA" (2023).

L layers, d width, V vocabulary, T tokens, H heads, G heads of keys and values, B sequences of a batch
"""

from dataclasses import dataclass

from handmade.errors import InputError

BYTES = {"float32": 4, "float16": 2, "int8": 1}
"""Of a number in each format; bfloat16 takes what float16 takes."""


@dataclass(frozen=True)
class Term:
    """One line: what it counts, the formula in letters, the formula with the numbers in, and its value."""

    name: str
    formula: str
    filled: str
    value: int


@dataclass(frozen=True)
class GPTShape:
    """A GPT-2 as models/gpt.py has it, with biases.

    tied: whether the embedding of the tokens is also what scores them.
    """

    L: int = 12
    d: int = 768
    V: int = 50257
    T: int = 1024
    H: int = 12
    G: int = 12
    tied: bool = True

    def __post_init__(self) -> None:
        if self.d % self.H or self.H % self.G:
            raise InputError(
                f"{self.H} heads must divide the width {self.d}, and {self.G} heads of keys and values the {self.H}."
            )

    @property
    def kv(self) -> int:
        """The width of the keys of one token, and of its values."""
        return self.d // self.H * self.G

    def parameters(self) -> list[Term]:
        """What it learns. With as many heads of keys as of queries: V d + T d + L (12 d² + 13 d) + 2 d."""
        L, d, V, T, kv = self.L, self.d, self.V, self.T, self.kv
        attention, filled = "L (4 d² + 4 d)", f"{L} · (4 · {d}² + 4 · {d})"
        if self.G != self.H:
            attention = "L (2 d² + 2 d kv + 2 d + 2 kv)"
            filled = f"{L} · (2 · {d}² + 2 · {d} · {kv} + 2 · {d} + 2 · {kv})"
        terms = [
            Term("token embedding", "V d", f"{V} · {d}", V * d),
            Term("positions", "T d", f"{T} · {d}", T * d),
            Term("attention", attention, filled, L * self._attention),
            Term("MLP", "L (8 d² + 5 d)", f"{L} · (8 · {d}² + 5 · {d})", L * (8 * d * d + 5 * d)),
            Term("norms", "4 L d + 2 d", f"4 · {L} · {d} + 2 · {d}", 4 * L * d + 2 * d),
        ]
        return terms if self.tied else [*terms, Term("scores of the tokens", "V d", f"{V} · {d}", V * d)]

    @property
    def _attention(self) -> int:
        """Queries and output projection d² each, keys and values d kv each, and their biases."""
        return 2 * self.d**2 + 2 * self.d * self.kv + 2 * self.d + 2 * self.kv

    @property
    def count(self) -> int:
        return total(self.parameters())

    def training(self, B: int, format: str, kept_weights: bool) -> list[Term]:
        """Bytes in training with Adam: 16 a parameter, in float32 as in mixed precision, and what backward needs.

        kept_weights: whether the attention weights are kept, H T² a sequence and layer; FlashAttention computes them
            again.
        """
        N, L, d, T, H, half = self.count, self.L, self.d, self.T, self.H, format != "float32"
        b, each = (2, "2") if half else (4, "4")
        rows, filled = ("16 d + H T", f"16 · {d} + {H} · {T}") if kept_weights else ("16 d", f"16 · {d}")
        kept = L * B * T * (16 * d + (H * T if kept_weights else 0))
        master = [Term("weights in float32", "4 N", f"4 · {N:,}", 4 * N)] if half else []
        return [
            Term("weights", f"{each} N", f"{each} · {N:,}", b * N),
            Term("gradients", f"{each} N", f"{each} · {N:,}", b * N),
            *master,
            Term("Adam: m and v", "8 N", f"8 · {N:,}", 8 * N),
            Term("activations", f"{each} L B T ({rows})", f"{each} · {L} · {B} · {T} · ({filled})", b * kept),
        ]

    def writing(self, B: int, format: str) -> list[Term]:
        """Bytes when it writes B texts of T tokens: the weights, and the keys and values of all tokens."""
        b, N = BYTES[format], self.count
        return [
            Term("weights", f"{b} N", f"{b} · {N:,}", b * N),
            Term(
                "cache of keys and values",
                f"{b} · 2 L B T kv",
                f"{b} · 2 · {self.L} · {B} · {self.T} · {self.kv}",
                b * 2 * self.L * B * self.T * self.kv,
            ),
        ]

    def multiply_adds(self) -> list[Term]:
        """Of the last of T tokens, forward. Scores and mixing take T d each; the backward pass twice as many of all."""
        L, d, V, T, kv = self.L, self.d, self.V, self.T, self.kv
        products = 10 * d * d + 2 * d * kv
        matrices, filled = "12 L d²", f"12 · {L} · {d}²"
        if self.G != self.H:
            matrices, filled = "L (10 d² + 2 d kv)", f"{L} · (10 · {d}² + 2 · {d} · {kv})"
        return [
            Term("weight matrices", matrices, filled, L * products),
            Term("scores of the tokens", "V d", f"{V} · {d}", V * d),
            Term("attention over T", "2 L T d", f"2 · {L} · {T} · {d}", 2 * L * T * d),
        ]

    def guesses(self) -> list[int]:
        """The number of parameters among three that forget something: the embeddings, the tying, the MLP."""
        L, d, V = self.L, self.d, self.V
        untied = self.count + (V * d if self.tied else -V * d)
        return sorted({self.count, 12 * L * d * d, untied, self.count - L * (8 * d * d + 5 * d)})


def total(terms: list[Term]) -> int:
    """Their sum."""
    return sum(term.value for term in terms)
