"""word2vec: the step is the tape's gradient, draws have the paper's distributions, and known structure is found."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import handmade
from handmade import optim, tensor
from handmade.models.word2vec import (
    NegativeWords,
    SkipGram,
    add_to_rows,
    kept_by_subsampling,
    skip_gram_pairs,
    train_skip_gram,
)
from handmade.text import Vocabulary, WordVectors

pytestmark = pytest.mark.slow  # all need the model that the first one makes


def some_pairs(rng, V=9, B=6, K=3):
    return rng.integers(0, V, B), rng.integers(0, V, B), rng.integers(0, V, (B, K))


def skip_gram(V=9, D=4):
    model = SkipGram(V, D).double()
    handmade.nn.init.normal_(model.centre)
    handmade.nn.init.normal_(model.context)
    return model


def test_the_loss_is_equation_4(rng):
    model = skip_gram()
    centres, others, negatives = some_pairs(rng)
    sigmoid = lambda x: 1 / (1 + np.exp(-x))
    expected = 0.0
    for c, o, row in zip(centres, others, negatives, strict=True):
        v, u = model.centre.numpy()[c], model.context.numpy()
        expected -= np.log(sigmoid(u[o] @ v)) + sum(np.log(sigmoid(-u[n] @ v)) for n in row)
    assert model(tensor(centres), tensor(others), tensor(negatives)).item() == pytest.approx(expected)


def test_a_sparse_step_is_sgd_on_the_tapes_gradient(rng):
    model = skip_gram()
    centres, others, negatives = some_pairs(rng, B=40)  # every row several times
    reference = skip_gram()
    reference.load_state_dict(model.state_dict())
    loss = reference(tensor(centres), tensor(others), tensor(negatives))
    loss.backward()
    optim.SGD(reference.parameters(), lr=0.3).step()
    assert model.step(centres, others, negatives, 0.3) == pytest.approx(loss.item() / 40)
    assert_allclose(model.centre.numpy(), reference.centre.numpy(), rtol=1e-12)
    assert_allclose(model.context.numpy(), reference.context.numpy(), rtol=1e-12)


def test_only_rows_of_the_batch_are_touched(rng):
    model = skip_gram(V=50)
    before = [model.centre.numpy().copy(), model.context.numpy().copy()]
    model.step(np.array([3, 3]), np.array([7, 8]), np.array([[9, 10], [9, 9]]), 0.1)
    changed = [
        np.flatnonzero((table.numpy() != old).any(axis=1))
        for table, old in zip((model.centre, model.context), before, strict=True)
    ]
    assert_array_equal(changed[0], [3])
    assert_array_equal(changed[1], [7, 8, 9, 10])


def test_a_step_makes_nothing_of_the_size_of_the_tables(monkeypatch):
    """A table of 40 MB: a dense gradient would need as much again."""
    import tracemalloc

    model = SkipGram(100_000, 100)
    rng = np.random.default_rng(0)
    pairs = some_pairs(rng, V=100_000, B=64, K=5)
    tracemalloc.start()
    model.step(*pairs, 0.1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5e6


def test_rows_named_several_times_get_every_update(rng):
    table, rows, updates = rng.standard_normal((7, 3)), rng.integers(0, 7, 30), rng.standard_normal((30, 3))
    expected = table.copy()
    np.add.at(expected, rows, updates)
    add_to_rows(table, rows, updates)
    assert_allclose(table, expected, rtol=1e-12)


def test_negative_words_follow_the_counts_to_three_quarters(rng):
    counts = np.array([1000, 0, 10, 100])
    drawn = np.bincount(NegativeWords(counts).draw((400, 500), rng).ravel(), minlength=4) / 200_000
    expected = counts**0.75 / (counts**0.75).sum()
    assert drawn[1] == 0
    assert_allclose(drawn, expected, atol=0.004)


def test_subsampling_keeps_by_the_root_of_t_over_f(rng):
    words = np.repeat([0, 1, 2], [90_000, 9_900, 100])
    frequencies = np.array([0.9, 0.099, 0.001])
    kept = kept_by_subsampling(words, frequencies, 1e-3, rng)
    shares = [kept[words == word].mean() for word in range(3)]
    assert_allclose(shares[:2], np.sqrt(1e-3 / frequencies[:2]), atol=0.01)
    assert shares[2] == 1


def test_pairs_stay_in_the_sentence_and_near_ones_are_more(rng):
    words = np.arange(6000)
    sentences = words // 12
    centres, others = skip_gram_pairs(words, sentences, 4, rng)
    assert_array_equal(sentences[centres], sentences[others])
    distances = np.abs(centres - others)
    assert distances.min() == 1
    for distance in range(1, 5):  # 500 sentences have 12 - d pairs of words at distance d, each with two centres
        share = (distances == distance).sum() / (2 * 500 * (12 - distance))
        assert share == pytest.approx((4 - distance + 1) / 4, abs=0.03)


def test_a_window_of_one_pairs_neighbours(rng):
    centres, others = skip_gram_pairs(np.array([5, 6, 7]), np.zeros(3, int), 1, rng)
    assert sorted(zip(centres.tolist(), others.tolist(), strict=True)) == [(5, 6), (6, 5), (6, 7), (7, 6)]
    assert all(len(part) == 0 for part in skip_gram_pairs(np.array([5]), np.array([0]), 3, rng))


@pytest.fixture(scope="module")
def world():
    """Vectors of a made-up language: four kinds, in two forms, as (king, queen); each has words that go with it."""
    rng = np.random.default_rng(0)
    kinds, forms = ["ruler", "parent", "child", "cook"], ["he", "she"]
    with_kind = {kind: [f"{kind}-{letter}" for letter in "abcdef"] for kind in kinds}
    with_form = {form: [f"{form}-{letter}" for letter in "abcdef"] for form in forms}
    sentences = []
    for _ in range(4000):
        kind, form = rng.choice(kinds), rng.choice(forms)
        around = [*rng.choice(with_kind[kind], 2), *rng.choice(with_form[form], 2)]
        rng.shuffle(around)
        sentences.append([*around[:2], f"{kind}/{form}", *around[2:]])
    vocabulary = Vocabulary(sorted({word for sentence in sentences for word in sentence}))
    handmade.manual_seed(1)
    numbers = [[vocabulary[word] for word in sentence] for sentence in sentences]
    model, losses = train_skip_gram(
        numbers, len(vocabulary), embedding_dim=12, window=3, epochs=6, t=1.0, learning_rate=0.05, batch_size=64
    )
    return WordVectors(vocabulary, model.centre.numpy()), losses, kinds


def test_the_loss_falls(world):
    _, losses, _ = world
    assert len(losses) == 6
    assert losses[-1] < losses[0] - 0.2


def test_words_of_a_kind_are_near_each_other(world):
    vectors, _, kinds = world
    for kind in kinds:
        near = [word for word, _ in vectors.nearest(f"{kind}-a", 5)]
        assert sorted(near) == [f"{kind}-{letter}" for letter in "bcdef"]


def test_analogies_hold(world):
    vectors, _, kinds = world
    for kind in kinds:
        for other in kinds:
            if kind != other:
                assert vectors.analogy(f"{kind}/he", f"{kind}/she", f"{other}/he", 1)[0][0] == f"{other}/she"


def test_a_seed_gives_the_same_vectors():
    tables = []
    for _ in range(2):
        handmade.manual_seed(5)
        tables.append(train_skip_gram([[0, 1, 2, 1]] * 20, 3, embedding_dim=4, epochs=1)[0].centre.numpy())
    assert_array_equal(*tables)


@pytest.mark.parametrize(
    ("sentences", "options", "message"),
    [
        ([[0, 1]], {"window": 0}, "must be at least 1.*100, 0, 5"),
        ([[0, 1]], {"learning_rate": 0.0}, "learning_rate above 0"),
        ([[0], []], {}, "none has two words"),
        ([[0, 3]], {}, "sentences hold words 0 to 3; the vocabulary has 3"),
        ([[0, -1]], {}, "sentences hold words -1 to 0"),
    ],
)
def test_what_cannot_be_learned_from(sentences, options, message):
    with pytest.raises(ValueError, match=message):
        train_skip_gram(sentences, 3, **options)
