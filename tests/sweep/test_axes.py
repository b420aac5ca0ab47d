"""What is swept: lists, ranges, and the trials they make."""

import pytest

from handmade.errors import InputError
from handmade.recipes import recipe_of
from handmade.sweep import read_axes, trials_of

GPT = recipe_of("gpt")


def test_every_combination_of_lists_in_their_order():
    axes = read_axes(GPT, ["learning_rate=1e-3, 3e-4", "n_layer=4,6", "n_layer=6,8"])
    assert axes == {"learning_rate": [1e-3, 3e-4], "n_layer": [4, 6, 8]}
    trials = trials_of(axes, None, 0)
    assert len(trials) == 6
    assert trials[0] == {"learning_rate": 1e-3, "n_layer": 4}
    assert trials[-1] == {"learning_rate": 3e-4, "n_layer": 8}
    assert all(type(trial["n_layer"]) is int for trial in trials)


def test_a_wide_range_is_drawn_by_its_logarithm_and_a_narrow_one_evenly():
    trials = trials_of(read_axes(GPT, ["learning_rate=1e-4..1e-2", "dropout=0.1..0.5"]), 400, 0)
    rates, dropouts = ([trial[name] for trial in trials] for name in ("learning_rate", "dropout"))
    assert all(1e-4 <= rate <= 1e-2 and rate == float(f"{rate:.3g}") for rate in rates)
    below = sum(rate < 1e-3 for rate in rates) / 400  # half of the range's logarithm; 1 in 11 of the range itself
    assert abs(below - 0.5) < 0.1  # four standard deviations
    assert abs(sum(dropouts) / 400 - 0.3) < 0.024  # four of 0.4 / sqrt(12 * 400)


def test_whole_numbers_stay_whole_and_reach_both_ends():
    trials = trials_of(read_axes(GPT, ["n_layer=2..4"]), 10, 0)
    assert sorted(trial["n_layer"] for trial in trials) == [2, 3, 4]  # there is no fourth
    wide = [trial["batch_size"] for trial in trials_of(read_axes(GPT, ["batch_size=1..64"]), 64, 0)]
    assert all(type(size) is int for size in wide)
    assert {1, 64} <= set(wide)


def test_lists_take_turns_beside_a_range_and_more_trials_begin_with_the_fewer():
    axes = read_axes(GPT, ["n_layer=4,6", "learning_rate=1e-4..1e-2"])
    few, many = trials_of(axes, 4, 1), trials_of(axes, 8, 1)
    assert many[:4] == few
    assert [trial["n_layer"] for trial in few] == [4, 6, 4, 6]
    assert list(few[0]) == ["n_layer", "learning_rate"]
    assert trials_of(axes, 4, 2) != few
    assert len(trials_of(axes, None, 1)) == 10


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ([], "nothing to sweep"),
        (["learning_rate"], "expected key=value,value or key=low..high"),
        (["learning_rate="], "expected key=value,value"),
        (["lr=1,2"], "did you mean 'learning_rate'"),
        (["n_layr=1,2"], "did you mean 'n_layer'"),
        (["n_layer=4,x"], "n_layer is 'x', expected a whole number"),
        (["model=gpt,bert"], "a recipe trains its own model"),
        (["learning_rate=1e-2..1e-4"], "begins with its lower end"),
        (["data=a..b"], "a range has a number at each end"),
        (["bias=true..false"], "a range has a number at each end"),
        (["dropout=0..0.5", "dropout=0.1"], "swept twice"),
        (["dropout=0.1", "dropout=0..0.5"], "swept twice"),
    ],
)
def test_what_cannot_be_swept(over, said):
    with pytest.raises(InputError) as raised:
        read_axes(GPT, over)
    assert said in str(raised.value)


def test_a_number_of_trials_needs_a_range_and_is_in_bounds():
    with pytest.raises(InputError, match="trials is for ranges"):
        trials_of(read_axes(GPT, ["n_layer=4,6"]), 3, 0)
    with pytest.raises(InputError, match="trials is 0"):
        trials_of(read_axes(GPT, ["dropout=0..0.5"]), 0, 0)
    listed = ",".join(map(str, range(1, 102)))
    with pytest.raises(InputError, match="more than 10,000 combinations"):
        trials_of(read_axes(GPT, [f"n_layer={listed}", f"batch_size={listed}"]), None, 0)
