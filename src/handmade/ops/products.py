"""Products of matrices and tensors."""

import math
import string

import numpy as np

from handmade.kernels import products
from handmade.ops.op import op


@op
def matmul(x, y):
    """x @ y over the last two axes, leading axes broadcast: dx = g y^T, dy = x^T g."""
    shape_x, shape_y = np.shape(x), np.shape(y)
    if not shape_x or not shape_y or shape_x[-1] != shape_y[-2:][0]:
        raise ValueError(
            f"matmul: {shape_x} @ {shape_y}: the last axis of the first must equal the second to last of the second"
        )
    # A vector is a matrix of one row (left) or one column (right); the axis is dropped again from the value.
    x2 = x[None, :] if x.ndim == 1 else x
    y2 = y[:, None] if y.ndim == 1 else y

    def pullback(g):
        if y.ndim == 1:
            g = g[..., None]
        if x.ndim == 1:
            g = g[..., None, :]
        return (
            lambda: _like(products.matmul(g, y2.swapaxes(-1, -2)), x),
            lambda: _like(_transposed_product(x2, g, y2), y),
        )

    return np.asarray(products.matmul(x, y)), pullback


def _transposed_product(x: np.ndarray, g: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x^T g; if one matrix y was used for all leading axes, their sum is computed as one product over all rows."""
    if y.ndim == 2 and x.ndim > 2 and x.shape[:-1] == g.shape[:-1]:
        rows = math.prod(x.shape[:-1])  # -1 would be ambiguous if an axis is empty
        return x.reshape(rows, x.shape[-1]).T @ g.reshape(rows, g.shape[-1])
    return products.matmul(x.swapaxes(-1, -2), g)


def _like(gradient: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """The gradient of a vector that was used as a matrix: summed over the leading axes, the added axis dropped."""
    if vector.ndim != 1:
        return gradient
    return gradient.sum(tuple(range(gradient.ndim - 2))).reshape(vector.shape)


@op
def einsum(*operands, equation):
    """Einstein's summation; the gradient of an operand is the einsum of the others with g in its place."""
    given, output = parse_equation(equation, [operand.ndim for operand in operands])
    sizes: dict[str, int] = {}
    for term, operand in zip(given, operands, strict=True):
        for letter, size in zip(term, operand.shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                raise ValueError(f"einsum: {equation!r}: axis {letter!r} has sizes {sizes[letter]} and {size}")
    parts, terms = zip(*(diagonal(x, term) for x, term in zip(operands, given, strict=True)), strict=True)

    def gradient(index, g):
        others = [part for i, part in enumerate(parts) if i != index]
        other_terms = [term for i, term in enumerate(terms) if i != index]
        # A letter that only this operand has was summed over: the gradient is the same all along that axis.
        known = "".join(letter for letter in terms[index] if letter in output + "".join(other_terms))
        part = contract([output, *other_terms], [g, *others], known)
        spread = part.reshape([sizes[letter] if letter in known else 1 for letter in terms[index]])
        if given[index] == terms[index]:
            return np.broadcast_to(spread, operands[index].shape)
        whole = np.zeros(operands[index].shape, g.dtype)
        diagonal(whole, given[index])[0][...] = spread
        return whole

    value = contract(list(terms), list(parts), output)
    return value, lambda g: tuple((lambda i=i: gradient(i, g)) for i in range(len(operands)))


def diagonal(x, term):
    """A view of x where axes with the same letter have the same index; and its term, with each letter once."""
    letters = "".join(dict.fromkeys(term))
    return (x, term) if letters == term else (np.einsum(f"{term}->{letters}", x), letters)


def parse_equation(equation: str, ndims: list[int]) -> tuple[list[str], str]:
    """The letters of each operand and of the result, with '...' and a missing '->' written out."""
    inputs, arrow, output = equation.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if len(terms) != len(ndims):
        raise ValueError(f"einsum: {equation!r} names {len(terms)} operands, {len(ndims)} were given")
    unused = [letter for letter in string.ascii_letters if letter not in equation]
    hidden = [
        ndim - len(term.replace("...", "")) if "..." in term else 0 for term, ndim in zip(terms, ndims, strict=True)
    ]
    batch = "".join(unused[: max([0, *hidden])])
    terms = [term.replace("...", batch[len(batch) - n :]) for term, n in zip(terms, hidden, strict=True)]
    for term, ndim in zip(terms, ndims, strict=True):
        if len(term) != ndim:
            raise ValueError(f"einsum: {equation!r}: {term!r} must name each of the operand's {ndim} axes")
    if arrow:
        output = output.replace("...", batch)
    else:
        letters = "".join(terms)
        output = batch + "".join(sorted(a for a in set(letters) - set(batch) if letters.count(a) == 1))
    if not set(output) <= set("".join(terms)) or len(set(output)) < len(output):
        raise ValueError(f"einsum: {equation!r}: the result may name only axes of the operands, each once")
    return terms, output


def contract(terms: list[str], operands: list[np.ndarray], output: str) -> np.ndarray:
    """The operands multiplied, two at a time from the left, and summed over each letter once it is no longer needed."""
    term, value = terms[0], operands[0]
    for i in range(1, len(terms)):
        needed = set(output).union(*terms[i + 1 :])
        term, value = _contract_pair(term, value, terms[i], operands[i], needed)
    value = np.asarray(value.sum(tuple(axis for axis, letter in enumerate(term) if letter not in output)))
    term = "".join(letter for letter in term if letter in output)
    return value.transpose([term.index(letter) for letter in output])


def _contract_pair(term_x: str, x: np.ndarray, term_y: str, y: np.ndarray, needed: set[str]) -> tuple[str, np.ndarray]:
    """Two operands as one batched matrix product: (batch, left, inner) @ (batch, inner, right)."""
    both = [letter for letter in term_x if letter in term_y]
    batch = [letter for letter in both if letter in needed]
    inner = [letter for letter in both if letter not in needed]
    left = [letter for letter in term_x if letter not in both]
    right = [letter for letter in term_y if letter not in both]
    size = dict(zip(term_x + term_y, x.shape + y.shape, strict=True))
    length = lambda letters: math.prod(size[letter] for letter in letters)
    x3 = x.transpose([term_x.index(a) for a in batch + left + inner]).reshape(
        length(batch), length(left), length(inner)
    )
    y3 = y.transpose([term_y.index(a) for a in batch + inner + right]).reshape(
        length(batch), length(inner), length(right)
    )
    letters = batch + left + right
    return "".join(letters), (x3 @ y3).reshape([size[letter] for letter in letters])
