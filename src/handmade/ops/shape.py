"""Operations that rearrange elements without computing anything. The result is a view if NumPy can make one."""

from typing import Any

import numpy as np

from handmade.ops.op import op


@op
def reshape(x, *, shape):
    try:
        y = x.reshape(shape)
    except ValueError:
        raise ValueError(f"reshape: shape {x.shape} has {x.size} elements, which {shape} cannot hold") from None
    return y, lambda g: (g.reshape(x.shape),)


@op
def permute(x, *, dims):
    """Axis i of the value is axis dims[i] of x."""
    return x.transpose(dims), lambda g: (g.transpose(np.argsort(dims)),)


@op
def expand(x, *, shape):
    """x repeated along axes of size 1 without copying; the engine sums the gradient, as for all broadcasting."""
    try:
        y = np.broadcast_to(x, shape)
    except ValueError:
        raise ValueError(f"expand: shape {x.shape} does not fit {shape}: only axes of size 1 can expand") from None
    return y, lambda g: (g,)


@op
def repeat(x, *, repeats):
    """Copies of x next to each other, repeats[i] of them along axis i (NumPy's tile)."""
    added = len(repeats) - x.ndim
    shape = (1,) * added + x.shape
    copies_and_sizes = [n for pair in zip(repeats, shape, strict=True) for n in pair]

    def pullback(g):
        return (g.reshape(copies_and_sizes).sum(tuple(range(0, 2 * len(shape), 2))).reshape(x.shape),)

    return np.tile(x, repeats), pullback


@op
def pad(x, *, padding, mode="constant", value=0.0):
    """x with padding[i] = (before, after) elements added along axis i, of `value`, mirrored or repeated."""
    if mode == "constant":
        inside = tuple(slice(before, before + size) for (before, _), size in zip(padding, x.shape, strict=True))
        return np.pad(x, padding, constant_values=value), lambda g: (g[inside],)
    # Where each padded element came from, one axis at a time; its gradient goes back there.
    numpys: Any = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    if 0 in x.shape and any(pair != (0, 0) for pair, size in zip(padding, x.shape, strict=True) if not size):
        raise ValueError(f"pad: mode {mode!r} repeats elements, and an axis of shape {x.shape} that grows has none")
    sources = [np.pad(np.arange(size), pair, mode=numpys[mode]) for pair, size in zip(padding, x.shape, strict=True)]

    def pullback(g):
        for axis, source in enumerate(sources):
            if len(source) != x.shape[axis]:
                back = np.eye(x.shape[axis], dtype=g.dtype)[source]  # (padded, size): one 1 in each row
                g = np.moveaxis(np.tensordot(g, back, (axis, 0)), -1, axis)
        return (g,)

    return x[np.ix_(*sources)], pullback


@op
def flip(x, *, dims):
    return np.flip(x, dims), lambda g: (np.flip(g, dims),)


@op
def roll(x, *, shifts, dims):
    """Elements shifted by `shifts` along `dims`; those pushed over the end come back at the start."""
    return np.roll(x, shifts, dims), lambda g: (np.roll(g, tuple(-s for s in shifts), dims),)


@op
def tril(x, *, diagonal=0):
    return np.tril(x, diagonal), lambda g: (np.tril(g, diagonal),)


@op
def triu(x, *, diagonal=0):
    return np.triu(x, diagonal), lambda g: (np.triu(g, diagonal),)


@op
def diagonal(x, *, offset=0, dim1=0, dim2=1):
    """The elements x[i, i + offset] of two axes, as a new last axis."""

    def pullback(g):
        gradient = np.zeros_like(x)
        rows = np.arange(g.shape[-1])
        moved = np.moveaxis(gradient, (dim1, dim2), (-2, -1))
        moved[..., rows + max(-offset, 0), rows + max(offset, 0)] = g
        return (gradient,)

    return np.diagonal(x, offset, dim1, dim2).copy(), pullback


@op
def cat(*parts, dim):
    """Arrays joined along an existing axis."""
    ends = np.cumsum([part.shape[dim] for part in parts])[:-1]
    return np.concatenate(parts, dim), lambda g: tuple(np.split(g, ends, dim))


@op
def stack(*parts, dim):
    """Arrays of the same shape joined along a new axis."""
    return np.stack(parts, dim), lambda g: tuple(np.moveaxis(g, dim, 0))
