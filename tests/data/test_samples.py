"""`torch.utils.data` of ours against PyTorch's: batches, splits and samplers."""

import numpy as np
import pytest
import torch

from handmade import Tensor, tensor
from handmade.data import samples as loading
from handmade.engine import random


class Squares:
    def __len__(self):
        return 7

    def __getitem__(self, index):
        return {"x": np.full(2, index, np.float32), "y": (index, index**2 / 2), "name": str(index)}


def plain(batch):
    """Tensors of either library as lists, with their dtype."""
    if isinstance(batch, Tensor | torch.Tensor):
        return str(batch.dtype).removeprefix("torch."), batch.tolist()
    if isinstance(batch, dict):
        return {key: plain(value) for key, value in batch.items()}
    return [plain(part) for part in batch] if isinstance(batch, list | tuple) else batch


@pytest.mark.parametrize("options", [{}, {"batch_size": 3}, {"batch_size": 3, "drop_last": True, "num_workers": 2}])
def test_batches_in_order_are_pytorchs(options):
    ours = loading.DataLoader(Squares(), **options)
    theirs = torch.utils.data.DataLoader(Squares(), **{**options, "num_workers": 0})
    assert [plain(batch) for batch in ours] == [plain(batch) for batch in theirs]
    assert len(ours) == len(theirs)


def test_a_shuffled_loader_gives_every_sample_once_and_again_by_its_seed():
    data = loading.TensorDataset(tensor(np.arange(10)), tensor(np.arange(10.0)))
    orders = []
    for _ in range(2):
        generator = random.Generator().manual_seed(3)
        loader = loading.DataLoader(data, 4, shuffle=True, generator=generator)
        orders.append([int(x) for batch, _ in loader for x in batch])
    assert orders[0] == orders[1] != list(range(10))
    assert sorted(orders[0]) == list(range(10))


def test_splits_and_joins():
    data = loading.TensorDataset(tensor(np.arange(10)))
    parts = loading.random_split(data, [0.55, 0.45])
    assert [len(part) for part in parts] == [6, 4]
    joined = parts[0] + parts[1]
    assert sorted(joined[i][0].item() for i in range(len(joined))) == list(range(10))
    with pytest.raises(ValueError, match="add up to 9, the data set has 10"):
        loading.random_split(data, [5, 4])
    with pytest.raises(ValueError, match="lengths are"):
        loading.TensorDataset(tensor([1]), tensor([1, 2]))


def test_samplers_with_replacement_and_streams():
    sampler = loading.RandomSampler(range(5), replacement=True, num_samples=int(1e10))
    assert len(sampler) == 10**10
    assert next(iter(sampler)) in range(5)

    class Stream(loading.IterableDataset):
        def __iter__(self):
            return iter(range(5))

    assert [batch.tolist() for batch in loading.DataLoader(Stream(), 2)] == [[0, 1], [2, 3], [4]]
    assert [batch.tolist() for batch in loading.DataLoader(Stream(), 2, drop_last=True)] == [[0, 1], [2, 3]]
    assert list(loading.DataLoader(Stream(), None)) == list(range(5))  # the samples themselves
    with pytest.raises(ValueError, match="pass one of them"):
        loading.DataLoader(range(3), shuffle=True, sampler=sampler)
