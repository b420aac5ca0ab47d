"""The gates of a recurrent language model while it reads, and what it says and writes when one of them is held.

    Karpathy, Johnson & Fei-Fei, "Visualizing and Understanding Recurrent Networks" (2015), sections 4.2 and 4.3: units
    that follow quotes, line ends and the place in the line; how often gates are open.

Signals of an LSTM: i, f, g, o, c, h; of a GRU: r, z, n, h. The equations are those of nn/cells.py.

T steps, V vocabulary size, D input size and H hidden size of a layer, G gates stacked along one axis
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64

from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.lens.token_loss import log_probabilities
from handmade.models.char_lm import RecurrentLM
from handmade.nn import GRU, LSTM
from handmade.text.sampling import generate

State = tuple[np.ndarray, ...]
"""h and c of an LSTM's layer, h of a GRU's, (H,) each."""

StepFunction = Callable[..., tuple[np.ndarray, ...]]
"""One step as textbooks write it: called with `Layer.arguments`, it gives the new h, or h and c, (N, H) each."""


class Held(NamedTuple):
    """A signal that keeps `value` at every step, whatever the network computes: in one unit, or for None in all."""

    layer: int
    signal: str
    unit: int | None
    value: float


class Reading(NamedTuple):
    """What one layer does while the model reads.

    signals: by name. inputs: what comes into the layer. from_x, from_h: W x + b and U h + b, which the gates are made
        of, in the order of the layer's parameters.
    log_probabilities: of each token of the vocabulary after each token of the text, in nats.
    """

    signals: dict[str, Float[np.ndarray, "T H"]]
    inputs: Float[np.ndarray, "T D"]
    from_x: Float[np.ndarray, "T GH"]
    from_h: Float[np.ndarray, "T GH"]
    log_probabilities: Float[np.ndarray, "T V"]

    def losses(self, tokens: Int64[np.ndarray, "T"]) -> Float[np.ndarray, "N"]:
        """-log p(token | all before it) of the second token to the last."""
        return -self.log_probabilities[np.arange(len(tokens) - 1), tokens[1:]]

    def before(self, signal: str) -> Float[np.ndarray, "T H"]:
        """A signal as it was before each step: zero before the first."""
        values = self.signals[signal]
        return np.concatenate([np.zeros_like(values[:1]), values[:-1]])


class Step(NamedTuple):
    """One step of one layer: its input, W x + b, U h + b, and its signals."""

    x: Float[np.ndarray, "D"]
    from_x: Float[np.ndarray, "GH"]
    from_h: Float[np.ndarray, "GH"]
    signals: dict[str, np.ndarray]


class Layer:
    """One layer of an LSTM or a GRU, a step at a time, from its own parameters."""

    def __init__(self, network: LSTM | GRU, number: int) -> None:
        parameters = [getattr(network, f"{name}_l{number}") for name in ("weight_ih", "weight_hh")]
        self.weight_ih, self.weight_hh = (parameter.array for parameter in parameters)
        biases = (getattr(network, f"{name}_l{number}") for name in ("bias_ih", "bias_hh"))
        rows = self.weight_ih.shape[0]
        self.bias_ih, self.bias_hh = (
            np.zeros(rows, self.weight_ih.dtype) if bias is None else bias.array for bias in biases
        )
        self.is_lstm, self.hidden_size = isinstance(network, LSTM), network.hidden_size

    @property
    def signals(self) -> tuple[str, ...]:
        """Their names, in the order in which a step computes them."""
        return ("i", "f", "g", "o", "c", "h") if self.is_lstm else ("r", "z", "n", "h")

    @property
    def states(self) -> tuple[str, ...]:
        """The signals that the next step begins with."""
        return ("h", "c") if self.is_lstm else ("h",)

    def begin(self) -> State:
        """The state before the first step."""
        return tuple(np.zeros(self.hidden_size, self.weight_ih.dtype) for _ in self.states)

    def products(self, x: Float[np.ndarray, "D"], h: Float[np.ndarray, "H"]) -> tuple[np.ndarray, np.ndarray]:
        """W x + b and U h + b."""
        return self.weight_ih @ x + self.bias_ih, self.weight_hh @ h + self.bias_hh

    def step(
        self, from_x: np.ndarray, from_h: np.ndarray, state: State, held: Collection[Held] = ()
    ) -> dict[str, np.ndarray]:
        """The signals of one step, those that are held as they are held."""

        def hold(signal: str, values: np.ndarray) -> np.ndarray:
            for one in held:
                if one.signal == signal:
                    values[slice(None) if one.unit is None else one.unit] = one.value
            return values

        if self.is_lstm:
            i, f, g, o = np.split(from_x + from_h, 4)
            i, f, o = hold("i", sigmoid(i)), hold("f", sigmoid(f)), hold("o", sigmoid(o))
            g = hold("g", np.tanh(g))
            c = hold("c", f * state[1] + i * g)
            return {"i": i, "f": f, "g": g, "o": o, "c": c, "h": hold("h", o * np.tanh(c))}
        (x_r, x_z, x_n), (h_r, h_z, h_n) = np.split(from_x, 3), np.split(from_h, 3)
        r, z = hold("r", sigmoid(x_r + h_r)), hold("z", sigmoid(x_z + h_z))
        n = hold("n", np.tanh(x_n + r * h_n))
        return {"r": r, "z": z, "n": n, "h": hold("h", (1 - z) * n + z * state[0])}

    def arguments(self, x: Float[np.ndarray, "N D"], *state: Float[np.ndarray, "N H"]) -> tuple[np.ndarray, ...]:
        """What a step is called with in textbooks, in float64: x, h, c, Wx (D, 4H), Wh (H, 4H), b (4H,) of an LSTM; x,
        h, Wx (D, 3H), Wh (H, 3H), bx, bh (3H,) of a GRU."""
        biases = (self.bias_ih + self.bias_hh,) if self.is_lstm else (self.bias_ih, self.bias_hh)
        return tuple(a.astype(np.float64) for a in (x, *state, self.weight_ih.T, self.weight_hh.T, *biases))


def layers_of(model: RecurrentLM) -> list[Layer]:
    """The layers of an LSTM or GRU. InputError for another network, and for forms that are not the usual one."""
    network = model.network
    if not isinstance(network, LSTM | GRU):
        raise InputError(f"{type(network).__name__} has no gates: they are an LSTM's or a GRU's.")
    unusual = [
        name
        for name, there in (
            ("two directions", network.bidirectional),
            ("peepholes", network.peepholes),
            ("a projection", bool(getattr(network, "proj_size", 0))),
            ("a reset before the product", not getattr(network, "reset_after", True)),
        )
        if there
    ]
    if unusual:
        raise InputError(f"the network has {unusual[0]}, and its gates are shown without: take one without.")
    return [Layer(network, number) for number in range(network.num_layers)]


def read_gates(
    model: RecurrentLM, tokens: Int64[np.ndarray, "T"], layer: int = 0, held: Collection[Held] = ()
) -> Reading:
    """What the gates of one layer do while the model reads `tokens`.

    Raises InputError for an empty text, a model without gates, and a layer, signal or unit that is not there.
    """
    layers = layers_of(model)
    if not 0 <= layer < len(layers):
        raise InputError(f"there is no layer {layer}: there are {len(layers)}.")
    if len(tokens) == 0:
        raise InputError("the text has no tokens, expected one at least.")
    walk = _Walk(model, layers, held)
    steps = [walk.step(token) for token in tokens.tolist()]
    chosen = [step[layer] for step in steps]
    signals = {name: np.stack([one.signals[name] for one in chosen]) for name in layers[layer].signals}
    outputs = np.stack([step[-1].signals["h"] for step in steps])
    return Reading(
        signals,
        np.stack([one.x for one in chosen]),
        np.stack([one.from_x for one in chosen]),
        np.stack([one.from_h for one in chosen]),
        _log_probabilities(model, outputs),
    )


def loss_with_step(model: RecurrentLM, tokens: Int64[np.ndarray, "T"], function: StepFunction) -> float:
    """The mean loss of the text where every layer makes its steps by `function`."""
    layers = layers_of(model)
    states = [layer.begin() for layer in layers]
    outputs = []
    for token in tokens.tolist():
        x = model.vectors.weight.array[token]
        for number, layer in enumerate(layers):
            state = function(*layer.arguments(x[None], *(part[None] for part in states[number])))
            states[number] = tuple(np.asarray(part)[0] for part in state)
            x = states[number][0]
        outputs.append(x)
    log_probabilities = _log_probabilities(model, np.stack(outputs).astype(model.vectors.weight.dtype))
    return float(-log_probabilities[np.arange(len(tokens) - 1), tokens[1:]].mean())


def write_on(
    model: RecurrentLM,
    tokens: Int64[np.ndarray, "T"],
    length: int,
    rng: np.random.Generator,
    held: Collection[Held] = (),
    temperature: float = 1.0,
) -> Iterator[int]:
    """The `length` tokens that the model writes after `tokens`, with these signals held from the beginning."""
    walk = _Walk(model, layers_of(model), held)

    def step(tokens: np.ndarray, state: None) -> tuple[np.ndarray, None]:
        outputs = [walk.step(token)[-1].signals["h"] for token in tokens[0].tolist()]
        return _log_probabilities(model, np.stack(outputs[-1:])), None

    rows = generate(step, None, tokens[None], rng, max_len=length, temperature=temperature)
    yield from (int(row[0]) for row in rows)


class _Walk:
    """The model, a token at a time."""

    def __init__(self, model: RecurrentLM, layers: list[Layer], held: Collection[Held]) -> None:
        for one in held:
            if not 0 <= one.layer < len(layers):
                raise InputError(f"there is no layer {one.layer}: there are {len(layers)}.")
            layer = layers[one.layer]
            if one.signal not in layer.signals:
                raise InputError(f"there is no signal {one.signal!r}: there are {', '.join(layer.signals)}.")
            if one.unit is not None and not 0 <= one.unit < layer.hidden_size:
                raise InputError(f"there is no unit {one.unit} in layer {one.layer}: there are {layer.hidden_size}.")
        self.model, self.layers = model, layers
        self.held = [[one for one in held if one.layer == number] for number in range(len(layers))]
        self.states = [layer.begin() for layer in layers]

    def step(self, token: int) -> list[Step]:
        """What every layer does with the next token."""
        x, done = self.model.vectors.weight.array[token], []
        for number, layer in enumerate(self.layers):
            state = self.states[number]
            from_x, from_h = layer.products(x, state[0])
            signals = layer.step(from_x, from_h, state, self.held[number])
            done.append(Step(x, from_x, from_h, signals))
            self.states[number] = tuple(signals[name] for name in layer.states)
            x = signals["h"]
        return done


def patterns(pieces: Sequence[str]) -> dict[str, Float[np.ndarray, "T"]]:
    """What a unit may follow in a text, by name, token by token; what does not change in this text is left out."""
    in_quotes = in_line = in_word = 0
    rows = []
    for piece in pieces:
        last = piece[-1:]
        in_quotes = int(not in_quotes) if piece in ('"', "“", "”") else in_quotes
        in_line = 0 if last == "\n" else in_line + 1
        in_word = in_word + 1 if last.isalpha() else 0
        rows.append((in_line, last == "\n", in_word, last.isupper(), in_quotes))
    names = ("place in the line", "line ends", "place in the word", "capitals", "quotes")
    columns = np.array(rows, np.float64).reshape(-1, len(names)).T
    return {name: column for name, column in zip(names, columns, strict=True) if column.min() < column.max()}


def following(values: Float[np.ndarray, "T H"], pattern: Float[np.ndarray, "T"]) -> Float[np.ndarray, "H"]:
    """How closely each unit follows a pattern: Pearson's correlation, 0 for a unit that never changes."""
    values = values.astype(np.float64)
    apart, wanted = values - values.mean(0), pattern - pattern.mean()
    sizes = np.sqrt((apart * apart).sum(0) * (wanted * wanted).sum())
    return np.divide(wanted @ apart, sizes, out=np.zeros(values.shape[1]), where=sizes > 1e-12)


def sigmoid(a: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-a)), without overflow."""
    small = np.exp(-np.abs(a))
    return np.where(a >= 0, 1, small) / (1 + small)


@no_grad()
def _log_probabilities(model: RecurrentLM, outputs: Float[np.ndarray, "T H"]) -> Float[np.ndarray, "T V"]:
    return log_probabilities(model.out(Tensor(outputs)))
