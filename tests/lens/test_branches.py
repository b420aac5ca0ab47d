"""What each block adds, against the block's own layers; and a cut against the network with that part taken out."""

import numpy as np
import pytest

import handmade
from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.lens import recording
from handmade.lens.branches import block_flow, residual_blocks
from handmade.lens.hooks import undisturbed
from handmade.models import ZOO
from handmade.models.resnet_cifar import CifarResNet


@pytest.fixture(scope="module", params=[False, True], ids=["v1", "v2"])
def model(request):
    handmade.manual_seed(0)
    return CifarResNet(8, resnet_v2=request.param)


@pytest.fixture
def image(rng):
    return Tensor(rng.standard_normal((1, 3, 12, 10)).astype(np.float32))


def test_the_parts_make_up_what_the_model_computes(model, image):
    flow = block_flow(model, image)
    with undisturbed(model), no_grad(), recording(model) as outputs:
        expected = model(image).array[0]
    np.testing.assert_array_equal(flow.logits, expected)
    assert [block.name for block in flow.blocks] == ["layer1.0", "layer2.0", "layer3.0"]
    for block in flow.blocks:
        part = residual_blocks(model)[block.name]
        last = outputs[f"{block.name}.conv2" if part.preactivated else f"{block.name}.bn2"][-1]
        np.testing.assert_array_equal(block.branch, last.array[0])
        total = block.branch + block.skip
        np.testing.assert_allclose(block.out, total if part.preactivated else np.maximum(total, 0), rtol=1e-6)
        assert block.ratio == pytest.approx(np.linalg.norm(block.branch) / np.linalg.norm(block.skip))


def test_a_cut_leaves_the_part_out(model, image):
    cut = block_flow(model, image, {"layer2.0": "branch"})
    part = residual_blocks(model)["layer2.0"]
    weight = (part.conv2 if part.preactivated else part.bn2).weight
    before = weight.array.copy()
    weight.array[...] = 0  # then F(x) is zero: the norm's shift starts at zero
    expected = block_flow(model, image)
    weight.array[...] = before
    np.testing.assert_allclose(cut.logits, expected.logits, rtol=1e-5)
    assert cut.blocks[1].branch.any()  # told as it was computed

    part.skip = False
    with undisturbed(model), no_grad():
        expected_logits = model(image).array[0]
    part.skip = True
    np.testing.assert_allclose(block_flow(model, image, {"layer2.0": "skip"}).logits, expected_logits, rtol=1e-5)


def test_the_model_is_as_it_was(model, image):
    last = residual_blocks(model)["layer3.0"]
    last.forward = lambda x: 1 / 0
    with pytest.raises(ZeroDivisionError):
        block_flow(model, image)
    del last.forward
    assert all("add" not in vars(part) for part in residual_blocks(model).values())
    with pytest.raises(InputError, match="did you mean 'layer2.0'"):
        block_flow(model, image, {"layer2.9": "skip"})


def test_other_networks_have_no_blocks():
    with pytest.raises(InputError, match="no residual blocks"):
        residual_blocks(ZOO["lenet5"].make())
    with pytest.raises(InputError, match="no residual blocks"):
        residual_blocks(CifarResNet(8, skip=False))
