"""`torch.utils.data`: data sets of anything that has `__getitem__`, their samplers, and the batches of a loader."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from handmade.data.loader import prefetched
from handmade.engine import Tensor, random
from handmade.engine.creation import tensor
from handmade.engine.functions import stack


class Dataset:
    """A subclass defines `__getitem__` and `__len__`."""

    def __class_getitem__(cls, kind: Any) -> Any:
        return cls

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} needs a method __getitem__(index)")

    def __add__(self, other: Dataset) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset):
    """A subclass defines `__iter__`."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} needs a method __iter__()")


class TensorDataset(Dataset):
    """Tensors of equal length; number i is the tuple of their rows i."""

    def __init__(self, *tensors: Tensor) -> None:
        if len({len(part) for part in tensors}) != 1:
            raise ValueError(f"TensorDataset: lengths are {[len(part) for part in tensors]}; they must be the same")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(part[index] for part in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class Subset(Dataset):
    """The samples of a data set at `indices`."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: int) -> Any:
        return self.dataset[int(self.indices[index])]

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset):
    """Data sets one after another."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        self.ends = np.cumsum([len(dataset) for dataset in self.datasets])

    def __getitem__(self, index: int) -> Any:
        index = index + len(self) if index < 0 else index
        number = int(np.searchsorted(self.ends, index, side="right"))
        if not 0 <= index < len(self):
            raise IndexError(f"ConcatDataset: number {index} of {len(self)}")
        return self.datasets[number][index - (int(self.ends[number - 1]) if number else 0)]

    def __len__(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0


def random_split(dataset: Any, lengths: Sequence[float], generator: Any = None) -> list[Subset]:
    """Parts of these lengths, or shares that add up to 1, whose samples are drawn at random."""
    counts = list(lengths)
    if math.isclose(sum(counts), 1) and max(counts) <= 1:
        counts = [math.floor(len(dataset) * share) for share in counts]
        for extra in range(len(dataset) - sum(counts)):
            counts[extra % len(counts)] += 1
    if sum(counts) != len(dataset):
        raise ValueError(
            f"random_split: lengths {list(lengths)} add up to {sum(counts)}, the data set has {len(dataset)}"
        )
    order = random.generator(generator).permutation(len(dataset)).tolist()
    ends = np.cumsum([0, *counts]).tolist()
    return [Subset(dataset, order[start:end]) for start, end in pairwise(ends)]


class Sampler:
    """A subclass defines `__iter__`, which gives indices."""

    def __init__(self, data_source: Any = None) -> None:
        self.data_source = data_source

    def __class_getitem__(cls, kind: Any) -> Any:
        return cls

    def __iter__(self) -> Iterator[Any]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class SequentialSampler(Sampler):
    """0, 1, 2, ..."""


class RandomSampler(Sampler):
    """All numbers in random order; or num_samples of them, with replacement."""

    def __init__(
        self, data_source: Any, replacement: bool = False, num_samples: int | None = None, generator: Any = None
    ) -> None:
        super().__init__(data_source)
        self.replacement, self.generator = replacement, generator
        self.num_samples = len(data_source) if num_samples is None else num_samples

    def __iter__(self) -> Iterator[int]:
        given, count, drawn = self.num_samples, len(self.data_source), 0
        while drawn < given:  # a pass at a time: num_samples may be 10^10
            rng = random.generator(self.generator)
            numbers = rng.integers(0, count, count) if self.replacement else rng.permutation(count)
            yield from numbers[: given - drawn].tolist()
            drawn += count

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """Lists of batch_size indices of another sampler, or of the samples of a stream."""

    def __init__(self, sampler: Iterable[Any], batch_size: int, drop_last: bool) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}, expected 1 or more")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[Any]]:
        batch: list[Any] = []
        for drawn in self.sampler:
            batch.append(drawn)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        count = len(self.sampler) / self.batch_size  # pyright: ignore[reportArgumentType]
        return math.floor(count) if self.drop_last else math.ceil(count)


class DataLoader:
    """Batches of a data set, in order or shuffled, joined by `collate_fn`.

    num_workers: batches are prepared in advance, by a thread; 0 prepares each on demand. pin_memory, timeout,
    worker_init_fn, multiprocessing_context, persistent_workers and prefetch_factor change nothing here.
    """

    def __class_getitem__(cls, kind: Any) -> Any:
        return cls

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[list[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Any = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
    ) -> None:
        self.dataset, self.batch_size, self.num_workers, self.drop_last = dataset, batch_size, num_workers, drop_last
        self.collate_fn = collate_fn or default_collate
        if isinstance(dataset, IterableDataset):
            self.sampler = self.batch_sampler = None
            return
        if sampler is not None and shuffle:
            raise ValueError("DataLoader: shuffle=True and a sampler: the sampler decides the order; pass one of them")
        ordered = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        self.sampler = ordered if sampler is None else sampler
        self.batch_sampler = batch_sampler or (batch_size and BatchSampler(self.sampler, batch_size, drop_last))

    def __iter__(self) -> Iterator[Any]:
        if self.sampler is None:
            yield from self._streamed()
            return
        if not self.batch_sampler:  # batch_size=None: the samples themselves
            yield from (_as_tensors(self.dataset[index]) for index in self.sampler)
            return
        make = lambda indices: self.collate_fn([self.dataset[index] for index in indices])
        yield from prefetched(make, self.batch_sampler, 2 * self.num_workers)  # pyright: ignore[reportArgumentType]

    def _streamed(self) -> Iterator[Any]:
        if self.batch_size is None:
            yield from map(_as_tensors, self.dataset)
        else:
            yield from map(self.collate_fn, BatchSampler(self.dataset, self.batch_size, self.drop_last))

    def __len__(self) -> int:
        return len(self.batch_sampler or self.sampler)  # pyright: ignore[reportArgumentType]


def default_collate(batch: list[Any]) -> Any:
    """A list of samples as one: tensors and arrays stacked, numbers as a tensor, tuples and dictionaries by part."""
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(batch)
    if isinstance(first, np.ndarray | np.generic):
        return tensor(np.stack([np.asarray(part) for part in batch]))
    if isinstance(first, bool | int):
        return tensor(batch)
    if isinstance(first, float):
        return tensor(batch, dtype=np.float64)  # as PyTorch
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, Mapping):
        return {key: default_collate([part[key] for part in batch]) for key in first}
    if isinstance(first, Sequence):
        parts = [default_collate(list(part)) for part in zip(*batch, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else parts
    raise TypeError(f"a batch of {type(first).__name__}: pass collate_fn, a function of a list of samples")


def _as_tensors(sample: Any) -> Any:
    return tensor(sample) if isinstance(sample, np.ndarray) else sample
