import datetime
import re

import numpy as np
import pytest

from handmade.data import catalogue, load
from handmade.data.dates import FORMS, SENTENCES, ordinal, written
from handmade.errors import InputError


@pytest.fixture(scope="module")
def sets():
    return load("dates"), load("dates", "test")


@pytest.mark.slow
def test_train_and_test_share_no_day(sets):
    train, test = sets
    assert (len(train), len(test)) == (20_000, 2_000)
    assert not set(train.targets) & set(test.targets)
    days = sorted({datetime.date.fromisoformat(day) for day in (*train.targets, *test.targets)})
    assert days[0].year == 1950
    assert days[-1].year == 2049
    assert {day.weekday() for day in map(datetime.date.fromisoformat, test.targets)} == set(range(7))


@pytest.mark.slow
def test_they_are_the_same_each_time(sets):
    assert load("dates", "test") == sets[1]
    assert sets[0].sources[:2] == load("dates").sources[:2]


def test_each_source_says_its_day(sets):
    """What ISO says can be read off the source: day, month by name or number, at least two digits of the year."""
    names = [f"{datetime.date(2000, month, 1):%b}".lower() for month in range(1, 13)]
    for source, target in zip(sets[1].sources, sets[1].targets, strict=True):
        year, month, day = target.split("-")
        text = source.lower()
        assert year[2:] in text
        assert str(int(day)) in text
        assert names[int(month) - 1] in text or str(int(month)) in text


def test_forms_and_sentences(rng):
    assert len(set(FORMS)) == len(FORMS) == 28
    day = datetime.date(1979, 5, 3)
    made = [written(day, rng) for _ in range(3000)]
    assert set(made) >= {
        "5/3/79", "03.05.79", "1979-05-03", "3 May 1979", "thursday, may 3rd 1979", "03-MAY-79", "3 may '79",
        "on 3 May 1979 at noon",
    }  # fmt: skip
    assert "on thu may 3 1979 at noon" in set(map(str.lower, made))
    lengths = np.array([len(text) for text in made])
    assert 0.4 < np.mean(lengths > 32) < 0.5
    assert 110 < lengths.max() < 140


@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_sentence_holds_a_date_and_at_most_two_other_numbers(sentence):
    assert sentence.count("{date}") == 1
    assert set(re.findall(r"{(.*?)}", sentence)) <= {"date", "n", "k"}


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (13, "13th"),
        (21, "21st"),
        (22, "22nd"),
        (30, "30th"),
        (31, "31st"),
    ],
)
def test_ordinals(number, expected):
    assert ordinal(number) == expected


def test_in_the_catalogue():
    assert catalogue()["dates"].where() == "made"
    with pytest.raises(InputError, match=r"dates has no split 'all'; it has train, test"):
        load("dates", "all")
