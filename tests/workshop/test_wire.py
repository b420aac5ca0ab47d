"""Plain data across the pipe: the same on the other side, and nothing else."""

from collections import deque

import numpy as np
import pytest

from handmade.workshop.cell.wire import LARGEST, Opaque, dumps, loads


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -3,
        10**40,
        "line\nanother\u2028",
        [1, [2.5, "a"]],
        (1, (2,), []),
        {"a": 1, ("b", 2): [3]},
        {1, 2},
        [],
        {},
    ],
)
def test_plain_values(value):
    again = loads(dumps(value))
    assert again == value
    assert type(again) is type(value)
    assert "\n" not in dumps(value)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "uint8", "bool", "complex128"])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3, 4)])
def test_arrays_bit_by_bit(rng, dtype, shape):
    array = rng.standard_normal(shape).astype(dtype)
    again = loads(dumps(array))
    assert again.dtype == array.dtype
    assert again.shape == shape
    assert again.tobytes() == array.tobytes()


def test_nan_and_infinities():
    values = [float("inf"), -float("inf"), 1e-320]
    assert loads(dumps(values)) == values
    assert np.isnan(loads(dumps(float("nan"))))
    assert loads(dumps(0.1 + 0.2)) == 0.1 + 0.2


def test_views_and_other_orders_are_written_as_they_are_seen(rng):
    array = rng.standard_normal((4, 6))[::2, ::-1].T
    assert np.array_equal(loads(dumps(array)), array)
    assert np.array_equal(loads(dumps(np.asfortranarray(array))), array)
    assert loads(dumps(array.astype(">f8"))).tolist() == array.tolist()


def test_what_behaves_as_a_list_is_one():
    assert loads(dumps({"a": 1}.keys())) == ["a"]
    assert loads(dumps(range(3))) == [0, 1, 2]
    assert loads(dumps(deque([1]))) == [1]
    assert loads(dumps(np.array(["a", "bc"]))) == ["a", "bc"]
    assert loads(dumps(np.array([1, None, "a"], object))).tolist() == [1, None, "a"]


def test_a_generator_goes_on_where_it_was():
    generator = np.random.default_rng(7)
    generator.standard_normal(3)
    again = loads(dumps(generator))
    assert again.standard_normal() == generator.standard_normal()


@pytest.mark.parametrize(
    "value", [object(), len, {1: object()}[1], np.zeros(LARGEST + 1, np.uint8), np.zeros(2, "M8[s]")]
)
def test_everything_else_is_a_name(value):
    assert isinstance(loads(dumps(value)), Opaque)


@pytest.mark.parametrize(
    "line", ["", "{", "[1]", "[]", '["array","|O",[1],""]', '["array","<f8",[2],""]', '["dict",3]', '["other",1]']
)
def test_other_lines_are_a_value_error(line):
    with pytest.raises(ValueError):  # noqa: PT011
        loads(line)
