"""Drivers: how a solution is put to work on a case. They run in the learner's process and know no answer."""

import copy
from typing import Any

from handmade.workshop.cases import Case, Driver, Solution


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

    State that the solution keeps on its class starts afresh with each case.
    """
    (made,) = solution.values()
    if isinstance(made, type):
        kept = {name: copy.copy(value) for name, value in vars(made).items() if isinstance(value, list | dict)}
        made = type(made.__name__, (made,), kept)
    instances = [made(*args) for args in case.extra["instances"]]
    return [instances[number](x) for number, x in case.extra["calls"]]


DRIVERS: dict[str, Driver] = {
    driver.__name__: driver for driver in (call, forward_backward, scalar_graph, two_groups, chunks)
}
