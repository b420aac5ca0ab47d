"""The whole plan and how far each item is: in lines to read, and as plain data."""

from typing import Any

from handmade.study.standing import Standing
from handmade.study.wording import day_in_words, headline, status_in_words


def plan_in_lines(standing: Standing) -> str:
    """Every item of the plan, part by part: when it is due, how far it is, and what to open next."""
    lines = [headline(standing)]
    for part in standing.plan.parts:
        lines += ["", part]
        for status in standing.statuses.values():
            item = status.item
            if item.part != part:
                continue
            mark = "✓" if status.complete else "→" if status.first <= standing.today else " "
            star = " (most important)" if item.most_important else ""
            lines.append(f" {mark} {item.title}{star}")
            lines.append(f"     {item.id}; {day_in_words(status.first, standing.today)}; {status_in_words(status)}")
            left = [name for name in item.exercises if not standing.progress.of(name).passed]
            seen = [item.link] if item.link else []
            seen += [f"handmade check {left[0]}"] if left else []
            seen += [item.run] if item.run else []
            lines += [f"     {where}" for where in seen]
    return "\n".join(lines)


def plan_as_data(standing: Standing) -> dict[str, Any]:
    """The day and every item of the plan with its state, as JSON can hold it."""
    due = standing.queue()
    watch = standing.next_watch
    return {
        "today": standing.today.isoformat(),
        "first_day": standing.first_day.isoformat(),
        "interview": standing.interview.isoformat() if standing.interview else None,
        "streak": standing.streak,
        "due": due,
        "next": {"watch": watch.id if watch else None, "exercise": standing.next_exercise},
        "behind": [status.item.id for status in standing.behind],
        "items": [
            {
                "id": status.item.id,
                "part": status.item.part,
                "kind": status.item.kind,
                "title": status.item.title,
                "first_day": status.first.isoformat(),
                "last_day": status.last.isoformat(),
                "watched": status.watched,
                "cards": status.cards,
                "known": status.known,
                "exercises": list(status.item.exercises),
                "passed": [name for name in status.item.exercises if standing.progress.of(name).passed],
                "done": status.done,
                "complete": status.complete,
                "link": status.item.link,
                "look": list(status.item.look),
                "run": status.item.run,
            }
            for status in standing.statuses.values()
        ],
    }
