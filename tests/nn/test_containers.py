"""Sequential, ModuleList and ModuleDict behave as PyTorch's, and as the row, list and dict they are."""

import pytest
import torch

import handmade
from handmade import nn


def small(library):
    return [library.nn.Linear(2, 3), library.nn.ReLU(), library.nn.Linear(3, 4)]


def test_sequential_runs_in_a_row():
    first, act, last = small(handmade)
    net = nn.Sequential(first, act, last)
    x = handmade.randn(5, 2)
    assert (net(x) == last(act(first(x)))).all()
    assert len(net) == 3
    assert list(net) == [first, act, last]
    assert list(net.state_dict()) == list(torch.nn.Sequential(*small(torch)).state_dict())


def test_sequential_takes_names():
    first, act, _ = small(handmade)
    net = nn.Sequential({"fc": first, "act": act})
    assert list(net.state_dict()) == ["fc.weight", "fc.bias"]
    assert net.fc is first
    assert net[1] is act
    assert len(nn.Sequential({})) == len(nn.Sequential()) == 0


def test_sequential_slices_share_their_modules():
    net = nn.Sequential(*small(handmade))
    tail = net[1:]
    assert isinstance(tail, nn.Sequential)
    assert tail[-1] is net[2] is net[-1]
    expected = torch.nn.Sequential(*small(torch))[1:]
    assert repr(tail) == repr(expected)
    assert list(tail.state_dict()) == list(expected.state_dict())


def test_sequential_grows_and_changes():
    net = nn.Sequential(*small(handmade)[:2])
    assert net.append(nn.Tanh()) is net
    net.extend([nn.Linear(3, 1), nn.Sigmoid()])
    net[1] = nn.GELU()
    assert [type(module).__name__ for module in net] == ["Linear", "GELU", "Tanh", "Linear", "Sigmoid"]
    assert net(handmade.randn(5, 2)).shape == (5, 1)


def test_module_list_is_a_list():
    modules = small(handmade)
    row = nn.ModuleList(modules)
    assert len(row) == 3
    assert list(row) == modules
    assert row[-1] is modules[2]
    assert isinstance(row[:2], nn.ModuleList)
    assert list(row[:2]) == modules[:2]
    assert (
        list(row[1:].state_dict()) == ["1.weight", "1.bias"] == list(torch.nn.ModuleList(small(torch))[1:].state_dict())
    )
    row.insert(1, nn.Tanh())
    row.append(nn.Identity()).extend([nn.SiLU()])
    row[0] = nn.Sigmoid()
    assert [type(module).__name__ for module in row] == ["Sigmoid", "Tanh", "ReLU", "Linear", "Identity", "SiLU"]
    assert list(row.state_dict()) == ["3.weight", "3.bias"]


def test_module_list_takes_any_iterable():
    assert len(nn.ModuleList(nn.Linear(2, 2) for _ in range(3))) == 3
    assert list(nn.ModuleList()) == []


def test_equal_modules_in_a_row_are_shown_once_as_in_pytorch():
    def row(library):
        linear = library.nn.Linear
        return library.nn.ModuleList(
            [linear(2, 2), linear(2, 2), library.nn.ModuleList(), linear(3, 2), linear(2, 2), linear(2, 2)]
        )

    assert repr(row(handmade)) == repr(row(torch))


@pytest.mark.parametrize("make", [nn.Sequential, lambda *modules: nn.ModuleList(modules)])
def test_numbers_that_are_not_there_are_refused(make):
    container = make(*small(handmade))
    with pytest.raises(IndexError, match="has 3 modules, so there is no number 3"):
        container[3]
    with pytest.raises(IndexError, match="has 3 modules, so there is no number -4"):
        container[-4] = nn.Identity()


def test_module_dict_is_a_dict():
    first, act, last = small(handmade)
    table = nn.ModuleDict({"first": first, "act": act})
    table["last"] = last
    assert list(table) == list(table.keys()) == ["first", "act", "last"]
    assert list(table.values()) == [first, act, last]
    assert dict(table.items())["last"] is table["last"] is last
    assert len(table) == 3
    assert "act" in table
    del table["act"]
    assert "act" not in table
    table.update({"last": first})
    assert table["last"] is first
    with pytest.raises(KeyError, match="none"):
        table["none"]
    with pytest.raises(KeyError, match="ModuleDict already has an attribute 'keys'"):
        table["keys"] = act
    with pytest.raises(KeyError, match="training"):
        del table["training"]


def test_module_dict_is_named_and_shown_as_pytorchs():
    def table(library):
        return library.nn.ModuleDict(dict(zip("abc", small(library), strict=True)))

    assert list(table(handmade).state_dict()) == list(table(torch).state_dict())
    assert repr(table(handmade)) == repr(table(torch))


def test_what_is_no_module_is_refused():
    with pytest.raises(TypeError, match="ModuleDict: 'x' is a function; expected a Module"):
        nn.ModuleDict().add_module("x", lambda: None)
