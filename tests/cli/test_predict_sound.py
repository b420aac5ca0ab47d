"""handmade predict on sounds: the run of a model of speech is asked about WAV files."""

import io
import wave

import numpy as np
import pytest

from handmade.recipes import recipe_of
from handmade.tasks import changed
from handmade.train import new_run


def wav(rate: int = 8000) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, rate, 0, "NONE", ""))
        writer.writeframes(np.arange(8000, dtype="<i2").tobytes())
    return file.getvalue()


@pytest.fixture
def folder(tmp_path):
    """The run of an untrained model, as training would have left it."""
    recipe = changed(recipe_of("spoken-digits"), ["hidden_size=4"])
    facts = {"classes": [f"word{number}" for number in range(3)]}
    run = new_run(recipe, facts, tmp_path / "run")
    run.save_model(recipe.task(facts).model)
    (tmp_path / "clip.wav").write_bytes(wav())
    (tmp_path / "fast.wav").write_bytes(wav(16000))
    return tmp_path


def test_the_likeliest_words_are_named(handmade, folder):
    ran = handmade("predict", folder / "run", folder / "clip.wav")
    assert ran.code == 0
    path, _, said = ran.out.strip().partition(": ")
    assert path == str(folder / "clip.wav")
    parts = [part.split(" ") for part in said.split(", ")]
    assert {word for word, *_ in parts} == {"word0", "word1", "word2"}
    assert sum(float(share) for _, share, _ in parts) == pytest.approx(100, abs=0.2)


def test_a_sound_of_another_rate_and_an_image_of_a_digit(handmade, folder):
    ran = handmade("predict", folder / "run", folder / "clip.wav", folder / "fast.wav")
    assert ran.code == 2
    assert ran.out == ""
    assert "fast.wav has 16,000 samples a second, expected 8,000" in ran.err
    (folder / "seven.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    ran = handmade("predict", folder / "run", folder / "seven.png")
    assert ran.code == 2
    assert "seven.png is not a WAV file" in ran.err


def test_a_trigger_word_is_heard_or_not(handmade, tmp_path):
    recipe = changed(recipe_of("trigger-word"), ["hidden_size=4", "channels=4", "trigger=3"])
    facts = {"mean": [0.0] * 40, "std": [1.0] * 40}
    task = recipe.task(facts)
    run = new_run(recipe, facts, tmp_path / "run")
    for bias, said in ((-50.0, "no 3"), (50.0, "3 at 0.00 s")):
        task.model.out.bias.array[:] = bias
        run.save_model(task.model)
        (tmp_path / "sound.wav").write_bytes(wav())
        ran = handmade("predict", tmp_path / "run", tmp_path / "sound.wav")
        assert ran.out == f"{tmp_path / 'sound.wav'}: {said}\n"
