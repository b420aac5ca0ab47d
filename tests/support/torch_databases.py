"""PyTorch's own test databases, run through both libraries: `op_db`, `module_db` and `optim_db` ship in its wheel.

Every entry whose name we have, every sample, in float64: value and gradients by a random cotangent; and the inputs
that must be refused. Each sample has one outcome:

    agree    the values, and the gradients of all inputs, are PyTorch's
    refused  an error that our code raises, in a sentence of our own; `REASONS` lists which
    wrong    another value, gradient, shape or dtype; or a value where PyTorch refuses
    crash    an error that NumPy or Python raised somewhere below, in words that help nobody
"""

from __future__ import annotations

import operator
import re
import traceback
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import torch

import handmade
from handmade.nn import functional as F

DTYPES = {torch.float64: np.float64, torch.float32: np.float32, torch.int64: np.int64, torch.bool: np.bool_}

RANDOM = {"randn", "randn_like", "rand_like", "randint", "randint_like", "empty", "empty_like", "new_empty", "normal",
          "multinomial", "bernoulli", "uniform", "nn.functional.dropout", "nn.functional.dropout2d"}  # fmt: skip
"""Of these only shape and dtype are compared."""

AT_NAN = {
    **dict.fromkeys(("nn.functional.elu", "nn.functional.celu", "nn.functional.selu", "nn.functional.hardtanh",
                     "nn.functional.hardsigmoid", "nn.functional.relu6"),
                    "PyTorch's loops over many elements and over few give a NaN different gradients"),
    "clamp_min": "PyTorch's clamp and clamp_min differ",
}  # fmt: skip
"""Of these no gradients are compared where an input is NaN, and why."""

OTHERS = {"int": "gives int64 here, and int32 there"}
"""Entries of our names that mean something else."""

REASONS = {
    "a dtype that tensors do not have": r"tensors are float32, float64, int64 or bool|cannot hold",
    "an argument that is not here": r"unexpected keyword|positional argument|add_bias_kv|proj_size",
    "a type that the signature does not allow": r"^TypeCheckError",
    "float32 and float64 mixed": r"float32 and float64 meet",
    "a leaf on the tape changed in place": r"a tensor on the tape is changed in place",
    "a mode that is not here": r"mode is|padding_mode|p='nuc'|divisor_override|is not in handmade",
    "a batch without elements, or one": r"needs more than 1|normalisation over channels|has none|are empty",
    "indices below 0": r"index goes from -",
}
"""Why a sample may be refused: a name, and what the sentence contains."""


@dataclass
class Tally:
    """What became of the samples of one entry; `notes` keeps the first sentences of each outcome but agreement."""

    agree: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    crash: int = 0
    notes: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def samples(self) -> int:
        return self.agree + self.refused.total() + self.wrong + self.crash

    def note(self, outcome: str, text: str) -> None:
        self.notes[outcome].append(" ".join(text.split())[:300])


class NotTheirs(Exception):
    """PyTorch itself refuses the sample."""


class Untranslatable(Exception):
    """The sample holds something that we have no form of: a complex tensor, for example."""


# --- from their form to ours --------------------------------------------------------------------------------------


def ours(x: Any) -> Any:
    """A sample's argument as handmade takes it; tensors keep whether they need a gradient, and their memory layout."""
    if isinstance(x, torch.Tensor):
        x = x.long() if x.dtype == torch.int32 else x  # int64 holds all that int32 does
        if x.dtype not in DTYPES or x.layout != torch.strided:
            raise Untranslatable(f"a tensor of {x.dtype}: tensors are float32, float64, int64 or bool")
        try:
            made = handmade.from_numpy(x.detach().numpy().copy("K"))
        except ValueError:
            raise Untranslatable(f"a tensor of {x.ndim} axes; an array has 64 at most") from None
        return made.requires_grad_() if x.requires_grad else made
    if isinstance(x, torch.nn.Module):
        raise Untranslatable(f"a module of PyTorch's, {type(x).__name__}")
    if isinstance(x, torch.dtype):
        return np.dtype(DTYPES[x]) if x in DTYPES else str(x).removeprefix("torch.")
    if isinstance(x, torch.device):
        return str(x)
    if isinstance(x, torch.Size):
        return tuple(x)
    if isinstance(x, list | tuple):
        return type(x)(ours(part) for part in x)
    if isinstance(x, dict):
        return {name: ours(value) for name, value in x.items()}
    return x


def function_of(name: str, variant: str = "") -> Callable[..., Any] | None:
    """Our function or method of an entry's name; None where there is none."""
    if variant == "in_place":
        name += "_"
    if name in ORDER:
        return ORDER[name]
    room, _, last = name.rpartition(".")
    if room == "nn.functional":
        return getattr(F, last, None)
    if room:
        return None
    return _reflected(last) if last.startswith("__r") else _anywhere(last)


