"""What Python's and NumPy's errors mean: which axis meets which, and what is most often the mend."""

import math
import re
from collections.abc import Callable

Shape = tuple[int, ...]

_SHAPE = r"\(([\d, ]*)\)"

FROM_TORCH = {
    "view": "reshape",
    "permute": "transpose",
    "unsqueeze": "[:, None], or np.expand_dims",
    "size": "shape, without brackets",
    "float": "astype(float)",
    "long": "astype(int)",
    "clone": "copy",
    "numpy": "nothing: it is an array already",
    "detach": "nothing: NumPy records no gradients",
    "softmax": "np.exp, divided by its sum: NumPy has no softmax",
    "sqrt": "np.sqrt(...)",
    "exp": "np.exp(...)",
    "log": "np.log(...)",
    "tanh": "np.tanh(...)",
    "abs": "np.abs(...)",
    "masked_fill": "np.where(mask, value, array)",
    "append": "np.append or np.concatenate, which give a new array",
    "cat": "np.concatenate",
    "dim": "ndim, without brackets",
    "t": "T, without brackets",
    "add_": "+=",
}
"""PyTorch's or a list's names for what arrays have under another."""


def explained(message: str, code: str = "") -> str:
    """What the error means and what is most likely to mend it, in a sentence or two; "" where nothing is known.

    code: the line that raised it.
    """
    for pattern, words in _KNOWN:
        found = re.search(pattern, message)
        if found:
            return words(found, code)
    return ""


def _shape(text: str) -> Shape:
    return tuple(int(part) for part in text.replace(" ", "").split(",") if part)


def _broadcast(found: re.Match[str], code: str) -> str:
    first, second = _shape(found[1]), _shape(found[2])
    clash = next(
        (
            k
            for k in range(1, min(len(first), len(second)) + 1)
            if first[-k] != second[-k] and 1 not in (first[-k], second[-k])
        ),
        1,
    )
    if not first or not second:
        return ""
    meets = (
        f"Shapes are lined up from their last axis: axis -{clash} is {first[-clash]} here and {second[-clash]} there."
    )
    longer, shorter = sorted((first, second), key=len, reverse=True)
    kept = [
        (*longer[:axis], 1, *longer[axis + 1 :])
        for axis in range(len(longer))
        if longer[:axis] + longer[axis + 1 :] == shorter
    ]
    if len(longer) == 4 and len(shorter) == 1 and shorter[0] == longer[1]:
        return f"{meets} One number a channel has to stand as {(shorter[0], 1, 1)}: array[:, None, None]."
    if kept:
        return f"{meets} A reduction has lost an axis: with keepdims=True it gives {kept[-1]}, which fits."
    if first == second[::-1]:
        return f"{meets} One is the other's transpose: is a .T missing, or one too many?"
    return f"{meets} Each pair has to be equal, or one of them 1."


def _matmul(found: re.Match[str], code: str) -> str:
    return (
        f"A @ B pairs A's last axis with the second to last of B: here they have {found[2]} and {found[1]} entries. "
        "Print both shapes: is one to be transposed (swapaxes(-1, -2)), or are the sides exchanged?"
    )


def _dot(found: re.Match[str], code: str) -> str:
    first, second = _shape(found[1]), _shape(found[2])
    fits = first and second and first[-1] == second[-1]
    tail = f"{second} transposed would fit: .T." if fits else "Is one to be transposed, or are the sides exchanged?"
    return f"The last axis of the first, {first}, meets the second to last of the second, {second}. {tail}"


def _reshape(found: re.Match[str], code: str) -> str:
    size, shape = int(found[1]), _shape(found[2].replace("-1", ""))
    count = math.prod(shape)
    return f"{shape} holds {count} numbers, the array has {size}: which axis of it is left out, or counted twice?"


def _attribute(found: re.Match[str], code: str) -> str:
    name = found[1]
    return f"That is not an array's name for it: use {FROM_TORCH[name]}." if name in FROM_TORCH else ""


def _plain(text: str) -> Callable[[re.Match[str], str], str]:
    return lambda found, code: text


def _transpose(found: re.Match[str], code: str) -> str:
    return (
        "NumPy's transpose takes the order of all axes. PyTorch's, which exchanges two, is swapaxes: "
        "x.swapaxes(-2, -1)."
    )


def _scalar(found: re.Match[str], code: str) -> str:
    used = re.search(r"math\.(\w+)", code)
    if used is None:
        return "A function or a conversion that takes one number got a whole array."
    name = used[1]
    instead = f"np.vectorize(math.{name})" if name in ("erf", "gamma", "lgamma", "comb") else f"np.{name}"
    return f"math.{name} takes one number; {instead} takes an array."


