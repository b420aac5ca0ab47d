"""Sizes by formulas: they are those of the models, of their caches and of what backward needs."""

import numpy as np
import pytest

from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.lens import cost
from handmade.lens.sizes import GPTShape, total
from handmade.models import ZOO
from handmade.models.gpt import CONFIGS, GPT, Cache, GPTConfig
from handmade.study.arithmetic import evaluate

SMALL = GPTConfig(vocab_size=37, block_size=11, n_layer=3, n_head=2, n_embd=10)


def shape_of(config: GPTConfig) -> GPTShape:
    return GPTShape(config.n_layer, config.n_embd, config.vocab_size, config.block_size, config.n_head, config.n_head)


@pytest.mark.parametrize("tied", [True, False])
def test_the_parameters_are_those_of_the_model_term_by_term(tied):
    model = GPT(GPTConfig(37, 11, 3, 2, 10, tied=tied))
    shape = GPTShape(3, 10, 37, 11, 2, 2, tied)
    sizes = {name: parameter.array.size for name, parameter in model.named_parameters()}
    said = {term.name: term.value for term in shape.parameters()}
    of = lambda *parts: sum(size for name, size in sizes.items() if any(part in name for part in parts))
    assert said["token embedding"] == of("wte")
    assert said["positions"] == of("wpe")
    assert said["attention"] == of(".attn.")
    assert said["MLP"] == of(".mlp.")
    assert said["norms"] == of("ln_")
    assert shape.count == sum(sizes.values())


def test_gpt2_is_as_large_as_its_cards_say():
    for name in ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl"):
        shape = shape_of(CONFIGS[name])
        assert shape.count == ZOO[name].parameters
        assert ZOO[name].cost is not None
        *weights, attention = shape.multiply_adds()
        assert total(weights) * CONFIGS[name].block_size == ZOO[name].cost.multiply_adds  # type: ignore[union-attr]
        assert attention.value == 2 * shape.L * shape.T * shape.d


def test_the_multiply_adds_are_those_that_the_model_runs():
    weights = total(shape_of(SMALL).multiply_adds()[:2])
    measured = cost(GPT(SMALL), Tensor(np.zeros((1, 11), np.int64))).multiply_adds
    assert weights * 11 == measured


@pytest.mark.parametrize("G", [1, 2, 4])
def test_grouped_keys_and_values_are_counted_by_their_matrices(G):
    shape = GPTShape(2, 24, 50, 8, 4, G)
    kv = 24 // 4 * G
    matrices = [(24, 24), (24, kv), (24, kv), (24, 24)]  # of q, k, v and the output
    assert shape.parameters()[2].value == 2 * sum(np.zeros(one).size + one[1] for one in matrices)
    cache = np.zeros((2, 2, 3, G, 8, 6), np.float16)  # keys and values, L, B, G, T, of each head
    assert shape.writing(3, "float16")[1].value == cache.nbytes
    products = sum(np.zeros(one).size for one in [*matrices, (24, 96), (96, 24)])
    assert shape.multiply_adds()[0].value == 2 * products


def test_the_cache_is_as_large_as_the_models():
    cache = Cache(SMALL, 5, np.dtype(np.float32))
    assert shape_of(SMALL).writing(5, "float32")[1].value == cache.keys.nbytes + cache.values.nbytes


def test_what_backward_needs_is_counted_from_one_block():
    B, T, d, H, L = 2, 7, 12, 3, 4
    rows, wide, maps = np.zeros((B, T, d)), np.zeros((B, T, 4 * d)), np.zeros((B, H, T, T))
    kept = [
        rows,  # what ln_1 got
        rows,  # what the projections to q, k, v got
        *(rows, rows, rows),  # q, k, v
        maps,  # the attention weights
        rows,  # what the output projection got
        rows,  # what ln_2 got
        rows,  # what the MLP got
        wide,  # before GELU
        wide,  # after it
    ]
    numbers = sum(array.size for array in kept)
    shape = GPTShape(L, d, 50, T, H, H)
    assert shape.training(B, "float32", True)[-1].value == 4 * L * numbers
    assert shape.training(B, "float16", True)[-1].value == 2 * L * numbers
    assert shape.training(B, "float16", False)[-1].value == 2 * L * (numbers - maps.size)


@pytest.mark.parametrize("format", ["float32", "float16", "int8"])
def test_training_takes_16_bytes_a_parameter(format):
    shape = GPTShape()
    assert total(shape.training(1, format, True)[:-1]) == 16 * shape.count


def test_the_formulas_with_the_numbers_in_give_the_values():
    for shape in (GPTShape(), GPTShape(G=4, tied=False)):
        terms = [*shape.parameters(), *shape.training(2, "float16", True), *shape.writing(2, "int8")]
        for term in [*terms, *shape.training(3, "float32", False), *shape.multiply_adds()]:
            assert evaluate(term.filled.replace("·", "*").replace(",", "").replace("²", "**2")) == term.value, term


def test_guesses_have_the_right_number_among_them():
    guesses = GPTShape().guesses()
    assert len(guesses) == 4
    assert 124_439_808 in guesses
    assert guesses == sorted(guesses)


def test_heads_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="5 heads must divide"):
        GPTShape(H=5, G=5)
    with pytest.raises(InputError, match="5 heads of keys"):
        GPTShape(H=12, G=5)
