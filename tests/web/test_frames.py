"""Frames: what Python writes, a browser reads, to the last bit."""

import base64
import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from safetensors.numpy import load

from handmade.web.frames import KINDS, LARGEST, Answer


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_frame_holds_the_arrays_and_what_else_is_said(data):
    kind = np.dtype(data.draw(st.sampled_from(KINDS)))
    array = data.draw(arrays(kind, array_shapes(max_dims=4, max_side=5)))
    frame = Answer({"text": "␣⏎é", "n": [1, None]}, {"a": array, "b": array.T}).frame()
    read = load(frame)
    np.testing.assert_array_equal(read["a"], array)
    np.testing.assert_array_equal(read["b"], array.T)
    (length,) = struct.unpack("<Q", frame[:8])
    assert json.loads(json.loads(frame[8 : 8 + length])["__metadata__"]["meta"]) == {"text": "␣⏎é", "n": [1, None]}


def test_what_the_browser_cannot_read_is_refused():
    with pytest.raises(ValueError, match="complex128"):
        Answer({}, {"z": np.zeros(2, complex)}).frame()
    with pytest.raises(ValueError, match="bytes"):
        Answer({}, {"z": np.zeros(LARGEST + 1, np.uint8)}).frame()
    with pytest.raises(ValueError, match="JSON"):
        Answer({"loss": float("nan")}).frame()


DECODE = """async (texts) => {
  const { decode } = await import("/static/lib/frame.js");
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
  const text = (numbers) => {
    let out = "";
    for (const b of new Uint8Array(Float64Array.from(numbers).buffer)) out += String.fromCharCode(b);
    return btoa(out);
  };
  const read = (one) => {
    const { arrays, said } = decode(bytes(one));
    return [said, Object.fromEntries(Object.entries(arrays).map(([name, a]) => [name, [a.shape, text(a.data)]]))];
  };
  return texts.map((one) => { try { return read(one); } catch (error) { return String(error); } });
}"""


@pytest.mark.slow
def test_a_browser_reads_what_python_wrote_and_refuses_what_is_damaged(pages):
    rng = np.random.default_rng(0)
    halves = np.arange(0, 1 << 16, 7, dtype=np.uint16).view(np.float16)
    given = {
        "half": halves[~np.isnan(halves)],
        "single": rng.standard_normal((3, 2, 4)).astype(np.float32),
        "double": np.array([[np.pi, -0.0, np.inf, -np.inf]]),
        "bytes": rng.integers(0, 256, (5, 7)).astype(np.uint8),
        "int": np.array([-(2**31), 2**31 - 1], np.int32),
        "long": np.array([-(2**53), 2**53]),
        "none": np.zeros((0, 3), np.float32),
    }
    frame = Answer({"said": "é"}, given).frame()
    broken = {
        "cut off": frame[:-1],
        "cut in the header": frame[:20],
        "short": frame[:3],
        "a length that lies": struct.pack("<Q", 1 << 40) + frame[8:],
        "a shape that lies": frame.replace(b'"shape":[5,7]', b'"shape":[5,9]'),
    }
    assert frame not in broken.values()
    texts = [base64.b64encode(one).decode() for one in (frame, *broken.values())]
    (said, arrays), *refused = pages.open("/hand").evaluate(DECODE, texts)
    assert said == "é"
    for name, array in given.items():
        shape, numbers = arrays[name]
        assert shape == list(array.shape)
        read = np.frombuffer(base64.b64decode(numbers)).reshape(shape)
        np.testing.assert_array_equal(read.view(np.int64), array.astype(np.float64).view(np.int64))
    for what, answer in zip(broken, refused, strict=True):
        assert "Error" in answer, what
