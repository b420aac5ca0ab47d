"""The plan and its cards: every link resolves, every number is computed, every text fits where it is shown."""

import json
import random
import re
import unicodedata
from functools import cache
from itertools import product
from pathlib import Path

import pytest
import yaml

import handmade as hm
from handmade import nn
from handmade.cli.app import COMMANDS, application
from handmade.models import ZOO
from handmade.nn import init
from handmade.recipes import RECIPES
from handmade.study import data
from handmade.study.arithmetic import evaluate
from handmade.study.cards import SECTIONS, concept_cards, full_source, sources
from handmade.study.data import read_yaml
from handmade.study.plan import the_plan
from handmade.study.reports import FOLLOW_UPS, questions
from handmade.workshop.exercises import NAMES

EXPLORERS = {"conv", "flow", "gradient", "gates", "align", "hand", "heads", "lens", "train", "sizes"}
CARDS = list(concept_cards().values())
CHECKED = [card for card in CARDS if card.check]
DRILLED = [card for card in CARDS if card.drill]
LINKS = {
    "cs231n-5": "https://www.youtube.com/watch?v=bNb2fEVKeEo",
    "cs231n-9": "https://www.youtube.com/watch?v=DAOcjicFr1Y",
    "statquest-cnn": "https://www.youtube.com/watch?v=HGwBXDKFk9I",
    "statquest-rnn": "https://www.youtube.com/watch?v=AsNTP8Kwu80",
    "statquest-lstm": "https://www.youtube.com/watch?v=YCzL96nL7j0",
    "illustrated-transformer-blog": "https://jalammar.github.io/illustrated-transformer/",
    "illustrated-transformer-video": "https://www.youtube.com/watch?v=4Bdc55j80l8",
    "statquest-attention": "https://www.youtube.com/watch?v=PSs6nxngL6k",
    "statquest-transformer": "https://www.youtube.com/watch?v=zxQyTK8quyY",
    "karpathy-gpt": "https://www.youtube.com/watch?v=kCc8FmEb1nY",
}


def ids(values):
    return [value.id for value in values]


def test_each_exercise_stands_once_in_the_plan():
    assert sorted(the_plan().exercises) == sorted(NAMES)


def test_each_exercise_is_on_a_card():
    assert set(NAMES) == {name for card in CARDS for name in card.exercises}


@pytest.mark.parametrize("exercise", NAMES)
def test_what_follows_an_exercise_is_on_that_exercise(exercise):
    asked = questions(exercise, FOLLOW_UPS, random.Random(0))
    assert len({card.id for card in asked}) == FOLLOW_UPS == 3
    assert all(exercise in card.exercises for card in asked)


def test_links_are_the_plan_s():
    assert {item.id: item.link for item in the_plan().items if item.link} == LINKS


def test_items_come_in_order():
    plan, seen, day = the_plan(), set(), 1
    for item in plan.items:
        assert set(item.after) <= seen, item.id
        assert day <= item.day <= item.through <= plan.days, item.id
        assert item.kind in ("watch", "know", "build"), item.id
        assert set(item.look) <= EXPLORERS, item.id
        assert item.vault is None or item.vault in plan.notes, item.id
        assert item.kind != "watch" or item.link or item.id == "ng-sequence-models", item.id
        seen.add(item.id)
        day = item.day
    assert len(seen) == len(plan.items)


def test_each_item_has_cards():
    number = {item.id: sum(item.id in card.items for card in CARDS) for item in the_plan().items}
    assert number.pop("interviews") == 0  # they ask all the others' cards
    for id, found in number.items():
        few = the_plan().item(id).kind == "watch" or id == "recsys"
        assert found >= (1 if few else 3), id


@pytest.mark.parametrize("card", CARDS, ids=ids(CARDS))
def test_a_card_is_whole(card):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", card.id)
    assert card.section in SECTIONS
    assert card.items
    for item in card.items:
        the_plan().item(item)
    for part in card.source.split(";"):
        assert part.split()[0] in sources()
    assert full_source(card) != card.source
    assert card.proves