def _index(found: re.Match[str], code: str) -> str:
    index, axis, size = found[1], found[2], found[3]
    return f"Axis {axis} has the places 0 to {int(size) - 1}: does a loop go too far, or is {index} of another axis?"


_KNOWN: tuple[tuple[str, Callable[[re.Match[str], str], str]], ...] = (
    (rf"operands could not be broadcast together with shapes {_SHAPE} {_SHAPE}", _broadcast),
    (rf"output operand with shape {_SHAPE} doesn't match the broadcast shape {_SHAPE}", lambda m, code: (
        f"The result has shape {_shape(m[2])}, and += writes into an array of shape {_shape(m[1])}. "
        "Write x = x + y, or sum the axis away first."
    )),
    (rf"could not broadcast input array from shape {_SHAPE} into shape {_SHAPE}", lambda m, code: (
        f"What is assigned has shape {_shape(m[1])}, the place it goes to {_shape(m[2])}."
    )),
    (r"mismatch in its core dimension.*\(size (\d+) is different from (\d+)\)", _matmul),
    (rf"shapes {_SHAPE} and {_SHAPE} not aligned", _dot),
    (r"matmul: Input operand \d does not have enough dimensions", _plain("@ takes arrays; for a plain number use *.")),
    (r"axes don't match array", _transpose),
    (r"'float' object cannot be interpreted as an integer", _plain(
        "A size or a count has to be whole, and / always gives a float: divide by //."
    )),
    (r"slice indices must be integers", _plain("The ends of a slice have to be whole, and / gives a float: use //.")),
    (r"ufunc 'bitwise_xor' not supported|unsupported operand type\(s\) for \^", _plain(
        "^ is the bitwise exclusive or; the power is **."
    )),
    (r"only (size-1|length-1|0-dimensional) arrays can be converted", _scalar),
    (r"except for the concatenation axis must match exactly", _plain(
        "concatenate joins along axis 0 unless told otherwise, and all other axes have to agree: axis=1 or axis=-1?"
    )),
    (r"array split does not result in an equal division", _plain(
        "split cuts axis 0 unless told otherwise, into equal parts: axis=-1?"
    )),
    (r"einstein sum subscripts string (contains|includes)|einsum", _plain(
        "einsum needs a letter for each axis of each operand, in order, and each letter of the result in an operand."
    )),
    (r"operand has a mismatch in its core dimension|remapped shapes", _plain(
        "A letter of einsum stands for axes of different sizes: each letter has one size throughout."
    )),
    (r"cannot reshape array of size (\d+) into shape \(?([\d, -]*)\)?", _reshape),
    (r"index (-?\d+) is out of bounds for axis (\d+) with size (\d+)", _index),
    (r"too many indices for array: array is (\d+)-dimensional", lambda m, code: (
        f"The array has {m[1]} axes, the index more: did an axis get lost before, as by a sum or an index?"
    )),
    (r"truth value of an array with more than one element is ambiguous", _plain(
        "An array has no single truth: np.where chooses entry by entry; & and | join masks, in place of and, or."
    )),
    (r"'NoneType'", _plain("Something is None: a function without a return, or a method as sort() gives that.")),
    (r"'numpy\.ndarray' object has no attribute '(\w+)'", _attribute),
    (r"Cannot cast ufunc .* to dtype\('int", _plain(
        "The array holds whole numbers, and what is added in place does not: make it of floats."
    )),
    (r"boolean subtract|numpy boolean negative", _plain("Masks are not numbers: ~mask is the other mask.")),
    (r"bad operand type for unary ~|ufunc 'invert' not supported", _plain("~ turns a mask round: x > 0 is one.")),
    (r"axis (-?\d+) is out of bounds for array of dimension (\d+)", lambda m, code: (
        f"The array has {m[2]} axes, so there is no axis {m[1]}: did one get lost, or is there no batch here?"
    )),
    (r"cannot access local variable '(\w+)'|local variable '(\w+)' referenced", lambda m, code: (
        f"{m[1] or m[2]} gets its value only in a branch or loop that was not run, or further below."
    )),
    (r"unexpected keyword argument '(dim|keepdim|unbiased)'", lambda m, code: (
        f"{m[1]} is PyTorch's word; NumPy's is { {'dim': 'axis', 'keepdim': 'keepdims', 'unbiased': 'ddof'}[m[1]]}."
    )),
    (r"unhashable type", _plain("Lists and arrays cannot be keys of dictionaries or entries of sets: tuple(x).")),
    (r"not supported between instances of", _plain("Two things of different kinds are compared.")),
)  # fmt: skip
