import threading

import numpy as np
import pytest

from handmade.data import DataLoader, ImageSet, Normalize, RandomCrop, RandomHorizontalFlip, TenCrop, ToFloat
from handmade.data.loader import prefetched
from handmade.engine import Tensor
from handmade.errors import InputError

AUGMENT = (RandomCrop((5, 6), padding=2), RandomHorizontalFlip())


@pytest.fixture
def dataset(rng) -> ImageSet:
    """23 images; the corner of each holds its number."""
    images = rng.integers(0, 256, (23, 2, 5, 6), np.uint8)
    images[:, 0, 0, 0] = np.arange(23)
    return ImageSet(images, np.arange(23) % 4, ("a", "b", "c", "d"))


def numbers(batches) -> list[int]:
    return [round(float(x) * 255) for images, _ in batches for x in images.array[:, 0, 0, 0]]


def same(ours, theirs) -> None:
    ours, theirs = list(ours), list(theirs)
    assert len(ours) == len(theirs)
    for (images, labels), (their_images, their_labels) in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(images.array, their_images.array)
        np.testing.assert_array_equal(labels.array, their_labels.array)


@pytest.mark.parametrize("prefetch", [0, 1, 2, 50])
def test_batches(dataset, prefetch):
    loader = DataLoader(dataset, 10, prefetch=prefetch)
    batches = list(loader)
    assert len(loader) == len(batches) == 3
    images, labels = batches[1]
    assert isinstance(images, Tensor)
    assert isinstance(labels, Tensor)
    assert images.dtype == np.float32
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(images.array, dataset.images[10:20] / np.float32(255))
    np.testing.assert_array_equal(labels.array, dataset.labels[10:20])
    assert [len(images) for images, _ in batches] == [10, 10, 3]


def test_drop_last(dataset):
    loader = DataLoader(dataset, 10, drop_last=True)
    assert len(loader) == len(list(loader)) == 2
    assert len(DataLoader(dataset, 24, drop_last=True)) == 0


@pytest.mark.parametrize("transforms", [(), (ToFloat(), Normalize((0.5, 0.5), (1, 1))), AUGMENT])
def test_memory_is_channels_last(dataset, transforms):
    for images, _ in DataLoader(dataset, 8, transforms=transforms):
        assert images.array.transpose(0, 2, 3, 1).flags.c_contiguous


def test_ten_crops_pass(dataset):
    images, _ = next(iter(DataLoader(dataset, 4, transforms=[TenCrop(3)])))
    assert images.shape == (4, 10, 2, 3, 3)


def test_each_epoch_has_its_order(dataset):
    loader = DataLoader(dataset, 5, shuffle=True, seed=7)
    first, second = numbers(loader), numbers(loader)
    assert sorted(first) == sorted(second) == list(range(23))
    assert first != second
    assert first != list(range(23))
    loader.epoch = 0
    assert numbers(loader) == first
    assert loader.epoch == 1
    assert numbers(DataLoader(dataset, 5, shuffle=True, seed=8)) != first


def test_the_order_does_not_depend_on_the_batch_size(dataset):
    orders = [numbers(DataLoader(dataset, size, shuffle=True, seed=7)) for size in (1, 5, 23)]
    assert orders[0] == orders[1] == orders[2]


@pytest.mark.parametrize("start", range(6))
def test_going_on_from_any_batch(dataset, start):
    options = {"shuffle": True, "seed": 3, "transforms": AUGMENT}
    whole = list(DataLoader(dataset, 5, **options).batches(epoch=2))
    loader = DataLoader(dataset, 5, **options, prefetch=0)
    same(loader.batches(epoch=2, start=start), whole[start:])
    assert loader.epoch == 0


def test_going_on_draws_nothing_of_what_came_before(dataset, monkeypatch):
    asked = []
    batch = ImageSet.batch
    monkeypatch.setattr(ImageSet, "batch", lambda self, indices: asked.append(len(indices)) or batch(self, indices))
    list(DataLoader(dataset, 5, transforms=AUGMENT).batches(0, start=3))
    assert asked == [5, 3]


def test_augmentation_differs_between_epochs_batches_and_seeds(dataset):
    images = ImageSet(dataset.images[:1].repeat(40, 0), np.zeros(40, np.int64), ("a",))
    loader = DataLoader(images, 20, transforms=AUGMENT)
    (a, _), (b, _) = loader.batches(0)
    (c, _), _ = loader.batches(1)
    (d, _), _ = DataLoader(images, 20, transforms=AUGMENT, seed=1).batches(0)
    views = {x.array.tobytes() for x in (a, b, c, d)}
    assert len(views) == 4


def test_an_error_reaches_the_caller_in_its_turn(dataset):
    def fail_at_the_third(images, rng):
        if 10 in images[:, 0, 0, 0]:
            raise ZeroDivisionError("batch 3")
        return images

    batches = iter(DataLoader(dataset, 5, transforms=[fail_at_the_third]))
    next(batches)
    next(batches)
    with pytest.raises(ZeroDivisionError, match="batch 3"):
        next(batches)
    assert not threads()


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]


def test_no_thread_stays(dataset):
    batches = iter(DataLoader(dataset, 2))
    next(batches)
    assert len(threads()) == 1
    del batches
    assert not threads()
    for _ in DataLoader(dataset, 2):
        break
    assert not threads()
    list(DataLoader(dataset, 2))
    assert not threads()
    iter(DataLoader(dataset, 2))
    assert not threads()


def test_prefetching_runs_ahead_but_not_away():
    made, release = [], threading.Semaphore(0)

    def make(number: int) -> int:
        made.append(number)
        release.release()
        return number

    numbers = prefetched(make, range(100), 3)
    assert next(numbers) == 0
    for _ in range(4):
        assert release.acquire(timeout=5)
    assert made == [0, 1, 2, 3]
    assert not release.acquire(timeout=0.05)
    numbers.close()


def test_two_loaders_at_once(dataset):
    ours, theirs = (DataLoader(dataset, 4, shuffle=True, transforms=AUGMENT) for _ in range(2))
    pairs = list(zip(ours, theirs, strict=True))
    same([a for a, _ in pairs], [b for _, b in pairs])


def test_bad_arguments(dataset):
    with pytest.raises(ValueError, match="batch_size is 0, expected 1 or more"):
        DataLoader(dataset, 0)
    with pytest.raises(ValueError, match="prefetch is -1 and seed is 0, expected 0 or more"):
        DataLoader(dataset, 1, prefetch=-1)
    with pytest.raises(ValueError, match="seed is -2"):
        DataLoader(dataset, 1, seed=-2)
    empty = ImageSet(np.zeros((0, 1, 2, 2), np.uint8), np.zeros(0, np.int64), ("a",))
    with pytest.raises(InputError, match="the data set is empty"):
        DataLoader(empty, 1)
