"""Byte-pair encoding: training and encoding 1 MB of text, beside Hugging Face's `tokenizers` (Rust) in the same run.

    python -m benchmarks bpe $HANDMADE_DATA/text/tinyshakespeare.txt

Both use one core and must find the same tokens. The bar: 1,000 merges learned from 1 MB in under 5 seconds.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

os.environ["RAYON_NUM_THREADS"] = "1"  # read by tokenizers when it is loaded

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from handmade.text import BPETokenizer

T = TypeVar("T")


def timed(name: str, function: Callable[[], T], megabytes: float) -> T:
    start = time.perf_counter()
    result = function()
    seconds = time.perf_counter() - start
    print(f"  {name:28s} {seconds:6.2f} s   {megabytes / seconds:6.1f} MB/s")
    return result


def trained_reference(text: str, num_merges: int) -> Tokenizer:
    reference = Tokenizer(models.BPE())
    reference.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=256 + num_merges, initial_alphabet=alphabet, show_progress=False)
    reference.train_from_iterator([text], trainer)
    return reference


def compare(text: str, num_merges: int) -> None:
    size = len(text.encode()) / 1e6
    print(f"{num_merges:,} merges, {size:.2f} MB")
    ours = timed("train, handmade", lambda: BPETokenizer.train(text, num_merges), size)
    reference = timed("train, tokenizers", lambda: trained_reference(text, num_merges), size)
    ids = timed("encode, handmade", lambda: ours.encode(text), size)
    timed("encode again, handmade", lambda: ours.encode(text), size)
    expected = timed("encode, tokenizers", lambda: reference.encode(text).ids, size)
    decoded = timed("decode, handmade", lambda: ours.decode(ids), size)
    assert ids == expected, "the two found different tokens"
    assert decoded == text, "the text did not come back"
    print(f"  {len(ids):,} tokens, {len(text) / len(ids):.2f} characters each; equal to the reference's")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path, help="a UTF-8 text file of about 1 MB")
    content = parser.parse_args().text.read_text(encoding="utf-8")
    for merges in (1_000, 8_000):
        compare(content, merges)
