"""Drills: the same turn asks the same, and a number is judged as it was asked."""

import pytest

from handmade.study.cards import concept_cards
from handmade.study.drills import number_of, question

DRILLED = [card for card in concept_cards().values() if card.drill]


@pytest.mark.parametrize("card", DRILLED, ids=lambda card: card.id)
def test_the_right_number_is_right_and_its_neighbours_are_not(card):
    asked = set()
    for turn in range(20):
        drawn = question(card, turn)
        assert drawn == question(card, turn)
        asked.add(drawn.ask)
        assert drawn.is_right(f"{drawn.answer}")
        assert drawn.is_right(f" {drawn.answer:,} ")
        assert not drawn.is_right(f"{drawn.answer + 10**-drawn.digits}")
        assert not drawn.is_right(f"{drawn.answer - 10**-drawn.digits}")
        assert number_of(drawn.shown_answer.partition(":")[0]) == drawn.answer
    assert len(asked) > 1


def test_digits_asked_are_enough_and_more_are_allowed():
    drawn = next(
        q for turn in range(50) if (q := question(concept_cards()["cross-entropy-start"], turn)).answer == 4.17
    )
    assert drawn.is_right("4.17")
    assert drawn.is_right("4.174387")
    assert drawn.is_right("log(65)")
    assert not drawn.is_right("4.1")


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("73856", 73856),
        ("73,856", 73856),
        ("73 856", 73856),
        ("73_856", 73856),
        ("1,610,612,736", 1610612736),
        ("0.5", 0.5),
        ("0,5", 0.5),
        ("1e6", 1e6),
        ("2^10", 1024),
        ("64 * 9*64", 36864),
        ("-3", -3),
    ],
)
def test_numbers_are_read_as_people_type_them(typed, number):
    assert number_of(typed) == number


@pytest.mark.parametrize("typed", ["", "about ten", "12 apples", "__import__('os')", "1,2,3x"])
def test_what_is_no_number_is_said(typed):
    with pytest.raises(ValueError, match="."):
        number_of(typed)


def test_a_card_without_a_drill_has_no_question():
    with pytest.raises(ValueError, match="has no drill"):
        question(concept_cards()["relu-why"], 0)
