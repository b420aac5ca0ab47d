"""What folders of pictures are called."""

from pathlib import Path

import pytest

from handmade.lens.folders import OF, own_folder, slug


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("To be, or not", "to-be-or-not"),
        ("?!", "text"),
        ("a" * 50, "text"),
        ("one " * 12, "one-one-one-one-one-one-one-one-one-one"),
    ],
)
def test_the_first_words_of_a_text_are_a_name(text, name):
    assert slug(text) == name


def test_pictures_of_something_else_are_not_replaced(tmp_path):
    wanted = tmp_path / "pictures" / "gpt-a"
    folders = [own_folder(wanted, {"text": text}) for text in ("a", "A", "a", "å", "A")]
    assert [folder.name for folder in folders] == ["gpt-a", "gpt-a-2", "gpt-a", "gpt-a-3", "gpt-a-2"]
    assert "å" in (folders[3] / OF).read_text(encoding="utf-8")
    own: Path = tmp_path / "mine"
    own.mkdir()
    assert own_folder(own, {"text": "a"}).name == "mine-2"
