import json

import pytest

from handmade.errors import InputError
from handmade.text import (
    EOS,
    UNK,
    BPETokenizer,
    CharacterTokenizer,
    Vocabulary,
    WordPieceTokenizer,
    WordTokenizer,
    load_tokenizer,
)

TEXT = 'the thin cat, "the" Käse\n\u2028 猫 🙂'
TOKENIZERS = [
    CharacterTokenizer.train(TEXT, special=[EOS], unk=UNK),
    WordTokenizer.train([TEXT]),
    BPETokenizer.train([TEXT], num_merges=5, special=[EOS]),
    WordPieceTokenizer(Vocabulary(["[UNK]", "[CLS]", "[SEP]", "the", "K", "##ä"], unk="[UNK]"), lowercase=False),
]


@pytest.mark.parametrize("tokenizer", TOKENIZERS, ids=lambda tokenizer: tokenizer.kind)
def test_a_saved_tokenizer_is_the_same(tokenizer, tmp_path):
    tokenizer.save(tmp_path / "tokenizer.json")
    again = load_tokenizer(tmp_path / "tokenizer.json")
    assert type(again) is type(tokenizer)
    assert again.vocabulary == tokenizer.vocabulary
    assert again.options() == tokenizer.options()
    assert again.encode(TEXT + "?") == tokenizer.encode(TEXT + "?")
    assert [path.name for path in tmp_path.iterdir()] == ["tokenizer.json"]


def test_saving_leaves_the_old_file_where_it_fails(tmp_path, monkeypatch):
    path = tmp_path / "tokenizer.json"
    path.write_text("old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(InputError, match="disk full"):
        TOKENIZERS[0].save(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_saving_where_there_is_no_folder(tmp_path):
    with pytest.raises(InputError, match="folder does not exist"):
        TOKENIZERS[0].save(tmp_path / "nowhere" / "tokenizer.json")


def test_loading_no_file(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*nothing\.json"):
        load_tokenizer(tmp_path / "nothing.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ("[1]", "not a tokenizer file"),
        ('{"kind": "sentencepiece"}', "one of .'bpe', 'character', 'word', 'wordpiece'."),
        ('{"kind": "character", "tokens": ["a"]}', "lacks or adds a field"),
        ('{"kind": "character", "tokens": ["a"], "special": [], "unk": null, "merges": []}', "lacks or adds a field"),
        ('{"kind": "character", "tokens": ["a", "a"], "special": [], "unk": null}', "occurs twice"),
    ],
)
def test_loading_something_else(content, message, tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        load_tokenizer(path)


def test_loading_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is not UTF-8: byte 0 is 0xFF"):
        load_tokenizer(path)


def test_file_is_readable_json(tmp_path):
    TOKENIZERS[1].save(tmp_path / "tokenizer.json")
    fields = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))
    assert fields["kind"] == "word"
    assert "Käse" in fields["tokens"]
