"""Writers: prompts, several texts at once, stop strings; GPT-2 from published files."""

import json

import numpy as np
import pytest

import handmade
from handmade.errors import InputError
from handmade.models import gpt as models_gpt
from handmade.models.gpt import CONFIGS, GPTConfig
from handmade.tasks.language.writer import END_OF_TEXT, Writer, published_writer
from handmade.text import BPETokenizer, CharacterTokenizer, Vocabulary
from handmade.text.bpe import CHARACTER_TO_BYTE
from handmade.text.sampling import check_choice, until
from handmade.weights import save

LETTERS = "\nabcdefgh "


@pytest.fixture
def writer():
    model = models_gpt("gpt-cpu", vocab_size=len(LETTERS), block_size=8, n_layer=1, n_head=2, n_embd=8)
    for parameter in model.parameters():
        handmade.nn.init.normal_(parameter, std=0.7)
    return Writer(model, CharacterTokenizer(Vocabulary(list(LETTERS))))


def written(writer, prompt, length, seed=0, **choice):
    return "".join(writer.write(prompt, length, np.random.default_rng(seed), **choice))


@pytest.mark.slow
def test_sampling_with_the_cache_equals_sampling_without(writer):
    """Token by token, far beyond the block; the rule of the window is in models/gpt.py."""
    text = written(writer, "abc", 40, temperature=0.0)
    tokens = writer.encode("abc")
    for _ in range(40):
        start = 0
        while len(tokens) - start > 8:
            start += 4
        logits, _ = writer.model(handmade.tensor(np.array([tokens[start:]])))
        tokens.append(int(logits.numpy()[0, -1].argmax()))
    assert writer.tokenizer.decode(tokens) == text


def test_several_texts_are_computed_together(writer, monkeypatch):
    step, rows = writer.model.step, []
    monkeypatch.setattr(writer.model, "step", lambda tokens, state: rows.append(tokens.shape) or step(tokens, state))
    texts = writer.write_several("ab", 3, 5, np.random.default_rng(0))
    assert rows == [(3, 2)] + [(3, 1)] * 4
    assert all(text.startswith("ab") and len(text) == 7 for text in texts)
    assert len(set(texts)) == 3
    greedy = writer.write_several("ab", 2, 9, np.random.default_rng(0), temperature=0.0)
    assert greedy == [written(writer, "ab", 9, temperature=0.0)] * 2


def test_no_samples(writer):
    with pytest.raises(InputError, match="samples is 0, expected at least 1"):
        writer.write_several("ab", 0, 5, np.random.default_rng(0))


def test_an_empty_prompt_begins_at_the_start_token(writer):
    assert len(written(writer, "", 5)) == 5
    assert writer.encode("") == [0]


@pytest.mark.slow
def test_a_repetition_penalty_makes_texts_more_varied(writer):
    plain = written(writer, "a", 60, temperature=0.5)
    varied = written(writer, "a", 60, temperature=0.5, repetition_penalty=3.0)
    assert plain != varied


@pytest.mark.slow
def test_the_text_ends_before_a_stop_string(writer):
    text = written(writer, "ab", 60)
    stop = text[20:23]
    assert written(writer, "ab", 60, stop=[stop, "never"]) == "ab" + text[2:].partition(stop)[0]


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        ((), "one two three"),
        (("two",), "one "),
        (("three", "two t"), "one "),
        (("four",), "one two three"),
        (("e",), "on"),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 5, 20])
def test_until(stop, expected, size):
    text = "one two three"
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert "".join(until(pieces, stop)) == expected


def test_only_what_may_be_a_stop_string_waits():
    handed = until(iter("a xyz"), ["xyx"])
    assert [next(handed) for _ in range(2)] == ["a", " "]
    assert [next(handed) for _ in range(3)] == ["", "", "xyz"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 0}, "length is 0, expected at least 1"),
        ({"length": 1, "stop": [""]}, "stop: got an empty string"),
        ({"length": 1, "repetition_penalty": 0.0}, "repetition_penalty: got 0.0, expected above 0"),
        ({"length": 1, "top_k": 0}, "top_k: got 0"),
    ],
)
def test_choices_that_cannot_be_used(options, message):
    with pytest.raises(InputError, match=message):
        check_choice(**options)


# --- published files --------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A tiny GPT-2 with its tokenizer, as published ones lie in a folder."""
    tokens = [*CHARACTER_TO_BYTE, "th", "the", END_OF_TEXT]
    (tmp_path / "vocab.json").write_text(json.dumps({token: number for number, token in enumerate(tokens)}))
    (tmp_path / "merges.txt").write_text("#version: 0.2\nt h\nth e\n")
    config = GPTConfig(len(tokens), 16, n_layer=1, n_head=2, n_embd=8)
    monkeypatch.setitem(CONFIGS, "gpt2", config)
    model = models_gpt("gpt2")
    arrays = {name.removeprefix("transformer."): value.numpy() for name, value in model.state_dict().items()}
    save(tmp_path / "model.safetensors", {name: x for name, x in arrays.items() if name != "lm_head.weight"})
    return tmp_path


@pytest.mark.parametrize("given", ["", "model.safetensors"])
def test_gpt2_writes_with_published_files(folder, given):
    writer = published_writer("gpt2", folder / given)
    assert isinstance(writer.tokenizer, BPETokenizer)
    assert writer.encode("the") == [257]
    assert writer.encode("") == [writer.end] == [258]
    assert written(writer, "the", 12).startswith("the")


def test_it_ends_where_the_model_ends_the_text(folder, monkeypatch):
    writer = published_writer("gpt2", folder)
    monkeypatch.setattr(writer.model, "step", lambda tokens, state: (handmade.tensor(np.eye(259)[[258]] * 99), state))
    assert written(writer, "the", 12) == "the"


def test_the_tokenizer_is_missing(folder):
    (folder / "merges.txt").unlink()
    with pytest.raises(InputError, match=r"there is no merges.txt beside .*GPT-2's tokenizer is these two files"):
        published_writer("gpt2", folder)


def test_no_weights_given():
    with pytest.raises(InputError, match=r"gpt2-xl writes with published weights: .* give it as weights"):
        published_writer("gpt2-xl", None)


def test_a_folder_without_weights(tmp_path):
    with pytest.raises(InputError, match="holds no weights: expected model.safetensors or pytorch_model.bin"):
        published_writer("gpt2", tmp_path)
    with pytest.raises(InputError, match="there is no such file or folder"):
        published_writer("gpt2", tmp_path / "absent")


def test_another_models_tokenizer(folder, monkeypatch):
    monkeypatch.setitem(CONFIGS, "gpt2", GPTConfig(300, 16, 1, 2, 8))
    with pytest.raises(InputError, match="has 259 tokens, gpt2 300: it is another model's tokenizer"):
        published_writer("gpt2", folder)
