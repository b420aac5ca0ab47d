"""Strings of spoken digits, read by CTC: nobody says in training where in the sound each digit stands.

    python examples/digit_strings.py --steps 1000

Graves, Fernández, Gomez & Schmidhuber, "Connectionist Temporal Classification" (2006). Strings of one to four digits
are put together from the clips of five speakers; the sixth, never heard before, is the test. The clips are looked for
under speech/ in a folder of HANDMADE_DATA ('handmade data' says more).

B sounds of a batch, T frames, M mel bands, S = T / 4 steps, C = 11 classes: the blank, and the digits
"""

import argparse

import numpy as np

from handmade import Tensor, manual_seed, nn, no_grad
from handmade.data import SpokenDigits, load, log_mel, pad_features
from handmade.data.speech import DIGITS_RATE
from handmade.optim import Adam, CosineAnnealingLR, clip_grad_norm_
from handmade.text import ctc_beam_search, ctc_greedy

BLANK, CLASSES, MELS, STACKED = 0, 11, 40, 4


class DigitReader(nn.Module):
    """Four frames at a time -> at each step the scores of the blank and the digits."""

    def __init__(self, hidden_size: int = 64) -> None:
        super().__init__()
        self.network = nn.GRU(STACKED * MELS, hidden_size, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * hidden_size, CLASSES)

    def forward(self, frames: Tensor, lengths: np.ndarray) -> Tensor:
        output, _ = self.network(frames, lengths=lengths)  # B S 2H
        return self.out(output).log_softmax(dim=2).transpose(0, 1)  # S B C


def batch(clips: SpokenDigits, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[list[int]]]:
    """Sounds of one to four digits each: frames (B, S, 4 M), the steps that count, and the digits."""
    features, strings = [], []
    for _ in range(count):
        chosen = rng.integers(len(clips), size=rng.integers(1, 5))
        parts = [np.pad(clips.clips[index], rng.integers(0, DIGITS_RATE // 5)) for index in chosen]
        sound = np.concatenate(parts)
        sound += rng.normal(scale=1e-3, size=len(sound)).astype(np.float32)
        frames = log_mel(sound.astype(np.float32), DIGITS_RATE, MELS)
        frames = frames[: len(frames) // STACKED * STACKED] - frames.mean(axis=0)
        features.append((frames / frames.std()).reshape(-1, STACKED * MELS))  # T M -> S 4M
        strings.append(clips.digits[chosen].tolist())
    return *pad_features(features), strings


def step(model: DigitReader, sounds: tuple[np.ndarray, np.ndarray, list[list[int]]]) -> Tensor:
    """The CTC loss of a batch."""
    frames, lengths, strings = sounds
    targets = np.array([digit + 1 for string in strings for digit in string])
    log_probs = model(Tensor(frames), lengths)
    return nn.functional.ctc_loss(log_probs, Tensor(targets), lengths.tolist(), [len(s) for s in strings], blank=BLANK)


def digits_wrong(found: list[int], said: list[int]) -> int:
    """How many digits must be put in, taken out or changed to come from the one to the other (Levenshtein 1966)."""
    costs = list(range(len(said) + 1))
    for i, digit in enumerate(found):
        before, costs[0] = costs[0], i + 1
        for j, other in enumerate(said):
            before, costs[j + 1] = costs[j + 1], min(costs[j + 1] + 1, costs[j] + 1, before + (digit != other))
    return costs[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--test", type=int, default=200, help="strings to test on")
    arguments = parser.parse_args()
    train, test = load("spoken-digits", "train"), load("spoken-digits", "test")
    assert isinstance(train, SpokenDigits)
    assert isinstance(test, SpokenDigits)
    manual_seed(0)
    model, rng = DigitReader(), np.random.default_rng(0)
    optimizer = Adam(model.parameters(), 6e-3)
    schedule = CosineAnnealingLR(optimizer, arguments.steps)
    for number in range(arguments.steps):
        loss = step(model, batch(train, arguments.batch_size, rng))
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if number % 50 == 0:
            print(f"step {number}: loss {loss.item():.3f}", flush=True)

    frames, lengths, strings = batch(test, arguments.test, rng)
    with no_grad():
        log_probs = model.eval()(Tensor(frames), lengths).array
    greedy = ctc_greedy(log_probs, lengths.tolist(), BLANK)
    beam = [best[0] for best in ctc_beam_search(log_probs, lengths.tolist(), beam_width=8, blank=BLANK)]
    total = sum(map(len, strings))
    for name, found in (("greedy", greedy), ("beam search", beam)):
        read = [[label - 1 for label in labelling.labels] for labelling in found]
        wrong = sum(digits_wrong(one, string) for one, string in zip(read, strings, strict=True))
        print(f"{name}: {wrong / total:.1%} of the digits wrong; as {strings[0]} read as {read[0]}".replace("%", " %"))


if __name__ == "__main__":
    main()
