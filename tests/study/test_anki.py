"""The deck for Anki, read back: whole, escaped, and known again after an update."""

import html
import sqlite3
import time
import zipfile
from dataclasses import replace

import pytest

from handmade.errors import InputError
from handmade.study.anki import write_deck
from handmade.study.cards import SECTIONS, concept_cards

CARDS = list(concept_cards().values())


def notes(deck, tmp_path) -> list[tuple[str, list[str], str]]:
    with zipfile.ZipFile(deck) as archive:
        archive.extract("collection.anki2", tmp_path)
    database = sqlite3.connect(tmp_path / "collection.anki2")
    found = database.execute("select guid, flds, tags from notes").fetchall()
    decks = database.execute("select decks from col").fetchone()[0]
    database.close()
    assert all(f"handmade::{name}" in decks for name in SECTIONS.values())
    return [(guid, fields.split("\x1f"), tags) for guid, fields, tags in found]


def test_every_card_is_one_note_with_a_guid_of_its_own(tmp_path):
    began = time.process_time()
    assert write_deck(tmp_path / "a.apkg", CARDS) == len(CARDS)
    assert time.process_time() - began < 2  # 0.5 s on a quiet machine; four times that elsewhere
    found = notes(tmp_path / "a.apkg", tmp_path)
    assert len({guid for guid, _, _ in found}) == len(found) == len(CARDS)
    by_id = {fields[4]: (fields, tags.split()) for _, fields, tags in found}
    fields, tags = by_id["relu-why"]
    assert fields[0] == html.escape(concept_cards()["relu-why"].ask)
    assert "Krizhevsky" in fields[2]
    assert {"cnn", "alexnet"} <= set(tags)


def test_guids_are_the_same_in_every_version(tmp_path):
    write_deck(tmp_path / "a.apkg", CARDS)
    guids = {fields[4]: guid for guid, fields, _ in notes(tmp_path / "a.apkg", tmp_path)}
    assert {id: guids[id] for id in PINNED} == PINNED


PINNED = {"relu-why": "wiPT5*oei[", "resnet-why": "s#?x%wyTi1", "attention-scale": "BHNj4m=Ch<"}


def test_an_edited_card_is_the_same_note(tmp_path):
    write_deck(tmp_path / "a.apkg", CARDS)
    before = {guid: fields for guid, fields, _ in notes(tmp_path / "a.apkg", tmp_path)}
    write_deck(tmp_path / "a.apkg", [replace(CARDS[0], answer="Another."), *CARDS[1:]])
    after = {guid: fields for guid, fields, _ in notes(tmp_path / "a.apkg", tmp_path)}
    assert before.keys() == after.keys()
    assert sum(before[guid] != after[guid] for guid in before) == 1


def test_html_is_escaped(tmp_path):
    card = replace(CARDS[0], ask="Is a < b & c > d?", answer='<script>"x"</script>')
    write_deck(tmp_path / "a.apkg", [card])
    ((_, fields, _),) = notes(tmp_path / "a.apkg", tmp_path)
    assert fields[0] == "Is a &lt; b &amp; c &gt; d?"
    assert fields[1] == "&lt;script&gt;&quot;x&quot;&lt;/script&gt;"


def test_a_deck_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.apkg"
    path.write_text("the old one")
    with pytest.raises(KeyError):
        write_deck(path, [replace(CARDS[0], section="none")])
    assert path.read_text() == "the old one"
    with pytest.raises(InputError, match="cannot write"):
        write_deck(tmp_path / "nowhere" / "a.apkg", CARDS[:1])
    assert [found.name for found in tmp_path.iterdir()] == ["a.apkg"]
