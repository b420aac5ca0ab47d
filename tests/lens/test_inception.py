"""The branches of Inception blocks, against the blocks' own layers; and a cut against zeroed weights."""

import numpy as np
import pytest

import handmade
from handmade import nn
from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.lens import cost
from handmade.lens.hooks import undisturbed
from handmade.lens.inception import BRANCHES, inception_blocks, inception_flow, plain_params
from handmade.models.googlenet import Inception
from handmade.workshop.cell.cases import Case
from handmade.workshop.exercises import exercise_named


class Small(nn.Module):
    def __init__(self, paper):
        super().__init__()
        self.paper = paper
        self.a = Inception(3, 2, 2, 3, 2, 4, 2, paper)
        self.b = Inception(11, 3, 2, 2, 3, 2, 4, paper)
        self.fc = nn.Linear(11, 5)

    def forward(self, x):
        return self.fc(self.b(self.a(x)).mean((2, 3)))


@pytest.fixture(scope="module", params=[False, True], ids=["published", "paper"])
def model(request):
    handmade.manual_seed(0)
    model, draw = Small(request.param), np.random.default_rng(0)
    for name, array in model.state_dict().items():
        if name.endswith(("bn.weight", "running_var")):
            array.array[...] = draw.uniform(0.5, 2, array.shape)
        elif name.endswith(("bn.bias", "running_mean")):
            array.array[...] = draw.standard_normal(array.shape)
    return model


@pytest.fixture
def image(rng):
    return Tensor(rng.standard_normal((1, 3, 7, 6)).astype(np.float32))


def test_the_branches_side_by_side_are_what_the_block_gives(model, image):
    flow = inception_flow(model, image)
    with undisturbed(model), no_grad():
        np.testing.assert_array_equal(flow.logits, model(image).array[0])
    assert [block.name for block in flow.blocks] == ["a", "b"]
    for block in flow.blocks:
        np.testing.assert_array_equal(np.concatenate([branch.maps for branch in block.branches]), block.out)
        third = "5 x 5" if model.paper else "3 x 3"
        assert [branch.kernel for branch in block.branches] == ["1 x 1", "3 x 3", third, "pool"]
    assert flow.probabilities.sum() == pytest.approx(1)


def test_a_branch_costs_what_its_layers_cost(model, image):
    layers = cost(model, image).layers
    for block in inception_flow(model, image).blocks:
        for branch in block.branches:
            inside = [layer for layer in layers if f"{layer.name}.".startswith(f"{block.name}.{branch.name}.")]
            assert branch.multiply_adds == sum(layer.multiply_adds for layer in inside) > 0


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_cut_gives_zeros_in_its_channels_and_leaves_the_model_as_it_was(model, image, branch):
    whole, cut = inception_flow(model, image), inception_flow(model, image, {"a": branch})
    place = BRANCHES.index(branch)
    starts = np.cumsum([0, *(len(one.maps) for one in whole.blocks[0].branches)])
    expected = whole.blocks[0].out.copy()
    expected[starts[place] : starts[place + 1]] = 0
    np.testing.assert_array_equal(cut.blocks[0].out, expected)
    np.testing.assert_array_equal(cut.blocks[0].branches[place].maps, whole.blocks[0].branches[place].maps)
    with undisturbed(model), no_grad():
        np.testing.assert_array_equal(cut.logits, model.fc(model.b(Tensor(expected[None])).mean((2, 3))).array[0])
    np.testing.assert_array_equal(inception_flow(model, image).logits, whole.logits)


def test_the_exercise_computes_the_block_with_its_plain_weights(model, image):
    for block in inception_flow(model, image).blocks:
        params = plain_params(inception_blocks(model)[block.name])
        (result,) = exercise_named("inception_module").run([Case("", (block.x[None].astype(float), params))])
        (out,) = result.outputs.values()
        np.testing.assert_allclose(out[0], block.out, rtol=1e-4, atol=1e-5)


def test_what_is_not_there_is_said(model, image):
    with pytest.raises(InputError, match="no block 'c'"):
        inception_flow(model, image, {"c": "branch1"})
    with pytest.raises(InputError, match="a has no branch5"):
        inception_flow(model, image, {"a": "branch5"})
    with pytest.raises(InputError, match="Linear has no Inception blocks"):
        inception_flow(model.fc, image)
