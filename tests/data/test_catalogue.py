import hashlib
import re

import numpy as np
import pytest

from handmade.data import catalogue, load
from handmade.data.files import PACKAGED, read
from handmade.errors import InputError


def test_every_entry_says_what_it_is():
    for name, entry in catalogue().items():
        assert entry.name == name
        assert entry.description.endswith(".")
        assert entry.homepage.startswith("https://")
        assert entry.licence
        assert entry.format
        assert entry.examples
        for file in entry.files:
            assert re.fullmatch("[0-9a-f]{64}", file.sha256)
            assert all(url.startswith("http") for url in file.urls)
            assert bool(file.packed_sha256) == (file.path.endswith("ubyte.gz") and not file.packaged)


@pytest.fixture
def nowhere(monkeypatch):
    monkeypatch.delenv("HANDMADE_DATA", raising=False)


@pytest.mark.parametrize(("split", "per_class"), [("train", 1200), ("test", 200)])
def test_packaged_fashion_mnist(nowhere, split, per_class):
    dataset = load("fashion-mnist", split)
    assert dataset.images.shape == (10 * per_class, 1, 28, 28)
    assert np.bincount(dataset.labels).tolist() == [per_class] * 10
    assert dataset.classes[9] == "Ankle boot"
    assert (dataset.name, dataset.split) == ("fashion-mnist", split)
    assert dataset.source == str(PACKAGED / "fashion-mnist")
    assert catalogue()["fashion-mnist"].where() == "packaged"


def test_packaged_shakespeare(nowhere):
    text = load("shakespeare", "all").text
    assert len(text) == 1_102_733
    assert text.startswith("BERNARDO:\nWho's there?\n\nFRANCISCO:\nNay, answer me")
    assert "\n\nHAMLET:\nTo be, or not to be: that is the question:\n" in text
    assert text.isascii()
    assert not re.search(r"[_*#\[\]\\]|\n\n\n", text)  # no marks of the source
    assert load("shakespeare").text + load("shakespeare", "test").text == text


def test_packaged_names(nowhere):
    names = load("names", "all").lines
    assert len(names) == len(set(names)) == 5163
    assert all(re.fullmatch("[a-z]+", name) for name in names)
    assert list(names[:3]) == ["james", "john", "robert"]
    assert not set(load("names").lines) & set(load("names", "test").lines)
    assert len(load("names", "test")) == 516


def test_packaged_files_carry_their_licences():
    folders = sorted(path for path in PACKAGED.iterdir() if path.is_dir())
    assert [folder.name for folder in folders] == ["fashion-mnist", "names", "shakespeare"]
    for folder in folders:
        assert "Permission is hereby granted, free of charge" in (folder / "LICENSE").read_text()
    assert sum(path.stat().st_size for path in PACKAGED.rglob("*")) < 12e6


def test_unknown_name():
    with pytest.raises(
        InputError, match=r"no data set is called 'mnits'; did you mean 'mnist'\? There are fashion-mnist, "
    ):
        load("mnits")
    with pytest.raises(InputError, match=r"no data set is called 'csv:a'\. There are .* the forms folder:DIR"):
        load("csv:a")


@pytest.mark.parametrize("name", ["fashion-mnist", "names", "text:a", "folder:a"])
def test_unknown_split(name):
    with pytest.raises(InputError, match=rf"{name} has no split 'val'; it has train, test"):
        load(name, "val")


def test_a_set_that_is_not_here_yet(nowhere):
    assert catalogue()["mnist"].where() == "to download"


def test_one_of_the_alternatives_is_enough(tmp_path, monkeypatch):
    (tmp_path / "cifar10").mkdir()
    (tmp_path / "cifar10/cifar-10-python.tar.gz").write_bytes(b"")
    monkeypatch.setenv("HANDMADE_DATA", str(tmp_path))
    assert catalogue()["cifar10"].where() == str(tmp_path / "cifar10")
    with pytest.raises(InputError, match=r"cifar-10-python\.tar\.gz is not the expected file"):
        load("cifar10")


def test_mnist(shared_data):
    train, test = load("mnist"), load("mnist", "test")
    assert (len(train), len(test)) == (60_000, 10_000)
    assert test.labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert round(train.images.mean() / 255, 4) == 0.1307
    assert catalogue()["mnist"].where() == str(shared_data / "mnist")


@pytest.mark.slow
def test_cifar10_from_jpeg_copies(shared_data, monkeypatch):
    monkeypatch.undo()  # the user's own cache: 10,000 pictures are decoded once for all tests that need them
    test = load("cifar10", "test")
    assert test.images.shape == (10_000, 3, 32, 32)
    assert np.bincount(test.labels).tolist() == [1000] * 10
    assert test.source.endswith("cifar10-jpeg.tar.xz (JPEG copies: lossy)")


@pytest.mark.parametrize(("name", "length"), [("tinyshakespeare", 1_115_394), ("makemore-names", 32_033)])
def test_texts_of_the_shared_folder(shared_data, name, length):
    assert len(load(name, "all")) == length


def test_verified_texts(shared_data):
    file = catalogue()["tinyshakespeare"].files[0]
    assert hashlib.sha256(read(file)[0]).hexdigest() == file.sha256


def test_translation(shared_data):
    folder = shared_data / "translation"
    pairs = load(f"parallel:{folder / 'val.de.gz'},{folder / 'val.en.gz'}", "all")
    assert len(pairs) == 1014
    assert pairs.targets[0] == "A group of men are loading cotton onto a truck"
