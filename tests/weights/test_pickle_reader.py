"""The pickle machine: it reads what honest picklers write, runs nothing, and stays within bounds."""

import collections
import contextlib
import copyreg
import os
import pickle
import struct

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from handmade import weights
from handmade.errors import InputError
from handmade.weights.pickle_names import NAMES, NumpyArray
from handmade.weights.pickle_reader import INSTRUCTIONS, read_pickle
from tests.support.warm import warm


def value_of(data: bytes):
    return read_pickle(data, source="some.pth", names=NAMES)[0]


def text(string: str) -> bytes:
    raw = string.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


# ---- honest pickles

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text("ab.") | st.integers(-9, 999), inner)
    ),
)


@pytest.mark.slow
@settings(deadline=None)
@given(VALUES, st.integers(1, 5))
def test_plain_values_come_back_at_every_protocol(value, protocol):
    assume(protocol > 2 or b"bytes\n" not in pickle.dumps(value, protocol))  # how they write b"", by a call
    assert value_of(pickle.dumps(value, protocol)) == value


def test_the_position_after_a_pickle_is_where_the_next_begins():
    data = pickle.dumps([1], 2) + pickle.dumps("two", 4)
    first, position = read_pickle(data, source="some.pth", names={})
    second, end = read_pickle(data, position, source="some.pth", names={})
    assert (first, second, end) == ([1], "two", len(data))


def test_a_value_said_twice_is_one_object():
    inner = [1, 2]
    outer = value_of(pickle.dumps([inner, inner], 2))
    assert outer[0] is outer[1]


def test_a_list_that_holds_itself():
    loop = []
    loop.append(loop)
    found = value_of(pickle.dumps(loop, 2))
    assert found[0] is found


@pytest.mark.parametrize("protocol", [1, 2, 4, 5])
def test_ordered_dictionaries_and_counters(protocol):
    ordered = collections.OrderedDict([("b", 1), ("a", 2)])
    found = value_of(pickle.dumps([ordered, collections.Counter("abb")], protocol))
    assert list(found[0].items()) == [("b", 1), ("a", 2)]
    assert found[1] == {"a": 1, "b": 2}


def test_an_ordered_dictionary_as_python_2_wrote_it():
    pairs = b"](](" + text("w") + b"K\x01e" + b"](" + text("b") + b"K\x02ee"
    assert value_of(b"\x80\x02ccollections\nOrderedDict\n" + pairs + b"\x85R.") == {"w": 1, "b": 2}


def test_bytes_as_python_2_wrote_them():
    assert value_of(b"U\x02\xe9\xffT\x01\x00\x00\x00a\x86.") == ("éÿ", "a")


def test_attributes_of_an_ordered_dictionary_are_left():
    ordered = collections.OrderedDict(w=1)
    ordered._metadata = {"version": 2}  # as nn.Module.state_dict() does
    assert value_of(pickle.dumps(ordered, 2)) == {"w": 1}


