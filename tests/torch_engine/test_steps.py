"""Both engines take the same steps: losses, weights and what the optimizer remembers."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from handmade import nn, optim
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.interop.torch import to_torch
from handmade.recipes import RECIPES
from handmade.torch_engine import Processes, TorchEngine, known_recipes, objective_of
from handmade.torch_engine.optimizers import copy_options, take_state, torch_optimizer
from handmade.train.engine import Engine
from tests.support.tiny_task import RECIPE
from tests.support.torch_training import SMALL, curve, task_of, weights, write_data
from tests.torch_engine.two_processes import STEPS

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, picture_folder) -> Path:
    return write_data(tmp_path_factory.mktemp("small"), picture_folder)


def on_torch(task):
    return TorchEngine(task, "cpu")


@pytest.mark.slow
@pytest.mark.parametrize("model", SMALL)
def test_the_losses_of_both_engines_agree(folder, model):
    """In float64 over 50 steps. Through 20 layers with batch norms rounding grows by a hundred thousand."""
    first, second = task_of(model, folder), task_of(model, folder)
    ours, theirs = curve(first, Engine, 50), curve(second, on_torch, 50)
    tolerance = 1e-8 if model == "resnet20" else 1e-12
    assert np.ptp(ours) > 0.1, "nothing is learned"
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=tolerance)
    assert weights(first).keys() == weights(second).keys()


RULES = {
    "SGD": lambda p: optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
    "SGD, plain": lambda p: optim.SGD(p, 0.1),
    "Adam": lambda p: optim.Adam(p, 0.01, betas=(0.8, 0.99), amsgrad=True),
    "AdamW": lambda p: optim.AdamW([{"params": p[:1], "weight_decay": 0.3}, {"params": p[1:]}], 0.01),
    "Adagrad": lambda p: optim.Adagrad(p, 0.1, initial_accumulator_value=0.1),
    "RMSprop": lambda p: optim.RMSprop(p, 0.01, momentum=0.5, centered=True),
    "Adadelta": lambda p: optim.Adadelta(p),
}


@pytest.mark.parametrize("rule", RULES)
def test_optimizers_take_over_from_each_other(rule, rng):
    """Two steps of ours, two of PyTorch's, two of ours: as six of ours, the rate falling all the while."""
    gradients = [(rng.standard_normal((3, 4)), rng.standard_normal(3)) for _ in range(6)]
    start = {"weight": rng.standard_normal((3, 4)), "bias": rng.standard_normal(3)}

    def six_steps(changes: bool) -> list[np.ndarray]:
        layer = nn.Linear(4, 3).double()
        parameters = list(layer.parameters())
        layer.load_state_dict(start)
        ours = RULES[rule](parameters)
        schedule = optim.LinearLR(ours, 1.0, 0.2, 6)
        theirs, pairs = None, []
        for number, step in enumerate(gradients):
            if changes and number == 2:
                module = to_torch(layer)
                pairs = list(zip(parameters, module.parameters(), strict=True))
                theirs = torch_optimizer(ours, pairs)
            if changes and number == 4:
                take_state(ours, theirs, pairs)
                layer.load_state_dict({name: tensor.numpy() for name, tensor in module.state_dict().items()})
                theirs = None
            if theirs is None:
                for parameter, gradient in zip(parameters, step, strict=True):
                    parameter.grad = Tensor(gradient)
                ours.step()
            else:
                for (_, parameter), gradient in zip(pairs, step, strict=True):
                    parameter.grad = torch.from_numpy(gradient)
                copy_options(ours, theirs)
                theirs.step()
            schedule.step()
        return [parameter.array for parameter in parameters]

    for changed, unchanged in zip(six_steps(True), six_steps(False), strict=True):
        np.testing.assert_allclose(changed, unchanged, rtol=1e-12, atol=1e-12)


def test_a_rule_that_pytorch_has_not():
    class Own(optim.SGD):
        pass

    layer = nn.Linear(2, 2)
    with pytest.raises(InputError, match="PyTorch has no Own; the torch engine trains with SGD, Adam"):
        torch_optimizer(Own(layer.parameters(), 0.1), [])


def test_every_recipe_has_its_loss_here():
    assert list(known_recipes()) == list(RECIPES)
    assert {objective_of(RECIPES[name]).__name__ for name in ("gpt", "trigger-word")} == {"Language", "Trigger"}


def test_a_recipe_of_another_kind():
    with pytest.raises(InputError, match=r"does not know the loss of tiny \(TinyRecipe\). It trains lenet5, alexnet-c"):
        TorchEngine(RECIPE.task(), "cpu")


def test_bf16_computes_in_bfloat16_and_keeps_its_weights(folder):
    exact, short = (task_of("gpt", folder) for _ in range(2))
    for task in (exact, short):
        task.model.float()
    losses = [curve(exact, on_torch, 6), curve(short, lambda task: TorchEngine(task, "cpu", "bf16"), 6)]
    difference = np.abs(losses[0] - losses[1]).max()
    assert 1e-5 < difference < 0.05  # 8 bits of the mantissa, of which the mean of many tokens loses little
    assert all(tensor.dtype == np.float32 for tensor in short.model.state_dict().values())


def test_dropout_draws_by_seed_and_step(folder):
    def losses(seed: int) -> list[float]:
        task = task_of(
            "gpt", folder, "dropout=0.5", f"seed={seed}", "learning_rate=0"
        )  # only dropout makes a difference
        engine = on_torch(task)
        engine.begin()
        batch = next(iter(task.batches(0, 0)))
        first, again = engine.loss(batch).loss.item(), engine.loss(batch)
        engine.learn(again)
        return [first, again.loss.item(), engine.loss(batch).loss.item()]

    first, again, next_step = losses(0)
    assert first == again
    assert abs(next_step - first) > 1e-3
    assert losses(0)[0] == first


def test_more_processes_than_rows(folder):
    task = task_of("gpt", folder)
    engine = on_torch(task)
    engine.processes = Processes(0, 6)
    with pytest.raises(InputError, match="6 processes cannot share batches of 5"):
        engine.begin()


# --- two processes ----------------------------------------------------------------------------------------------------

TOGETHER = ["lenet5", "char-lstm", "gpt", "gpt, sharded", "bert", "transformer"]


@pytest.fixture(scope="module")
def together(folder) -> Path:
    """What two processes have learned, started once for all models."""
    script = [str(REPOSITORY / "tests/torch_engine/two_processes.py"), str(folder), *TOGETHER]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *script]
    environment = {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1", "HANDMADE_NUM_THREADS": "1"}
    ran = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, timeout=240)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", TOGETHER)
def test_two_processes_learn_what_one_learns_from_both_their_batches(together, name):
    """Batches of odd numbers of rows included, and rows with unequal numbers of targets."""
    task = task_of(name.partition(",")[0], together)
    losses = curve(task, Engine, STEPS)
    found = np.load(together / f"{name}.npz")
    np.testing.assert_allclose(found["losses"], losses, rtol=0, atol=1e-12)
    expected = weights(task)
    assert set(found.files) == {"losses", *expected}
    for key, array in expected.items():
        np.testing.assert_allclose(found[key], array, rtol=1e-7, atol=1e-9, err_msg=key)
