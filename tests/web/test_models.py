"""The models that the pages look into: how they are called, and that each is opened once."""

import os
import shutil

import pytest

from handmade.errors import InputError
from handmade.models.gpt import gpt
from handmade.web import models as models_module
from handmade.web.models import Models, given_source
from tests.web.conftest import RUNS


def fits(card):
    return card.build is gpt


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(RUNS / "gpt", tmp_path / "runs" / "gpt-1")
    return tmp_path


def test_a_given_run_is_called_by_its_path_from_here_and_listed_once(folder):
    given = given_source(str(folder / "runs" / "gpt-1"), folder=folder)
    assert given.source.name == "runs/gpt-1"
    assert [source.name for source in Models(folder, [given]).sources(fits)] == ["runs/gpt-1"]
    elsewhere = given_source(str(folder / "runs" / "gpt-1"), folder=folder / "other")
    assert elsewhere.source.name == str(folder / "runs" / "gpt-1")


def test_the_parameters_are_the_models_own_and_not_those_of_its_networks_card(folder):
    models = Models(folder)
    (source,) = models.sources(fits)
    assert models.parameters(source) is None
    with models.opened(source.name) as used:
        assert models.parameters(source) == sum(one.array.size for one in used.model.parameters()) == 7456


def test_a_given_model_is_opened_once(folder, monkeypatch):
    given, opened = given_source(str(folder / "runs" / "gpt-1"), folder=folder), []
    monkeypatch.setattr(models_module, "open_model", lambda *source: opened.append(source))
    models = Models(folder, [given])
    with models.opened("", fits) as used:
        assert used is given.use
    assert not opened


def test_models_of_which_there_are_images_come_first(folder):
    models = Models(folder, first="fashion-mnist")
    assert [source.data for source in models.sources()] == ["fashion-mnist", models.sources()[1].data]
    assert [source.name for source in Models(folder).sources()] == ["runs/gpt-1", "packaged lenet5"]


def test_a_run_that_becomes_another_is_read_again(folder):
    models, config = Models(folder), folder / "runs" / "gpt-1" / "config.json"
    assert [source.name for source in models.sources(fits)] == ["runs/gpt-1"]
    config.write_text("{}")
    os.utime(config, ns=(1, 1))
    assert models.sources(fits) == []
    config.unlink()
    assert models.sources(fits) == []


def test_the_packaged_network_is_there_without_any_run(tmp_path):
    models = Models(tmp_path)
    assert [source.name for source in models.sources()] == ["packaged lenet5"]
    with models.opened("packaged lenet5") as used:
        assert (used.name, used.trained, used.channels) == ("lenet5", True, 1)
    with pytest.raises(InputError, match="no model '../lenet5'"), models.opened("../lenet5"):
        pass
