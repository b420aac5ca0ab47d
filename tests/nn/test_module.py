"""Module: its parts and their names, its state, its modes, its hooks."""

import copy
import pickle

import numpy as np
import pytest
import torch

import handmade
from handmade import nn, tensor
from handmade.nn import Module, Parameter


def network(library):
    """A small network of either library: nested, with buffers, an absent bias, a tied weight, a module used twice."""

    class Block(library.nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.conv = library.nn.Conv2d(channels, channels, 3, padding=1, bias=False)
            self.norm = library.nn.BatchNorm2d(channels)
            self.register_buffer("counts", library.zeros(2))
            self.register_buffer("cache", library.ones(3), persistent=False)
            self.scale = library.nn.Parameter(library.ones(1))

        def forward(self, x):
            return (x + self.norm(self.conv(x)) * self.scale).relu()

    class Net(library.nn.Module):
        def __init__(self):
            super().__init__()
            self.position = library.nn.Parameter(library.zeros(3, 4, 5))
            self.blocks = library.nn.ModuleList([Block(3), Block(3)])
            self.again = self.blocks[0]
            self.embedding = library.nn.Embedding(7, 60)
            self.head = library.nn.Linear(60, 7)
            self.head.weight = self.embedding.weight

        def forward(self, x):
            x = x + self.position
            for block in self.blocks:
                x = block(x)
            return self.head(self.again(x).flatten(1))

    return Net()


def names(pairs):
    return [name for name, _ in pairs]


# --- names and order --------------------------------------------------------------------------------------------------


def test_parts_have_pytorchs_names_in_pytorchs_order():
    ours, theirs = network(handmade), network(torch)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for walk in ("named_parameters", "named_buffers", "named_modules", "named_children"):
        assert names(getattr(ours, walk)()) == names(getattr(theirs, walk)()), walk
    assert names(ours.named_parameters(recurse=False)) == ["position"]
    assert names(ours.blocks[0].named_buffers("here", recurse=False)) == ["here.counts", "here.cache"]
    assert names(ours.named_parameters(prefix="net")) == names(theirs.named_parameters(prefix="net"))


def test_shared_parts_count_once():
    ours, theirs = network(handmade), network(torch)
    for walk in ("parameters", "buffers", "modules", "children"):
        assert len(list(getattr(ours, walk)())) == len(list(getattr(theirs, walk)())), walk
    assert sum(p.numel() for p in ours.parameters()) == sum(p.numel() for p in theirs.parameters())


def test_a_tied_weight_gets_the_gradients_of_both_uses(rng):
    ours, theirs = network(handmade), network(torch)
    ours.load_state_dict(theirs.state_dict())
    assert ours.head.weight is ours.embedding.weight
    x = rng.standard_normal((2, 3, 4, 5)).astype(np.float32)
    for library, net in ((handmade, ours), (torch, theirs)):
        (net(library.tensor(x)).sum() + net.embedding(library.tensor([1, 1, 2])).square().sum()).backward()
    for (name, mine), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(mine.grad.numpy(), other.grad.numpy(), rtol=1e-4, atol=1e-4, err_msg=name)


def test_a_network_is_shown_as_pytorchs():
    expected = repr(network(torch))
    assert repr(network(handmade)) == expected


def test_extra_repr_of_several_lines_is_indented_as_pytorchs():
    for library in (handmade, torch):

        class Two(library.nn.Module):
            def extra_repr(self):
                return "a=1,\nb=2"

        assert repr(Two()) == "Two(\n  a=1,\n  b=2\n)"
        assert repr(library.nn.Sequential(Two())) == "Sequential(\n  (0): Two(\n    a=1,\n    b=2\n  )\n)"


def test_parameters_are_shown_as_what_they_are():
    assert repr(Parameter(tensor([1.5]))) == "Parameter containing:\ntensor([1.5], requires_grad=True)"


# --- setting parts ----------------------------------------------------------------------------------------------------


def test_parts_before_super_init_are_refused():
    class Forgetful(Module):
        def __init__(self):
            self.weight = Parameter(handmade.ones(2))

    with pytest.raises(AttributeError, match=r"Forgetful\.weight = Parameter: call super\(\).__init__\(\) first"):
        Forgetful()


def test_a_parameter_can_be_replaced_or_removed_but_not_by_something_else():
    layer = nn.Linear(2, 3)
    with pytest.raises(TypeError, match=r"Linear\.weight is a Parameter and cannot become a Tensor.*copy_"):
        layer.weight = handmade.ones(3, 2)
    layer.weight = Parameter(handmade.ones(3, 2))
    layer.bias = None
    assert list(layer.state_dict()) == ["weight"]
    assert layer(handmade.ones(2)).tolist() == [2, 2, 2]
    with pytest.raises(TypeError, match=r"Net\.head is a Module and cannot become a function"):
        network(handmade).head = lambda x: x


def test_buffers_can_be_replaced_by_tensors_only():
    block = network(handmade).blocks[0]
    block.counts = handmade.ones(5)
    assert block.state_dict()["counts"].shape == (5,)
    with pytest.raises(TypeError, match=r"Block\.counts is a buffer and cannot be a ndarray; assign a Tensor"):
        block.counts = np.ones(5)
    block.register_buffer("counts", handmade.ones(4), persistent=False)
    assert "counts" not in block.state_dict()
    block.cache = None
    assert "cache" not in names(block.named_buffers())


@pytest.mark.parametrize(
    ("name", "message"),
    [("a.b", "contains a dot"), ("", "is empty"), ("forward", "Module already has an attribute 'forward'")],
)
def test_names_that_cannot_be_are_refused(name, message):
    class Plain(Module):
        def forward(self):
            return None

    module = Plain()
    with pytest.raises(KeyError, match=message.replace("Module", "Plain")):
        module.register_buffer(name, handmade.ones(1))
    with pytest.raises(KeyError):
        module.add_module(name, nn.Identity())


def test_add_module_takes_modules_only():
    module = nn.Identity()
    with pytest.raises(TypeError, match="Identity: 'inner' is a float; expected a Module"):
        module.add_module("inner", 3.0)
    module.add_module("inner", nn.Identity())
    assert names(module.named_children()) == ["inner"]


def test_removed_parts_are_gone():
    net = network(handmade)
    del net.again, net.position
    assert names(net.named_children()) == ["blocks", "embedding", "head"]
    assert "position" not in net.state_dict()


# --- state ------------------------------------------------------------------------------------------------------------


def test_state_is_a_view_off_the_tape():
    layer = nn.Linear(2, 3)
    state = layer.state_dict()
    assert type(state["weight"]) is handmade.Tensor
    assert not state["weight"].requires_grad
    state["weight"].fill_(2)
    assert (layer.weight == 2).all()


def test_state_goes_from_one_network_to_another_also_as_arrays():
    one, two, three = network(handmade), network(handmade), network(handmade)
    for tensor_ in one.state_dict().values():
        tensor_.copy_(np.random.default_rng(0).integers(0, 9, tensor_.shape))
    assert two.load_state_dict(one.state_dict()) == ([], [])
    three.load_state_dict({name: value.numpy() for name, value in one.state_dict().items()})
    for name, value in one.state_dict().items():
        assert (two.state_dict()[name] == value).all()
        assert (three.state_dict()[name] == value).all()
    assert two.blocks[0].norm.num_batches_tracked.dtype == handmade.int64


def test_loading_converts_to_the_type_of_the_parameter_and_keeps_its_identity():
    layer = nn.Linear(2, 3)
    weight, array = layer.weight, layer.weight.array
    layer.load_state_dict({"weight": np.full((3, 2), 1 / 3), "bias": np.zeros(3, np.int64)})
    assert layer.weight is weight
    assert weight.array is array
    assert weight.dtype == handmade.float32
    assert weight.requires_grad
    assert weight.numpy()[0, 0] == np.float32(1 / 3)


def test_loading_copies():
    layer, values = nn.Linear(2, 3), {"weight": np.ones((3, 2), np.float32), "bias": np.ones(3, np.float32)}
    layer.load_state_dict(values)
    values["weight"][:] = 5
    assert (layer.weight == 1).all()


def test_everything_that_does_not_fit_is_listed_and_nothing_loaded():
    layer = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4), nn.BatchNorm1d(4))
    before = {name: value.numpy().copy() for name, value in layer.state_dict().items()}
    state = {name: np.full(value.shape, 7.0) for name, value in before.items()}
    state["1.weight"] = np.zeros((4, 5))
    state["2.running_mean"] = np.zeros(1)  # would broadcast
    del state["0.bias"], state["2.num_batches_tracked"]
    state["fc.weight"], state["fc.bias"] = np.zeros((2, 2)), np.zeros(2)
    with pytest.raises(RuntimeError) as caught:
        layer.load_state_dict(state)
    assert str(caught.value).splitlines() == [
        "the state does not fit Sequential, none of it is loaded:",
        "    misshapen: 1.weight: given (4, 5), expected (4, 3)",
        "    misshapen: 2.running_mean: given (1,), expected (4,)",
        "    missing: 0.bias (3,)",
        "    missing: 2.num_batches_tracked ()",
        "    unexpected: fc.weight (2, 2)",
        "    unexpected: fc.bias (2,)",
    ]
    for name, value in layer.state_dict().items():
        assert (value.numpy() == before[name]).all()


