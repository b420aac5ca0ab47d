"""Text data: running text, a list of lines, pairs of lines in two languages."""

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from handmade.data.idx import GZIP_MAGIC
from handmade.errors import InputError
from handmade.reading import cannot_read, read_bytes

SPLITS = ("train", "test", "all")


@dataclass(frozen=True)
class Text:
    """Running text, for a language model; 'train' is its first nine tenths, 'test' the rest."""

    text: str
    name: str = ""
    split: str = "all"
    source: str = ""

    def __len__(self) -> int:
        return len(self.text)


@dataclass(frozen=True)
class Lines:
    """A list of short texts, such as names; every tenth belongs to 'test', the others to 'train'."""

    lines: Sequence[str]
    name: str = ""
    split: str = "all"
    source: str = ""

    def __len__(self) -> int:
        return len(self.lines)


@dataclass(frozen=True)
class Pairs:
    """Sentences and their translations, `sources[i]` with `targets[i]`; every tenth pair belongs to 'test'."""

    sources: Sequence[str]
    targets: Sequence[str]
    name: str = ""
    split: str = "all"
    source: str = ""

    def __len__(self) -> int:
        return len(self.sources)


def read_text(path: str | Path) -> str:
    """The text of a UTF-8 file, plain or compressed by gzip, with line ends as \\n.

    Raises InputError if it is missing, empty, damaged or not UTF-8.
    """
    try:
        content = read_bytes(path)
        if content[:2] == GZIP_MAGIC:
            content = gzip.decompress(content)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is damaged or cut short ({error}).") from error
    except OSError as error:
        raise cannot_read(path, error) from error
    return decode_text(content, str(path))


def decode_text(content: bytes, name: str) -> str:
    """UTF-8 bytes as text, with line ends as \\n; `name` is the name used in errors."""
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(f"{name} is not UTF-8: line {line} holds byte 0x{content[error.start]:02X}.") from error
    before, nul, _ = text.partition("\0")
    if nul:
        line = before.count("\n") + 1
        raise InputError(f"{name} is no text: line {line} holds byte 0x00.")
    if not text.strip():
        raise InputError(f"{name} is empty.")
    return text


def read_pairs(source: str | Path, target: str | Path) -> tuple[list[str], list[str]]:
    """The lines of two parallel files: line i of `target` is the translation of line i of `source`.

    Raises InputError like `read_text`, and if the files have different numbers of lines or a line is empty.
    """
    sources, targets = split_lines(read_text(source)), split_lines(read_text(target))
    if len(sources) != len(targets):
        raise InputError(
            f"{source} has {len(sources):,} lines and {target} has {len(targets):,}: expected the same number,"
            " each line with its translation."
        )
    for path, lines in ((source, sources), (target, targets)):
        blank = next((number for number, line in enumerate(lines, 1) if not line.strip()), None)
        if blank:
            raise InputError(f"{path}: line {blank} is empty; remove that line from both files.")
    return sources, targets


def split_lines(text: str) -> list[str]:
    """The lines of `text`, split at \\n only: str.splitlines would also split at characters that occur in sentences."""
    return text.removesuffix("\n").split("\n")


def part_of_text(text: str, split: str) -> str:
    """The first nine tenths of `text` for 'train', the last tenth for 'test', or all of it."""
    cut = len(text) * 9 // 10
    return {"train": text[:cut], "test": text[cut:], "all": text}[split]


def part_of_lines(lines: list[str], split: str) -> list[str]:
    """The lines that belong to `split`: every tenth to 'test'."""
    if split == "all":
        return lines
    return [line for number, line in enumerate(lines, 1) if (number % 10 == 0) == (split == "test")]
