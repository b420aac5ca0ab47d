"""handmade cards: find and read concept cards, or write them as a deck for Anki."""

from pathlib import Path
from typing import Annotated

import typer

from handmade.errors import InputError


def cards(
    word: Annotated[str | None, typer.Argument(help="Part of a question, answer, source or id.")] = None,
    anki: Annotated[
        Path | None, typer.Option(help="Write all cards to this Anki deck, for example handmade.apkg.")
    ] = None,
) -> None:
    """Find and read concept cards. With a word, every card that contains it is shown in full.

    Without a word, all questions are listed.

    --anki writes a deck. Import it again after an update: changed cards are updated, and Anki keeps its own schedule.
    Schedules are not exchanged between Anki and `handmade review`.
    """
    from handmade.cli.screen import page, say
    from handmade.study.cards import SECTIONS, cards_with, concept_cards
    from handmade.study.wording import counted, proofs, source_line

    if anki is not None:
        from handmade.study.anki import write_deck

        if anki.suffix != ".apkg":
            raise InputError(f"--anki is {anki}: Anki imports decks whose names end in .apkg, as {anki.stem}.apkg.")
        number = write_deck(anki, concept_cards().values())
        say(f"{counted(number, 'card')} in {anki}.\nIn Anki: File, Import, and choose {anki.name}.")
        say("After an update of handmade write and import it again: changed cards are renewed, your schedule stays.")
        return
    if word is None:
        lines = []
        for section, name in SECTIONS.items():
            found = [card for card in concept_cards().values() if card.section == section]
            lines += [f"{name} ({counted(len(found), 'card')})", *(f"  {card.id}: {card.ask}" for card in found), ""]
        page("\n".join([*lines, "handmade cards WORD shows the cards with that word; handmade review asks them."]))
        return
    found = cards_with(word)
    if not found:
        raise InputError(f"no card contains {word!r}. `handmade cards` lists all.")
    lines = []
    for card in found:
        seen = proofs(card)
        lines += [card.id, f"  {card.ask}", f"  {card.answer}", f"  {source_line(card)}"]
        lines += [f"  See: {'; '.join(seen)}", ""] if seen else [""]
    page("\n".join([*lines, f"{counted(len(found), 'card')}."]))
