import io
import pickle

import numpy as np
import pytest
from PIL import Image

from handmade.data import cifar
from handmade.data.cifar import read_binary, read_jpeg, read_python
from handmade.errors import InputError
from tests.support.archives import tar


@pytest.fixture
def batches(rng):
    """Six batches of different sizes: name to pixels and labels."""
    names = [*cifar.BATCHES["train"], *cifar.BATCHES["test"]]
    return {
        name: (rng.integers(0, 256, (2 + i, 3, 32, 32), np.uint8), rng.integers(0, 10, 2 + i))
        for i, name in enumerate(names)
    }


def expect(batches, split: str, read: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = read
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(images, np.concatenate([batches[name][0] for name in cifar.BATCHES[split]]))
    np.testing.assert_array_equal(labels, np.concatenate([batches[name][1] for name in cifar.BATCHES[split]]))


def binary(batches) -> dict[str, bytes]:
    return {
        f"cifar-10-batches-bin/{name}.bin": np.column_stack(
            [labels.astype(np.uint8), pixels.reshape(len(pixels), -1)]
        ).tobytes()
        for name, (pixels, labels) in batches.items()
    }


def old_pickle(pixels: np.ndarray, labels: np.ndarray) -> bytes:
    """A batch as Python 2 wrote it: byte strings throughout, numpy's old module names (protocol 2)."""

    def text(content: bytes) -> bytes:  # BINSTRING
        return b"T" + len(content).to_bytes(4, "little") + content

    def number(value: int) -> bytes:  # BININT
        return b"J" + value.to_bytes(4, "little")

    flat = pixels.reshape(len(pixels), -1)
    dtype = (
        b"cnumpy\ndtype\n(" + text(b"u1") + b"K\0K\1tR(K\3" + text(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
    )
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\0t" + text(b"b") + b"tR"
    state = (
        b"(K\1(" + number(flat.shape[0]) + number(flat.shape[1]) + b"t" + dtype + b"\x89" + text(flat.tobytes()) + b"t"
    )
    values = b"](" + b"".join(number(int(label)) for label in labels) + b"e"
    return b"\x80\2}(" + text(b"data") + array + state + b"b" + text(b"labels") + values + b"u."


def python(batches) -> dict[str, bytes]:
    return {f"cifar-10-batches-py/{name}": old_pickle(*batch) for name, batch in batches.items()}


@pytest.mark.parametrize("split", ["train", "test"])
def test_binary(batches, split):
    expect(batches, split, read_binary(tar(binary(batches), "gz"), "cifar.tar.gz", split))


@pytest.mark.parametrize("split", ["train", "test"])
def test_python(batches, split):
    whole = pickle.loads(python(batches)["cifar-10-batches-py/test_batch"], encoding="bytes")
    np.testing.assert_array_equal(whole[b"data"], batches["test_batch"][0].reshape(-1, 3072))  # a true pickle
    expect(batches, split, read_python(tar(python(batches), "gz"), "cifar.tar.gz", split))


@pytest.mark.parametrize(
    ("attack", "reason"),
    [
        (b"cos\nsystem\n(S'touch owned'\ntR.", r"asks to run os\.system"),
        (b"cbuiltins\neval\n(S'1/0'\ntR.", r"asks to run builtins\.eval"),
        (b"cnumpy\nload\n(S'owned'\ntR.", r"asks to run numpy\.load"),
        (b"\x80\2}(U\4datacnumpy\nndarray\n)Ru.", r"asks to run numpy\.ndarray"),
        (b"\x80\2\x8b\xff\xff\xff\x7f", "cut short"),  # a number of two gigabytes, promised in eight bytes
        (b"", ""),
        (b"not a pickle", ""),
    ],
)
def test_a_pickle_runs_nothing(batches, attack, reason):
    members = python(batches) | {"cifar-10-batches-py/test_batch": attack}
    with pytest.raises(InputError, match=rf"test_batch in evil\.tar\.gz is not a batch of CIFAR-10: .*{reason}"):
        read_python(tar(members, "gz"), "evil.tar.gz", "test")


def test_labels_that_are_too_few(batches):
    pixels, labels = batches["test_batch"]
    members = python(batches) | {"cifar-10-batches-py/test_batch": old_pickle(pixels, labels[1:])}
    with pytest.raises(InputError, match=r"7 images with labels of shape \(6,\)"):
        read_python(tar(members, "gz"), "cifar.tar.gz", "test")


def test_binary_of_another_length(batches):
    members = binary(batches)
    members["cifar-10-batches-bin/test_batch.bin"] += b"x"
    with pytest.raises(InputError, match=r"holds 21,512 bytes of test data, expected records of 3,073"):
        read_binary(tar(members, "gz"), "cifar.tar.gz", "test")


def test_a_batch_is_missing(batches):
    members = binary(batches)
    del members["cifar-10-batches-bin/data_batch_3.bin"]
    with pytest.raises(InputError, match=r"cifar\.tar\.gz lacks cifar-10-batches-bin/data_batch_3\.bin"):
        read_binary(tar(members, "gz"), "cifar.tar.gz", "train")


@pytest.mark.parametrize("kind", ["gz", "xz"])
def test_a_damaged_archive(batches, kind):
    archive = tar(binary(batches), kind)
    for broken in (b"", b"no archive", archive[: len(archive) // 2]):
        with pytest.raises(InputError, match=r"cifar\.tar is damaged or not an archive|cifar\.tar lacks"):
            read_binary(broken, "cifar.tar", "test")


def jpeg(colour: tuple[int, int, int], size: tuple[int, int] = (32, 32)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "jpeg")
    return file.getvalue()


@pytest.fixture
def jpegs() -> bytes:
    return tar(
        {
            "test/bird/0.jpg": jpeg((200, 0, 0)),
            "test/truck/0.jpg": jpeg((0, 200, 0)),
            "train/cat/0.jpg": jpeg((0, 0, 200)),
        },
        "xz",
    )


def test_jpeg(jpegs, cache, monkeypatch):
    images, labels = read_jpeg(jpegs, "cifar.tar.xz", "test")
    assert labels.tolist() == [2, 9]
    assert images.shape == (2, 3, 32, 32)
    assert np.abs(images[:, :, 5, 5].astype(int) - [[200, 0, 0], [0, 200, 0]]).max() < 4
    monkeypatch.setattr(cifar, "_decode_jpegs", None)  # the second time nothing is decoded
    again, their = read_jpeg(jpegs, "cifar.tar.xz", "test")
    np.testing.assert_array_equal(again, images)
    np.testing.assert_array_equal(their, labels)


@pytest.mark.parametrize(
    "damaged",
    [
        lambda content: b"",
        lambda content: b"PK\3\4 broken",
        lambda content: content.replace(b"PK\1\2-\3-", b"PK\1\2-\3\xff"),  # a zip of version 25.5
    ],
    ids=["empty", "cut", "version"],
)
def test_jpeg_with_a_damaged_cache(jpegs, cache, damaged):
    images, _ = read_jpeg(jpegs, "cifar.tar.xz", "test")
    (kept,) = (cache / "cifar10").iterdir()
    before = kept.read_bytes()
    kept.write_bytes(damaged(before))
    assert kept.read_bytes() != before
    np.testing.assert_array_equal(read_jpeg(jpegs, "cifar.tar.xz", "test")[0], images)
    assert kept.stat().st_size > 2 * 3072


def test_jpeg_with_a_cache_that_cannot_be_written(jpegs, cache):
    cache.parent.mkdir()
    cache.write_text("in the way")
    assert read_jpeg(jpegs, "cifar.tar.xz", "train")[1].tolist() == [3]


def test_jpeg_of_another_set():
    with pytest.raises(InputError, match=r"holds no test/<class>/\*\.jpg of CIFAR-10's classes"):
        read_jpeg(tar({"test/zebra/0.jpg": jpeg((0, 0, 0))}, "xz"), "cifar.tar.xz", "test")
    with pytest.raises(InputError, match=r"test/cat/0\.jpg in cifar\.tar\.xz is 16 x 32 pixels, expected 32 x 32"):
        read_jpeg(tar({"test/cat/0.jpg": jpeg((0, 0, 0), (32, 16))}, "xz"), "cifar.tar.xz", "test")
