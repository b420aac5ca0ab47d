"""PyTorch's own files, in both formats, against what PyTorch reads from them."""

import collections
import hashlib
import io
import pickle
import struct
import zipfile

import numpy as np
import pytest
import torch

from handmade import weights
from handmade.errors import InputError

FORMATS = pytest.mark.parametrize("zip", [True, False], ids=["zip", "legacy"])


def same(found: dict[str, np.ndarray], expected: dict[str, torch.Tensor]) -> None:
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        wide = tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor
        assert found[name].dtype == wide.detach().numpy().dtype, name
        np.testing.assert_array_equal(found[name], wide.detach().numpy(), err_msg=name)


# ---- what torch.save writes


@FORMATS
@pytest.mark.parametrize("protocol", [1, 2, 3, 4, 5])
def test_a_state_dict(zip, protocol, save_torch):
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, (2, 3)), torch.nn.BatchNorm2d(4), torch.nn.Linear(5, 2))
    same(weights.read(save_torch(model.state_dict(), zip, protocol)), model.state_dict())


@FORMATS
@pytest.mark.parametrize(
    "dtype",
    ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"],
)
def test_number_types(zip, dtype, save_torch):
    values = torch.tensor([[0.0, 1.0, -2.5], [100.0, 3.0e-5, 7.0]]).abs().to(getattr(torch, dtype))
    same(weights.read(save_torch({"w": values, "scalar": values[1, 2]}, zip)), {"w": values, "scalar": values[1, 2]})


@FORMATS
def test_not_a_number_and_infinity_in_half_precision(zip, save_torch):
    values = torch.tensor([float("nan"), float("inf"), -float("inf"), 65504.0])
    same(
        weights.read(save_torch({"h": values.half(), "b": values.bfloat16()}, zip)),
        {"h": values.half(), "b": values.bfloat16()},
    )


@FORMATS
def test_views_of_one_storage(zip, save_torch):
    base = torch.arange(60.0).reshape(3, 4, 5)
    content = {
        "whole": base,
        "transposed": base.permute(2, 0, 1),
        "stepped": base[:, ::2, 1:4],
        "offset": base[2, 3],
        "last": base[2, 3, 4],
        "expanded": base[:1].expand(6, 4, 5),
        "empty": base[:0],
    }
    found = weights.read(save_torch(content, zip))
    same(found, content)
    assert np.shares_memory(found["whole"], found["stepped"])


@FORMATS
def test_parameters_with_and_without_attributes(zip, save_torch):
    marked = torch.nn.Parameter(torch.randn(2, 3))
    marked.note = "a Python attribute"
    tensor = torch.randn(4)
    tensor.note = "another"
    content = {"plain": torch.nn.Parameter(torch.randn(3)), "marked": marked, "tensor": tensor}
    same(weights.read(save_torch(content, zip)), content)


@FORMATS
@pytest.mark.parametrize("wrapper", ["state_dict", "model", "model_state_dict"])
def test_checkpoints_are_unwrapped(zip, wrapper, save_torch):
    state = collections.OrderedDict(w=torch.randn(2, 3), b=torch.randn(2))
    checkpoint = {
        "epoch": 3,
        wrapper: state,
        "best_prec1": np.float64(91.78),
        "loss": torch.tensor(0.5),
        "optimizer": {
            "state": {0: {"momentum_buffer": torch.randn(2, 3)}},
            "param_groups": [{"params": [0], "lr": 0.1}],
        },
        "milestones": collections.Counter([30, 60]),
        "shape": torch.Size([2, 3]),
    }
    same(weights.read(save_torch(checkpoint, zip)), state)


@FORMATS
def test_a_wrapped_checkpoint_in_a_checkpoint(zip, save_torch):
    same(weights.read(save_torch({"model": {"state_dict": {"w": torch.ones(2)}}}, zip)), {"w": torch.ones(2)})


@FORMATS
@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
def test_prefixes_that_every_name_has_are_removed(zip, prefix, save_torch):
    found = weights.read(save_torch({prefix + "w": torch.ones(1), prefix + "module.b": torch.ones(1)}, zip))
    assert list(found) == ["w", "module.b"]


