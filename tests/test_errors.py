"""Messages repeat what files say; a terminal must not obey it."""

from handmade.errors import LONGEST_LINE, InputError, printable


def test_control_characters_of_a_file_are_written_out():
    error = InputError("a.txt: token '\x1b[2J\u202e\ud800' is unknown,\n\tÜber 東京")
    assert str(error) == "a.txt: token '\\x1b[2J\\u202e\\ud800' is unknown,\n\tÜber 東京"
    assert printable("plain") == "plain"


def test_a_line_that_is_too_long_keeps_its_ends():
    text = str(InputError(f"config.json: {'[' * 10_000} is no model\nshort"))
    first, second = text.split("\n")
    assert len(first) <= LONGEST_LINE + 5
    assert first.startswith("config.json: [[[")
    assert first.endswith("[[ is no model")
    assert second == "short"
