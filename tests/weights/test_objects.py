"""Checkpoints as objects: PyTorch reads what is written, and what it writes is read."""

import numpy as np
import pytest
import torch

import handmade
from handmade import nn, optim
from handmade.errors import InputError
from handmade.weights import objects

PLAIN = {"n": [None, True, -1, 255, -(2**70), 2**40], "f": (1.5, -0.0), "text": "naïve", "d": {3: {"x": []}}}


def test_pytorch_reads_what_is_written(tmp_path):
    arrays = [np.float32([[1, 2], [3, 4]]), np.zeros((0, 3)), np.array(7), np.array([True, False])]
    objects.save({**PLAIN, "arrays": arrays, "t": handmade.tensor(arrays[0]).T}, tmp_path / "a.pt")
    read = torch.load(tmp_path / "a.pt", weights_only=True)
    assert {key: read[key] for key in PLAIN} == PLAIN
    for mine, theirs in zip([*arrays, arrays[0].T], [*read["arrays"], read["t"]], strict=True):
        assert theirs.numpy().dtype == mine.dtype
        np.testing.assert_array_equal(theirs.numpy(), mine)


@pytest.mark.parametrize("zip_format", [True, False])
def test_what_pytorch_writes_is_read(tmp_path, zip_format):
    written = {**PLAIN, "w": torch.arange(6.0).view(2, 3).T, "i": torch.tensor([1, 2], dtype=torch.int32)}
    torch.save(written, tmp_path / "b.pt", _use_new_zipfile_serialization=zip_format)
    read = objects.load(tmp_path / "b.pt", map_location="cpu")
    assert {key: read[key] for key in PLAIN} == PLAIN
    assert read["w"].tolist() == written["w"].tolist()
    assert (read["i"].dtype, read["i"].tolist()) == (handmade.int64, [1, 2])


@pytest.mark.slow
def test_training_continues_from_pytorchs_checkpoint_and_the_other_way_round(tmp_path, rng):
    def steps(library, layer, optimizer, count):
        for _ in range(count):
            optimizer.zero_grad()
            (layer(library.tensor(x)) ** 2).sum().backward()
            optimizer.step()

    x = rng.standard_normal((4, 3)).astype(np.float32)
    theirs = torch.nn.Linear(3, 2)
    adam = torch.optim.Adam(theirs.parameters(), lr=0.1)
    steps(torch, theirs, adam, 3)
    torch.save({"model": theirs.state_dict(), "optimizer": adam.state_dict()}, tmp_path / "c.pt")
    ours = nn.Linear(3, 2)
    mine = optim.Adam(ours.parameters(), lr=1.0)
    checkpoint = objects.load(tmp_path / "c.pt")
    ours.load_state_dict(checkpoint["model"])
    mine.load_state_dict(checkpoint["optimizer"])
    steps(handmade, ours, mine, 2)
    steps(torch, theirs, adam, 2)
    np.testing.assert_allclose(ours.weight.numpy(), theirs.weight.detach().numpy(), rtol=1e-5, atol=1e-6)
    objects.save(ours.state_dict(), tmp_path / "d.pt")
    theirs.load_state_dict(torch.load(tmp_path / "d.pt", weights_only=True))
    np.testing.assert_array_equal(ours.weight.numpy(), theirs.weight.detach().numpy())


def test_what_cannot_be_written_or_read_is_said(tmp_path):
    with pytest.raises(TypeError, match=r"cannot write a Linear.*save\(model\.state_dict\(\), path\)"):
        objects.save(nn.Linear(2, 2), tmp_path / "model.pt")
    assert not list(tmp_path.iterdir())
    torch.save(torch.nn.Linear(2, 2), tmp_path / "model.pt")
    with pytest.raises(InputError):
        objects.load(tmp_path / "model.pt")
    (tmp_path / "text.pt").write_text("hello")
    with pytest.raises(InputError, match=r"is not a file of torch\.save|damaged|cut short"):
        objects.load(tmp_path / "text.pt")
