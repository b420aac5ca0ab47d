import numpy as np
import pytest

import handmade
from handmade import nn
from handmade.errors import InputError
from handmade.recipes import recipe_of
from handmade.train.averaging import LastStates, average, average_of_runs
from handmade.train.run import new_run


def test_the_mean_of_each_array(rng):
    states = [{"w": rng.standard_normal((2, 3)).astype(np.float32), "n": np.array(i)} for i in range(3)]
    mean = average(states)
    np.testing.assert_allclose(mean["w"], (states[0]["w"] + states[1]["w"] + states[2]["w"]) / 3, rtol=1e-6)
    assert mean["w"].dtype == np.float32
    assert mean["n"] == 2


def test_the_last_states_are_kept_as_they_were():
    model, last = nn.Linear(2, 1, bias=False), LastStates(2)
    for value in (7.0, 1.0, 2.0):
        nn.init.constant_(model.weight, value)
        last.keep(model)
    model.load_state_dict(last.average())
    assert model.weight.tolist() == [[1.5, 1.5]]


def test_the_mean_of_two_runs(tmp_path):
    recipe, values = recipe_of("transformer"), {}
    for folder in (tmp_path / "a", tmp_path / "b"):
        run = new_run(recipe, {"merges": ["a b"]}, folder)
        model = nn.Linear(3, 2)
        run.save_model(model)
        values[folder] = model.weight.numpy()
    mean = average_of_runs(list(values))
    np.testing.assert_allclose(mean["weight"], sum(values.values()) / 2, rtol=1e-6)
    other = new_run(recipe, {"merges": ["c d"]}, tmp_path / "c")
    with pytest.raises(InputError, match="have learned from other data"):
        average_of_runs([tmp_path / "a", other.folder])


def test_states_that_cannot_be_averaged():
    with pytest.raises(InputError, match="no states"):
        average([])
    with pytest.raises(InputError, match="differ in b"):
        average([{"a": np.ones(2)}, {"a": np.ones(2), "b": np.ones(1)}])
    with pytest.raises(InputError, match="differ in a"):
        average([{"a": np.ones(2)}, {"a": np.ones(3)}])
    with pytest.raises(InputError, match="0 states cannot be averaged"):
        LastStates(0)


def test_the_average_of_one_model_computes_what_it_computes(rng):
    model, last = nn.Linear(4, 3), LastStates(3)
    x = handmade.tensor(rng.standard_normal((5, 4)).astype(np.float32))
    expected = model(x).numpy()
    for _ in range(3):
        last.keep(model)
    model.load_state_dict(last.average())
    np.testing.assert_allclose(model(x).numpy(), expected, rtol=1e-6)


def test_an_average_does_not_depend_on_how_its_weights_lie_in_memory(rng):
    arrays = [rng.normal(size=(3, 4, 5)).astype(np.float32) for _ in range(3)]
    plain = average([{"w": array} for array in arrays])["w"]
    turned = average([{"w": array.transpose(1, 2, 0).copy().transpose(2, 0, 1)} for array in arrays])["w"]
    assert plain.tobytes() == turned.tobytes()
    model, fresh = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)
    last = LastStates(1)
    last.keep(model)
    fresh.load_state_dict(last.average())
    assert fresh.weight.array.strides == model.weight.array.strides
    assert np.array_equal(fresh.weight.array, model.weight.array)
