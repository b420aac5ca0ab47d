"""Drivers: how a solution is put to work on a case. They run in the learner's process and know no answer."""

import copy
from typing import Any

import numpy as np

from handmade.workshop.cell.cases import Case, Driver, Solution, plain
from handmade.workshop.cell.drawn import gain, keeping


def call(solution: Solution, case: Case) -> Any:
    """Call one function; its results are the outputs."""
    name = case.function or next(iter(solution))
    return solution[name](*case.args, **case.options)


def forward_backward(solution: Solution, case: Case) -> Any:
    """Call the first function, then the second with the gradients of `extra` and the cache, the first's last result.

    The outputs are the first's results without the cache, and the second's.
    """
    forward, backward = solution.values()
    *values, cache = forward(*case.args, **case.options)
    gradients = backward(*case.extra["gradients"], cache)
    return *values, *(gradients if isinstance(gradients, tuple | list) else (gradients,))


def scalar_graph(solution: Solution, case: Case) -> Any:
    """Run the program of `extra` on leaves made with the solution's class, then backward on the y it ends in.

    The outputs are y's data and the leaves' gradients by name.
    """
    (value,) = solution.values()
    leaves = {name: value(number) for name, number in case.extra["leaves"].items()}
    names = dict(leaves)
    exec(case.extra["program"], names)
    names["y"].backward()
    return names["y"].data, {name: leaf.grad for name, leaf in leaves.items()}


def two_groups(solution: Solution, case: Case) -> Any:
    """Call one function; its results are collections of names, and the outputs the same names sorted."""
    groups = call(solution, case)
    return tuple(map(sorted, groups)) if isinstance(groups, tuple | list) else groups


def chunks(solution: Solution, case: Case) -> Any:
    """Make instances of the class, one for each of the `instances` of `extra` with those arguments, then call them in
    the order of `calls`, pairs of an instance's number and what it is called with. The output is the list of results.
    After the first call, the first instance's arguments get the numbers of `weights` in place, if the case has them.

    State that the solution keeps on its class starts afresh with each case.
    """
    (made,) = solution.values()
    if isinstance(made, type):
        kept = {name: copy.copy(value) for name, value in vars(made).items() if isinstance(value, list | dict)}
        made = type(made.__name__, (made,), kept)
    given = case.extra["instances"]
    if "weights" in case.extra:
        given = copy.deepcopy(given)  # what is overwritten here, the solution did not change
    instances, results = [made(*args) for args in given], []
    for number, x in case.extra["calls"]:
        results.append(instances[number](x))
        if len(results) == 1:
            _overwrite(given[0], case.extra.get("weights", ()))
    return results


def _overwrite(arguments: Any, contents: Any) -> None:
    """Give arrays other numbers in place, but for those whose content is None."""
    for argument, content in zip(arguments, contents, strict=False):
        if content is not None:
            argument[...] = content


def table_of_steps(solution: Solution, case: Case) -> Any:
    """Call one function whose first argument is a step function. The case has a table (rows, vocabulary) in its place:
    step(prefix) gives a row, and which one depends on every token of the prefix and on their order.

    It returns a list of pairs (tokens, score); the outputs are the scores, and the lists of tokens.
    """
    table, *rest = case.args

    def step(prefix: Any) -> Any:
        row = 0
        for token in prefix:
            row = (31 * row + int(token) + 1) % len(table)
        return 1 * table[row]

    hypotheses = next(iter(solution.values()))(step, *rest, **case.options)
    if hypotheses is None:
        return None
    if not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in hypotheses):
        raise ValueError(f"returned {plain(hypotheses)!r}, expected a list of pairs (tokens, score)")
    return [score for _, score in hypotheses], [tokens for tokens, _ in hypotheses]


def draws(solution: Solution, case: Case) -> Any:
    """Call one function with a shape and a generator made from the `seed` of `extra`, once more with the same one, and
    with another one made from the same seed.

    The outputs describe the first array: its shape in words, its standard deviation (in thousandths, as a whole and
    along each axis), mean and kurtosis in units of it, and whether the second and the third array are the same.
    """
    rng, same_rng = (np.random.default_rng(case.extra["seed"]) for _ in range(2))
    drawn = [next(iter(solution.values()))(*case.args, generator) for generator in (rng, rng, same_rng)]
    if drawn[0] is None:
        return None
    first, second, third = (np.asarray(plain(array), float) for array in drawn)
    deviation = first.std()
    squares = ((first - first.mean()) / deviation) ** 2
    return (
        " x ".join(map(str, first.shape)),
        1000 * deviation,
        [1000 * first.std(axis).mean() for axis in range(first.ndim)],
        first.mean() / deviation,
        (squares * squares).mean(),
        np.array_equal(first, second),
        np.array_equal(first, third),
    )


def drawn_inside(solution: Solution, case: Case) -> Any:
    """Call one function that draws its weights itself, with np.random.

    The outputs are what it returns, and the weights that it drew, in order, as it scaled them. It is called twice: once
    to see how large its weights are, then with draws that make them of size 1, since small ones hide mistakes: scores
    near 0 give nearly the same attention with and without the division by sqrt(d_k).
    """
    with keeping() as first:
        call(solution, copy.deepcopy(case))
    with keeping([gain(weights) for weights in first]) as drawn:
        return call(solution, case), drawn


DRIVERS: dict[str, Driver] = {
    driver.__name__: driver
    for driver in (call, forward_backward, scalar_graph, two_groups, chunks, table_of_steps, draws, drawn_inside)
}