def test_a_prefix_that_not_every_name_has_stays(save_torch):
    found = weights.read(save_torch({"module.w": torch.ones(1), "b": torch.ones(1)}))
    assert list(found) == ["module.w", "b"]


@FORMATS
def test_numpy_arrays_among_tensors(zip, save_torch):
    content = {"w": torch.ones(2), "n": np.arange(6, dtype=">f4").reshape(2, 3), "h": np.ones(2, np.float16)}
    found = weights.read(save_torch(content, zip))
    np.testing.assert_array_equal(found["n"], content["n"])
    assert found["n"].dtype == found["h"].dtype == np.float32


@FORMATS
def test_arrays_may_be_written_to(zip, save_torch):
    found = weights.read(save_torch({"w": torch.ones(3)}, zip))
    found["w"] *= 2
    np.testing.assert_array_equal(found["w"], [2, 2, 2])


def test_the_published_resnet20(shared_data):
    path = shared_data / "weights" / "resnet20-12fca82f.th"
    expected = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    same(weights.read(path), {name.removeprefix("module."): tensor for name, tensor in expected.items()})


def test_numbers_of_a_big_endian_machine(tmp_path):
    path = tmp_path / "big.pth"
    torch.save({"w": torch.tensor([1.5, -2.0]), "b": torch.tensor([0.25], dtype=torch.bfloat16)}, path)
    swapped = tmp_path / "swapped.pth"
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(swapped, "w") as target:
        for entry in archive.infolist():
            content = archive.read(entry)
            if "/data/" in entry.filename:
                step = 4 if len(content) == 8 else 2
                content = np.frombuffer(content, f"<u{step}").astype(f">u{step}").tobytes()
            target.writestr(entry.filename, b"big" if entry.filename.endswith("/byteorder") else content)
    found = weights.read(swapped)
    np.testing.assert_array_equal(found["w"], [1.5, -2.0])
    np.testing.assert_array_equal(found["b"], [0.25])


def test_a_view_of_a_storage_as_old_files_have_it(tmp_path):
    class Id:
        def __init__(self, *parts):
            self.parts = parts

    class Rebuilt:
        def __init__(self, *arguments):
            self.arguments = arguments

        def __reduce__(self):
            return torch._utils._rebuild_tensor, self.arguments

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj):
            return obj.parts if isinstance(obj, Id) else None

    def file_with(view) -> bytes:
        stream = io.BytesIO()
        for header in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
            pickle.dump(header, stream, 2)
        storage = Id("storage", torch.FloatStorage, "9", "cpu", 6, view)
        Pickler(stream, 2).dump({"w": Rebuilt(storage, 1, (2,), (1,))})
        pickle.dump(["9"], stream, 2)
        return stream.getvalue() + struct.pack("<q6f", 6, *range(6))

    path = tmp_path / "old.pth"
    path.write_bytes(file_with(("10", 2, 3)))
    np.testing.assert_array_equal(weights.read(path)["w"], [3, 4])
    for view in [("10", 2, 2), ("10", 5, 2), ("10", -1, 3), ("10", 0, "3"), "ten"]:
        path.write_bytes(file_with(view))
        with pytest.raises(InputError, match=r"old.pth is damaged: .*(leaves|reaches|unpack)"):
            weights.read(path)


# ---- what is refused


@FORMATS
def test_a_whole_model_is_refused(zip, save_torch):
    with pytest.raises(InputError, match=r"saved.pth asks to run torch\.nn\.modules\.linear\.Linear.*state_dict\(\)"):
        weights.read(save_torch(torch.nn.Linear(2, 3), zip))


def test_a_torchscript_program_is_refused(tmp_path):
    class Double(torch.nn.Module):
        def forward(self, x):
            return 2 * x

    path = tmp_path / "program.pt"
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.save(torch.jit.trace(Double(), torch.ones(1)), path)
    with pytest.raises(InputError, match=r"program.pt asks to be run: it is a TorchScript program"):
        weights.read(path)


@FORMATS
@pytest.mark.parametrize(
    "content", [{"epoch": 3, "names": ["a"]}, [torch.ones(2)], torch.ones(2), {}, {0: torch.ones(1)}]
)
def test_a_file_without_named_arrays(content, zip, save_torch):
    with pytest.raises(InputError, match=r"saved.pth holds no arrays by name \(its keys: .*\); expected a state dict"):
        weights.read(save_torch(content, zip))


