"""A training step of the Transformer for translation, here and in PyTorch, in turn in one process.

    python -m benchmarks transformer_step [CONFIGURATION ...] [--rounds N] [--threads N] [--profile]

A step is forward, cross-entropy with label smoothing, backward, and Adam. PyTorch's network is made of its own
nn.TransformerEncoder and nn.TransformerDecoder, with the same weights; that both give the same scores is checked first.
Sentences have 8 to 24 tokens, filled up with padding. Medians; float32; dropout is on. The bar: 4 times PyTorch's time.
"""

import argparse
import cProfile
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

THREADS = sys.argv[sys.argv.index("--threads") + 1] if "--threads" in sys.argv else str(os.cpu_count())
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = THREADS  # read when NumPy is imported

import numpy as np  # noqa: E402
import torch  # noqa: E402

import handmade  # noqa: E402
from benchmarks.workloads import padded_sentences  # noqa: E402
from handmade import nn, optim  # noqa: E402
from handmade.models.sequence_to_sequence import PAD  # noqa: E402
from handmade.models.transformer import CONFIGURATIONS, transformer  # noqa: E402

# The configurations: sentences of a batch, and the vocabulary.
SIZES = {"small": (128, 8_000), "base": (16, 37_000)}


class Reference(torch.nn.Module):
    """The Transformer from PyTorch's parts."""

    def __init__(self, vocab_size: int, configuration: str) -> None:
        super().__init__()
        E, H, N, F, dropout, norm_first = CONFIGURATIONS[configuration]
        options: dict[str, Any] = {"batch_first": True, "norm_first": norm_first}
        final = lambda: torch.nn.LayerNorm(E) if norm_first else None
        self.scale = E**0.5
        self.target_embedding = torch.nn.Embedding(vocab_size, E)
        self.source_embedding = self.target_embedding
        encoder_layer = torch.nn.TransformerEncoderLayer(E, H, F, dropout, **options)
        decoder_layer = torch.nn.TransformerDecoderLayer(E, H, F, dropout, **options)
        self.encoder = torch.nn.TransformerEncoder(encoder_layer, N, final(), enable_nested_tensor=False)
        self.decoder = torch.nn.TransformerDecoder(decoder_layer, N, final())
        self.dropout = torch.nn.Dropout(dropout)
        self.positions = torch.tensor(nn.positions.sinusoidal_positions(100, E), dtype=torch.float32)

    def embed(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.dropout(self.target_embedding(tokens) * self.scale + self.positions[: tokens.shape[1]])

    def forward(self, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        padding = source == PAD
        causal = torch.ones(target.shape[1], target.shape[1], dtype=torch.bool).triu(1)
        memory = self.encoder(self.embed(source), src_key_padding_mask=padding)
        x = self.decoder(
            self.embed(target), memory, tgt_mask=causal, memory_key_padding_mask=padding, tgt_is_causal=True
        )
        return torch.nn.functional.linear(x, self.target_embedding.weight)


def steps(configuration: str) -> tuple[Callable[[], object], Callable[[], object]]:
    """The step here and in PyTorch, of networks with the same weights, on the same sentences."""
    count, vocab_size = SIZES[configuration]
    ours, theirs = transformer(vocab_size, configuration), Reference(vocab_size, configuration)
    theirs.load_state_dict({name: torch.tensor(np.array(value)) for name, value in ours.state_dict().items()})
    tokens = padded_sentences(2 * count, vocab_size)
    batch = tokens[:count], tokens[count:, :-1], tokens[count:, 1:].reshape(-1)
    with handmade.no_grad(), torch.no_grad():
        scores = ours.eval()(*map(handmade.tensor, batch[:2])).numpy()
        expected = theirs.eval()(*map(torch.tensor, batch[:2])).numpy()
    if np.abs(scores - expected).max() > 1e-4 * expected.std():
        raise SystemExit(f"{configuration}: the two networks differ")
    options: dict[str, Any] = {"lr": 1e-4, "betas": (0.9, 0.98), "eps": 1e-9}
    here = step(ours.train(), optim.Adam(ours.parameters(), **options), nn, *map(handmade.tensor, batch))
    there = step(theirs.train(), torch.optim.Adam(theirs.parameters(), **options), torch.nn, *map(torch.tensor, batch))
    return here, there


def step(model: Any, optimizer: Any, library: Any, source: Any, target: Any, following: Any) -> Callable[[], None]:
    def run() -> None:
        optimizer.zero_grad()
        logits = model(source, target).flatten(0, 1)
        loss = library.functional.cross_entropy(logits, following, ignore_index=PAD, label_smoothing=0.1)
        loss.backward()
        optimizer.step()

    return run


def seconds(runs: tuple[Callable[[], object], ...], rounds: int) -> list[float]:
    """The median time of each. They take turns, and run once before they are timed."""
    times: list[list[float]] = [[] for _ in runs]
    for number in range(rounds + 1):
        for run, series in zip(runs, times, strict=True):
            start = time.perf_counter()
            run()
            if number:
                series.append(time.perf_counter() - start)
    return [statistics.median(series) for series in times]


def main(configurations: list[str], rounds: int, profile: bool) -> None:
    torch.set_num_threads(int(THREADS))
    print(f"{'configuration':14s} {'source and target':>18s} {'handmade':>12s} {'PyTorch':>12s}  ratio")
    for configuration in configurations or SIZES:
        runs = steps(configuration)
        if profile:
            runs[0]()
            cProfile.runctx("runs[0]()", {}, {"runs": runs}, sort="tottime")
            continue
        ours, theirs = seconds(runs, rounds)
        shape = f"2 x {SIZES[configuration][0]} x 24"
        print(f"{configuration:14s} {shape:>18s} {ours * 1e3:9.0f} ms {theirs * 1e3:9.0f} ms  {ours / theirs:5.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configurations", nargs="*", help=f"without any: {', '.join(SIZES)}")
    parser.add_argument("--rounds", type=int, default=5, help="timed steps of each; 5 if not given")
    parser.add_argument("--threads", default=THREADS, help="all cores if not given")
    parser.add_argument("--profile", action="store_true", help="show where the time of the step here goes")
    arguments = parser.parse_args()
    main(arguments.configurations, arguments.rounds, arguments.profile)