def test_loading_not_strictly_passes_over_names_but_not_over_shapes():
    layer = nn.Linear(2, 3)
    result = layer.load_state_dict({"weight": np.ones((3, 2)), "extra": np.ones(1)}, strict=False)
    assert result.missing_keys == ["bias"]
    assert result.unexpected_keys == ["extra"]
    assert (layer.weight == 1).all()
    with pytest.raises(RuntimeError, match=r"misshapen: weight: given \(2, 3\), expected \(3, 2\)"):
        layer.load_state_dict({"weight": np.ones((2, 3))}, strict=False)


def test_a_graph_from_before_loading_is_found_out():
    layer = nn.Linear(2, 3)
    loss = layer(handmade.ones(2, requires_grad=True)).sum()
    layer.load_state_dict(nn.Linear(2, 3).state_dict())
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_copies_are_independent_and_keep_ties():
    shared = nn.Linear(3, 3)
    net = nn.Sequential(shared, nn.Linear(3, 3), shared)
    net[1].weight = shared.weight
    net[1].bias.requires_grad_(False)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert list(twin.state_dict()) == list(net.state_dict())
        assert twin[0] is twin[2]
        assert twin[0].weight is twin[1].weight
        assert [p.requires_grad for p in twin.parameters()] == [True, True, False]
        twin(handmade.ones(2, 3)).sum().backward()
        assert twin[0].weight.grad is not None
        assert net[0].weight.grad is None
        twin[0].weight.detach().fill_(3)
        assert not (net[0].weight == 3).any()


