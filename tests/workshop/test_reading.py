"""What is said of a file before it runs."""

import os
from pathlib import Path

import pytest

from handmade.errors import InputError
from handmade.workshop.exercises import exercise_named
from tests.support.judging import RIGHT


def only(verdict):
    assert not verdict.passed
    assert len(verdict.findings) == 1, verdict.findings
    return verdict.findings[0]


def test_a_syntax_error_shows_its_line_with_a_caret(verdict):
    mistake = only(verdict("import numpy as np\n\ndef self_attention(Q, K, V:\n    return Q\n"))
    assert mistake.name == "syntax error"
    assert "line 3" in mistake.evidence
    line, caret = mistake.evidence.splitlines()[1:]
    assert line.strip() == "def self_attention(Q, K, V:"
    assert line[caret.index("^")] == "("


@pytest.mark.parametrize("source", ["def f(:\n", "x = '\n", "if True:\nx = 1\n", "\tx = 1\n        y\n", "a\0b"])
def test_other_syntax_errors(verdict, source):
    assert only(verdict(source)).name == "syntax error"


def test_a_file_that_is_not_utf_8_is_told_where(verdict):
    mistake = only(verdict(RIGHT.encode() + "# Käse\n".encode("latin-1")))
    assert mistake.name == "not UTF-8"
    assert "line 9 has the byte 0xe4" in mistake.evidence


def test_a_declared_encoding_and_a_byte_order_mark_are_read(verdict):
    assert verdict(b"# -*- coding: latin-1 -*-\n# K\xe4se\n" + RIGHT.encode()).passed
    assert verdict(b"\xef\xbb\xbf" + RIGHT.encode()).passed
    assert verdict(RIGHT.replace("\n", "\r\n")).passed


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("", "It defines no function at all."),
        (RIGHT.replace("self_attention", "attention"), "There is attention: rename it."),
        (RIGHT.replace("self_attention", "selfAttention"), "There is selfAttention: rename it."),
        (RIGHT.replace("self_attention", "forward"), "There are only forward."),
        ("class Solution:\n    def self_attention(self, Q, K, V): return Q\n", "It is inside the class Solution"),
    ],
)
def test_a_missing_function_is_told_with_what_there_is(verdict, source, told):
    mistake = only(verdict(source))
    assert mistake.name == "missing function"
    assert told in mistake.message
    assert "def self_attention(Q, K, V)" in mistake.evidence


@pytest.mark.parametrize(
    "source",
    [
        RIGHT + "\nattention = self_attention\n",
        RIGHT.replace("def self_attention", "def other") + "\nself_attention = other\n",
        RIGHT.replace("def self_attention", "def other") + "\nself_attention = lambda *arguments: other(*arguments)\n",
        "try:\n" + "".join(f"    {line}\n" for line in RIGHT.splitlines()) + "except ImportError:\n    pass\n",
        RIGHT.replace("Q, K, V)", "q, k, v, /, scale=None)")
        .replace("Q @", "q @")
        .replace("K.", "k.")
        .replace("@ V", "@ v"),
        RIGHT.replace("(Q, K, V)", "(*arguments)").replace("scores =", "Q, K, V = arguments; scores =", 1),
    ],
)
def test_names_can_be_given_in_other_ways(verdict, source):
    result = verdict(source)
    assert result.passed, result.findings


@pytest.mark.parametrize(
    ("signature", "told"),
    [
        ("(Q, K)", "It takes 2 arguments; 3 are given."),
        ("(Q, K, V, mask)", "It needs 4 arguments; only 3 are given."),
        ("(K, Q, V)", "The arguments are in another order."),
        ("(Q, K, V, *, mask)", "It needs mask, which is not given."),
    ],
)
def test_a_wrong_signature_is_shown_beside_the_right_one(verdict, signature, told):
    mistake = only(verdict(RIGHT.replace("(Q, K, V)", signature)))
    assert mistake.name == "wrong signature"
    assert mistake.message == told
    assert "expected: def self_attention(Q, K, V)" in mistake.evidence
    assert f"yours:    def self_attention{signature}" in mistake.evidence


def test_a_missing_option_is_a_wrong_signature(verdict):
    source = "def softmax(x):\n    return x\n"
    assert only(verdict(source, "softmax")).message == "It has no argument axis, which is given by name."
    source = "async def softmax(x, axis=-1):\n    return x\n"
    assert "asynchronous" in only(verdict(source, "softmax")).message


def test_a_class_where_a_function_is_asked_for_and_the_other_way_round(verdict):
    assert (
        "has to be a function"
        in only(verdict("class softmax:\n    x = 1\n    def f(self): return 1\n", "softmax")).message
    )
    assert "has to be a class" in only(verdict("def Value(data):\n    return data\n", "backprop")).message


