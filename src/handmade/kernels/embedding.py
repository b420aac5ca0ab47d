"""The way back through a table of vectors: each row gets the sum of the gradients of its uses."""

import numpy as np

from handmade.kernels.choice import has_compiled_form


@has_compiled_form
def add_rows(g: np.ndarray, indices: np.ndarray, rows: int) -> np.ndarray:
    """The sum of g's rows (N, D) that belong to each of `rows` rows, by their indices (N,): (rows, D).

    After sorting, the uses of a row are next to each other; they are added in pairs, repeatedly, until each row has one
    sum. (np.add.at and np.add.reduceat give the same sums, several times slower.)
    """
    order = np.argsort(indices, kind="stable")
    used, sums = indices[order], np.take(g, order, axis=0)
    while (used[1:] == used[:-1]).any():
        first = np.flatnonzero(np.diff(used, prepend=-1))  # where each row's uses begin
        place = np.arange(len(used)) - np.repeat(first, np.diff(first, append=len(used)))
        even, odd = np.flatnonzero(place % 2 == 0), np.flatnonzero(place % 2)
        sums[odd - 1] += sums[odd]
        used, sums = used[even], sums[even]
    total = np.zeros((rows, g.shape[1]), g.dtype)
    total[used] = sums
    return total
