"""Reading elements by index. Its gradient writes to the same places: where an element is read twice, both are added."""

import numpy as np

from handmade.ops.op import Part, op


@op
def getitem(x, *, index):
    """x[index]: slices, integers, integer arrays, masks, as in NumPy."""
    return np.asarray(x[index]), lambda g: (Part(x, index, g, _reads_once(index)),)


def _reads_once(index) -> bool:
    """Whether no element can be read twice: slices, single integers and masks only."""
    parts = index if isinstance(index, tuple) else (index,)
    arrays = [part for part in parts if isinstance(part, np.ndarray | list)]
    return all(np.asarray(part).dtype == bool for part in arrays)


@op
def setitem(x, value, *, steps):
    """x with `value`, which broadcasts, at x[steps[0]][steps[1]] ...: each step but the last reads a view."""

    def part(array):
        for step in steps[:-1]:
            array = array[step]
        return array

    y = x.copy("K")
    part(y)[steps[-1]] = value

    def grad_x(g):
        g = g.copy()
        part(g)[steps[-1]] = 0
        return g

    return y, lambda g: (lambda: grad_x(g), lambda: part(g)[steps[-1]])


@op
def gather(x, *, dim, index):
    """value[i][j] = x[index[i][j]][j] for dim 0: one element of x for each element of `index`, along axis `dim`."""
    places = _along(x.shape, dim, index)

    def pullback(g):
        gradient = np.zeros_like(x)
        np.add.at(gradient, places, g)
        return (gradient,)

    return x[places], pullback


@op
def scatter_add(x, source, *, dim, index):
    """x with source[i][j] added at [index[i][j]][j] for dim 0: the transpose of gather."""
    places = _along(x.shape, dim, index)
    value = x.copy()
    np.add.at(value, places, source[tuple(slice(size) for size in index.shape)])

    def grad_source(g):
        gradient = np.zeros_like(source)
        gradient[tuple(slice(size) for size in index.shape)] = g[places]
        return gradient

    return value, lambda g: (g, lambda: grad_source(g))


@op
def scatter(x, source, *, dim, index):
    """x with source[i][j] at [index[i][j]][j] for dim 0; where two elements meet, the last one stays."""
    places = _along(x.shape, dim, index)
    part = tuple(slice(size) for size in index.shape)
    value = x.copy()
    value[places] = source[part] if np.ndim(source) else source

    def grad_x(g):
        g = g.copy()
        g[places] = 0
        return g

    def grad_source(g):
        if not np.ndim(source):
            return g[places].sum()
        gradient = np.zeros_like(source)
        gradient[part] = g[places]
        return gradient

    return value, lambda g: (lambda: grad_x(g), lambda: grad_source(g))


def _along(shape: tuple[int, ...], dim: int, index: np.ndarray) -> tuple[np.ndarray, ...]:
    """Index arrays for every axis: `index` along `dim`, the element's own position along the others."""
    if index.ndim != len(shape):
        raise ValueError(f"index {index.shape} and tensor {shape} must have the same number of axes")
    if index.size and (index.min() < 0 or index.max() >= shape[dim]):
        raise IndexError(
            f"index goes from {index.min()} to {index.max()}, but axis {dim} of {shape} from 0 to {shape[dim] - 1}"
        )
    places = list(np.ogrid[tuple(slice(size) for size in index.shape)])
    places[dim] = index
    return tuple(places)
