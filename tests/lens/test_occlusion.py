import numpy as np
import pytest

import handmade
from handmade import nn
from handmade.lens import draw_occlusion, occlusion


class Corner(nn.Module):
    """Its first class is likely when the image is bright at one place."""

    def forward(self, x: handmade.Tensor) -> handmade.Tensor:
        bright = x[:, :, 4, 13].sum(1)
        return handmade.stack([bright, bright * 0, bright * 0 - 1], 1)


def test_only_patches_over_the_decisive_pixel_change_anything():
    image = np.ones((1, 3, 12, 20), np.float32)
    drop = occlusion(Corner(), handmade.tensor(image), 0, patch=4, stride=4)
    assert drop.shape == (3, 5)
    scores = np.array([3.0, 0.0, -1.0])
    whole = np.exp(scores) / np.exp(scores).sum()
    covered = np.exp([0.0, 0.0, -1.0]) / np.exp([0.0, 0.0, -1.0]).sum()
    expected = np.zeros((3, 5))
    expected[1, 3] = whole[0] - covered[0]  # rows 4 to 7, columns 12 to 15
    np.testing.assert_allclose(drop, expected, atol=1e-6)


def test_larger_patches_overlap_and_hang_over_the_edge():
    drop = occlusion(Corner(), handmade.ones(1, 3, 12, 20), 0, patch=10, stride=4)
    assert (drop[:, 2:] > 0.1).sum() == 2 * 2 + 2  # middles 2, 6, 10 and 10, 14, 18, of which row 10 covers 5 to 14
    assert not (abs(drop[:, :2]) > 1e-6).any()


def test_batches_do_not_matter(rng):
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 7 * 9, 4))
    image = handmade.tensor(rng.standard_normal((1, 2, 9, 11)).astype(np.float32))
    before = image.numpy().copy()
    maps = [occlusion(model, image, 1, 3, 2, batch_size) for batch_size in (1, 4, 100)]
    assert maps[0].shape == (5, 6)
    np.testing.assert_allclose(maps[0], maps[1], atol=1e-6)
    np.testing.assert_allclose(maps[0], maps[2], atol=1e-6)
    assert np.array_equal(image.numpy(), before)
    assert model.training


def test_a_patch_of_no_pixels():
    with pytest.raises(ValueError, match="patch is -1 and stride 2 pixels, expected at least 1"):
        occlusion(Corner(), handmade.ones(1, 3, 12, 20), 0, patch=-1, stride=2)


@pytest.mark.slow
def test_drawn(tmp_path, rng):
    path = tmp_path / "map.png"
    draw_occlusion(path, rng.standard_normal((4, 6)), rng.random((3, 20, 30)), 7, "What it needs")
    draw_occlusion(path, np.zeros((4, 6)), rng.random((1, 20, 30)), 7, "Nothing matters")
    assert path.read_bytes().startswith(b"\x89PNG")
