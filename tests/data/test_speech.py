"""Log-mel features against Kaldi's, the spoken digits, bad input."""

import io
import re
import wave
from importlib import import_module
from pathlib import Path

import kaldi_native_fbank as kaldi
import numpy as np
import pytest

from handmade.data import load
from handmade.data.speech import log_mel, mel_filters, pad_features, read_spoken_digits
from handmade.errors import InputError
from tests.support.archives import tar
from tests.support.clips import tones_archive


def kaldis_log_mel(samples, rate, mels, low, high):
    options = kaldi.FbankOptions()
    frames, bands = options.frame_opts, options.mel_opts
    frames.samp_freq, frames.window_type, frames.dither, frames.preemph_coeff = rate, "hanning", 0, 0
    frames.remove_dc_offset = False
    bands.num_bins, bands.low_freq, bands.high_freq = mels, low, high
    computer = kaldi.OnlineFbank(options)
    computer.accept_waveform(rate, samples.tolist())
    computer.input_finished()
    return np.stack([computer.get_frame(t) for t in range(computer.num_frames_ready)])


@pytest.mark.parametrize(("rate", "mels", "low", "high"), [(8000, 40, 20.0, 4000.0), (16000, 64, 60.0, 7600.0)])
def test_features_equal_kaldis(rng, rate, mels, low, high):
    samples = rng.normal(scale=0.1, size=3001).astype(np.float32)
    expected = kaldis_log_mel(samples, rate, mels, low, high)
    features = log_mel(samples, rate, mels, low=low, high=high)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, expected, atol=1e-4)


def test_a_tone_is_loudest_in_the_band_around_it():
    rate, mels = 8000, 20
    tone = np.sin(2 * np.pi * 1000 * np.arange(rate) / rate).astype(np.float32)
    mel = np.linspace(1127 * np.log(1 + 20 / 700), 1127 * np.log(1 + 4000 / 700), mels + 2)
    centres = 700 * (np.exp(mel[1:-1] / 1127) - 1)
    assert set(log_mel(tone, rate, mels).argmax(axis=1)) == {np.abs(centres - 1000).argmin()}


def test_silence_has_the_floor():
    assert set(log_mel(np.zeros(400, np.float32), 8000).ravel()) == {np.float32(np.log(1e-10))}


def test_a_sound_shorter_than_a_frame():
    assert log_mel(np.zeros(200, np.float32), 8000).shape == (1, 40)
    with pytest.raises(ValueError, match=re.escape("199 samples are shorter than a frame of 200 (0.025 s at 8000 Hz)")):
        log_mel(np.zeros(199, np.float32), 8000)


@pytest.mark.parametrize(("mels", "high"), [(100, 4000.0), (40, 9000.0)])
def test_filters_that_would_be_empty(mels, high):
    with pytest.raises(ValueError, match=r"some would be empty, with bins 31\.25 Hz apart up to 4000 Hz: use fewer"):
        mel_filters(mels, 256, 8000, 20.0, high)


def test_features_of_several_lengths_are_padded(rng):
    features = [rng.normal(size=(length, 3)).astype(np.float32) for length in (2, 5, 1)]
    batch, lengths = pad_features(features)
    assert batch.shape == (3, 5, 3)
    assert lengths.tolist() == [2, 5, 1]
    for row, one in zip(batch, features, strict=True):
        np.testing.assert_array_equal(row, np.pad(one, ((0, 5 - len(one)), (0, 0))))


def wav(numbers, rate=8000):
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, rate, 0, "NONE", ""))
        writer.writeframes(np.array(numbers, "<i2").tobytes())
    return file.getvalue()


def archive(files):
    """A .tar.xz of name -> content."""
    return tar(files, "xz")


@pytest.mark.slow
def test_who_trains_and_tests_has_the_archive_unpacked_once(monkeypatch):
    unpacked = []

    def read(content, name):
        unpacked.append(name)
        return read_spoken_digits(content, name)

    monkeypatch.setattr("handmade.data.files.read", lambda file: (tones_archive(), Path("tones.tar.xz")))
    monkeypatch.setattr(import_module("handmade.data.catalogue"), "read_spoken_digits", read)
    train, test = load("spoken-digits"), load("spoken-digits", "test")
    assert len(unpacked) == 1
    assert (set(test.speakers), test.split, train.split) == ({"theo"}, "test", "train")
    assert "theo" not in train.speakers
    again = load("spoken-digits", "test")
    assert len(unpacked) == 2  # nothing is kept that may never be asked for again
    assert all(map(np.array_equal, again.clips, test.clips))


def test_the_free_spoken_digit_dataset_with_a_speaker_held_out(shared_data):
    path = shared_data / "speech" / "fsdd.tar.xz"
    train, test = load("spoken-digits"), load("spoken-digits", "test")
    assert (len(train), len(test)) == (2500, 500)
    assert (train.name, train.split, test.split) == ("spoken-digits", "train", "test")
    assert train.source == test.source == str(path)
    assert sorted(set(train.speakers)) == ["george", "jackson", "lucas", "nicolas", "yweweler"]
    assert set(test.speakers) == {"theo"}
    assert np.bincount(train.digits).tolist() == [250] * 10
    assert np.bincount(test.digits).tolist() == [50] * 10
    assert all(0.01 < np.abs(clip).max() <= 1 for clip in [*train.clips, *test.clips])


def test_clips_come_by_digit_speaker_and_take():
    names = ["7_ann_10.wav", "7_ann_9.wav", "2_bob_0.wav", "7_amy_0.wav"]
    files = {f"set/{name}": wav([number]) for number, name in enumerate(names)} | {"set/README.md": b"about"}
    digits = read_spoken_digits(archive(files), "digits.tar.xz")
    assert [round(clip[0] * 2**15) for clip in digits.clips] == [2, 3, 1, 0]
    assert digits.digits.tolist() == [2, 7, 7, 7]
    assert digits.speakers == ("bob", "amy", "ann", "ann")
    train, test = digits.hold_out("ann")
    assert train.digits.tolist() == [2, 7]
    assert [round(clip[0] * 2**15) for clip in test.clips] == [1, 0]


def test_an_unknown_speaker():
    digits = read_spoken_digits(archive({"1_ann_0.wav": wav([1]), "1_bob_0.wav": wav([1])}), "digits.tar.xz")
    with pytest.raises(InputError, match="No speaker is called 'eve'; there are ann, bob"):
        digits.hold_out("eve")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not an archive", "digits.tar.xz is damaged or not an archive"),
        (archive({"1_ann_0.wav": wav(range(3000))})[:200], "digits.tar.xz is damaged or not an archive"),
        (archive({"README.md": b"about"}), "digits.tar.xz holds no clips called <digit>_<speaker>_<take>.wav"),
        (archive({"1_ann_0.wav": wav([1], rate=44100)}), "1_ann_0.wav in digits.tar.xz has 44,100 samples a second"),
        (archive({"1_ann_0.wav": b"RIFF"}), "1_ann_0.wav in digits.tar.xz is not a WAV file"),
    ],
)
def test_archives_that_cannot_be_used(content, message):
    with pytest.raises(InputError, match=re.escape(message)):
        read_spoken_digits(content, "digits.tar.xz")
