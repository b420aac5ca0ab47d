"""Questions after the code of an interview: concepts said aloud, numbers typed."""

import sys
import time

from handmade.cli.screen import prompted, say
from handmade.study.cards import Card
from handmade.study.drills import question
from handmade.study.wording import proofs


def ask_concept(card: Card) -> int | None:
    """One's own rating of one's answer, 1 to 4; None where the input ends or s skips."""
    say(f"\n{card.ask}")
    if _line("Answer aloud; Enter shows ours (s skips) ") in (None, "s"):
        return None
    say(card.answer)
    if seen := proofs(card):
        say(f"See: {'; '.join(seen)}")
    while (typed := _line("1 wrong, 2 half, 3 right, 4 right and fluent: ")) is not None:
        if typed in ("1", "2", "3", "4"):
            return int(typed)
    return None


def ask_number(card: Card, turn: int) -> bool | None:
    """Whether the number typed was right; None where the input ends or s skips."""
    asked = question(card, turn)
    say(f"\n{asked.ask}")
    while (typed := _line("The number (s skips): ")) is not None and typed != "s":
        try:
            right = asked.is_right(typed)
        except ValueError:
            say("That is no number. 73,856 and 2^10 and 64*9*64 are.")
            continue
        say(("Right. " if right else "Not right. ") + asked.shown_answer)
        return right
    return None


def time_is_over(ends: float) -> bool:
    """Whether the clock has run out; said, where it has."""
    over = time.monotonic() >= ends
    if over:
        say("\nThe time is over.")
    return over


def _line(prompt: str) -> str | None:
    print(prompted(prompt), end="", flush=True)
    line = sys.stdin.readline()
    return line.strip().lower() if line else None
