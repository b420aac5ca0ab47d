"""The program as a whole: help, unknown names, and how errors end it."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from handmade import __version__
from handmade.cli import app as program
from handmade.cli import main
from handmade.cli.app import COMMANDS
from handmade.errors import InputError


def test_help_lists_the_commands(handmade):
    ran = handmade("--help")
    assert ran.code == 0
    assert all(f"\n  {name} " in ran.out for name in COMMANDS)
    assert {"train", "eval", "predict", "models", "data"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(handmade, command):
    ran = handmade(command, "--help")
    assert ran.code == 0
    assert "Usage:" in ran.out


def test_an_unknown_command_is_told_the_nearest_one(handmade):
    ran = handmade("trian")
    assert ran.code == 2
    assert "No such command 'trian'. Did you mean 'train'?" in ran.err


def test_help_loads_no_room_that_it_does_not_need():
    heavy = "matplotlib PIL rich pooch safetensors handmade.nn handmade.data handmade.models handmade.train"
    code = (
        "import sys; from handmade.cli.app import application; "
        "application()(['--help'], standalone_mode=False); "
        f"print('loaded', [name for name in {heavy.split()!r} if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "loaded []"


@pytest.mark.slow
def test_a_command_loads_no_other_and_the_judge_waits_for_no_numpy():
    code = (
        "import sys; from handmade.cli.app import application; application(['check']); "
        "import handmade.workshop.judging.sandbox; "  # it starts the process that loads NumPy, too, side by side
        "print([name for name in ('handmade.cli.train', 'handmade.cli.plan', 'numpy') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


@pytest.mark.slow
def test_the_module_is_the_program():
    ran = subprocess.run([sys.executable, "-m", "handmade", "nothing"], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "No such command 'nothing'" in ran.stderr


def raising(error: BaseException, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(program, "application", fail)
    monkeypatch.setattr(sys, "argv", ["handmade", "models"])


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (InputError("that is no model."), "handmade: that is no model.\n"),
        (PermissionError(13, "Permission denied", "/a/file"), "handmade: /a/file: Permission denied.\n"),
    ],
)
def test_what_a_person_gave_wrongly_is_one_sentence(monkeypatch, capsys, error, message):
    raising(error, monkeypatch)
    with pytest.raises(SystemExit, match="2"):
        main()
    assert capsys.readouterr() == ("", message)


@pytest.mark.parametrize("error", [ValueError("a bug"), OSError("without a file")])
def test_a_bug_keeps_its_traceback(monkeypatch, error):
    raising(error, monkeypatch)
    with pytest.raises(type(error)) as caught:
        main()
    assert caught.value is error


def test_the_version(handmade):
    ran = handmade("--version")
    assert (ran.code, ran.out) == (0, f"handmade {__version__}\n")
    assert "--version" in handmade("--help").out


def test_news_come_first_after_an_update(handmade, tmp_path, monkeypatch):
    (tmp_path / "runs" / "old").mkdir(parents=True)
    (tmp_path / "runs" / "old" / "config.json").write_text('{"handmade": "0.1.0"}')
    monkeypatch.chdir(tmp_path)
    said = handmade().out.splitlines()
    assert said[0].startswith("New since handmade 0.1.0")
    assert any("handmade start" in line for line in said)


@pytest.mark.slow
def test_ctrl_c_at_any_moment_ends_without_a_traceback(tmp_path):
    program = "import sys; from handmade.cli import main; print('begun', flush=True); main()"
    codes = set()
    for moment in np.linspace(0, 0.5, 8):
        running = subprocess.Popen(
            [sys.executable, "-c", program, "models", "resnet20"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        assert running.stdout is not None
        assert running.stdout.readline() == "begun\n"
        time.sleep(moment)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
        assert "Traceback" not in said
        codes.add(running.returncode)
    assert codes <= {0, 130, -signal.SIGINT}
    assert 130 in codes