def _reflected(name: str) -> Callable[..., Any] | None:
    """x.__rsub__(other) for a tensor; for a number other - x, which is the same."""
    method, plain = getattr(handmade.Tensor, name, None), name.replace("__r", "", 1).strip("_")
    forward = {"and": operator.and_, "or": operator.or_}.get(plain) or getattr(operator, plain, None)
    return method and (lambda x, other: method(x, other) if isinstance(x, handmade.Tensor) else forward(other, x))


def _anywhere(name: str) -> Callable[..., Any] | None:
    if callable(function := vars(handmade.namespace).get(name)):
        return function
    method = getattr(handmade.Tensor, name, None)
    return method.fget if isinstance(method, property) else method


def _einsum(tensors: list, equation: str) -> Any:
    return handmade.einsum(equation, *tensors)


def _where(input: Any, condition: Any, other: Any) -> Any:
    return handmade.where(condition, input, other)


def _embedding(weight: Any, indices: Any, **options: Any) -> Any:
    return F.embedding(indices, weight, **options)


ORDER = {"einsum": _einsum, "where": _where, "nn.functional.embedding": _embedding}
"""Entries whose samples have the arguments in another order than the function."""

PREPARED = {"nn.functional.ctc_loss": lambda x: x.log_softmax(-1)}
"""What is done to a sample's input first. PyTorch's gradient of CTC is that by the logits: it holds after a softmax."""


def entries() -> list[Any]:
    """The entries of op_db whose name we have."""
    from torch.testing._internal.common_methods_invocations import op_db  # takes 6 seconds, so only where it is used

    ours = [entry for entry in op_db if entry.name not in OTHERS]
    return [entry for entry in ours if function_of(entry.name, entry.variant_test_name)]


# --- one sample ---------------------------------------------------------------------------------------------------


def run_entry(entry: Any, limit: int | None = None, reference: bool = False) -> Tally:
    """Every sample of an entry, or the first `limit`; and its error inputs."""
    tally = Tally()
    dtype = next((d for d in (torch.float64, torch.int64, torch.bool) if d in entry.dtypes), None)
    if dtype is None:
        return tally
    torch.manual_seed(0)
    function = function_of(entry.name, entry.variant_test_name)
    for sample in islice(quietly(_samples(entry, dtype, reference)), limit):
        judge(tally, lambda s=sample: _compare(entry.name, entry, function, s))
    if not reference and entry.error_inputs_func is not None:
        for wrong in islice(quietly(entry.error_inputs("cpu")), limit):
            if isinstance(wrong.sample_input.input, torch.Tensor | list | tuple):
                judge(tally, lambda s=wrong.sample_input: _must_refuse(entry, function, s))
    return tally


def _samples(entry: Any, dtype: torch.dtype, reference: bool) -> Iterator[Any]:
    """The samples, whose floats need gradients; some reference inputs PyTorch cannot make so, and then none do."""
    make = entry.reference_inputs if reference else entry.sample_inputs
    made = 0
    try:
        for sample in make("cpu", dtype, requires_grad=entry.supports_autograd and dtype == torch.float64):
            made += 1
            yield sample
    except ValueError as error:
        if "`requires_grad=True` is not supported" not in str(error):
            raise
        yield from islice(make("cpu", dtype, requires_grad=False), made, None)


def quietly(samples: Iterator[Any]) -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield from samples


def judge(tally: Tally, run: Callable[[], str | None]) -> None:
    """Run one comparison, which returns what differs, and count its outcome; not where PyTorch computes nothing."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            difference = run()
    except NotTheirs:
        return
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        if is_refusal(error):
            reason = next((name for name, form in REASONS.items() if re.search(form, text)), "another")
            tally.refused[reason] += 1
            tally.note("refused: " + reason, text)
        else:
            tally.crash += 1
            tally.note("crash", text)
        return
    if difference is None:
        tally.agree += 1
    else:
        tally.wrong += 1
        tally.note("wrong", difference)


def is_refusal(error: Exception) -> bool:
    """Whether our own code raised it, or Python because of an argument's name: not NumPy, not by accident."""
    if (
        isinstance(error, Untranslatable)
        or type(error).__name__ == "TypeCheckError"
        or re.search(REASONS["an argument that is not here"], str(error))
    ):
        return True
    last = traceback.extract_tb(error.__traceback__)[-1]
    return "handmade" in last.filename and (last.line or "").startswith("raise ")


def _must_refuse(entry: Any, function: Callable, sample: Any) -> str | None:
    """Error inputs must raise an error of ours; where PyTorch computes after all, nothing is asked."""
    try:
        call = [ours(sample.input), *ours(sample.args)], ours(sample.kwargs)
    except Untranslatable:
        return None
    try:
        result = function(*call[0], **call[1])
    except Exception as error:
        if is_refusal(error):
            return None
        raise
    try:
        entry.op(sample.input, *sample.args, **sample.kwargs)
    except Exception as error:
        if "must be Tensor, not int" in str(error):
            return None  # a number may stand for a tensor here, also where PyTorch wants a tensor
        return f"computed {str(result)[:60]!r}, where PyTorch raises {error} for {described(sample)}"
    return None