# --- modes and types --------------------------------------------------------------------------------------------------


def test_train_and_eval_reach_all_modules():
    net = network(handmade)
    assert net.training
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    assert net.blocks.train() is net.blocks
    assert net.blocks[1].norm.training
    assert not net.training


def test_requires_grad_freezes_and_thaws():
    net = network(handmade)
    assert net.blocks.requires_grad_(False) is net.blocks
    assert [name for name, p in net.named_parameters() if p.requires_grad] == [
        "position",
        "embedding.weight",
        "head.bias",
    ]
    net(handmade.ones(2, 3, 4, 5)).sum().backward()
    assert net.blocks[0].scale.grad is None
    assert net.position.grad is not None
    net.requires_grad_()
    assert all(p.requires_grad for p in net.parameters())


def test_zero_grad_forgets_gradients():
    net = network(handmade)
    net(handmade.ones(2, 3, 4, 5)).sum().backward()
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_types_change_in_place_for_floats_only():
    net = network(handmade)
    net(handmade.ones(2, 3, 4, 5)).sum().backward()
    weight = net.head.weight
    assert net.double() is net
    assert net.head.weight is weight
    assert {t.dtype.name for t in (*net.parameters(), *net.buffers())} == {"float64", "int64"}
    assert net.blocks[0].norm.num_batches_tracked.dtype == handmade.int64
    assert weight.grad.dtype == handmade.float64
    net(handmade.ones(2, 3, 4, 5).double()).sum().backward()
    assert net.float().head.weight.dtype == handmade.float32
    assert net.to(handmade.float64).head.bias.dtype == handmade.float64
    with pytest.raises(TypeError, match=r"Net\.to: parameters are float32 or float64, not int64"):
        net.to(handmade.int64)


