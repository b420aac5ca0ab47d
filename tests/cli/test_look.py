"""handmade look: it prints its address, answers, and ends with Ctrl-C; nothing of it is loaded before."""

import http.client
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest


def test_the_server_is_loaded_only_when_it_runs():
    code = (
        "import sys, handmade.cli.app, handmade.cli.look; print({'starlette', 'uvicorn', 'numpy'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


@pytest.mark.slow
def test_it_answers_at_the_address_it_prints_and_ends_with_ctrl_c(tmp_path):
    command = [sys.executable, "-m", "handmade", "look", "--no-browser"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        host, _, token = address.removeprefix("http://").partition("/#token=")
        assert len(token) == 32
        connection = http.client.HTTPConnection(host, timeout=30)
        connection.request("GET", "/hand")
        assert connection.getresponse().read().startswith(b"<!doctype html>")
        sent = {"Origin": f"http://{host}", "Authorization": f"Bearer {token}"}
        connection.request("POST", "/api/about", "{}", sent)
        assert b"explorers" in connection.getresponse().read()
        connection.close()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in err
    assert token not in out + err  # printed once, and never in a log
    assert process.returncode == 130


@pytest.mark.slow
def test_the_browser_is_given_a_file_that_only_this_user_reads(tmp_path):
    told = tmp_path / "told"
    script = tmp_path / "browser"
    script.write_text(f'#!/bin/sh\nprintf %s "$1" > {told}.new; mv {told}.new {told}\n')
    script.chmod(0o700)
    process = subprocess.Popen(
        [sys.executable, "-m", "handmade", "look"],
        cwd=tmp_path,
        env={**os.environ, "BROWSER": str(script)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        deadline = time.monotonic() + 20
        while not told.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        page = Path(urlsplit(told.read_text()).path)
        assert "token" not in told.read_text()
        assert f"url={address}" in page.read_text()
        assert (page.stat().st_mode & 0o777, page.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        process.terminate()
        process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 128 + signal.SIGTERM
    assert not page.parent.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--weights", "file"], "--weights belongs to a network"),
        (["runs/none"], "holds no run"),
        (["--image", "none"], "holds no images"),
        (["haeds"], "is no page, no run and no network; did you mean 'heads'?"),
        (["nopage"], "The pages are conv, flow,"),
        (["nopage"], "`handmade models` lists the networks."),
    ],
)
def test_what_cannot_be_opened_is_said(handmade, arguments, said):
    ran = handmade("look", "--no-browser", *arguments)
    assert ran.code == 2
    assert said in ran.err


def test_a_file_that_is_there_is_kept_when_the_page_cannot_be_made(handmade, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = Path("page.html")
    page.write_text("mine")
    assert handmade("look", "hand#q=nonsense", "--export", "page.html").code == 2
    assert page.read_text() == "mine"
    assert handmade("look", "hand#mask=causal", "--export", "page.html").code == 0
    assert page.read_text().startswith("<!doctype html>")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert "did you mean 'heads'" in handmade("look", "head", "--export", "page.html").err
