"""Build the packaged set `fashion-mnist` from Debian's package dataset-fashion-mnist.

    apt-get download dataset-fashion-mnist
    dpkg-deb --extract dataset-fashion-mnist_*.deb DIR
    python scripts/package_fashion_mnist.py DIR

Packaged are the first 1,200 images of each class of the 60,000 for training and the first 200 of each class of the
10,000 for testing, in their original order: 12,000 and 2,000 images. The same package always gives the same idx
content; how tightly gzip packs it depends on the zlib at hand.
"""

import gzip
import sys
from pathlib import Path

import numpy as np

from handmade.data import read_idx

TARGET = Path(__file__).parents[1] / "src/handmade/data/packaged/fashion-mnist"
PER_CLASS = {"train": 1200, "t10k": 200}
NOTICE = """\
The first 1,200 training and 200 test images of each class of Fashion-MNIST
(https://github.com/zalandoresearch/fashion-mnist), which comes with this notice:

The MIT License (MIT)

Copyright (c) 2017 Zalando SE, https://tech.zalando.com

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation
the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and
to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of
the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO
THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF
CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS
IN THE SOFTWARE.
"""


def idx_bytes(array: np.ndarray) -> bytes:
    """`array` of uint8 in the idx format: 0, 0, type 8 (unsigned byte), number of axes, their lengths, the bytes."""
    header = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes()
    return header + array.tobytes()


def main(extracted: str) -> None:
    source = Path(extracted) / "usr/share/datasets/fashion-mnist"
    TARGET.mkdir(parents=True, exist_ok=True)
    for split, count in PER_CLASS.items():
        images = read_idx(source / f"{split}-images-idx3-ubyte.gz")
        labels = read_idx(source / f"{split}-labels-idx1-ubyte.gz")
        chosen = np.sort(np.concatenate([np.flatnonzero(labels == label)[:count] for label in range(10)]))
        for name, array in (("images-idx3", images), ("labels-idx1", labels)):
            packed = gzip.compress(idx_bytes(array[chosen]), compresslevel=9, mtime=0)
            (TARGET / f"{split}-{name}-ubyte.gz").write_bytes(packed)
            print(f"{split}-{name}-ubyte.gz: {len(chosen):,} of {len(labels):,}, {len(packed):,} bytes")
    (TARGET / "LICENSE").write_text(NOTICE, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
