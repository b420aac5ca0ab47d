"""Trigger words: labels, detections, streams, and a network that learns to hear tones and, on real voices, a digit."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from handmade.data.speech import read_spoken_digits
from handmade.data.streams import compose
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.models.speech import TriggerWord
from handmade.recipes import recipe_of
from handmade.tasks import changed
from handmade.tasks.trigger import task as trigger
from handmade.tasks.trigger.task import detections_of, labels_of, matches
from handmade.train import Trainer, display_of, new_run
from tests.support.clips import tones_archive, wav


@pytest.fixture(scope="module")
def tones():
    return read_spoken_digits(tones_archive(), "tones.tar.xz").hold_out("theo")


@pytest.fixture
def recipe(tones, monkeypatch):
    """Short streams of tones in place of voices."""
    train, test = tones
    monkeypatch.setattr(trigger, "load_speech", lambda name, split: train if split == "train" else test)
    monkeypatch.setattr(trigger, "TEST_STREAMS", 20)
    settings = ["seconds=2", "streams=80", "batch_size=4", "epochs=5", "learning_rate=0.01", "hidden_size=32"]
    return changed(recipe_of("trigger-word"), settings)


@pytest.mark.slow
def test_the_tone_is_heard_where_it_ends(recipe, tmp_path):
    task = recipe.task()
    Trainer(task, new_run(recipe, task.facts, tmp_path / "run"), display_of(task)).train()
    measures = task.evaluate()
    assert measures["precision"] > 0.7
    assert measures["recall"] > 0.5
    assert (tmp_path / "run" / "trigger.png").stat().st_size > 5000

    stream = next(stream for stream in task.test_streams if detections_of(task.use.probabilities(stream.samples)))
    (tmp_path / "sound.wav").write_bytes(wav(stream.samples / 2))
    digit, _, times = task.use.describe(tmp_path / "sound.wav").partition(" at ")
    assert digit == "7"
    assert matches([float(time.removesuffix(" s")) for time in times.split(", ")], stream.ends(7)) > 0


def test_batches_depend_on_seed_epoch_and_number_alone(recipe):
    task, other = recipe.task(), recipe.task()
    assert task.facts == other.facts
    late = list(task.batches(2, 18))
    assert len(late) == 2
    for one, two in zip(late, list(other.batches(2, 0))[18:], strict=True):
        assert_array_equal(one[0].array, two[0].array)
        assert_array_equal(one[1].array, two[1].array)
    assert (next(task.batches(3, 0))[0].array != next(task.batches(2, 0))[0].array).any()


# ---- streams


def test_words_of_a_stream_lie_one_after_another(tones, rng):
    clips, _ = tones
    counts = []
    for _ in range(50):
        stream = compose(clips, 3, 2.0, rng)
        assert stream.samples.shape == (16000,)
        assert stream.samples.dtype == np.float32
        ends = [0.0] + [word.end for word in stream.words]
        assert all(word.start >= end for word, end in zip(stream.words, ends, strict=False))
        assert ends[-1] <= 2
        assert stream.ends(3) == [word.end for word in stream.words if word.digit == 3]
        counts.append(len(stream.ends(3)))
        for word in stream.words:
            middle = stream.samples[round(8000 * word.start) : round(8000 * word.end)]
            assert np.abs(middle).max() > 0.3
    assert set(counts) == {0, 1, 2, 3}


def test_what_does_not_fit_is_left_out(tones, rng):
    for _ in range(20):
        assert len(compose(tones[0], 3, 0.5, rng).words) <= 2


def test_clips_without_the_trigger(tones, rng):
    sevens, _ = tones
    one = sevens._part(np.flatnonzero(sevens.digits == 7), "train")
    for digit in (3, 7):
        with pytest.raises(ValueError, match=rf"compose: of 6 clips \d say {digit}; expected some, not all"):
            compose(one, digit, 2.0, rng)


# ---- labels and detections


def test_labels_hold_for_a_while_after_each_end():
    labels = labels_of([0.41, 1.0], 40)  # steps of 0.04 s
    assert np.flatnonzero(labels).tolist() == [*range(11, 18), *range(25, 33)]
    assert not labels_of([], 40).any()
    assert np.flatnonzero(labels_of([1.55], 40)).tolist() == [39]


def test_a_detection_is_a_rise_above_the_threshold():
    row = np.zeros(60, np.float32)
    row[[0, 1, 20, 21, 24, 50]] = 0.9
    row[23] = 0.5
    assert detections_of(row) == pytest.approx([0.0, 0.8, 2.0])  # the rise at 0.96 comes too soon after that at 0.8
    assert detections_of(row, threshold=0.95) == []


@pytest.mark.parametrize(
    ("detections", "ends", "right"),
    [
        ([1.0], [0.9], 1),
        ([1.0], [1.25], 1),
        ([1.0], [1.35], 0),
        ([1.0], [0.45], 0),
        ([1.0, 1.4], [0.95], 1),
        ([1.0, 2.0], [0.9, 1.9, 3.0], 2),
        ([], [1.0], 0),
        ([1.0], [], 0),
    ],
)
def test_each_word_counts_for_one_detection(detections, ends, right):
    assert matches(detections, ends) == right


def test_the_network_looks_back_only(rng):
    """But for three frames, by its convolution."""
    model = TriggerWord(mels=5, channels=6, hidden_size=4).double().eval()
    features = rng.normal(size=(1, 30, 5))
    before = model(Tensor(features)).array
    assert before.shape == (1, 8)
    features[:, 20:] = rng.normal(size=(1, 10, 5))
    after = model(Tensor(features)).array
    assert_array_equal(after[:, :5], before[:, :5])  # step 4 sees frames up to 19
    assert (after[:, 5:] != before[:, 5:]).all()


@pytest.mark.parametrize("setting", ["trigger=10", "trigger=-1", "seconds=0", "streams=0", "channels=0"])
def test_values_out_of_range(setting):
    with pytest.raises(InputError, match=setting.split("=")[0]):
        changed(recipe_of("trigger-word"), [setting])


def test_a_set_without_speech():
    with pytest.raises(InputError, match="shakespeare holds no speech; take spoken-digits"):
        changed(recipe_of("trigger-word"), ["data=shakespeare"]).task()
