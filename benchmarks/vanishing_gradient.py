"""The vanishing gradient: how much of each step is left in the last state, before and after learning to remember.

    python -m benchmarks vanishing_gradient [--steps 300] [--out docs/pictures/vanishing-gradient.png]

The task is to copy: one of eight symbols at the first of 100 steps, blanks, and at the last step it is asked for
(after Hochreiter & Schmidhuber 1997). Three panels: networks as PyTorch starts them; with gates that begin open for
times up to 100 steps (Tallec & Ollivier, "Can recurrent neural networks warp time?", 2018, equations 15 and 16); and
those after learning.
"""

import argparse
from pathlib import Path

import numpy as np

import handmade
from handmade import nn, optim
from handmade.lens.gradient_flow import Norms, draw_gradient_flow, gradient_norms
from handmade.nn import functional as F

SYMBOLS, TIME, HIDDEN, BATCH = 8, 100, 32, 64
BLANK, ASK = SYMBOLS, SYMBOLS + 1
KINDS = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}
PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "vanishing-gradient.png"

Layer = nn.RNN | nn.LSTM | nn.GRU


def copy_task(rng: np.random.Generator, count: int) -> tuple[handmade.Tensor, handmade.Tensor]:
    """Inputs T B I as 1-of-I codes, and the symbols to be named at the end."""
    symbols = rng.integers(0, SYMBOLS, count)
    codes = np.full((TIME, count), BLANK)
    codes[0], codes[-1] = symbols, ASK
    return handmade.tensor(np.eye(SYMBOLS + 2, dtype=np.float32)[codes]), handmade.tensor(symbols)


def open_gates(layer: Layer) -> None:
    """Biases of the forget gate (LSTM), or of z (GRU), log of a time drawn up to T; of the input gate minus that."""
    bias = np.log(handmade.random.generator().uniform(1, TIME - 1, HIDDEN))
    if isinstance(layer, nn.LSTM):  # i, f, g, o
        layer.bias_ih_l0.array[: 2 * HIDDEN] = np.concatenate([-bias, bias])
        layer.bias_hh_l0.array[: 2 * HIDDEN] = 0
    if isinstance(layer, nn.GRU):  # r, z, n
        layer.bias_ih_l0.array[HIDDEN : 2 * HIDDEN] = bias
        layer.bias_hh_l0.array[HIDDEN : 2 * HIDDEN] = 0


def learn(layer: Layer, steps: int, rng: np.random.Generator) -> float:
    """Train with Adam, and give the share of 500 new sequences whose symbol is named right."""
    output = nn.Linear(HIDDEN, SYMBOLS)
    parameters = [*layer.parameters(), *output.parameters()]
    optimizer = optim.Adam(parameters, lr=1e-2)
    schedule = optim.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        x, symbols = copy_task(rng, BATCH)
        optimizer.zero_grad()
        F.cross_entropy(output(layer(x)[0][-1]), symbols).backward()
        optim.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
    x, symbols = copy_task(rng, 500)
    with handmade.no_grad():
        return float((output(layer(x)[0][-1]).argmax(1) == symbols).numpy().mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=300, help="of learning")
    parser.add_argument("--out", type=Path, default=PICTURE)
    arguments = parser.parse_args()
    start, opened, learned = "as PyTorch starts them", "with open gates", f"after {arguments.steps} steps of learning"
    panels: dict[str, dict[str, dict[str, Norms]]] = {start: {}, opened: {}, learned: {}}
    elman: dict[str, nn.RNN] = {}
    for name, kind in KINDS.items():
        handmade.manual_seed(0)
        rng = np.random.default_rng(0)
        layer = kind(SYMBOLS + 2, HIDDEN)
        x, _ = copy_task(np.random.default_rng(1), 8)
        panels[start][name] = gradient_norms(layer, x)
        if isinstance(layer, nn.RNN):
            elman[start] = kind(SYMBOLS + 2, HIDDEN)
            elman[start].load_state_dict(layer.state_dict())
            elman[learned] = layer
        else:
            open_gates(layer)
            panels[opened][name] = gradient_norms(layer, x)
        right = learn(layer, arguments.steps, rng)
        panels[learned][f"{name}, {right:.0%} right"] = norms = gradient_norms(layer, x)
        first = ", ".join(f"d h_T / d {state}_1 {values[1]:.1e}" for state, values in norms.items())
        print(f"{name:5s} {right:6.1%} right after {arguments.steps} steps; {first}", flush=True)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    draw_gradient_flow(arguments.out, panels, elman)
    print(f"picture: {arguments.out}")


if __name__ == "__main__":
    main()
