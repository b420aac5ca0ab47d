"""A learner's function at work in a real network: attention in GPT, a block in ResNet-20, a step in char-LSTM.

What the network computes on is the learner's value; its gradient is the built-in's, which is the same function's, as
the judge has made sure. So any solution that passed can take part in training, in NumPy or PyTorch, with or without a
gradient of its own.

B batch, H heads, T time, D numbers of a head, N C H W images
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import handmade.nn.functional as F
from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.models.char_lm import RecurrentLM
from handmade.models.gpt import CausalSelfAttention
from handmade.models.resnet import BasicBlock
from handmade.nn import BatchNorm2d, Module
from handmade.workshop.cell.cases import in_tensors, plain
from handmade.workshop.exercise import Exercise
from handmade.workshop.exercises import exercise_named
from handmade.workshop.judging.judge import Judge
from handmade.workshop.judging.verdict import Verdict

Function = Callable[..., Any]


@dataclass(frozen=True)
class Graft:
    """Where a solution of `exercise` fits: into every part of a model that is a `part`, by `insert`."""

    exercise: str
    part: type[Module]
    insert: Callable[[Any, Function], None]


def graft_for(model: str) -> Graft:
    """The graft for models of this name. InputError where none is known."""
    for beginning, graft in GRAFTS.items():
        if model.startswith(beginning):
            return graft
    raise InputError(f"no function of yours fits into {model}: gpt, resnet20 and char-lstm take one.")


def passing_function(graft: Graft, file: Path) -> Function | Verdict:
    """The function that a file has for a graft, once the judge lets it pass; else the judge's verdict on it."""
    exercise = exercise_named(graft.exercise)
    with Judge() as judge:
        verdict = judge.check(file, exercise)
    return function_in(file, exercise) if verdict.passed else verdict


def transplant(model: Module, graft: Graft, function: Function) -> int:
    """Put the function into every place of the model where it fits; how many there were."""
    places = [part for part in model.modules() if isinstance(part, graft.part)]
    for part in places:
        graft.insert(part, function)
    return len(places)


def function_in(path: Path, exercise: Exercise) -> Function:
    """The exercise's function as the file defines it, run in this process: judge the file first."""
    module = ModuleType(path.stem)
    exec(compile(path.read_text("utf-8"), str(path), "exec"), vars(module))
    function = vars(module)[exercise.functions[0].__name__]
    if "torch" not in vars(module):
        return function
    return lambda *args, **options: plain(function(*in_tensors(args), **in_tensors(options)))


def valued(own: Tensor, value: Any) -> Tensor:
    """A tensor with this value and with the gradient of `own`, which must be the same but for rounding."""
    return own + Tensor(np.asarray(value, own.dtype) - own.array)


# --- the three places -------------------------------------------------------------------------------------------------


def into_attention(part: CausalSelfAttention, function: Function) -> None:
    """causal_attention(Q, K, V), of all heads at once or of one. Dropout is left out: a solution has none."""
    own, yours = part.attention, function if takes_leading_axes(function) else head_by_head(function)
    part.dropout = 0.0

    def attention(query: Tensor, key: Tensor, value: Tensor, *arguments: Any, **options: Any) -> Tensor:
        output, _ = yours(query.array.copy(), key.array.copy(), value.array.copy())
        return valued(own(query, key, value, *arguments, **options), output)

    part.attention = attention  # pyright: ignore[reportAttributeAccessIssue]


def takes_leading_axes(function: Function) -> bool:
    """Whether all heads of a batch can be given at once: the exercise asks for one head only."""
    Q, K, V = np.random.default_rng(0).standard_normal((3, 2, 3, 4, 5))
    try:
        return np.allclose(function(Q, K, V)[0], head_by_head(function)(Q, K, V)[0])
    except Exception:  # whatever a solution raises that was not written for it
        return False


def head_by_head(function: Function) -> Function:
    """The same for B H T D."""

    def attention(Q: np.ndarray, K: np.ndarray, V: np.ndarray) -> tuple[np.ndarray, None]:
        output = np.empty((*Q.shape[:-1], V.shape[-1]), V.dtype)
        for place in np.ndindex(Q.shape[:-2]):
            output[place], _ = function(Q[place], K[place], V[place])
        return output, None

    return attention


