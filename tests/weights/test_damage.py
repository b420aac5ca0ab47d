"""Files cut short anywhere, and files with any byte changed: an InputError, or arrays; nothing else, and soon."""

import io
import pickle
import random
import struct
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from handmade import weights
from handmade.errors import InputError
from tests.support.warm import warm

STATE = {"w": torch.arange(6.0).reshape(2, 3), "b": torch.ones(2, dtype=torch.bfloat16)}


def torch_bytes(zip: bool) -> bytes:
    stream = io.BytesIO()
    content = {"state_dict": STATE, "best_prec1": np.float32(0.5)}
    torch.save(content, stream, _use_new_zipfile_serialization=zip)
    return stream.getvalue()


def npz_bytes(write) -> bytes:
    stream = io.BytesIO()
    write(stream, w=np.arange(6.0).reshape(2, 3))
    return stream.getvalue()


def safetensors_bytes() -> bytes:
    import safetensors.torch

    return safetensors.torch.save(STATE)


FILES = {
    "zip": torch_bytes(True),
    "legacy": torch_bytes(False),
    "safetensors": safetensors_bytes(),
    "npz": npz_bytes(np.savez),
    "compressed npz": npz_bytes(np.savez_compressed),
}


# A process of its own, with little memory and time: neither a crash nor a hang nor a huge allocation passes.
LIBRARIES = "handmade.weights safetensors.numpy"
PROCESS = """
import pickle, resource, sys
from pathlib import Path
import safetensors.numpy
from handmade import weights
from handmade.errors import InputError

resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
path = Path(sys.argv[1]) / "damaged.pth"
for content in pickle.loads((path.parent / "variants").read_bytes()):
    path.write_bytes(content)
    try:
        arrays = weights.read(path)
        assert sum(array.size for array in arrays.values()) <= 20 * len(content)
        print("read")
    except InputError as error:
        assert "damaged.pth" in str(error), error
        print("refused")
"""


@pytest.fixture
def outcomes(tmp_path):
    """What becomes of each variant of a file: "read" or "refused"; anything else fails."""

    def run(variants: list[bytes]) -> list[str]:
        (tmp_path / "variants").write_bytes(pickle.dumps(variants))
        done = warm(LIBRARIES, "-W", "error").run(PROCESS, tmp_path)
        assert done.returncode == 0, done.stderr
        found = done.stdout.split()
        assert len(found) == len(variants)
        return found

    return run


@pytest.mark.slow
@pytest.mark.parametrize("kind", FILES)
def test_files_cut_short_at_every_byte(kind, outcomes):
    content = FILES[kind]
    found = outcomes([content[:length] for length in range(len(content) + 1)])
    assert found == ["refused"] * len(content) + ["read"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", FILES)
def test_files_with_any_byte_changed(kind, outcomes):
    draw = random.Random(0)
    content = FILES[kind]
    variants = []
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= draw.choice([1, 0x80, 0xFF, draw.randrange(1, 256)])
        variants.append(bytes(changed))
    assert "refused" in outcomes(variants)


def pickle_inside() -> tuple[bytes, dict[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(FILES["zip"])) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    return entries.pop("archive/data.pkl"), entries


PICKLE, ENTRIES = pickle_inside()


def rezipped(pickle: bytes) -> bytes:
    """The zip file around another pickle, its check sums right."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", pickle)
        for name, content in ENTRIES.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.slow
def test_pickles_with_any_byte_changed_in_a_sound_archive(outcomes):
    draw = random.Random(1)
    variants = []
    for position in range(len(PICKLE)):
        before, after = PICKLE[:position], PICKLE[position + 1 :]
        for value in (draw.randrange(256), draw.choice(b"R(.cibohjqrtu}]NK\x85\x93Q0")):
            variants.append(rezipped(before + bytes([value]) + after))
        variants.append(rezipped(before + after))
    assert "refused" in outcomes(variants)


@pytest.mark.slow
def test_pickles_with_pieces_moved_about(outcomes):
    draw = random.Random(2)
    variants = []
    for _ in range(500):
        start, end = sorted(draw.choices(range(len(PICKLE)), k=2))
        place = draw.randrange(len(PICKLE))
        variants.append(rezipped(PICKLE[:place] + PICKLE[start:end] + PICKLE[place:]))
    assert "refused" in outcomes(variants)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=60), st.sampled_from([b"", b"PK\x03\x04", b"\x80\x02", struct.pack("<Q", 20) + b"{"]))
def test_arbitrary_bytes(tmp_path_factory, content, start):
    path = tmp_path_factory.mktemp("arbitrary") / "damaged.pth"
    path.write_bytes(start + content)
    with pytest.raises(InputError, match=r"damaged\.pth"):
        weights.read(path)
