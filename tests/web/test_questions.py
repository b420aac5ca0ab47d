"""Questions: whatever does not fit is refused, by the name of its field."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handmade.errors import InputError
from handmade.web.explorers import NAMES, explorer_named
from handmade.web.questions import (
    LARGEST,
    asked,
    choice,
    flag,
    matrix,
    named_choices,
    named_numbers,
    pairs,
    real,
    text,
    whole,
)


@dataclass(frozen=True)
class Question:
    count: int = whole(3, 0, 9)
    rate: float = real(1.0, 0, 4)
    said: str = text("", longest=5)
    mode: str = choice("one", "two")
    on: bool = flag()
    rows: tuple = matrix(((0.0,),), 2, 3, largest=10)
    off: tuple = pairs(most=2, high=7)
    cut: Mapping = named_choices("skip", "branch", most=2)
    hold: Mapping = named_numbers(-1, 1, most=2)


WRONG = {
    "count": [-1, 10, 1.0, True, "1", None, [1], 10**400],
    "rate": [-0.1, 4.1, True, "1", None, 1e999],
    "said": ["123456", 1, None, ["a"], "\ud800"],
    "mode": ["three", "", None, 1, ["one"]],
    "on": [1, 0, "true", None],
    "rows": [[], [[]], [[1], [1, 2]], [[1] * 4], [[1]] * 3, [["1"]], [[11]], [1], "a", [[True]], {"0": [1]}],
    "off": [[[1]], [[1, 2, 3]], [[1, 8]], [[1, -1]], [[1, 2]] * 3, [1, 2], "a", [[True, 1]], {"a": 1}],
    "cut": [{"a": "both"}, {"a": 1}, {"a": ["skip"]}, dict.fromkeys("abc", "skip"), {"a" * 81: "skip"}, [], "skip"],
    "hold": [{"a": 2}, {"a": "1"}, {"a": True}, {"a": None}, dict.fromkeys("abc", 1), {"a" * 81: 1}, [], 1],
}
RIGHT = {
    "count": 9,
    "rate": 4,
    "said": "12345",
    "mode": "two",
    "on": True,
    "rows": [[1, -10, 0.5], [0, 0, 0]],
    "off": [[7, 0]],
    "cut": {"layer1.0": "skip"},
    "hold": {"0.f.1": 0.5},
}


def test_what_fits_is_taken_and_what_is_missing_has_its_default():
    assert asked(Question, b"{}") == Question()
    question = asked(Question, json.dumps(RIGHT).encode())
    assert question.rows == ((1.0, -10.0, 0.5), (0.0, 0.0, 0.0))
    assert (question.count, question.off, question.cut) == (9, ((7, 0),), {"layer1.0": "skip"})


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_what_does_not_fit_is_refused_by_name(name, value):
    content = json.dumps({**RIGHT, name: value}).replace("Infinity", "1e999").encode()
    with pytest.raises(InputError, match=f"^{name} is .*, expected "):
        asked(Question, content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nothing",
        b"[]",
        b"1",
        b"{",
        b'{"rate": NaN}',
        b"\xff",
        b"[" * 60000,
        b'{"other": 1}',
        b" " * (LARGEST + 1),
    ],
)
def test_what_is_no_question_is_refused(content):
    with pytest.raises(InputError, match="the question"):
        asked(Question, content)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=15, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("name", NAMES)
def test_an_explorers_question_takes_what_fits_or_says_what_does_not(name, data):
    kind = explorer_named(name).question
    names = st.sampled_from([*kind.__dataclass_fields__, "unknown"])
    given_fields = data.draw(st.dictionaries(names, ANYTHING, max_size=3))
    said = ""
    try:
        assert isinstance(asked(kind, json.dumps(given_fields).encode()), kind)
    except InputError as error:
        said = str(error)
    assert not said or said.startswith((*given_fields, "the question"))
