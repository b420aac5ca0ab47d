"""How many tokens a second gpt-baby decodes, beside the same model in PyTorch (eager), each with a cache.

    python -m benchmarks gpt_decode [--rounds 5] [--threads 2]

In turn in one process: 200 tokens from an empty cache, one at a time, without drawing; the median of the rounds. The
scores are compared, so that both are known to compute the same. The bar: as many tokens a second as PyTorch.
"""

import argparse
import statistics
import time

import numpy as np
import torch

from benchmarks import gpt_net
from handmade import Tensor
from handmade.models import gpt

TOKENS = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch; ours are OPENBLAS_NUM_THREADS")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model = gpt("gpt-baby").eval()
    twin = gpt_net.copied(model).eval()
    tokens = np.random.default_rng(0).integers(0, 65, (1, TOKENS))

    def ours() -> np.ndarray:
        cache, scores = None, np.empty(0)
        for place in range(TOKENS):
            logits, cache = model.step(Tensor(tokens[:, place : place + 1]), cache)
            scores = logits.numpy()
        return scores

    @torch.inference_mode()
    def theirs() -> np.ndarray:
        caches, scores, given = twin.caches(1), torch.empty(0), torch.tensor(tokens)
        for place in range(TOKENS):
            scores = twin(given[:, place : place + 1], caches, place)[:, -1]
        return scores.numpy()

    assert np.allclose(ours(), theirs(), atol=1e-4)
    seconds: dict[str, list[float]] = {"handmade": [], "PyTorch": []}
    for _ in range(arguments.rounds):
        for name, decode in (("handmade", ours), ("PyTorch", theirs)):
            started = time.perf_counter()
            decode()
            seconds[name].append(time.perf_counter() - started)
    rates = {name: TOKENS / statistics.median(times) for name, times in seconds.items()}
    for name, rate in rates.items():
        print(f"{name:9} {rate:7.1f} tokens/s")
    print(f"ratio     {rates['handmade'] / rates['PyTorch']:7.2f}  (at least 1 is to be reached)")


if __name__ == "__main__":
    main()
