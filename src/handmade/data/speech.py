"""Speech: log-mel features, and the Free Spoken Digit Dataset.

S samples of a sound, T frames, M mel bands, F frequencies, B clips of a batch, N clips of a set
"""

import io
import lzma
import re
import tarfile
import zlib
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np
from jaxtyping import Float, Int64

from handmade.data.wav import Samples, decode_wav
from handmade.errors import InputError

LOUDNESS_FLOOR = 1e-10  # so that silence has a logarithm


def hertz_to_mel(frequency: Float[np.ndarray, "F"]) -> Float[np.ndarray, "F"]:
    """Perceived pitch (HTK's formula): roughly linear up to 1,000 Hz, which is 1,000 mel, logarithmic above."""
    return 1127 * np.log(1 + frequency / 700)


def mel_filters(mels: int, fft_size: int, rate: int, low: float, high: float) -> Float[np.ndarray, "F M"]:
    """Triangular filters that overlap by half, evenly spaced on the mel scale from `low` to `high` Hz: one per column.

    The triangles are linear in mel, as in HTK and Kaldi (librosa's are linear in Hz).
    """
    lowest, highest = hertz_to_mel(np.array([low, high]))
    edges = np.linspace(lowest, highest, mels + 2)
    bins = hertz_to_mel(np.arange(fft_size // 2 + 1) * rate / fft_size)
    distance = np.abs(bins[:, None] - edges[1:-1]) / (edges[1] - edges[0])
    filters = np.maximum(0, 1 - distance)
    if not filters.any(axis=0).all():
        raise ValueError(
            f"mel_filters: of {mels} filters between {low:g} and {high:g} Hz some would be empty, with bins "
            f"{rate / fft_size:g} Hz apart up to {rate / 2:g} Hz: use fewer filters or longer frames"
        )
    return filters


def log_mel(
    samples: Samples,
    rate: int,
    mels: int = 40,
    frame: float = 0.025,
    hop: float = 0.010,
    low: float = 20.0,
    high: float | None = None,
) -> Float[np.ndarray, "T M"]:
    """Log-mel features: the energy in each mel band, every `hop` seconds.

    Frames of `frame` seconds that lie entirely in the sound, T = 1 + (S - frame) // hop; a Hann window; the power
    |FFT|² over the next power of two; triangular mel filters from `low` to `high` Hz (None: half of `rate`);
    the natural logarithm, of 1e-10 at least. No pre-emphasis, no dither. float32.
    """
    length, step = round(frame * rate), round(hop * rate)
    if len(samples) < length:
        raise ValueError(
            f"log_mel: {len(samples)} samples are shorter than a frame of {length} ({frame} s at {rate} Hz)"
        )
    fft_size = 1 << (length - 1).bit_length()
    frames = np.lib.stride_tricks.sliding_window_view(samples, length)[::step] * np.hanning(length)
    power = np.abs(np.fft.rfft(frames, fft_size)) ** 2
    loudness = power @ mel_filters(mels, fft_size, rate, low, rate / 2 if high is None else high)
    return np.log(np.maximum(loudness, LOUDNESS_FLOOR)).astype(np.float32)


def pad_features(
    features: list[Float[np.ndarray, "_ M"]],
) -> tuple[Float[np.ndarray, "B T M"], Int64[np.ndarray, "B"]]:
    """Features of different lengths as one batch, padded with zeros at the end, and their lengths."""
    lengths = np.array([len(one) for one in features])
    batch = np.zeros((len(features), lengths.max(), features[0].shape[1]), np.float32)
    for row, one in zip(batch, features, strict=True):
        row[: len(one)] = one
    return batch, lengths


DIGITS_RATE = 8000
"""Sampling rate of the spoken digits, in samples per second."""

CLIP_NAME = re.compile(r"(\d)_([a-z]+)_(\d+)\.wav")


@dataclass(frozen=True, eq=False)
class SpokenDigits:
    """Clips of spoken digits: clip i is `digits[i]`, said by `speakers[i]`, at DIGITS_RATE."""

    clips: list[Samples]
    digits: Int64[np.ndarray, "N"]
    speakers: tuple[str, ...]
    name: str = ""
    split: str = ""
    source: str = ""

    def __len__(self) -> int:
        return len(self.clips)

    def hold_out(self, speaker: str) -> tuple["SpokenDigits", "SpokenDigits"]:
        """The clips of all other speakers for training, those of `speaker` for testing: an unknown voice."""
        if speaker not in self.speakers:
            raise InputError(f"No speaker is called {speaker!r}; there are {', '.join(sorted(set(self.speakers)))}.")
        held_out = np.array([other == speaker for other in self.speakers])
        return self._part(np.flatnonzero(~held_out), "train"), self._part(np.flatnonzero(held_out), "test")

    def _part(self, indices: np.ndarray, split: str) -> "SpokenDigits":
        clips, speakers = [self.clips[i] for i in indices], tuple(self.speakers[i] for i in indices)
        return replace(self, clips=clips, digits=self.digits[indices], speakers=speakers, split=split)


def read_spoken_digits(archive: bytes, name: str) -> SpokenDigits:
    """The Free Spoken Digit Dataset from its tar archive, by digit, speaker and take; `name` is for error messages.

    Its files are called <digit>_<speaker>_<take>.wav. Raises InputError if the archive is damaged, has no such file,
    or one that is not a WAV file of 8,000 samples per second.
    """
    found = []
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar:
                parts, file = CLIP_NAME.fullmatch(PurePosixPath(member.name).name), tar.extractfile(member)
                if parts and file:
                    samples, _ = decode_wav(file.read(), f"{member.name} in {name}", DIGITS_RATE)
                    found.append((int(parts[1]), parts[2], int(parts[3]), samples))
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError) as error:
        raise InputError(f"{name} is damaged or not an archive ({error}).") from error
    if not found:
        raise InputError(f"{name} holds no clips called <digit>_<speaker>_<take>.wav.")
    found.sort(key=lambda clip: clip[:3])
    digits = np.array([digit for digit, *_ in found], np.int64)
    clips, speakers = [samples for *_, samples in found], tuple(speaker for _, speaker, *_ in found)
    return SpokenDigits(clips, digits, speakers, "spoken-digits", source=name)
