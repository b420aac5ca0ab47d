"""The pages of the study room: the plan, and today's cards. What they record is what `handmade plan` and `handmade
review` record, in the same journal."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from handmade.errors import InputError
from handmade.study.cards import SECTIONS
from handmade.study.drills import Question
from handmade.study.journal import Journal, journal_around
from handmade.study.overview import plan_as_data
from handmade.study.session import Chosen, Session, section_of
from handmade.study.standing import Standing, standing_of, tick, untick
from handmade.study.wording import day_in_words, headline, proofs, source_line, status_in_words, until_in_words
from handmade.web.frames import Answer
from handmade.web.pages import EXPLORERS
from handmade.web.questions import choice, flag, real, text, whole
from handmade.workshop.workspace import Workspace

LONGEST_CARD = 86_400.0
"""Seconds that a card may have taken, at most."""


@dataclass(frozen=True)
class AskPlan:
    """done, undo: an item to mark as watched, or no longer."""

    done: str = text("", longest=80)
    undo: str = text("", longest=80)


@dataclass(frozen=True)
class AskReview:
    """do: what to do with the card `card`; part, numbers: which cards are asked, as for `handmade review`."""

    do: str = choice("ask", "show", "rate", "type", "skip", "undo")
    card: str = text("", longest=200)
    rating: int = whole(1, 1, 4)
    typed: str = text("", longest=80)
    seconds: float = real(0.0, 0.0, LONGEST_CARD)
    part: str = choice("", *SECTIONS)
    numbers: bool = flag()


@dataclass
class Study:
    """The record of the learner of a folder, and the review that is open, one question at a time."""

    folder: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _session: Session | None = None
    _chosen: tuple[str, bool] = ("", False)
    _events: int = 0

    def plan(self, asked: AskPlan) -> Answer:
        """Every item with how far it is, and what is next. InputError for an unknown item."""
        with self._lock:
            journal, workspace = self._journal()
            standing = standing_of(journal, workspace, datetime.now(UTC))
            if asked.done:
                tick(standing, journal, asked.done)
            if asked.undo:
                untick(standing, journal, asked.undo)
            if asked.done or asked.undo:
                standing = standing_of(journal, workspace, datetime.now(UTC))
            return Answer(_plan(standing))

    def review(self, asked: AskReview) -> Answer:
        """Do what is asked with a card, then tell the one to ask now. InputError for a card that is not the one."""
        with self._lock:
            session, now = self._open(asked), datetime.now(UTC)
            told: dict[str, Any] = {}
            if asked.do in ("show", "rate", "type", "skip") and asked.card != session.current():
                raise InputError("that card has been answered: the page shows the next one.")
            if asked.do == "rate":
                if asked.card.startswith("exercise/"):
                    raise InputError("the judge rates an exercise: `handmade review` in its folder.")
                session.rate(asked.card, asked.rating, asked.seconds)
            elif asked.do == "type":
                told["typed"] = _typed(session, asked)
            elif asked.do == "skip":
                session.skip(asked.card)
            elif asked.do == "undo":
                told["undone"] = session.undo() is not None
            self._events = len(session.journal.events())
            told |= _current(session, now, shown=asked.do == "show")
            if told["card"] is None:
                session.note_when_empty()
                self._events = len(session.journal.events())
                told |= _end(session)
            return Answer(told)

    def _journal(self) -> tuple[Journal, Workspace | None]:
        return journal_around(self.folder, lambda _: None)

    def _open(self, asked: AskReview) -> Session:
        """The open review; a new one where other cards are asked for, or where something else wrote to the journal."""
        journal, workspace = self._journal()
        chosen = (asked.part, asked.numbers)
        if self._session is None or chosen != self._chosen or len(journal.events()) != self._events:
            part = SECTIONS[asked.part] if asked.part else None
            self._session = Session(journal, workspace, Chosen(part=part, numbers=asked.numbers), "page")
            self._chosen, self._events = chosen, len(journal.events())
        return self._session


def _plan(standing: Standing) -> dict[str, Any]:
    data = plan_as_data(standing)
    for item, status in zip(data["items"], standing.statuses.values(), strict=True):
        item["day"] = day_in_words(status.first, standing.today)
        item["said"] = status_in_words(status)
        item["begun"] = status.first <= standing.today
        item["look"] = [name for name in item["look"] if name in EXPLORERS]
    return {**data, "parts": list(standing.plan.parts), "headline": headline(standing), "due": len(data["due"])}


def _typed(session: Session, asked: AskReview) -> dict[str, Any]:
    """The number that was typed, graded, and recorded as the terminal records it."""
    drill = session.question(asked.card)
    if not isinstance(drill, Question):
        raise InputError("that card asks for no number.")
    try:
        right = drill.is_right(asked.typed)
    except ValueError:
        raise InputError("that is no number. 73,856 and 2^10 and 64*9*64 are.") from None
    session.rate(asked.card, 3 if right else 1, asked.seconds)
    return {"right": right, "ask": drill.ask, "answer": drill.shown_answer}


def _current(session: Session, now: datetime, shown: bool) -> dict[str, Any]:
    """The card to ask now, with its answer where that is to be shown."""
    while (id := session.current()) is not None:
        try:
            card = session.question(id)
            break
        except InputError:  # a mistake that is no longer in the list
            session.skip(id)
    said = {"answered": session.answered, "again": session.again, "left": session.left, "sections": SECTIONS}
    if id is None:
        return {**said, "card": None}
    kind = "number" if isinstance(card, Question) else "exercise" if id.startswith("exercise/") else "card"
    told: dict[str, Any] = {"id": id, "ask": card.ask, "kind": kind, "section": SECTIONS[section_of(id)]}
    if shown and not isinstance(card, Question):
        dates = {rating: until_in_words(date, now) for rating, date in session.next_dates(id).items()}
        told |= {"answer": card.answer, "source": source_line(card), "proofs": proofs(card), "dates": dates}
    return {**said, "card": told}


def _end(session: Session) -> dict[str, Any]:
    standing = session.standing_now()
    return {"rest": len(standing.queue()), "tomorrow": standing.due_within(timedelta(days=1))}
