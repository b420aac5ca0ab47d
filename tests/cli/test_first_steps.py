"""The way of a new user, from the first command to the first card, vault and deck: each step as the screen says it."""

import json
import re
import sqlite3
import zipfile

import pytest

from tests.support.terminal import in_a_terminal

SOFTMAX = """import numpy as np


def softmax(x, axis=-1):
    exponentials = np.exp(x - x.max(axis=axis, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)
"""


def named(screen: str, command: str) -> list[str]:
    """The command that the screen names, a pattern, as one types it."""
    found = re.search(rf"handmade ({command})", " ".join(re.sub(r"\x1b\[[0-9;]*m", "", screen).split()))
    assert found, f"{command!r} is nowhere on the screen:\n{screen}"
    return found.group(1).split()


@pytest.mark.slow
def test_the_screen_leads_from_start_to_an_item_a_card_a_vault_and_a_deck(tmp_path):
    def typed(command: list[str], *keys: str, here=tmp_path / "handmade-workshop") -> str:
        return in_a_terminal(command, here, list(keys), columns=80)

    screen = typed([], here=tmp_path)
    began = typed(named(screen, "start"), "2001-01-01\n", "2099-01-01\n", here=tmp_path)
    assert "would be before the plan's first day" in " ".join(began.split())
    assert "cd handmade-workshop" in began
    file = re.search(r"Open (\S+) in your editor", began).group(1)
    (tmp_path / "handmade-workshop" / file).write_text(SOFTMAX)
    assert "passed" in typed(named(began, r"check \w+"))

    screen = typed(named(began, "plan"))
    screen = typed(named(screen, r"plan done \S+"))
    assert "Watched: Stanford CS231n, lecture 5" in screen
    screen = typed(named(screen, "review"), "\n", "3\n", "q\n")
    assert "Answered: 1." in screen
    assert "then handmade plan done statquest-cnn" in typed(named(began, "plan"))

    notes = tmp_path / "Notes"
    (notes / ".obsidian").mkdir(parents=True)
    screen = typed([*named(began, "vault"), str(notes)], "y\n")
    assert "community plugin Spaced Repetition" in screen
    tracker = (notes / "30-ML-Fundamentals" / "Concepts Tracker.md").read_text()
    assert re.search(r"- \[x\] .*\^handmade-cs231n-5", tracker)
    assert "knows 0 of" in tracker

    screen = typed(named(began, r"cards --anki \S+"))
    assert "File, Import" in screen
    with zipfile.ZipFile(tmp_path / "handmade-workshop" / "handmade.apkg") as deck:
        deck.extract("collection.anki2", tmp_path)
    with sqlite3.connect(tmp_path / "collection.anki2") as database:
        (cards,) = database.execute("select count(*) from cards").fetchone()
    database.close()
    assert f"{cards} cards in handmade.apkg" in screen
    record = json.loads((tmp_path / "handmade-workshop" / "progress.json").read_text())
    assert record["exercises"]["softmax"]["passed"]


def test_a_shell_that_does_not_know_the_program_is_told_how_to_make_it(tmp_path, monkeypatch, handmade):
    monkeypatch.setattr("sys.prefix", "/my environment")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "source '/my environment/bin/activate'" in handmade("start", tmp_path / "one").out
    program = tmp_path / "handmade"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert "activate" not in handmade("start", tmp_path / "one").out


def test_a_deck_has_the_name_that_anki_imports(tmp_path, handmade):
    ran = handmade("cards", "--anki", tmp_path / "deck.txt")
    assert ran.code == 2
    assert "deck.apkg" in ran.err


def test_an_item_of_the_plan_is_asked_for_and_the_nearest_is_said(handmade):
    assert "`handmade plan --all` lists them" in handmade("plan", "done").err
    assert "did you mean 'cs231n-5'?" in handmade("plan", "done", "cs231n5").err
