"""Blocks in a user's note: whatever a user and a plugin do to it, nothing of theirs is lost, and twice is once."""

import random
import re
from functools import lru_cache

import pytest

from handmade.study.blocks import Block, Wanted, digest, merge, read, written

NOTES = [
    "",
    "# Mine\n\nsome ``code`` :: text\n",
    "---\nstatus: open\n---\n\n- [ ] ResNet\n",
    "no line end",
    "# A\r\n\r\nof Windows\r\n",
    "\u65e5\u672c\u8a9e \u2028 \x0c \x85 Привет\n\n\n",
    "## Deep Learning\nmine\n### below\nmine too\n## Other\nnot ours\n",
    "```\n## Deep Learning\n```\n",
]
SCHEDULE = re.compile(r"<!--SR:.*?-->")

parts_of = lru_cache(maxsize=8)(read)
"""A note is looked at several times."""


def outside(text: str) -> list[str]:
    return [part for part in parts_of(text) if isinstance(part, str)]


def blocks(text: str) -> dict[str, Block]:
    return {part.id: part for part in parts_of(text) if isinstance(part, Block)}


def edited(rng: random.Random, note: str, cards: dict[str, Wanted]) -> tuple[str, set[str], list[str]]:
    """The note after a user and a plugin have written in it; the cards edited by hand, the lines written outside."""
    lines, touched, mine = note.split("\n"), set(), []
    for _ in range(rng.randint(0, 4)):
        id = rng.choice(list(cards))
        kind = rng.choice(["outside", "schedule", "inside", "same line"])
        answer = next((k for k, line in enumerate(lines) if line.startswith(f"Answer {id}.")), None)
        if kind == "outside":
            at = next(k for k, line in enumerate(lines) if line.startswith(f"%% handmade {id} "))
            lines[at:at] = [f"note {rng.random()}", ""]
            mine.append(lines[at])
        elif answer is not None and kind == "schedule" and not lines[answer + 1].startswith("<!--SR"):
            end = "\r" * lines[answer].endswith("\r")
            lines.insert(answer + 1, f"<!--SR:!fsrs,2026-12-0{rng.randint(1, 9)},3-->{end}")
        elif answer is not None and kind == "same line" and "<!--" not in lines[answer]:
            end = "\r" * lines[answer].endswith("\r")
            lines[answer] = lines[answer].rstrip("\r") + f" <!--SR:!2026-12-1{rng.randint(0, 9)},3,250-->{end}"
        elif answer is not None and kind == "inside":
            lines[answer] = lines[answer].replace(f"Answer {id}.", f"Answer {id}. And mine {rng.random()}.")
            touched.add(id)
    return "\n".join(lines), touched, mine


@pytest.mark.slow
def test_20_000_random_histories_lose_nothing():
    rng = random.Random(0)
    for _ in range(20_000):
        heading = rng.choice([None, "Deep Learning"])
        cards = {f"c{n}": Wanted(f"c{n}", f"Question {n}?\n?\nAnswer c{n}.", heading) for n in range(rng.randint(1, 5))}
        begun = rng.choice(NOTES)
        note = merge(begun, cards.values()).text
        assert merge(note, cards.values()).text == note
        added = heading is not None and (f"## {heading}" not in begun or "```" in begun)
        assert "".join(outside(note)).split() == [*begun.split(), *(f"## {heading}".split() if added else [])]
        note, touched, mine = edited(rng, note, cards)
        newer = {
            id: Wanted(id, card.body.replace("?\n?", ", really?\n?") if rng.random() < 0.5 else card.body, heading)
            for id, card in cards.items()
        }
        if rng.random() < 0.3:
            newer["new"] = Wanted("new", "Q?\n?\nA", heading)
        merged = merge(note, newer.values())
        assert all(word in merged.text for word in mine)
        assert sorted(SCHEDULE.findall(merged.text)) == sorted(SCHEDULE.findall(note))
        assert set(merged.kept) == {id for id in touched if newer[id].body != cards[id].body}
        before, after = blocks(note), blocks(merged.text)
        for id, card in newer.items():
            assert (id in touched) or digest(after[id].body) == digest(card.body)
        for id in touched:
            assert after[id].body == before[id].body
        assert merge(merged.text, newer.values()).text == merged.text
        if "new" not in newer:
            assert outside(merged.text) == outside(note)  # byte by byte
        else:
            assert "".join(outside(merged.text)).split() == "".join(outside(note)).split()


