"""Batches of a data set: shuffled, augmented, and prepared in the background.

B images of a batch, C channels, H height, W width
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import numpy as np

from handmade.data.dataset import Dataset
from handmade.data.transforms import Compose, ToFloat, Transform
from handmade.engine import Tensor
from handmade.errors import InputError

Made = TypeVar("Made")


class DataLoader:
    """Iterates over batches of `dataset`: images float32 (B, C, H, W), channels-last in memory, and labels int64 (B,).

    Each pass is an epoch; `epoch` is the number of the next one. The order depends only on `seed` and the epoch, the
    augmentation of a batch only on `seed`, the epoch and the batch number. So `batches(epoch, start)` continues exactly
    where another loader stopped, without generating the batches before.

    transforms: applied to each batch in order (see transforms.py); images that are still uint8 afterwards are scaled
        to 0..1.
    drop_last: drop the last batch if it is smaller than `batch_size`.
    prefetch: how many batches a background thread prepares in advance; 0 prepares each batch on demand.

    Raises InputError for an empty data set, ValueError for a batch_size below 1 or a prefetch or seed below 0.
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int,
        shuffle: bool = False,
        seed: int = 0,
        drop_last: bool = False,
        transforms: Sequence[Transform] = (),
        prefetch: int = 2,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}, expected 1 or more")
        if prefetch < 0 or seed < 0:
            raise ValueError(f"prefetch is {prefetch} and seed is {seed}, expected 0 or more")
        if len(dataset) == 0:
            raise InputError("the data set is empty: there are no batches to make.")
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.drop_last = drop_last
        self.transform = Compose(tuple(transforms))
        self.prefetch = prefetch
        self.epoch = 0

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        count = len(self.dataset) / self.batch_size
        return math.floor(count) if self.drop_last else math.ceil(count)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        self.epoch += 1
        return self.batches(self.epoch - 1)

    def batches(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of `epoch` from number `start` on; `self.epoch` does not change."""
        order = self._order(epoch)
        made = prefetched(lambda number: self._batch(order, epoch, number), range(start, len(self)), self.prefetch)
        for images, labels in made:
            yield Tensor(images), Tensor(labels)

    def _order(self, epoch: int) -> np.ndarray:
        if self.shuffle:
            return self._rng(epoch, 0).permutation(len(self.dataset))
        return np.arange(len(self.dataset))

    def _rng(self, *key: int) -> np.random.Generator:
        """A separate generator for each `key`."""
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))

    def _batch(self, order: np.ndarray, epoch: int, number: int) -> tuple[np.ndarray, np.ndarray]:
        indices = order[number * self.batch_size : (number + 1) * self.batch_size]
        images, labels = self.dataset.batch(indices)
        images = self.transform(images, self._rng(epoch, 1, number))
        if isinstance(images, list) or images.dtype == np.uint8:
            images = ToFloat()(images)
        return channels_last(images), labels


def channels_last(images: np.ndarray) -> np.ndarray:
    """`images` as float32; with four axes (B, C, H, W) as a view of memory in the order (B, H, W, C)."""
    if images.ndim != 4:
        return np.ascontiguousarray(images, np.float32)
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1), np.float32).transpose(0, 3, 1, 2)


def prefetched(make: Callable[[int], Made], numbers: Iterable[int], ahead: int) -> Iterator[Made]:
    """make(n) for each n of `numbers`, up to `ahead` of them prepared in advance by a thread.

    What `make` raises is raised here, in order. The thread ends with the iterator, exhausted or abandoned half-way.
    """
    if ahead == 0:
        yield from map(make, numbers)
        return
    coming = iter(numbers)
    pool = ThreadPoolExecutor(1, "prefetch")
    try:
        waiting = deque(pool.submit(make, number) for number in islice(coming, ahead))
        while waiting:
            made = waiting.popleft().result()
            waiting.extend(pool.submit(make, number) for number in islice(coming, 1))
            yield made
    finally:
        pool.shutdown(cancel_futures=True)
