import gzip

import pytest

from handmade.data import load, read_pairs, read_text
from handmade.errors import InputError


@pytest.fixture
def write(tmp_path):
    def write(name: str, content: str | bytes):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def test_text_plain_and_packed(write):
    assert read_text(write("a.txt", "Grüße\r\nan\nalle")) == "Grüße\nan\nalle"
    assert read_text(write("a.txt.gz", gzip.compress("Grüße\n".encode()))) == "Grüße\n"
    assert read_text(write("marked.txt", b"\xef\xbb\xbfhello")) == "hello"


def test_text_by_name(write):
    path = write("a.txt", "0123456789" * 3)
    parts = [load(f"text:{path}", split) for split in ("train", "test", "all")]
    assert [part.text for part in parts] == ["0123456789" * 2 + "0123456", "789", "0123456789" * 3]
    assert [len(part) for part in parts] == [27, 3, 30]
    assert parts[0].name == f"text:{path}"
    assert parts[0].source == str(path)


def test_no_utf8(write):
    with pytest.raises(InputError, match=r"latin.txt is not UTF-8: line 3 holds byte 0xFC"):
        read_text(write("latin.txt", "one\ntwo\nGrüße".encode("latin-1")))


@pytest.mark.parametrize("content", [b"", b"\n \n", gzip.compress(b"", mtime=0)])
def test_empty(write, content):
    with pytest.raises(InputError, match=r"a.txt is empty"):
        read_text(write("a.txt", content))


def test_bytes_of_zero_are_no_text(write):
    with pytest.raises(InputError, match=r"is no text: line 2 holds byte 0x00\.$"):
        read_text(write("a.txt", b"one\n\x1f\0\0\0"))


def test_damaged_gzip(write):
    packed = gzip.compress(b"some text" * 10)
    with pytest.raises(InputError, match=r"a.gz is damaged or cut short"):
        read_text(write("a.gz", packed[:-3]))
    with pytest.raises(InputError, match=r"a.gz is damaged or cut short"):
        read_text(write("a.gz", packed[:-8] + b"\0" * 8))
    with pytest.raises(InputError, match=r"a.gz is damaged or cut short"):
        read_text(write("a.gz", packed[:10] + b"\xff" * 20))


def test_missing(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*nothing.txt: No such file"):
        load(f"text:{tmp_path / 'nothing.txt'}")


def test_pairs(write):
    source = write("a.de", "".join(f"Satz {i}\n" for i in range(1, 24)))
    target = write("a.en.gz", gzip.compress("\n".join(f"sentence {i}" for i in range(1, 24)).encode()))
    train, test, whole = (load(f"parallel:{source},{target}", split) for split in ("train", "test", "all"))
    assert list(test.sources) == ["Satz 10", "Satz 20"]
    assert list(test.targets) == ["sentence 10", "sentence 20"]
    assert (len(train), len(test), len(whole)) == (21, 2, 23)
    assert set(train.sources) | set(test.sources) == set(whole.sources)


def test_marks_within_a_sentence_end_no_line(write):
    odd = "one\u2028still one\x85and\x0bstill\ntwo\n"
    sources, targets = read_pairs(write("a", odd), write("b", "1\n2\n"))
    assert sources == ["one\u2028still one\x85and\x0bstill", "two"]
    assert targets == ["1", "2"]


def test_unequal_line_counts(write):
    with pytest.raises(InputError, match=r"a.de has 2 lines and .*a.en has 3: expected the same number"):
        read_pairs(write("a.de", "1\n2\n"), write("a.en", "1\n2\n3"))


def test_a_line_without_translation(write):
    with pytest.raises(InputError, match=r"a.en: line 2 is empty; remove that line from both files"):
        read_pairs(write("a.de", "1\n2\n3"), write("a.en", "1\n \n3"))


@pytest.mark.parametrize("name", ["parallel:", "parallel:one", "parallel:one,", "parallel:,two"])
def test_two_files_are_needed(name):
    with pytest.raises(InputError, match="does not name two files; expected parallel:SOURCE,TARGET"):
        load(name)
