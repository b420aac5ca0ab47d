import numpy as np
import pytest

import handmade
from handmade import nn
from handmade.errors import InputError
from handmade.lens import find_layer, recording, undisturbed


def two_layers() -> nn.Module:
    return nn.Sequential(
        {"first": nn.Linear(3, 4), "squash": nn.Tanh(), "drop": nn.Dropout(0.5), "second": nn.Linear(4, 2)}
    )


def test_outputs_are_kept_in_the_order_in_which_layers_finish(rng):
    model = two_layers()
    x = handmade.tensor(rng.standard_normal((5, 3)).astype(np.float32))
    with recording(model) as outputs:
        y = model(x)
    assert list(outputs) == ["first", "squash", "drop", "second"]
    assert np.array_equal(outputs["squash"][0].numpy(), np.tanh(outputs["first"][0].numpy()))
    assert outputs["second"][0] is y


def test_gradients_of_outputs(rng):
    model = two_layers().eval()
    x = handmade.tensor(rng.standard_normal((5, 3)).astype(np.float32))
    cotangent = rng.standard_normal((5, 2)).astype(np.float32)
    with recording(model, "squash", gradients=True) as outputs:
        model(x).backward(cotangent)
    assert list(outputs) == ["squash"]
    (squashed,) = outputs["squash"]
    assert squashed.grad is not None
    np.testing.assert_allclose(squashed.grad.numpy(), cotangent @ find_layer(model, "second").weight.numpy(), rtol=1e-5)


def test_without_gradients_none_are_kept(rng):
    model = two_layers()
    with recording(model, "squash") as outputs:
        model(handmade.tensor(rng.standard_normal((5, 3)).astype(np.float32))).sum().backward()
    assert outputs["squash"][0].grad is None


def test_a_layer_that_runs_twice_has_two_outputs(rng):
    model = two_layers().eval()
    with recording(model, "first") as outputs:
        for _ in range(2):
            model(handmade.tensor(rng.standard_normal((5, 3)).astype(np.float32)))
    one, two = outputs["first"]
    assert not np.array_equal(one.numpy(), two.numpy())


def test_of_several_outputs_the_first_is_kept(rng):
    model = nn.Sequential({"lstm": nn.LSTM(3, 4)})
    with recording(model, "lstm") as outputs:
        sequence, _ = model(handmade.tensor(rng.standard_normal((6, 2, 3)).astype(np.float32)))
    assert outputs["lstm"] == [sequence]


def test_hooks_are_gone_afterwards_even_when_the_model_fails(rng):
    model = two_layers()
    with pytest.raises(ValueError, match="7"), recording(model) as outputs:
        model(handmade.tensor(rng.standard_normal((5, 7)).astype(np.float32)))
    model(handmade.tensor(rng.standard_normal((5, 3)).astype(np.float32)))
    assert not outputs


def test_an_unknown_layer_suggests_the_nearest():
    with pytest.raises(
        InputError, match="Sequential has no layer 'frist'; did you mean 'first'\\? It has 4: first, sq"
    ):
        find_layer(two_layers(), "frist")


def test_undisturbed_leaves_modes_and_parameters_as_they_were():
    model = two_layers()
    find_layer(model, "drop").eval()
    find_layer(model, "first").requires_grad_(False)

    def fail_inside() -> None:
        with undisturbed(model):
            assert not any(module.training for module in model.modules())
            assert not any(parameter.requires_grad for parameter in model.parameters())
            raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        fail_inside()
    assert {name: module.training for name, module in model.named_modules()} == {
        "": True, "first": True, "squash": True, "drop": False, "second": True
    }  # fmt: skip
    assert [name for name, parameter in model.named_parameters() if parameter.requires_grad] == [
        "second.weight", "second.bias"
    ]  # fmt: skip
