"""A review in the terminal: asks, shows, takes one key or one line, and says what is left."""

import sys
import time
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from handmade.cli.screen import prompted
from handmade.errors import InputError
from handmade.study.cards import Card
from handmade.study.drills import Question
from handmade.study.session import Session
from handmade.study.wording import counted, proofs, source_line, until_in_words
from handmade.workshop.workspace import Workspace

RATINGS = {1: "again", 2: "hard", 3: "good", 4: "easy"}


class Terminal:
    """One session at the keyboard. minutes: after how many to end; None: when all is done."""

    def __init__(self, session: Session, workspace: Workspace | None, minutes: float | None) -> None:
        self.session, self.workspace = session, workspace
        self.ends = None if minutes is None else time.monotonic() + 60 * minutes
        self.console = Console(highlight=False)

    def run(self) -> None:
        """Ask until nothing is left, the time is over, or q."""
        if self.session.current() is None:
            self._say(
                "Nothing is due today. `handmade review --numbers` drills numbers; `handmade plan` says what is next."
            )
            return
        try:
            while (id := self.session.current()) is not None and not self._time_is_over():
                if not self._ask(id):
                    break
        except KeyboardInterrupt:
            self._say("")
        self._end()

    def _ask(self, id: str) -> bool:
        """One card. Whether to go on."""
        if id.startswith("exercise/"):
            return self._exercise(id)
        try:
            asked = self.session.question(id)
        except InputError:  # a mistake that is no longer in the list
            self.session.skip(id)
            return True
        self._say("")
        self._say(f"{self.session.left} left", "dim")
        self.console.print(Padding(Text(asked.ask, "bold"), (0, 0, 0, 2)))
        began = time.monotonic()
        if isinstance(asked, Question):
            return self._number(id, asked, began)
        typed = self._line("Enter shows the answer (u undo, s skip, q end) ")
        if typed in ("u", "s", "q"):
            return self._other(id, typed)
        self._show(asked)
        return self._rate(id, began)

    def _show(self, card: Card) -> None:
        self.console.print(Padding(Text(card.answer), (0, 0, 0, 2)))
        seen = proofs(card)
        source = source_line(card) + (f" See: {'; '.join(seen)}" if seen else "")
        self.console.print(Padding(Text(source, "dim"), (0, 0, 0, 2)))

    def _rate(self, id: str, began: float) -> bool:
        now = datetime.now(UTC)
        dates = self.session.next_dates(id)
        choice = "  ".join(f"{key} {name} ({until_in_words(dates[key], now)})" for key, name in RATINGS.items())
        while True:
            typed = self._line(f"{choice}  ")
            if typed in ("1", "2", "3", "4"):
                self.session.rate(id, int(typed), time.monotonic() - began)
                return True
            if typed in ("u", "s", "q"):
                return self._other(id, typed)
            self._say("1, 2, 3 or 4; u undoes the last rating, s skips, q ends.", "dim")

    def _number(self, id: str, asked: Question, began: float) -> bool:
        while True:
            typed = self._line("The number (u undo, s skip, q end): ")
            if typed in ("u", "s", "q"):
                return self._other(id, typed)
            try:
                right = asked.is_right(typed)
            except ValueError:
                self._say("That is no number. 73,856 and 2^10 and 64*9*64 are.", "dim")
                continue
            self._say(("Right. " if right else "Not right. ") + asked.shown_answer, "green" if right else "red")
            self.session.rate(id, 3 if right else 1, time.monotonic() - began)
            return True

    def _other(self, id: str, typed: str) -> bool:
        if typed == "u":
            undone = self.session.undo()
            self._say("The last rating is undone." if undone else "There is no rating to undo.", "dim")
        elif typed == "s":
            self.session.skip(id)
        return typed != "q"

    def _exercise(self, id: str) -> bool:
        """Write it again from memory, against the clock; the judge rates."""
        from handmade.cli.from_memory import write_from_memory

        card = self.session.question(id)
        assert isinstance(card, Card)
        self._say("")
        self.console.print(Padding(Text(card.ask, "bold"), (0, 0, 0, 2)))
        typed = self._line("Enter starts the clock (s skip, u undo, q end) ")
        if typed in ("u", "s", "q"):
            return self._other(id, typed)
        if self.workspace is None:
            self._say("That needs the workspace: run `handmade review` in its folder.", "dim")
            self.session.skip(id)
            return True
        rated = write_from_memory(self.workspace, card.exercises[0])
        if rated is None:
            self.session.skip(id)
        else:
            self.session.rate(id, *rated)
        return True

    def _end(self) -> None:
        self.session.note_when_empty()
        done, again = self.session.answered, self.session.again
        standing = self.session.standing_now()
        left = len(standing.queue())
        tomorrow = standing.due_within(timedelta(days=1))
        self._say("")
        self._say(f"Answered: {done}" + (f", {again} of them again." if again else "."))
        self._say(f"Left today: {left}. Due by this time tomorrow: {counted(tomorrow, 'card')}.")
        next_one = "handmade review" if left else "handmade plan"
        self._say(f"Next: {next_one}", "dim")

    def _line(self, prompt: str) -> str:
        """A line typed, without blanks around it; at the end of input, q."""
        print(prompted(prompt), end="", flush=True)
        line = sys.stdin.readline()
        if not sys.stdin.isatty():
            print()
        return line.strip().lower() if line else "q"

    def _time_is_over(self) -> bool:
        over = self.ends is not None and time.monotonic() >= self.ends
        if over:
            self._say("The time is over.")
        return over

    def _say(self, text: str, style: str = "") -> None:
        self.console.print(Text(text, style))