def into_block(part: BasicBlock, function: Function) -> None:
    """residual_block(x, params, stride): in training its norms get the batch's own statistics as if they were given."""
    own = part.forward

    def forward(x: Tensor) -> Tensor:
        expected = own(x)
        with no_grad():
            params = block_params(part, x)
        return valued(expected, function(x.array.copy(), params, stride=part.conv1.stride[0]))

    part.forward = forward  # pyright: ignore[reportAttributeAccessIssue]


def into_lstm(part: RecurrentLM, function: Function) -> None:
    """lstm_step(x, h, c, Wx, Wh, b), layer by layer and character by character."""
    network = part.network
    own: Any = network.forward

    def forward(x: Tensor, state: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Any]:
        expected, final = own(x, state)
        layer = x.array  # B T E
        for number in range(network.num_layers):
            weight_ih, weight_hh, bias_ih, bias_hh = (
                getattr(network, f"{name}_l{number}").array for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            if state is None:
                h = c = np.zeros((len(layer), network.hidden_size), layer.dtype)
            else:
                h, c = state[0].array[number], state[1].array[number]
            steps = []
            for t in range(layer.shape[1]):
                h, c = function(layer[:, t].copy(), h.copy(), c.copy(), weight_ih.T, weight_hh.T, bias_ih + bias_hh)
                steps.append(h)
            layer = np.stack(steps, axis=1)
        return valued(expected, layer), final

    network.forward = forward  # pyright: ignore[reportAttributeAccessIssue]


def block_params(part: BasicBlock, x: Tensor) -> dict[str, np.ndarray]:
    """The block's weights under torchvision's names, and the statistics that its norms use on x."""
    inner = part.conv1(x)
    bn1 = norm_params(part.bn1, inner)
    mean, variance = Tensor(bn1["running_mean"]), Tensor(bn1["running_var"])
    normed = F.batch_norm(inner, mean, variance, part.bn1.weight, part.bn1.bias, training=False, eps=part.bn1.eps)
    bn2 = norm_params(part.bn2, part.conv2(part.relu(normed)))
    params = {"conv1.weight": part.conv1.weight.array, "conv2.weight": part.conv2.weight.array}
    params |= {f"bn1.{name}": value for name, value in bn1.items()} | {
        f"bn2.{name}": value for name, value in bn2.items()
    }
    return params if part.downsample is None else params | padding_as_projection(part)


def norm_params(norm: BatchNorm2d, x: Tensor) -> dict[str, np.ndarray]:
    """In training the batch's own mean and variance, in evaluation the running ones."""
    params = {name: value.array for name, value in norm.state_dict().items()}
    if norm.training:
        params |= {"running_mean": x.array.mean((0, 2, 3)), "running_var": x.array.var((0, 2, 3))}
    return params


def padding_as_projection(part: BasicBlock) -> dict[str, np.ndarray]:
    """The shortcut that pads with zero channels (option A), as the 1x1 convolution and the norm that do the same."""
    channels, in_channels = part.conv1.weight.shape[:2]
    dtype, before = part.conv1.weight.dtype, (channels - in_channels) // 2
    weight = np.eye(channels, in_channels, -before, dtype=dtype)[:, :, None, None]
    zeros, ones = np.zeros(channels, dtype), np.ones(channels, dtype)
    norm = {"weight": ones, "bias": zeros, "running_mean": zeros, "running_var": ones - np.asarray(1e-5, dtype)}
    return {"downsample.0.weight": weight} | {f"downsample.1.{name}": value for name, value in norm.items()}


GRAFTS = {
    "gpt": Graft("causal_mask", CausalSelfAttention, into_attention),
    "resnet": Graft("residual_block", BasicBlock, into_block),
    "char-lstm": Graft("lstm_step", RecurrentLM, into_lstm),
}
"""By the beginning of the model's name."""
