"""Small data sets of spoken digits, as WAV files in an archive: each digit a tone, each speaker a little off."""

import io
import wave

import numpy as np

from tests.support.archives import tar


def wav(samples, rate: int = 8000) -> bytes:
    """A WAV file of samples from -1 to 1."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, rate, 0, "NONE", ""))
        writer.writeframes((np.asarray(samples) * 32000).astype("<i2").tobytes())
    return file.getvalue()


def tone(digit: int, length: float = 0.3, shift: float = 1.0) -> np.ndarray:
    """The digit's tone, fading in and out."""
    time = np.arange(round(8000 * length)) / 8000
    return 0.8 * np.sin(2 * np.pi * 300 * (1 + digit) ** 0.9 * shift * time) * np.hanning(len(time))


def tones_archive(takes: int = 3) -> bytes:
    """A set in which ann, bob and theo say ten digits `takes` times, as a .tar.xz."""
    clips = {
        f"set/{digit}_{speaker}_{take}.wav": wav(tone(digit, 0.2 + 0.05 * take + 0.013 * digit, 1 + 0.01 * number))
        for digit in range(10)
        for number, speaker in enumerate(("ann", "bob", "theo"))
        for take in range(takes)
    }
    return tar(clips, "xz", preset=0)
