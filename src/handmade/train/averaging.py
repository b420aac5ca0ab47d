"""Averages of weights: of the last states of one run, or of several runs (Vaswani et al. 2017, section 6.1).

Towards the end of training the steps jump about in a valley of the loss; the mean of some states lies nearer to its
bottom than any of them, at no cost in use (Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima").
"""

from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from handmade.errors import InputError
from handmade.nn import Module
from handmade.train.run import open_run

State = dict[str, np.ndarray]


class LastStates:
    """Copies of the last `count` states of a model: keep(model) after each test, average() at the end."""

    def __init__(self, count: int) -> None:
        if count < 1:
            raise InputError(f"{count} states cannot be averaged; expected 1 or more.")
        self.states: deque[State] = deque(maxlen=count)

    def keep(self, model: Module) -> None:
        self.states.append({name: tensor.numpy().copy() for name, tensor in model.state_dict().items()})

    def average(self) -> State:
        """For `model.load_state_dict`."""
        return average(list(self.states))


def average(states: Sequence[Mapping[str, np.ndarray]]) -> State:
    """The mean of each array over the states, in its own type; what is not floats (a count) is that of the last.

    Raises InputError where there are no states, or names or shapes differ.
    """
    if not states:
        raise InputError("there are no states to average.")
    shapes = [{name: array.shape for name, array in state.items()} for state in states]
    for other in shapes[1:]:
        different = sorted(name for name in other.keys() | shapes[0].keys() if other.get(name) != shapes[0].get(name))
        if different:
            raise InputError(f"states of different models cannot be averaged: they differ in {different[0]}.")
    return {name: _mean([state[name] for state in states]) for name in states[0]}


def average_of_runs(folders: Sequence[Path]) -> State:
    """The mean of the trained models of several runs, which must be of one recipe's sizes and vocabulary."""
    from handmade.weights import read

    runs = [open_run(folder) for folder in folders]
    for run in runs[1:]:
        if run.facts != runs[0].facts:
            raise InputError(f"{run.folder} and {runs[0].folder} have learned from other data: facts differ.")
    return average([read(run.weights) for run in runs])


def _mean(arrays: list[np.ndarray]) -> np.ndarray:
    if arrays[-1].dtype.kind != "f":
        return arrays[-1].copy()
    total = np.zeros(arrays[0].shape)
    for array in arrays:
        total += array
    return (total / len(arrays)).astype(arrays[0].dtype)
