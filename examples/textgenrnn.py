"""Titles as Reddit's posts have them, written by textgenrnn's published weights.

    python examples/textgenrnn.py --temperature 0.5 --prompt "Why does my"

The weights (2 MB) are downloaded the first time, or found under weights/ in a folder of HANDMADE_DATA. They are in
HDF5, which h5py reads: pip install 'handmade[hdf5]'.
"""

import argparse
from collections.abc import Iterator

import numpy as np

from handmade import Tensor, no_grad
from handmade.models.textgenrnn import NOTHING, START, TextGenRNN, textgenrnn
from handmade.text import generate, prefix_step
from handmade.weights import load, textgenrnn_tokenizer


def write(model: TextGenRNN, prompt: str, length: int, temperature: float, seed: int) -> Iterator[str]:
    """`prompt` and what follows it, character by character, until the text ends or has `length` new ones."""

    @no_grad()
    def scores(tokens: np.ndarray) -> np.ndarray:
        logits = model(Tensor(tokens)).array.copy()  # texts V
        logits[:, NOTHING] = -np.inf
        return logits

    tokenizer = textgenrnn_tokenizer()
    known = np.array([[START, *tokenizer.encode(prompt)]])
    rng = np.random.default_rng(seed)
    yield prompt
    rows = generate(prefix_step(scores), None, known, rng, max_len=length, eos=START, temperature=temperature)
    yield from tokenizer.stream(int(row[0]) for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompt", default="", help="how the title begins")
    parser.add_argument("--length", type=int, default=120, help="characters at most")
    parser.add_argument("--temperature", type=float, default=0.5, help="0 takes the likeliest character always")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    model = textgenrnn()
    load(model, "textgenrnn")
    for text in write(model, arguments.prompt, arguments.length, arguments.temperature, arguments.seed):
        print(text, end="", flush=True)
    print()


if __name__ == "__main__":
    main()
