"""Spoken digits: learned from tones, and from real voices as far as a test has time; padding, bad input."""

import re
from dataclasses import replace

import numpy as np
import pytest

import handmade
from handmade.data.speech import read_spoken_digits
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.models.speech import SpeechClassifier
from handmade.recipes import recipe_of
from handmade.tasks import changed
from handmade.tasks.speech import task as speech
from handmade.train import Trainer, display_of, new_run
from tests.support.clips import tone, tones_archive, wav


@pytest.fixture(scope="module")
def tones():
    return read_spoken_digits(tones_archive(), "tones.tar.xz").hold_out("theo")


@pytest.fixture
def on_tones(tones, monkeypatch):
    """The recipe's task on tones in place of voices."""
    train, test = tones
    monkeypatch.setattr(speech, "load_speech", lambda name, split: train if split == "train" else test)
    return lambda *settings: changed(recipe_of("spoken-digits"), settings).task()


def trained(task, recipe, folder):
    Trainer(task, new_run(recipe, task.facts, folder), display_of(task)).train()
    return task


@pytest.mark.slow
def test_tones_are_learned(on_tones, tmp_path):
    settings = ["epochs=5", "batch_size=10", "learning_rate=0.02", "hidden_size=16"]
    task = on_tones(*settings)
    trained(task, changed(recipe_of("spoken-digits"), settings), tmp_path / "run")
    assert task.evaluate()["accuracy"] > 0.4  # by chance 0.1
    assert (tmp_path / "run" / "confusion.png").stat().st_size > 1000
    (tmp_path / "clip.wav").write_bytes(wav(tone(4, shift=1.02)))
    assert re.match(r"4 \d+\.\d %, \d ", task.use.describe(tmp_path / "clip.wav"))


@pytest.mark.slow
def test_an_unheard_speaker_of_the_real_set(shared_data):
    """One epoch of five; the whole recipe reaches far more."""
    task = changed(recipe_of("spoken-digits"), ["epochs=1"]).task()
    for batch in task.batches(0, 0):
        task.optimizer.zero_grad()
        task.loss(batch).loss.backward()
        task.optimizer.step()
        task.schedule.step()
    assert task.evaluate()["accuracy"] >= 0.8


def test_padding_and_neighbours_change_nothing(rng):
    model = SpeechClassifier(4, mels=5, hidden_size=3).double()
    features = rng.normal(size=(3, 7, 5))
    lengths = np.array([7, 2, 5])
    logits = model(Tensor(features), lengths).array
    for row, length in enumerate(lengths):
        alone = model(Tensor(features[row : row + 1, :length]), lengths[row : row + 1]).array[0]
        np.testing.assert_allclose(logits[row], alone, rtol=1e-12)


def test_a_batch_depends_on_seed_and_epoch_alone(on_tones):
    first, second = on_tones(), on_tones()
    late = list(first.batches(1, 1))
    for one, other in zip(late, list(second.batches(1, 0))[1:], strict=True):
        np.testing.assert_array_equal(one[0].array, other[0].array)
        np.testing.assert_array_equal(one[2].array, other[2].array)
    assert any((a[2].array != b[2].array).any() for a, b in zip(first.batches(0, 0), first.batches(1, 0), strict=True))


def test_what_a_microphone_does_to_all_frames_is_taken_off(on_tones):
    task = on_tones()
    clip = tone(3).astype(np.float32) + 0.01 * handmade.random.generator().normal(size=2400).astype(np.float32)
    features = task.use.features(clip)
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-5)
    assert features.std() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(task.use.features(clip / 4), features, atol=1e-3)
    np.testing.assert_array_equal(task.use.features(np.zeros(10, np.float32)), np.zeros((1, 40)))


def test_a_clip_of_another_rate(on_tones, tmp_path):
    (tmp_path / "fast.wav").write_bytes(wav(tone(1), rate=44100))
    with pytest.raises(InputError, match="fast.wav has 44,100 samples a second, expected 8,000. Convert it"):
        on_tones().use.describe(tmp_path / "fast.wav")


def test_a_set_without_speech():
    with pytest.raises(InputError, match="names holds no speech; take spoken-digits"):
        replace(recipe_of("spoken-digits"), data="names").task()


@pytest.mark.parametrize("setting", ["hidden_size=0", "mels=0", "learning_rate=-1"])
def test_values_out_of_range(setting):
    with pytest.raises(InputError, match=setting.split("=")[0]):
        changed(recipe_of("spoken-digits"), [setting])