@pytest.mark.parametrize(
    "note",
    [
        "%% handmade a 00000000 %%\nbody\n",
        "%% handmade a 00000000 %%\n%% handmade b 00000000 %%\n%% /handmade b %%\n%% /handmade a %%\n",
        "%% handmade a 00000000 %%\n%% /handmade b %%\n",
        "text\n%% /handmade a %%\n",
    ],
)
def test_marks_in_disorder_are_refused(note):
    with pytest.raises(ValueError, match="handmade|mark|begins|ends"):
        merge(note, [Wanted("a", "x")])


def test_marks_in_disorder_are_told_without_their_control_characters():
    with pytest.raises(ValueError, match=r"^the mark of a\\x1b\[2J is not closed$"):
        read("%% handmade a\x1b[2J 01234567 %%\n")


def test_the_first_of_two_blocks_counts_and_the_second_stays():
    first = written(Wanted("a", "old"))
    note = f"{first}\n\n{first}\n"
    merged = merge(note, [Wanted("a", "new")])
    assert merged.doubled == ["a"]
    assert merged.text == f"{written(Wanted('a', 'new'))}\n\n{first}\n"


def test_blocks_of_other_versions_stay():
    note = written(Wanted("of-tomorrow", "x")) + "\n"
    assert merge(note, []).text == note


def test_line_ends_of_windows_stay():
    note = merge("# A\r\n\r\nmine\r\n", [Wanted("a", "one\ntwo")]).text
    assert re.sub("\r\n", "", note).count("\n") == 0
    renewed = merge(note.replace("two\r\n", "two\r\n<!--SR:!2026-12-04,3,250-->\r\n"), [Wanted("a", "one\nthree")]).text
    assert re.sub("\r\n", "", renewed).count("\n") == 0
    assert "three\r\n<!--SR:!2026-12-04,3,250-->\r\n" in renewed


def test_a_block_goes_below_its_heading_and_a_missing_heading_is_made():
    note = "# Top\n## Deep Learning\nmine\n### deeper\nmine\n## NLP\nother\n"
    text = merge(note, [Wanted("a", "x", "Deep Learning")]).text
    assert text.startswith("# Top\n## Deep Learning\nmine\n### deeper\nmine\n\n%% handmade a ")
    assert text.endswith("%% /handmade a %%\n\n## NLP\nother\n")
    assert "\n## RecSys\n\n%% handmade a " in merge(note, [Wanted("a", "x", "RecSys")]).text
    fenced = "```\n## RecSys\n```\n"
    assert merge(fenced, [Wanted("a", "x", "RecSys")]).text.startswith(fenced + "\n## RecSys\n")


def test_ticks_are_no_edits_and_are_brought_up_to_date():
    body = "- [ ] One ^handmade-one\n- [ ] Two ^handmade-two"
    note = merge("", [Wanted("plan", body)]).text
    ticked = note.replace("- [ ] One", "- [x] One")
    assert blocks(ticked)["plan"].ticks == {"one": True, "two": False}
    assert blocks(ticked)["plan"].ticked == ()
    merged = merge(ticked, [Wanted("plan", body.replace("- [ ] One", "- [x] One"))])
    assert blocks(merged.text)["plan"].ticked == ("one",)
    assert merged.text.replace(" one %%", " %%") == ticked
    # with a line of one's own in it, too
    own = merged.text.replace("Two ^", "Two, soon ^")
    kept = merge(own, [Wanted("plan", body.replace("[ ]", "[x]").replace("One", "The first"))])
    assert kept.kept == ["plan"]
    assert "- [x] Two, soon ^handmade-two" in kept.text


def test_a_schedule_says_when_the_card_is_due():
    for comment in ("<!--SR:!2026-12-04,3,250-->", "<!--SR:!fsrs,2026-12-04,3.1,5.2-->"):
        assert Block("a", "", (), f"Q\n?\nA\n{comment}\n", "").due == "2026-12-04"
    assert Block("a", "", (), "Q\n?\nA 2026-12-04\n", "").due is None