@pytest.mark.parametrize("card", CARDS, ids=ids(CARDS))
def test_a_card_s_text_fits_everywhere(card):
    assert 10 <= len(card.ask) <= 200
    assert len(card.answer) <= 220
    for text in (card.ask, card.answer, card.drill.ask if card.drill else ""):
        assert text == text.strip()
        assert text.isprintable(), "one line"
        assert text == unicodedata.normalize("NFC", text)
        # Obsidian's plugin would read a card, a cloze or a comment in these; LaTeX is shown nowhere.
        for sign in ("::", "==", "{{", "}}", "%%", "$", "<!--", "^^"):
            assert sign not in text, sign


@pytest.mark.parametrize("card", CARDS, ids=ids(CARDS))
def test_what_proves_a_card_is_there(card):
    for kind, name in card.proves:
        if kind == "exercise":
            assert name in NAMES
        elif kind == "explorer":
            assert name in EXPLORERS
        else:
            assert kind == "command"
            _assert_runs(name)


@pytest.mark.parametrize("item", [item for item in the_plan().items if item.run], ids=lambda item: item.id)
def test_what_an_item_runs_is_there(item):
    _assert_runs(item.run)


def _assert_runs(command: str) -> None:
    if command.startswith("python: "):
        assert command == "python: handmade.gradcheck"
        assert callable(hm.gradcheck)
        return
    program, name, *rest = command.split()
    assert program == "handmade"
    assert name in COMMANDS
    if rest and not rest[0].startswith("-"):
        assert rest[0] in {"models": ZOO, "train": RECIPES}[name]


def test_ids_and_questions_are_unique():
    assert len(read_yaml("cards.yaml")["cards"]) == len(CARDS) >= 245  # of two with one id, the later one would stay
    assert len({card.ask for card in CARDS}) == len(CARDS)


@pytest.mark.slow
@pytest.mark.parametrize("card", CHECKED, ids=ids(CHECKED))
def test_a_card_s_number_is_computed(card):
    check = card.check
    assert check.formula or check.code
    if check.formula:
        assert evaluate(check.formula, dict(check.values)) == check.equals
    if check.code:
        expected = check.equals if check.code_equals is None else check.code_equals
        with init.drawing(False):  # what is counted needs no initial weights
            assert eval(check.code, dict(PROGRAM)) == expected


@pytest.mark.parametrize("card", DRILLED, ids=ids(DRILLED))
def test_a_drill_has_an_answer_for_all_its_values(card):
    names = [name for name, _ in card.drill.vary]
    assert set(re.findall(r"{(\w+)}", card.drill.ask)) <= set(names)
    assert card.check.formula
    for values in product(*(values for _, values in card.drill.vary)):
        drawn = dict(zip(names, values, strict=True))
        assert evaluate(card.check.formula, dict(card.check.values) | drawn) > 0
        assert "{" not in card.drill.ask.format(**drawn)


# --- what the `code` of a card may name


@cache
def layers(name: str) -> tuple[dict, ...]:
    """The model layer by layer, as `handmade models NAME --json` prints it."""
    from typer.testing import CliRunner

    return tuple(json.loads(CliRunner().invoke(application(["models"]), ["models", name, "--json"]).stdout))


def layer(model: str, name: str) -> dict:
    return next(found for found in layers(model) if found["name"] == name)


def params(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def count(name: str) -> int:
    """The parameters of a network of the zoo; tests/models count what it states."""
    return ZOO[name].parameters


PROGRAM = {
    "nn": nn,
    "zeros": hm.zeros,
    "ZOO": ZOO,
    "params": params,
    "count": count,
    "layer": layer,
    "layers": layers,
}


def test_the_parsed_files_are_kept_and_damage_or_another_version_is_read_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "cache_folder", lambda: tmp_path)
    content = read_yaml("plan.yaml")
    kept = tmp_path / "study" / "plan.yaml.json"
    assert content == yaml.safe_load(Path(data.__file__).with_name("plan.yaml").read_text("utf-8"))
    monkeypatch.setattr(data, "_parsed", lambda source: pytest.fail("it is kept"))
    assert read_yaml("plan.yaml") == content
    monkeypatch.setattr(data, "_parsed", lambda source: "parsed")
    for damaged in (kept.read_bytes()[:100], b"[]", b'{"version": "another", "content": 1}', b"\xff"):
        kept.write_bytes(damaged)
        assert read_yaml("plan.yaml") == "parsed"
    monkeypatch.setattr(data, "cache_folder", lambda: kept)  # a file, where no folder can be made
    assert read_yaml("plan.yaml") == "parsed"
