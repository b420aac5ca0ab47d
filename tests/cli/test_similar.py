"""handmade similar: lines of a file by meaning."""

import pytest


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text("The girl is carrying a baby.\n\nA man is eating a piece of bread.\nStocks fell on Monday.\n")
    return path


@pytest.mark.slow
def test_the_nearest_lines_first(handmade, lines):
    ran = handmade("similar", "A man is eating food.", lines, "--count", 2)
    assert ran.code == 0
    first, second = ran.out.splitlines()
    assert first == " 0.7553  A man is eating a piece of bread."
    assert second.split(maxsplit=1)[1] in ("The girl is carrying a baby.", "Stocks fell on Monday.")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("  ", "lines.txt"), "the sentence is empty: give some words to compare the lines with."),
        (("food", "lines.txt", "--count", 0), "--count is 0, expected at least 1."),
        (("food", "none.txt"), "cannot read none.txt: No such file or directory."),
        (("food", "lines.txt", "--weights", "miniml"), "no published weights named 'miniml'; did you mean 'minilm'?"),
    ],
)
def test_what_makes_no_sense_ends_with_one_sentence(handmade, lines, monkeypatch, arguments, message):
    monkeypatch.chdir(lines.parent)
    ran = handmade("similar", *arguments)
    assert ran.code == 2
    assert message in ran.err
