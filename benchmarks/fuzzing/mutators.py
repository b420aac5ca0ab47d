"""What damages files: as a disk or a line would, byte by byte, and as an attacker would, who knows the format."""

import io
import json
import math
import random
import zipfile
from collections.abc import Callable
from functools import cache
from typing import Any

Mutate = Callable[[random.Random, bytes], bytes]

NUMBERS = (
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    2**63 - 1,
    2**63,
    2**64 - 1,
)
"""Numbers at the ends of the integer types."""


def damaged(rng: random.Random, content: bytes) -> bytes:
    """`content` with one to four changes of bytes, two times in three one."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 1, 2, 4))):
        changed = rng.choice(BYTE_CHANGES)(rng, changed)
    return bytes(changed)


def _flip_bit(rng: random.Random, content: bytearray) -> bytearray:
    if content:
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return content


def _set_byte(rng: random.Random, content: bytearray) -> bytearray:
    if content:
        content[rng.randrange(len(content))] = rng.randrange(256)
    return content


def _set_number(rng: random.Random, content: bytearray) -> bytearray:
    size = rng.choice((1, 2, 4, 8))
    number = (rng.choice(NUMBERS) % (1 << 8 * size)).to_bytes(size, rng.choice(("little", "big")))
    place = rng.randrange(len(content) + 1)
    content[place : place + size] = number
    return content


def _piece(rng: random.Random, content: bytearray) -> slice:
    start = rng.randrange(len(content) + 1)
    return slice(start, start + rng.choice((1, 2, 4, 8, 64, 512)))


def _remove(rng: random.Random, content: bytearray) -> bytearray:
    del content[_piece(rng, content)]
    return content


def _copy(rng: random.Random, content: bytearray) -> bytearray:
    place = rng.randrange(len(content) + 1)
    content[place:place] = content[_piece(rng, content)]
    return content


def _overwrite(rng: random.Random, content: bytearray) -> bytearray:
    piece = content[_piece(rng, content)]
    place = rng.randrange(len(content) + 1)
    content[place : place + len(piece)] = piece
    return content


def _insert(rng: random.Random, content: bytearray) -> bytearray:
    place = rng.randrange(len(content) + 1)
    content[place:place] = rng.randbytes(rng.choice((1, 2, 4, 16)))
    return content


def _cut_short(rng: random.Random, content: bytearray) -> bytearray:
    del content[rng.randrange(len(content) + 1) :]
    return content


def _zeros(rng: random.Random, content: bytearray) -> bytearray:
    piece = _piece(rng, content)
    content[piece] = bytes(len(content[piece]))
    return content


BYTE_CHANGES = (_flip_bit, _flip_bit, _set_byte, _set_number, _remove, _copy, _overwrite, _insert, _cut_short, _zeros)

# --- JSON ---------------------------------------------------------------------------------------------------------


def _deep() -> Any:
    value: Any = 0
    for _ in range(150):
        value = [value]
    return value


VALUES = (
    None, True, False, 0, 1, -1, 2, 7, 64, 2**31, 2**63, -(2**63), 2**64, 10**30, 10**400, 0.0, -0.5, 0.5, 1.5,
    1e308, -1e308, math.nan, math.inf, "", "x", "0", "a b", "array:", "\x1b[2J\x07", "\ud800", "\u202e", "long " * 500,
    [], {}, [1], ["a"], [[]], [None], {"a": 1}, _deep(),
)  # fmt: skip
"""What may stand where something else belongs."""


def changed_value(rng: random.Random, value: Any) -> Any:
    """A copy of a tree of objects and lists, with one to three places of it changed."""
    holder = {"": _copied(value)}
    for _ in range(rng.choice((1, 1, 2, 3))):
        places = list(_places(holder))
        _change(rng, *rng.choice(places))
    return holder.get("")


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(part) for key, part in value.items()}
    return [_copied(part) for part in value] if isinstance(value, list) else value


def _places(holder: Any) -> Any:
    keys = list(holder) if isinstance(holder, dict) else range(len(holder))
    for key in keys:
        yield holder, key
        if isinstance(holder[key], dict | list):
            yield from _places(holder[key])


def _change(rng: random.Random, holder: Any, key: Any) -> None:
    value = holder[key]
    match rng.randrange(7):
        case 0 if isinstance(value, int | float) and type(value) is not bool:
            holder[key] = rng.choice((value + 1, value - 1, -value, value * 10, str(value)))
        case 1 if key != "":
            del holder[key]
        case 2 if isinstance(holder, dict) and key != "":
            holder[rng.choice((str(key) + "x", "0", "", "\x1b[31m", "step", "999999"))] = holder.pop(key)
        case 3 if isinstance(holder, list):
            holder.insert(key, value)
        case 4:
            other = rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
            holder[key], holder[other] = holder[other], value
        case 5 if isinstance(value, list):
            holder[key] = value[: rng.randrange(len(value) + 1)]
        case _:
            holder[key] = _copied(rng.choice(VALUES))


def damaged_json(rng: random.Random, content: bytes) -> bytes:
    """JSON whose value was changed, or its text."""
    if rng.randrange(4) == 0:
        return rng.choice((damaged, _damaged_text))(rng, content)
    return json.dumps(changed_value(rng, json.loads(content))).encode()


def damaged_json_lines(rng: random.Random, content: bytes) -> bytes:
    """Lines of JSON of which one was changed, or some bytes of all."""
    if rng.randrange(3) == 0:
        return damaged(rng, content)
    lines = content.split(b"\n")
    place = rng.randrange(len(lines) - 1)
    lines[place] = damaged_json(rng, lines[place])
    return b"\n".join(lines)


JSON_TEXT = (b"[" * 5000, b"{", b"}", b"]", b",", b":", b'"', b"null", b"NaN", b"-Infinity", b"1e999", b"9" * 5000,
             b"\\ud800", b"\xff", b"\xef\xbb\xbf", b"\0", b"/*", b"'")  # fmt: skip


def _damaged_text(rng: random.Random, content: bytes) -> bytes:
    place = rng.randrange(len(content) + 1)
    return content[:place] + rng.choice(JSON_TEXT) + content[place + rng.randrange(3) :]


# --- text ---------------------------------------------------------------------------------------------------------

TEXT = (
    "\n", "\r\n", "\r", "\t", "  ", "\0", "\x1b[2J", "\ufeff", "\u2028", "\u202e", "\xa0", "\U0001f600", "e\u0301",
    "\u017f", "\u0130", "#", "%%", "---", "(", "[", "x" * 3000, "1e999", "nan", "-0", "[UNK]", "##a", "\u0120",
    "#version",
)  # fmt: skip


def damaged_text(rng: random.Random, content: bytes) -> bytes:
    """Text with something put into it, or lines of it moved; now and then in another encoding, or bytes of it."""
    kind = rng.randrange(8)
    if kind == 0:
        return damaged(rng, content)
    text = content.decode("utf-8", "replace")
    if kind == 1:
        return text.encode(rng.choice(("utf-16", "utf-32", "latin-1", "utf-8-sig", "utf-7", "cp1252")), "replace")
    for _ in range(rng.choice((1, 1, 2, 3))):
        lines = text.split("\n")
        place, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        match rng.randrange(5):
            case 0:
                lines[place], lines[other] = lines[other], lines[place]
            case 1:
                lines.insert(other, lines[place])
            case 2:
                del lines[place]
            case _:
                line, at = lines[place], rng.randrange(len(lines[place]) + 1)
                lines[place] = line[:at] + rng.choice(TEXT) + line[at + rng.randrange(3) :]
        text = "\n".join(lines)
    return text.encode()


# --- archives and pickles -----------------------------------------------------------------------------------------


@cache
def _entries(content: bytes) -> tuple[tuple[str, bytes], ...]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return tuple((name, archive.read(name)) for name in archive.namelist())


def inside_zip(mutate: dict[str, Mutate]) -> Mutate:
    """What changes one entry whose name ends so, or any with "", and writes the archive again, its checksums right."""

    def mutated(rng: random.Random, content: bytes) -> bytes:
        entries = dict(_entries(content))
        end = rng.choice(list(mutate))
        name = rng.choice([name for name in entries if name.endswith(end)])
        entries[name] = mutate[end](rng, entries[name])
        if rng.randrange(20) == 0:
            entries[damaged(rng, name.encode()).decode("latin-1").replace("\0", "") or "x"] = entries.pop(name)
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for name, entry in entries.items():
                archive.writestr(zipfile.ZipInfo(name), entry)  # of 1980, so that it is the same file again
        return stream.getvalue()

    return mutated


OPCODES = (
    b"()}]NKMJGXUTCBcbRQqrhjtesua0.12iIL\x80\x81\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x93\x94\x95\x96"
)
"""Instructions of pickles: those of the reader, and some that it refuses."""

PICKLED = (
    b"cos\nsystem\n", b"cbuiltins\neval\n", b"ctorch\nFloatStorage\n", b"ctorch._utils\n_rebuild_tensor_v2\n",
    b"ccollections\nOrderedDict\n", b"(lp0\n", b"\x8b\xff\xff\xff\x7f", b"X\xff\xff\xff\xff", b"h\0", b"2", b"\x8a\xff",
    b"I99999999999999999999\n", b"L1L\n", b"\x85R", b")R", b"]" * 300 + b"a" * 299, b"N\x85" * 300,
)  # fmt: skip


def damaged_pickle(rng: random.Random, content: bytes) -> bytes:
    """A pickle with an instruction changed, put in or left out, or bytes of it."""
    if rng.randrange(3) == 0:
        return damaged(rng, content)
    place = rng.randrange(len(content) + 1)
    new = rng.choice(PICKLED) if rng.randrange(2) else bytes([rng.choice(OPCODES)])
    return content[:place] + new + content[place + rng.randrange(2) :]


def one_of(*mutators: Mutate) -> Mutate:
    return lambda rng, content: rng.choice(mutators)(rng, content)
