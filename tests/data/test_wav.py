"""WAV files: every width and channel count against the standard library's writer; damaged and foreign files."""

import io
import re
import struct
import wave

import numpy as np
import pytest

from handmade.data.wav import decode_wav, read_wav
from handmade.errors import InputError


def wav(numbers, width=2, channels=1, rate=8000):
    """A WAV file of integers, as the standard library writes it."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((channels, width, rate, 0, "NONE", ""))
        offset = 128 if width == 1 else 0
        writer.writeframes(b"".join((int(n) + offset).to_bytes(width, "little", signed=width > 1) for n in numbers))
    return file.getvalue()


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_every_width_and_number_of_channels(rng, tmp_path, width, channels):
    largest = 2 ** (8 * width - 1)
    numbers = np.array([-largest, largest - 1, 0, 1, -1, *rng.integers(-largest, largest, 25)])
    path = tmp_path / "sound.wav"
    path.write_bytes(wav(numbers, width, channels, rate=11025))
    samples, rate = read_wav(path)
    assert (rate, samples.dtype) == (11025, np.float32)
    np.testing.assert_allclose(samples, (numbers / largest).reshape(-1, channels).mean(axis=1), atol=1e-7)


def test_the_extensible_header_and_chunks_in_between(rng):
    numbers = rng.integers(-(2**23), 2**23, 9)
    plain = wav(numbers, width=3)
    fmt = struct.pack("<HHIIHH", 0xFFFE, 1, 8000, 24000, 3, 24) + struct.pack("<HHIH14s", 22, 24, 4, 1, b"GUID")
    chunks = b"LIST\3\0\0\0abc\0" + b"fmt " + struct.pack("<I", len(fmt)) + fmt + plain[36:] + b"\0"
    samples, _ = decode_wav(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks, "sound.wav")
    np.testing.assert_array_equal(samples, decode_wav(plain, "plain.wav")[0])


def test_another_rate_is_an_error_with_its_mend():
    message = "a.wav has 8,000 samples a second, expected 16,000. Convert it: ffmpeg -i a.wav -ar 16000 converted.wav"
    with pytest.raises(InputError, match=re.escape(message)):
        decode_wav(wav([1, 2]), "a.wav", rate=16000)


def changed(at, value):
    content = bytearray(wav([1, 2, 3]))
    content[at : at + len(value)] = value
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a WAV file: it starts with b'', expected RIFF....WAVE"),
        (b"ID3\4 this is an mp3", "is not a WAV file: it starts with b'ID3"),
        (wav([1, 2, 3])[:20], "a.wav is cut short: its chunk b'fmt ' has 0 bytes of 16. Fetch it again"),
        (wav([1, 2, 3])[:36], "a.wav is not a whole WAV file: it lacks its `fmt ` or its `data` chunk"),
        (wav([1, 2, 3])[:-1], "a.wav is cut short: its chunk b'data' has 5 bytes of 6. Fetch it again"),
        (wav([]), "a.wav holds 0 bytes of sound, not one or more frames of 2"),
        (changed(40, b"\5"), "a.wav holds 5 bytes of sound, not one or more frames of 2"),
        (
            changed(20, b"\3"),
            "a.wav cannot be read: encoding 3, 16 bits, 1 channels in 2 bytes; expected whole numbers",
        ),
        (
            changed(22, b"\2"),
            "a.wav cannot be read: encoding 1, 16 bits, 2 channels in 2 bytes; expected whole numbers",
        ),
        (changed(34, b"\x0c"), "a.wav cannot be read: encoding 1, 12 bits, 1 channels in 2 bytes"),
        (changed(24, b"\0\0"), "a.wav cannot be read"),
    ],
)
def test_files_that_cannot_be_used(content, message):
    with pytest.raises(InputError, match=re.escape(message)):
        decode_wav(content, "a.wav")


def test_any_damage_gives_a_sound_or_an_input_error(rng):
    whole = wav(rng.integers(-1000, 1000, 30), width=2, channels=2)
    for _ in range(500):
        content = bytearray(whole[: rng.integers(len(whole) + 1)])
        for at in rng.integers(0, max(len(content), 1), 3) if content else []:
            content[at] = rng.integers(256)
        try:
            samples, rate = decode_wav(bytes(content), "a.wav")
        except InputError:
            continue
        assert np.isfinite(samples).all()
        assert rate > 0


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*none\.wav: No such file or directory"):
        read_wav(tmp_path / "none.wav")


def chunk(kind: bytes, content: bytes, size: int | None = None) -> bytes:
    return kind + struct.pack("<I", len(content) if size is None else size) + content + b"\0" * (len(content) % 2)


def riff(*chunks: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + b"WAVE" + b"".join(chunks)


def fmt(bits: int, frame: int) -> bytes:
    return chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 8000 * frame, frame, bits))


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000])
@pytest.mark.parametrize("cut", [0, 1])
def test_a_sound_whose_length_was_not_known_when_it_was_written(rng, size, cut):
    numbers = rng.integers(-(2**15), 2**15, 20).astype("<i2")
    streamed = riff(fmt(16, 2), chunk(b"data", numbers.tobytes(), size))
    samples, _ = decode_wav(streamed[: len(streamed) - cut], "streamed.wav")
    np.testing.assert_array_equal(samples, numbers[: 20 - cut].astype(np.float32) / 2**15)


@pytest.mark.parametrize(
    "behind", [b"\1\2\3\4\5\6\7\x08", b"TAGartist", b"LIST\xff\0\0\0cut", b"ID3\4\0\0\0\0\0\7", b"\0"]
)
def test_what_follows_a_whole_sound_is_not_read(behind):
    whole = wav([1, -2, 3])
    np.testing.assert_array_equal(decode_wav(whole + behind, "a.wav")[0], decode_wav(whole, "b.wav")[0])


def test_a_real_cut_stays_refused():
    with pytest.raises(InputError, match=r"a\.wav is cut short: its chunk b'data' has 5 bytes of 6"):
        decode_wav(wav([1, -2, 3])[:-1], "a.wav")


def test_24_bits_in_the_upper_part_of_32(rng):
    numbers = rng.integers(-(2**23), 2**23, 9)
    padded = riff(fmt(24, 4), chunk(b"data", (numbers << 8).astype("<i4").tobytes()))
    np.testing.assert_array_equal(decode_wav(padded, "a.wav")[0], decode_wav(wav(numbers, width=3), "b.wav")[0])