def _compare(name: str, entry: Any, function: Callable, sample: Any) -> str | None:
    args, kwargs = [ours(sample.input), *ours(sample.args)], ours(sample.kwargs)
    prepare = PREPARED.get(name, lambda x: x)
    got = function(prepare(args[0]), *args[1:], **kwargs)
    try:
        expected = entry.op(prepare(sample.input), *sample.args, **sample.kwargs)
    except Exception:
        raise NotTheirs from None
    if sample.output_process_fn_grad is not None:
        expected = sample.output_process_fn_grad(expected)
        got = sample.output_process_fn_grad(got)
    inputs = [x for x in leaves((args, kwargs)) if isinstance(x, handmade.Tensor)]
    theirs = [x for x in leaves(([sample.input, *sample.args], sample.kwargs)) if isinstance(x, torch.Tensor)]
    if name in AT_NAN and any(x.isnan().any() for x in theirs):
        got, expected = got.detach(), expected.detach()
    values = name not in RANDOM and not sample.kwargs.get("dropout_p")
    difference = compare(got, expected, inputs, theirs, values)
    return difference and f"{difference} for {described(sample)}"


def described(sample: Any) -> str:
    def short(x: Any) -> str:
        if isinstance(x, torch.Tensor):
            return f"{str(x.dtype)[6:]}{list(x.shape)}" + (str(x.tolist()) if x.numel() < 5 else "")
        if isinstance(x, list | tuple):
            return "[" + ", ".join(map(short, x)) + "]"
        return repr(x)

    named = ", ".join(f"{key}={short(value)}" for key, value in sample.kwargs.items())
    return f"({', '.join(map(short, (sample.input, *sample.args)))}; {named})"


# --- comparing ----------------------------------------------------------------------------------------------------


def leaves(x: Any) -> list[Any]:
    """Everything in nested lists, tuples and dicts, in order."""
    if isinstance(x, dict):
        x = list(x.values())
    if isinstance(x, list | tuple):
        return [leaf for part in x for leaf in leaves(part)]
    return [x]


def compare(got: Any, expected: Any, inputs: list, theirs: list, values: bool = True) -> str | None:
    """What differs between two results, and between the gradients of the inputs; None if nothing does."""
    results, wanted = leaves(got), leaves(expected)
    if len(results) != len(wanted):
        return f"{len(results)} results, expected {len(wanted)}"
    for a, b in zip(results, wanted, strict=True):
        if difference := _differs("value", a, b, values):
            return difference
    if not values:
        return None
    pairs = [(a, b) for a, b in zip(results, wanted, strict=True) if isinstance(b, torch.Tensor) and b.requires_grad]
    if not pairs:
        return None
    rng = np.random.default_rng(0)
    cotangents = [rng.standard_normal(tuple(b.shape)) for _, b in pairs]
    wanted = [b for _, b in pairs]
    directions = [torch.tensor(c, dtype=b.dtype) for b, c in zip(wanted, cotangents, strict=True)]
    try:
        torch.autograd.backward(wanted, directions)
    except RuntimeError:  # it has no derivative, as remainder by the divisor
        return None
    if not all(a.requires_grad for a, _ in pairs):
        return "the result needs no gradient, PyTorch's does"
    # One walk back for all results: the sum of each times its cotangent.
    total = None
    for (a, _), cotangent in zip(pairs, cotangents, strict=True):
        part = (a * handmade.tensor(cotangent, dtype=a.dtype)).sum()
        total = part if total is None else total + part
    total.backward()
    for i, (a, b) in enumerate(zip(inputs, theirs, strict=True)):
        if b.requires_grad and b.is_leaf:
            mine, other = a.grad, b.grad
            if other is None and (mine is None or not mine.array.any()):
                continue
            if mine is None and not other.any():
                continue
            if difference := _differs(f"gradient {i}", mine, other, True):
                return difference
    for x in theirs:
        x.grad = None
    return None


def _differs(what: str, a: Any, b: Any, values: bool) -> str | None:
    if isinstance(b, torch.Tensor):
        if not isinstance(a, handmade.Tensor):
            return f"{what} is {type(a).__name__}, expected a tensor"
        if b.dtype in DTYPES and a.dtype != DTYPES[b.dtype]:
            return f"{what} is {a.dtype}, expected {b.dtype}"
        a, b = a.numpy(), b.detach().numpy()
        if a.shape != b.shape:
            return f"{what} has shape {a.shape}, expected {b.shape}"
        tolerance = 1e-4 if b.dtype == np.float32 else 1e-7  # of sums in another order, some of which cancel
        if values and not np.allclose(a, b, rtol=tolerance, atol=tolerance / 10, equal_nan=True):
            return f"{what} {a.reshape(-1)[:6].tolist()}, expected {b.reshape(-1)[:6].tolist()}"
        return None
    if isinstance(b, torch.dtype | torch.device | torch.Size):
        return None
    if values and isinstance(b, int | float | bool) and not np.isclose(a, b, equal_nan=True):
        return f"{what} {a}, expected {b}"
    return None
