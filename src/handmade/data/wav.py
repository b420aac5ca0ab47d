"""Reading WAV files as floats.

A WAV file is a RIFF: chunks, each of a name, a length and that many bytes. `fmt ` says how the sound is written, `data`
holds it frame by frame, in each frame one number a channel. A program that writes as it records does not know yet how
long the sound will be: its `data` has a length that stands for "to the end of the file". What follows a whole sound
(titles, padding) is not read.
"""

import struct
from pathlib import Path

import numpy as np
from jaxtyping import Float

from handmade.errors import InputError
from handmade.reading import cannot_read, read_bytes

Samples = Float[np.ndarray, "_"]

PCM, EXTENSIBLE = 1, 0xFFFE

ENDLESS = 0x7FFF0000
"""A length from here on stands for "to the end of the file": 0xFFFFFFFF (ffmpeg), about 0x7FFFFFFF (sox)."""


def read_wav(path: str | Path, rate: int | None = None) -> tuple[Samples, int]:
    """The sound in a WAV file, in [-1, 1) as float32, channels averaged to one; and its samples per second.

    Integers of 8, 16, 24 and 32 bits are read. Raises InputError where the file is missing, cut short, not a WAV or of
    another encoding, and where it is not sampled at `rate`, if one is given.
    """
    try:
        content = read_bytes(path)
    except OSError as error:
        raise cannot_read(path, error) from error
    return decode_wav(content, str(path), rate)


def decode_wav(content: bytes, name: str, rate: int | None = None) -> tuple[Samples, int]:
    """Like `read_wav`, from the bytes of a file; `name` is the name used in errors."""
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise InputError(f"{name} is not a WAV file: it starts with {content[:12]!r}, expected RIFF....WAVE.")
    chunks = _chunks(content, name)
    if len(chunks.get(b"fmt ", b"")) < 16 or b"data" not in chunks:
        raise InputError(f"{name} is not a whole WAV file: it lacks its `fmt ` or its `data` chunk.")
    encoding, channels, found, _, frame, bits = struct.unpack("<HHIIHH", chunks[b"fmt "][:16])
    if encoding == EXTENSIBLE:
        encoding = int.from_bytes(chunks[b"fmt "][24:26], "little")
    width = frame // channels if channels else 0  # bytes of a number, of which 24 bits may fill the upper three
    whole = bits in (8, 16, 24, 32) and frame == channels * width and bits <= 8 * width <= 32
    if encoding != PCM or not whole or found < 1:
        raise InputError(
            f"{name} cannot be read: encoding {encoding}, {bits} bits, {channels} channels in {frame} bytes; expected "
            f"whole numbers (PCM) of 8, 16, 24 or 32 bits. Convert it: ffmpeg -i {name} -c:a pcm_s16le converted.wav"
        )
    if not chunks[b"data"] or len(chunks[b"data"]) % frame:
        raise InputError(f"{name} holds {len(chunks[b'data'])} bytes of sound, not one or more frames of {frame}.")
    if rate is not None and found != rate:
        raise InputError(
            f"{name} has {found:,} samples a second, expected {rate:,}. "
            f"Convert it: ffmpeg -i {name} -ar {rate} converted.wav"
        )
    return _as_floats(chunks[b"data"], width).reshape(-1, channels).mean(axis=1), found


def _chunks(content: bytes, name: str) -> dict[bytes, bytes]:
    """The chunks up to the sound, the last one that is needed."""
    chunks, at = {}, 12
    while at + 8 <= len(content) and b"data" not in chunks:
        kind, size = struct.unpack_from("<4sI", content, at)
        if kind == b"data" and size >= ENDLESS and at + 8 + size > len(content):
            frame = int.from_bytes(chunks.get(b"fmt ", b"")[12:14], "little") or 1
            size = (len(content) - at - 8) // frame * frame  # what was recorded when it was ended
        if at + 8 + size > len(content):
            there = len(content) - at - 8
            raise InputError(
                f"{name} is cut short: its chunk {kind!r} has {there:,} bytes of {size:,}. Fetch it again."
            )
        chunks.setdefault(kind, content[at + 8 : at + 8 + size])
        at += 8 + size + size % 2  # chunks start at even offsets
    return chunks


def _as_floats(data: bytes, width: int) -> Float[np.ndarray, "N"]:
    """Little-endian integers of `width` bytes as fractions of the largest: each is shifted to the top of 32 bits."""
    numbers = np.zeros((len(data) // width, 4), np.uint8)
    numbers[:, 4 - width :] = np.frombuffer(data, np.uint8).reshape(-1, width)
    if width == 1:
        numbers[:, 3] ^= 0x80  # only 8-bit samples are unsigned, with silence at 128
    return numbers.view("<i4")[:, 0].astype(np.float32) / np.float32(2**31)