def test_two_functions_of_one_name(verdict):
    mistake = only(verdict(RIGHT + RIGHT))
    assert mistake.name == "defined twice"
    assert "lines 4, 12" in mistake.evidence


@pytest.mark.parametrize(
    "body", ["raise NotImplementedError", "pass", "...", "'''Doc.'''", "raise NotImplementedError('x')"]
)
def test_the_stub_is_not_written_yet(verdict, body):
    assert only(verdict(f"def self_attention(Q, K, V):\n    {body}\n")).name == "not written yet"


SHORTCUTS = [
    "import torch.nn.functional as F\nx = F.scaled_dot_product_attention\n",
    "import torch\nx = torch.nn.functional.scaled_dot_product_attention\n",
    "from torch.nn import functional\nx = functional.scaled_dot_product_attention\n",
    "from torch.nn.functional import scaled_dot_product_attention as go\n",
    "from torch.nn.functional import *\nx = scaled_dot_product_attention\n",
    "from torch import nn\nlayers = nn\nx = layers.MultiheadAttention(4, 2)\n",
    "import torch\nx = getattr(torch.nn.functional, 'scaled_dot_product_attention')\n",
    "import importlib\nx = importlib.import_module('torch.nn.functional').scaled_dot_product_attention\n",
]


@pytest.mark.parametrize("line", SHORTCUTS)
def test_what_does_the_work_is_forbidden_under_any_name(verdict, line):
    mistake = only(verdict(line + RIGHT))
    assert mistake.name == "forbidden shortcut"
    assert "torch.nn" in mistake.message
    assert mistake.evidence.startswith("line ")


@pytest.mark.parametrize(
    "line", ["import handmade", "from handmade import self_attention as other", "import handmade.nn as nn"]
)
def test_handmade_is_always_forbidden(verdict, line):
    assert only(verdict(f"{line}\n{RIGHT}")).name == "forbidden shortcut"


def test_a_name_of_ones_own_is_no_shortcut(verdict):
    source = "def scaled_dot_product_attention(Q):\n    return Q\n\nF = 3\n"
    assert verdict(source + RIGHT).passed


def test_a_file_that_is_not_there(warm, tmp_path):
    with pytest.raises(InputError, match="cannot read .*gone.py: No such file"):
        warm.check(tmp_path / "gone.py", exercise_named("softmax"))


def test_a_helper_beside_the_file_can_be_imported(warm, tmp_path):
    (tmp_path / "my_helper.py").write_text("import numpy as np\nROOT = np.sqrt\n")
    path = tmp_path / "solution.py"
    path.write_text("from my_helper import ROOT\n" + RIGHT.replace("np.sqrt", "ROOT"))
    assert warm.check(path, exercise_named("self_attention")).passed


def test_what_is_no_file_is_told_at_once(warm, tmp_path):
    """A pipe would keep one waiting, a device has no end."""
    pipe = tmp_path / "pipe.py"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero"), tmp_path):
        with pytest.raises(InputError, match=f"cannot read {path}: Is a directory|no file but a device or a pipe"):
            warm.check(path, exercise_named("softmax"))


@pytest.mark.parametrize("cookie", ["rot13", "hex", "base64", "punycode", "idna", "undefined", "no-such"])
def test_an_encoding_that_is_none_of_text_is_a_finding(verdict, cookie):
    result = verdict(f"# coding: {cookie}\n" + RIGHT)
    assert result.passed or result.findings[0].name in ("not UTF-8", "syntax error", "missing function")


def test_branches_without_end_are_a_finding(verdict):
    many = "x = 0\nif x == 1:\n    pass\n" + "".join(f"elif x == {n}:\n    pass\n" for n in range(2500))
    assert only(verdict(many + RIGHT)).name in ("nested too deeply", "endless recursion", "syntax error")


METHODS = [
    "return x.softmax(axis)",
    "return (2 * x / 2).softmax(dim=axis)",
    "return vars(torch)['softmax'](x, axis)",
    "return torch.__dict__['softmax'](x, axis)",
    "return torch.special.softmax(x, axis)",
    "return getattr(torch, 'soft' + 'max')(x, axis)",
    "return getattr(x, 'soft' + 'max')(axis)",
]


@pytest.mark.slow
@pytest.mark.parametrize("line", METHODS)
def test_what_does_the_work_is_forbidden_however_it_is_reached(verdict, line):
    result = verdict(f"import torch\n\n\ndef softmax(x, axis=-1):\n    {line}\n", "softmax")
    assert result.findings[0].name == "forbidden shortcut"
    assert "softmax does the work of this exercise" in result.findings[0].message
