import json

import numpy as np
import pytest

import handmade
from handmade.errors import InputError
from handmade.lens.training_curves import draw_training_curves, gradient_norms
from handmade.nn.functional import cross_entropy
from handmade.recipes import recipe_of
from handmade.tasks import changed


@pytest.fixture(scope="module")
def recipe():
    return changed(recipe_of("plain20"), ["batch_size=2", "steps=2"])


@pytest.mark.slow
def test_norms_are_means_over_the_first_steps(recipe):
    norms = gradient_norms(recipe.task(), 1)
    assert list(norms)[:2] == ["conv1", "layer1.0.conv1"]
    assert list(norms)[-1] == "linear"
    assert len(norms) == 20

    task = recipe.task()
    images, labels = next(iter(task.batches(0, 0)))
    cross_entropy(task.model.train()(images), labels).backward()
    parameters = dict(task.model.named_parameters())
    expected = {name: np.linalg.norm(parameters[f"{name}.weight"].grad.numpy()) for name in norms}
    np.testing.assert_allclose(list(norms.values()), list(expected.values()), rtol=1e-5)


def lines(errors: list[float]) -> list[dict]:
    steps = [{"step": 10 * n, "epoch": n / 4, "accuracy": 1 - error} for n, error in enumerate(errors)]
    end = {"step": 40, "epoch": 1.0, "train_accuracy": 0.7, "test_accuracy": 0.6}
    return [*steps, end, end | {"epoch": 2.0}]


@pytest.mark.slow
def test_drawn_from_lines_and_from_a_folder(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    text = "".join(json.dumps(line) + "\n" for line in lines([0.9, 0.5, 0.4]))
    (folder / "metrics.jsonl").write_text(text, encoding="utf-8")
    norms = {"plain20": {"conv1": 1.0, "linear": 0.1}, "resnet20": {"conv1": 0.5, "linear": 0.4}}
    path = tmp_path / "curves.png"
    draw_training_curves(path, {"plain20": folder, "resnet20": lines([0.8] * 60)}, norms, "two networks")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert handmade.is_grad_enabled()


def test_metrics_without_accuracies(tmp_path):
    with pytest.raises(InputError, match="the metrics of plain20 hold no accuracies yet"):
        draw_training_curves(tmp_path / "curves.png", {"plain20": lines([])}, {}, "nothing")
    assert not list(tmp_path.iterdir())