def test_apply_visits_children_first():
    visited = []
    net = network(handmade)
    assert net.apply(lambda module: visited.append(type(module).__name__)) is net
    expected = []
    network(torch).apply(lambda module: expected.append(type(module).__name__))
    assert visited == expected


# --- calls ------------------------------------------------------------------------------------------------------------


def test_forward_gets_all_arguments():
    class Sum(Module):
        def forward(self, x, *others, scale=1):
            return (x + sum(others)) * scale

    assert Sum()(1, 2, 3, scale=2) == 12


def test_hooks_see_the_call_may_replace_the_output_and_go_away():
    layer, seen = nn.Linear(2, 3), []
    x = handmade.ones(4, 2)
    plain = layer(x)
    watching = layer.register_forward_hook(lambda module, args, output: seen.append((module, args, output)))
    doubling = layer.register_forward_hook(lambda module, args, output: output * 2)
    assert (layer(x) == plain * 2).all()
    assert seen[0][0] is layer
    assert seen[0][1] == (x,)
    assert (seen[0][2] == plain).all()
    doubling.remove()
    assert (layer(x) == plain).all()
    watching.remove()
    watching.remove()
    layer(x)
    assert len(seen) == 2


def test_a_hook_may_remove_itself_while_others_wait():
    layer, calls = nn.Identity(), []

    def once(module, args, output):
        calls.append("once")
        handle.remove()

    handle = layer.register_forward_hook(once)
    layer.register_forward_hook(lambda module, args, output: calls.append("always"))
    layer(1), layer(1)
    assert calls == ["once", "always", "always"]


def test_the_same_hook_twice_is_removed_one_by_one():
    layer, calls = nn.Identity(), []

    def hook(*call):
        calls.append(1)

    handles = [layer.register_forward_hook(hook) for _ in range(2)]
    handles[0].remove()
    handles[0].remove()
    layer(1)
    assert calls == [1]


@pytest.mark.parametrize("wrong", [np.array([1j, 2, 3]), np.array(["a", "b", "c"]), np.array([None] * 3)])
def test_what_is_no_numbers_is_refused_and_nothing_is_loaded(wrong):
    model = nn.Linear(2, 3)
    before = model.weight.numpy().copy()
    with pytest.raises(RuntimeError, match=r"no numbers: bias: given "):
        model.load_state_dict({"weight": np.zeros((3, 2)), "bias": wrong})
    assert np.array_equal(model.weight.numpy(), before)


def test_loading_says_that_all_names_matched_as_pytorch_does():
    layer, other = nn.Linear(2, 2), torch.nn.Linear(2, 2)
    assert repr(layer.load_state_dict(layer.state_dict())) == repr(other.load_state_dict(other.state_dict()))
    found = layer.load_state_dict({"weight": layer.weight, "gain": layer.bias}, strict=False)
    assert repr(found) == "IncompatibleKeys(missing_keys=['bias'], unexpected_keys=['gain'])"


def test_parameters_are_written_from_one_vector():
    layer = nn.Linear(2, 3)
    nn.utils.vector_to_parameters(handmade.arange(9.0), layer.parameters())
    assert layer.bias.tolist() == [6.0, 7.0, 8.0]
    assert nn.utils.parameters_to_vector(layer.parameters()).tolist() == list(range(9))
    with pytest.raises(ValueError, match=r"vec has shape \(8,\); the parameters hold 9 numbers"):
        nn.utils.vector_to_parameters(handmade.ones(8), layer.parameters())
