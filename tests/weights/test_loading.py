"""Weights from files into models."""

import numpy as np
import pytest
import torch

from handmade import nn, weights
from handmade.errors import InputError


class Net(nn.Module):
    def __init__(self, num_classes: int = 10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, (3, 2), bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.fc = nn.Linear(5, num_classes)


def torch_net(num_classes: int = 10) -> torch.nn.ModuleDict:
    layers = {
        "conv1": torch.nn.Conv2d(3, 4, (3, 2), bias=False),
        "bn1": torch.nn.BatchNorm2d(4),
        "fc": torch.nn.Linear(5, num_classes),
    }
    return torch.nn.ModuleDict(layers)


def arrays_of(model: nn.Module) -> dict[str, np.ndarray]:
    return {name: np.array(tensor) for name, tensor in model.state_dict().items()}


def test_a_model_gets_the_weights_of_a_torch_file(save_torch):
    state = torch_net().state_dict()
    state["bn1.num_batches_tracked"] += 7
    model = Net()
    weights.load(model, save_torch({"state_dict": {f"module.{name}": value for name, value in state.items()}}))
    found = arrays_of(model)
    assert found.keys() == state.keys()
    for name, value in state.items():
        np.testing.assert_array_equal(found[name], value.numpy())


def test_double_precision_is_read_into_a_float32_model(save_torch):
    state = {name: value.double() for name, value in torch_net().state_dict().items()}
    model = Net()
    weights.load(model, save_torch(state))
    assert arrays_of(model)["fc.weight"].dtype == np.float32
    np.testing.assert_array_equal(arrays_of(model)["fc.weight"], state["fc.weight"].numpy().astype(np.float32))


def test_old_files_lack_a_counter(save_torch):
    state = torch_net().state_dict()
    del state["bn1.num_batches_tracked"]
    model = Net()
    weights.load(model, save_torch(state))
    assert arrays_of(model)["bn1.num_batches_tracked"] == 0
    np.testing.assert_array_equal(arrays_of(model)["fc.bias"], state["fc.bias"].numpy())


def test_heads_that_a_model_was_built_without_are_left_out(save_torch):
    state = torch_net().state_dict() | {"aux1.fc2.weight": torch.ones(2, 3), "AuxLogits.fc.bias": torch.ones(2)}
    model = Net()
    weights.load(model, save_torch(state))
    model.aux1 = nn.Linear(2, 3)
    with pytest.raises(InputError, match=r"unexpected: aux1\.fc2\.weight"):
        weights.load(model, save_torch(state))


def test_a_mismatch_lists_everything_and_names_the_file(save_torch):
    state = torch_net().state_dict()
    state["conv1.weight"] = torch.ones(4, 3, 3, 3)
    state["layer9.weight"] = state.pop("bn1.weight")
    model = Net()
    before = arrays_of(model)
    with pytest.raises(InputError) as caught:
        weights.load(model, save_torch(state))
    message = str(caught.value)
    assert "saved.pth: " in message
    assert "missing: bn1.weight" in message
    assert "unexpected: layer9.weight" in message
    assert "misshapen: conv1.weight: given (4, 3, 3, 3), expected (4, 3, 3, 2)" in message
    assert "Only the head" not in message
    for name, array in arrays_of(model).items():
        np.testing.assert_array_equal(array, before[name])


def test_another_number_of_classes_says_how_to_go_on(save_torch):
    path = save_torch(torch_net(1000).state_dict())
    model = Net()
    with pytest.raises(InputError) as caught:
        weights.load(model, path)
    message = str(caught.value)
    assert "Only the head differs: the file knows 1000 classes, the model 10." in message
    assert "build the model with num_classes=1000, or" in message

    advice = message.partition("load the rest:\n")[2]
    exec("\n".join(line.strip() for line in advice.splitlines()), {"handmade": __import__("handmade"), "model": model})
    expected = weights.read(path)
    found = arrays_of(model)
    assert found["fc.weight"].shape == (10, 5)
    np.testing.assert_array_equal(found["conv1.weight"], expected["conv1.weight"])


def test_the_advice_names_the_builder_of_published_weights(save_torch, tmp_path):
    path = save_torch(torch_net(1000).state_dict()).rename(tmp_path / "resnet50-0676ba61.pth")
    with pytest.raises(InputError, match=r"with num_classes=1000, as resnet50\(num_classes=1000\), or"):
        weights.load(Net(), path)


def test_a_layer_of_another_width_is_not_taken_for_the_head(save_torch):
    state = torch_net().state_dict()
    state["fc.weight"] = torch.ones(10, 6)
    with pytest.raises(InputError) as caught:
        weights.load(Net(), save_torch(state))
    assert "Only the head" not in str(caught.value)


@pytest.mark.parametrize("file", ["googlenet-1378be20.pth", "inception_v3_google-0cc3c7bd.pth"])
def test_a_setting_that_published_weights_were_trained_with(file, save_torch, tmp_path):
    model = Net()
    model.transform_input = False
    path = save_torch(torch_net().state_dict())
    weights.load(model, path)
    assert not model.transform_input
    weights.load(model, path.rename(tmp_path / file))
    assert model.transform_input


def test_unreadable_weights_leave_the_model_alone(tmp_path):
    path = tmp_path / "cut.pth"
    path.write_bytes(b"PK\x03\x04" + b"\0" * 50)
    model = Net()
    before = arrays_of(model)
    with pytest.raises(InputError, match=r"cut\.pth is a damaged zip archive"):
        weights.load(model, path)
    for name, array in arrays_of(model).items():
        np.testing.assert_array_equal(array, before[name])


def test_a_number_where_an_array_belongs_is_not_taken_for_the_head(tmp_path):
    model = nn.Sequential(nn.Linear(2, 3))
    arrays = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    weights.save(tmp_path / "w", {**arrays, "0.bias": np.array(1.0)})
    with pytest.raises(InputError, match=r"misshapen: 0\.bias: given \(\), expected \(3,\)$"):
        weights.load(model, tmp_path / "w")


def test_a_damaged_config_beside_weights_concerns_only_models_that_have_one(save_torch):
    path = save_torch(torch_net().state_dict())
    path.with_name("config.json").write_text("{")
    model = Net()
    weights.load(model, path)
    np.testing.assert_array_equal(arrays_of(model)["fc.weight"], weights.read(path)["fc.weight"])