@FORMATS
def test_a_number_type_that_is_not_computed_in(zip, save_torch):
    with pytest.raises(InputError, match=r"w is of type torch\.float8_e4m3fn, which NumPy does not have"):
        weights.read(save_torch({"v": torch.ones(2), "w": torch.ones(2).to(torch.float8_e4m3fn)}, zip))


# ---- persistent ids and storages that lie


class Forged:
    """The pickle of {"w": a tensor}, with a persistent id and a view of one's choice."""

    def __init__(self, persistent_id, offset=0, size=(2,), stride=(1,)):
        self.id, self.view = persistent_id, (offset, size, stride)

    def pickle(self) -> bytes:
        forged = self

        class Token:
            pass

        class Tensor:
            def __reduce__(self):
                return torch._utils._rebuild_tensor_v2, (Token(), *forged.view, False, collections.OrderedDict())

        class Pickler(pickle.Pickler):
            def persistent_id(self, obj):
                return forged.id if isinstance(obj, Token) else None

        stream = io.BytesIO()
        Pickler(stream, 2).dump({"w": Tensor()})
        return stream.getvalue()


HONEST = ("storage", torch.FloatStorage, "0", "cpu", 2)


def test_the_forger_can_also_be_honest(forge):
    found = weights.read(forge(Forged(HONEST).pickle(), storages={"0": struct.pack("<2f", 1, 2)}))
    np.testing.assert_array_equal(found["w"], [1, 2])


def test_a_truth_value_is_zero_or_not(forge):
    persistent_id = ("storage", torch.BoolStorage, "0", "cpu", 3)
    found = weights.read(forge(Forged(persistent_id, size=(3,)).pickle(), storages={"0": b"\x00\x02\xff"}))
    np.testing.assert_array_equal(found["w"].view(np.uint8), [0, 1, 1])


@pytest.mark.parametrize(
    "persistent_id",
    [
        "os.system",
        ("module", "os", "system", "source"),
        ("storage", collections.OrderedDict, "0", "cpu", 2),
        ("storage", "FloatStorage", "0", "cpu", 2),
        ("storage", torch.FloatStorage, 0, "cpu", 2),
        ("storage", torch.FloatStorage, "0", "cpu", -2),
        ("storage", torch.FloatStorage, "0", "cpu", 2.0),
        ("storage", torch.FloatStorage, "0", "cpu", 2**62),
        ("storage", torch.FloatStorage, "0", "cpu", 3),
        ("storage", torch.DoubleStorage, "0", "cpu", 2),
        ("storage", torch.FloatStorage, "1", "cpu", 2),
        ("storage", torch.FloatStorage, "../../../../etc/passwd", "cpu", 2),
        ("other", torch.FloatStorage, "0", "cpu", 2),
        ("storage", torch.FloatStorage),
    ],
    ids=str,
)
@pytest.mark.parametrize("zip", [True, False], ids=["zip", "legacy"])
def test_persistent_ids_that_lie(persistent_id, zip, forge):
    path = forge(Forged(persistent_id).pickle(), zip=zip, storages={"0": b"\0" * 8} if zip else None)
    with pytest.raises(InputError, match=r"evil\.pth (is damaged|asks for)"):
        weights.read(path)


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [
        (1, (2,), (1,)),
        (0, (3,), (1,)),
        (0, (2, 2), (1, 1)),
        (0, (2,), (2**40,)),
        (0, (2**62, 2**62), (0, 0)),
        (0, (2**40,), (0,)),
        (-1, (2,), (1,)),
        (1, (2,), (-1,)),
        (0, (-2,), (1,)),
        (0, (2,), ()),
        (0, (2.0,), (1,)),
        (0, (1,) * 70, (1,) * 70),
        (0, "2", "1"),
        ("0", (2,), (1,)),
    ],
)
def test_views_that_leave_their_storage(offset, size, stride, forge):
    path = forge(Forged(HONEST, offset, size, stride).pickle(), storages={"0": b"\0" * 8})
    with pytest.raises(InputError, match=r"evil.pth(:| is damaged)"):
        weights.read(path)


