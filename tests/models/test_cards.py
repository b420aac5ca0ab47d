"""The cards of the networks: every file's are found, they agree with the networks, and names are of one network."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import handmade
from handmade import models
from handmade.models import ZOO, Card
from handmade.models.card import Published, zoo


def card(name="net", **more) -> Card:
    return Card(name, lambda: None, 2000, "A: B", 1, more.pop("input_shape", (3, 8, 8)), **more)


def test_every_file_with_builders_ends_in_its_cards():
    files = sorted(path.stem for path in Path(models.__file__).parent.glob("[a-z]*.py"))
    found = [file for file in files if hasattr(import_module(f"handmade.models.{file}"), "CARDS")]
    without = {"bert_files", "card", "gpt_files", "sequence_to_sequence", "settings", "word2vec"}
    assert found == sorted(set(files) - without)
    assert sum(len(import_module(f"handmade.models.{file}").CARDS) for file in found) == len(ZOO)


def test_the_builder_of_every_card_is_a_name_of_the_room():
    for name, known in ZOO.items():
        assert known.name == name
        assert getattr(models, known.build.__name__) is known.build
        assert known.build.__module__.startswith("handmade.models.")


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Makes a package of model files, each with one card, and gives its zoo."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(name: str, **files: str) -> dict[str, Card]:
        (tmp_path / name).mkdir()
        for file, arguments in files.items():
            text = f"from handmade.models.card import Card\nCARDS = (Card({arguments}),)\n"
            (tmp_path / name / f"{file}.py").write_text(text)
        return zoo(name, [str(tmp_path / name)])

    return make


def test_a_file_is_found_and_nothing_lists_it(package):
    found = package(
        "ordered",
        aloud="'aloud', print, 1990, 'P', 1, (5, 2), input='clip'",
        read="'read', print, 1980, 'P', 1, (5,)",
        seen="'seen', print, 2020, 'P', 1, (3, 8, 8)",
        was_seen="'was-seen', print, 2000, 'P', 1, (3, 8, 8)",
    )
    assert list(found) == ["was-seen", "seen", "read", "aloud"]


def test_two_networks_of_one_name_are_refused(package):
    with pytest.raises(ValueError, match="the card 'net' is there already"):
        package("twice", one="'net', print, 1990, 'P', 1, (5,)", two="'net', print, 1990, 'P', 1, (5,)")


@pytest.mark.parametrize("name", ["lenet5", "char-rnn", "bert", "seq2seq", "g2p", "spoken-digits", "trigger-word"])
def test_an_example_is_what_the_model_is_called_with(name):
    known = ZOO[name]
    with handmade.no_grad():
        output = known.make().eval()(*known.example())
    output = output[0] if isinstance(output, tuple) else output
    assert len(output) == 1
    assert np.isfinite(output.numpy()).all()


def test_what_is_stated_has_a_source():
    for known in ZOO.values():
        assert bool(known.error) == bool(known.source), known.name


def test_published_weights_take_from_the_card_what_it_says():
    weights = Published("https://example.org/net-1234.pth", "1234", "MIT")
    known = card("net", input_shape=(3, 8, 9), classes="imagenet", resize=10, published=weights).published
    assert (known.builder, known.classes, known.resize, known.crop) == ("net", "imagenet", 10, 9)
    assert card("net", input_shape=(5,), published=weights).published.crop is None


def test_use():
    weights = Published("https://example.org/net-1234.pth", "1234", "MIT")
    assert card().use == ("build",)
    assert card(recipe="net").use == ("train",)
    assert card(recipe="net", published=weights).use == ("train", "weights")
