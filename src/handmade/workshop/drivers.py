"""Drivers: how a solution is put to work on a case. They run in the learner's process and know no answer."""

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


DRIVERS: dict[str, Driver] = {driver.__name__: driver for driver in (call, forward_backward)}
