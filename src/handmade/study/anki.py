"""The cards as a deck for Anki, by genanki."""

import html
from collections.abc import Iterable
from pathlib import Path

from handmade.files import replacing
from handmade.study.cards import SECTIONS, Card, full_source
from handmade.study.wording import proofs

MODEL, DECK = 1607392319, 2059400110  # drawn once; Anki knows our note type and decks by them


def write_deck(path: Path, cards: Iterable[Card]) -> int:
    """Write a deck whole, or raise InputError and leave what was there. How many cards it has.

    A note is known to Anki by its guid, which depends on the card's id alone: an edited card, imported again, takes the
    old one's place and keeps its schedule.
    """
    import genanki

    fields = ("ask", "answer", "source", "see", "id")
    template = {
        "name": "card",
        "qfmt": "{{ask}}",
        "afmt": "{{FrontSide}}<hr id=answer>{{answer}}<br><small>{{source}}<br>{{see}}</small>",
    }
    model = genanki.Model(MODEL, "handmade", fields=[{"name": name} for name in fields], templates=[template])
    decks = {
        section: genanki.Deck(DECK + number, f"handmade::{name}")
        for number, (section, name) in enumerate(SECTIONS.items(), 1)
    }
    number = 0
    for card in cards:
        texts = (card.ask, card.answer, full_source(card), "; ".join(proofs(card)), card.id)
        decks[card.section].add_note(
            genanki.Note(
                model=model,
                fields=[html.escape(text) for text in texts],
                guid=genanki.guid_for("handmade", card.id),
                tags=[card.section, *card.items],
            )
        )
        number += 1
    with replacing(path) as temporary:
        genanki.Package(list(decks.values())).write_to_file(temporary)
    return number
