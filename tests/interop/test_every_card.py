"""Every network of the zoo under PyTorch: the same names, outputs and gradients."""

import pytest
import torch

import handmade
from handmade.interop.torch import to_torch
from handmade.models import ZOO
from tests.interop.cards import EVALUATED, example, small
from tests.interop.comparing import assert_same, close, described, parts, twin


@pytest.mark.slow
@pytest.mark.parametrize("name", ZOO)
def test_every_card(name):
    model, inputs = small(name), example(name)
    theirs = to_torch(model)
    assert described(theirs) == described(model)
    assert_same(model, theirs, *inputs)
    if name not in EVALUATED:
        with handmade.no_grad(), torch.no_grad():
            evaluated, other = parts(model.eval()(*inputs)), parts(theirs.eval()(*map(twin, inputs)))
        for output, their_output in zip(evaluated, other, strict=True):
            close("evaluated", output.array, their_output.numpy())