@pytest.mark.parametrize("protocol", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("scalar", [np.float64(91.78), np.float32(0.25), np.int64(-3), np.bool_(True)])
def test_numpy_scalars(scalar, protocol):
    assert value_of(pickle.dumps(scalar, protocol)) == scalar


@pytest.mark.parametrize("protocol", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", ">i8", "i1", "u1", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numpy_arrays(dtype, order, protocol, rng):
    array = np.asarray(rng.integers(0, 2, (3, 4)), dtype=dtype, order=order)
    data = pickle.dumps(array, protocol)
    found = value_of(data)
    assert isinstance(found, NumpyArray)
    np.testing.assert_array_equal(found.array, array)
    assert found.array.dtype.isnative


# ---- malicious pickles: each is first shown to work on Python's own reader

COMMAND = "echo ran > canary"


def nested_call(command: str) -> bytes:
    """getattr(__import__("os"), "system")(command): no dangerous name stands in the file."""
    imported = b"cbuiltins\n__import__\n" + text("os") + b"\x85R"
    return b"\x80\x02cbuiltins\ngetattr\n" + imported + text("system") + b"\x86R" + text(command) + b"\x85R."


def smuggled(command: str) -> bytes:
    """The name is assembled far from its use, through the memo, behind an innocent state dict."""
    parts = text("os") + b"q\x00" + text("system") + b"q\x01" + b"00"
    return b"\x80\x04" + parts + b"}" + text("w") + b"h\x00h\x01\x93" + text(command) + b"\x85Rs."


def dotted(command: str) -> bytes:
    """An allowed module, and a walk from it over attributes."""
    return b"\x80\x04" + text("torch._utils") + text("os.system") + b"\x93" + text(command) + b"\x85R."


def state_setter(command: str) -> bytes:
    """BUILD calls what the class says: here a class's own __setstate__ made of os.system."""
    return b"\x80\x02cos\nsystem\n(" + text(command) + b"tR}b."


ATTACKS = {
    "reduce": (b"\x80\x02cos\nsystem\n" + text(COMMAND) + b"\x85R.", "run os.system"),
    "posix": (b"\x80\x02cposix\nsystem\n" + text(COMMAND) + b"\x85R.", "run posix.system"),
    "eval": (
        b"\x80\x02cbuiltins\neval\n" + text(f"__import__('os').system({COMMAND!r})") + b"\x85R.",
        "run builtins.eval",
    ),
    "nested": (nested_call(COMMAND), "run builtins.getattr"),
    "stack global": (b"\x80\x04" + text("os") + text("system") + b"\x93" + text(COMMAND) + b"\x85R.", "run os.system"),
    "smuggled": (smuggled(COMMAND), "run os.system"),
    "dotted": (dotted(COMMAND), "run torch._utils.os.system"),
    "inst": (b"(" + text(COMMAND) + b"ios\nsystem\n.", "run os.system"),
    "obj": (b"(cos\nsystem\n" + text(COMMAND) + b"o.", "run os.system"),
    "new object": (
        b"\x80\x02csubprocess\nPopen\n" + text(COMMAND) + b"N\x88\x87\x81.",
        "run subprocess.Popen",
    ),
    "state": (state_setter(COMMAND), "run os.system"),
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("kind", ["bare", "zip", "legacy"])
def test_malicious_pickles_are_refused_and_nothing_runs(attack, kind, forge, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    payload, complaint = ATTACKS[attack]
    if kind == "bare":
        with pytest.raises(InputError, match=complaint):
            value_of(payload)
    else:
        path = forge(payload, zip=kind == "zip")
        with pytest.raises(InputError, match=f"evil.pth asks to {complaint}; handmade reads arrays and runs nothing"):
            weights.read(path)
    assert not os.path.exists("canary")


@pytest.mark.parametrize("attack", sorted(ATTACKS.keys() - {"new object", "state"}))
def test_the_attacks_are_real(attack, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(ATTACKS[attack][0])
    assert os.path.exists("canary")


def test_the_extension_registry_is_not_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    payload = b"\x80\x02\x82\x07" + text(COMMAND) + b"\x85R."
    copyreg.add_extension("os", "system", 7)
    try:
        with pytest.raises(InputError, match="instruction EXT1"):
            value_of(payload)
        assert not os.path.exists("canary")
        pickle.loads(payload)
        assert os.path.exists("canary")
    finally:
        copyreg.remove_extension("os", "system", 7)
        copyreg.clear_extension_cache()


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        (b"Pos.system\n.", "PERSID"),
        (b"\x80\x04ccollections\nOrderedDict\n)}\x92.", "NEWOBJ_EX"),
        (b"(ccollections\nOrderedDict\no.", "OBJ"),
        (b"\x80\x02\x83\x07\x00.", "EXT2"),
        (b"\x80\x02\x84\x07\x00\x00\x00.", "EXT4"),
        (b"\x80\x05\x97.", "NEXT_BUFFER"),
        (b"\xff", "unknown pickle instruction, 0xff"),
    ],
)
def test_instructions_that_state_dicts_do_not_need_are_refused(payload, name):
    with pytest.raises(InputError, match=rf"some\.pth asks for .*{name}.*runs nothing"):
        value_of(payload)


@pytest.mark.parametrize("name", ["torch.FloatStorage", "torch.Tensor", "numpy.ndarray"])
def test_what_may_be_mentioned_may_not_be_called(name):
    module, _, attribute = name.rpartition(".")
    with pytest.raises(InputError, match=f"asks to run {name}"):
        value_of(f"c{module}\n{attribute}\n".encode() + b"J\xff\xff\xff\x7f\x85R.")


def test_control_characters_of_a_name_stay_out_of_the_message():
    with pytest.raises(InputError) as caught:
        value_of(b"cos\x1b[2J\nsystem" + b"x" * 10_000 + b"\n.")
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_data_cannot_be_called():
    with pytest.raises(InputError, match="a call of something that is no function"):
        value_of(text("os.system") + b")R.")


def test_names_take_no_state():
    with pytest.raises(InputError, match="a state for a Name"):
        value_of(b"ctorch\nTensor\n}" + text("__setstate__") + b"K\x01sb.")


# ---- damaged pickles


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        (b"", "cut short"),
        (b"\x80", "cut short"),
        (b"X\xff\xff\xff\xffabc", "cut short"),
        (b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff", "cut short"),
        (b"\x8b\xff\xff\xff\xff", "cut short"),
        (b"cos", "does not end"),
        (b".", "empty stack"),
        (b"NN(0.", "empty stack"),
        (b"t.", "never began"),
        (b"h\x05.", "value 5 is asked for"),
        (b"}K\x01s.", "a .* where a dict belongs|empty stack"),
        (b"}(K\x01u.", "shorter"),
        (b"K\x01K\x02a.", "a int where a list belongs"),
        (b"X\x01\x00\x00\x00\xff.", "decode"),
        (b"\x80\x06N.", "protocol"),
        (b"Ifive\n.", "invalid literal"),
        (b"I" + b"1" * 5000 + b"\n.", "digits"),
        (b"K\x01K\x02\x93.", "a name that is not text"),
        (b"}]K\x01s.", "a list as a dictionary's key"),
        (b"}\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01K\x01s.", "a huge integer"),
        (b"c_codecs\nencode\n" + text("a") + text("rot13") + b"\x86R.", "unknown encoding"),
        (b"cnumpy\ndtype\n" + text("O8") + b"\x85R.", "no number"),
        (b"cnumpy\ndtype\n)\x85\x85\x85R.", "no number"),
    ],
)
def test_damaged_pickles(payload, complaint):
    with pytest.raises(InputError, match=complaint):
        value_of(payload)


# ---- bounds: tried in a process of its own, which a crash would end, with little memory

PROCESS = """
import resource, sys, time
from handmade.errors import InputError
from handmade.weights.pickle_names import NAMES
from handmade.weights.pickle_reader import read_pickle

resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
payload = open(sys.argv[1], "rb").read()
began = time.process_time()
try:
    read_pickle(payload, source="some.pth", names=NAMES)
    print("read")
except InputError as error:
    print(error)
assert time.process_time() - began < 20
"""


@pytest.fixture
def outcome(tmp_path):
    """What becomes of a payload: "read", or the InputError's message; anything else fails."""

    def run(payload: bytes) -> str:
        path = tmp_path / "payload"
        path.write_bytes(payload)
        done = warm("handmade.weights safetensors.numpy", "-W", "error").run(PROCESS, path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


DEEP = b"N" + b"\x85" * 250_000 + b"q\x00"  # a tuple in a tuple in a tuple ...: to hash 200,000 ends the process


@pytest.mark.slow
def test_depth_costs_nothing(outcome):
    assert outcome(DEEP + b"(" * 250_000 + b"t" * 250_000 + b".") == "read\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    "use",
    [
        b"}h\x00K\x01s.",  # as a dictionary's key
        b"cnumpy\ndtype\nh\x00\x85R.",  # as a type's name
        b"h\x00)R.",  # as a function
        b"h\x00h\x00\x93.",  # as a name
    ],
)
def test_deep_values_are_never_hashed_or_shown(use, outcome):
    assert "damaged" in outcome(DEEP + use)


@pytest.mark.slow
def test_a_pickle_without_end_is_stopped(outcome):
    assert "over 2,000,000 instructions" in outcome(b"N" * 2_100_000)


COPIES = {
    "dictionaries": b"](" + b"NN\x86" * 50_000 + b"eq\x00" + b"ccollections\nOrderedDict\nh\x00\x85R" * 10_000,
    "sizes": b"(" + b"N" * 100_000 + b"tq\x00" + b"ctorch\nSize\nh\x00\x85R" * 10_000,
    "bytes": text("x" * 100_000) + b"q\x01" + b"c_codecs\nencode\nh\x01X\x06\x00\x00\x00latin1\x86R" * 50_000,
    "arrays": (
        text("x" * 100_000)
        + b"q\x01cnumpy\ndtype\nX\x02\x00\x00\x00i1\x85Rq\x00"
        + b"cnumpy.core.multiarray\n_reconstruct\n)R(NJ\xa0\x86\x01\x00h\x00\x89h\x01tb" * 50_000
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", COPIES)
def test_copies_of_one_value_are_bounded_by_the_file(kind, outcome):
    assert "builds more than 4 times what the file holds" in outcome(COPIES[kind] + b".")


@settings(deadline=None)
@given(st.lists(st.sampled_from([bytes([code]) for code in INSTRUCTIONS]) | st.binary(max_size=6)))
def test_any_bytes_are_read_or_refused(parts):
    with contextlib.suppress(InputError):
        value_of(b"".join(parts) + b".")


NAMED = [b"c" + path.replace(".", "\n", 1).encode() + b"\n" for path in NAMES if path.count(".") == 1]
ARGUMENTS = [b"N", b"K\x01", b")", b"]", b"}", text("f4"), text("<"), b"h\x00", b"q\x00", b"C\x04abcd", b"(", b"t"]


@settings(deadline=None)
@given(st.lists(st.sampled_from([*NAMED, *ARGUMENTS, b"R", b"b", b"\x85", b"\x86", b"\x87"]), max_size=30))
def test_any_calls_of_the_allowed_names_are_read_or_refused(parts):
    with contextlib.suppress(InputError):
        value_of(b"".join(parts) + b".")