def test_one_key_for_two_storages(forge):
    one = Forged(HONEST).pickle()[2:-1]
    other = Forged(("storage", torch.IntStorage, "0", "cpu", 2)).pickle()[2:-1]
    with pytest.raises(InputError, match="two different storages"):
        weights.read(forge(b"\x80\x02" + one + other + b"\x86.", storages={"0": b"\0" * 8}))


# ---- archives that lie


def rezip(path, method: int, repeat: int = 1) -> None:
    """Write the archive anew with another compression."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content * repeat if "/data/" in name else content)


def test_a_compressed_archive_is_refused(save_torch):
    path = save_torch({"w": torch.zeros(1000)})
    rezip(path, zipfile.ZIP_DEFLATED, repeat=1000)
    with pytest.raises(InputError, match=r"compressed entries.*bomb"):
        weights.read(path)


def test_entries_that_overlap_are_refused(save_torch):
    path = save_torch({"w": torch.zeros(1000)})
    raw = path.read_bytes()
    directory = raw.index(b"PK\x01\x02")
    end = raw.index(b"PK\x05\x06") if b"PK\x06\x06" not in raw else raw.index(b"PK\x06\x06")
    entries = raw[directory:end]
    many = raw[:directory] + b"".join(entries.replace(b"saved", b"sav%02d" % copy) for copy in range(20))
    count = 20 * entries.count(b"PK\x01\x02")
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, len(entries) * 20, directory, 0)
    path.write_bytes(many + tail)
    with pytest.raises(InputError, match="says that it holds more"):
        weights.read(path)


def test_an_archive_with_two_pickles(save_torch):
    path = save_torch({"w": torch.zeros(1)})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("other/data.pkl", b"N.")
    with pytest.raises(InputError, match=r"2 entries named data\.pkl"):
        weights.read(path)


def test_an_unknown_byte_order(forge):
    path = forge(Forged(HONEST).pickle(), storages={"0": b"\0" * 8}, byteorder=b"middle")
    with pytest.raises(InputError, match="unknown byte order, 'middle'"):
        weights.read(path)


def test_a_changed_number_is_noticed(save_torch):
    path = save_torch({"w": torch.ones(100)})
    raw = bytearray(path.read_bytes())
    raw[raw.index(struct.pack("<4f", 1, 1, 1, 1)) + 100] ^= 1
    path.write_bytes(raw)
    with pytest.raises(InputError, match="damaged zip archive: Bad CRC-32"):
        weights.read(path)


def test_a_storage_list_that_is_not_the_tensors(tmp_path, save_torch):
    raw = save_torch({"w": torch.ones(2)}, zip=False).read_bytes()
    for after in (pickle.dumps(["1"], 2), pickle.dumps([["1"]], 2), pickle.dumps([], 2)):
        start = raw.rindex(b"\x80\x02]")
        path = tmp_path / "other.pth"
        path.write_bytes(raw[:start] + after + struct.pack("<q2f", 2, 1, 1))
        with pytest.raises(InputError, match=r"other\.pth is damaged"):
            weights.read(path)


def test_a_storage_whose_length_is_another_than_its_tensors(save_torch):
    path = save_torch({"w": torch.ones(2)}, zip=False)
    raw = path.read_bytes()
    for length in (1, 3, -2):
        path.write_bytes(raw[:-16] + struct.pack("<q2f", length, 1, 1))
        with pytest.raises(InputError, match=r"saved\.pth is damaged or cut short at storage"):
            weights.read(path)


def test_another_version_of_the_legacy_format(save_torch):
    path = save_torch({"w": torch.ones(2)}, zip=False)
    path.write_bytes(path.read_bytes().replace(b"M\xe9\x03.", b"M\xea\x03.", 1))
    with pytest.raises(InputError, match="a PyTorch format other than 1001"):
        weights.read(path)


def test_reading_leaves_the_file_as_it_was(shared_data):
    path = shared_data / "weights" / "resnet20-12fca82f.th"
    weights.read(path)
    assert hashlib.sha256(path.read_bytes()).hexdigest().startswith("12fca82f")
