"""The rules that keep others away. Each test names the rule, and fails without it."""

import gzip
import io
import os
import random
import re
import shutil
import socket
import threading
import time

import numpy as np
import pytest

from handmade.errors import InputError
from handmade.web import about, images
from handmade.web import models as models_module
from handmade.web import server as server_module
from handmade.web.bench import Bench
from handmade.web.frames import Answer
from handmade.web.guard import POLICY
from handmade.web.linking import STATIC
from handmade.web.models import Models
from handmade.web.observatory import Observatory
from handmade.web.questions import LARGEST, LARGEST_IMAGE
from handmade.web.server import loopback, new_token
from tests.web.conftest import running

QUESTION = {"q": [[1, 0]], "k": [[1, 0]], "v": [[1, 0]]}


def test_a_question_from_our_own_page_is_answered(server):
    status, headers, body = server.request("/api/hand", QUESTION)
    assert (status, headers["content-type"], headers["cache-control"]) == (
        200,
        "application/vnd.safetensors",
        "no-store",
    )
    assert b"attention_weights" in body


def test_nothing_that_is_sent_waits_for_the_browser_to_confirm_the_headers():
    sockets = loopback(0)
    try:
        with socket.create_connection(sockets[0].getsockname(), timeout=5):
            connection, _ = sockets[0].accept()
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            connection.close()
    finally:
        for one in sockets:
            one.close()


def test_it_listens_on_this_machine_only():
    sockets = loopback(0)
    try:
        addresses = {one.getsockname()[0] for one in sockets}
        assert "127.0.0.1" in addresses
        assert addresses <= {"127.0.0.1", "::1"}
        port = sockets[0].getsockname()[1]
        assert {one.getsockname()[1] for one in sockets} == {port}
        with pytest.raises(ConnectionRefusedError):  # bound to all addresses it would be let in
            socket.create_connection(("127.0.0.2", port), timeout=5)
        with pytest.raises(InputError, match="port"):
            loopback(port)
    finally:
        for one in sockets:
            one.close()


@pytest.mark.parametrize("path", ["/", "/hand", "/static/page.js", "/api/hand"])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil:{port}", None]
)
def test_a_foreign_name_bent_to_this_machine_is_refused(server, path, host):
    host = host and host.format(port=server.port)
    method, body = ("POST", QUESTION) if path.startswith("/api/") else ("GET", None)
    if host is None:
        body = None  # h11 refuses a request without a Host by itself, and closes while a body may still be coming
    status, _, content = server.request(path, body, method, host=host)
    assert status in (400, 421)
    assert b"safetensors" not in content
    assert b"<html" not in content


@pytest.mark.parametrize("name", ["localhost", "[::1]"])
def test_the_other_names_of_this_machine_are_ours(server, name):
    status, _, _ = server.request("/hand", None, "GET", host=f"{name}:{server.port}")
    assert status == 200


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "http://127.0.0.1:1", "https://127.0.0.1:{port}"]
)
def test_another_origin_may_not_ask(server, origin):
    status, _, _ = server.request("/api/hand", QUESTION, origin=origin and origin.format(port=server.port))
    assert status == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_may_open_a_page_and_nothing_else(server, site):
    assert server.request("/hand", None, "GET", sec_fetch_site=site)[0] == 200
    assert server.request("/static/page.js", None, "GET", sec_fetch_site=site)[0] == 403
    assert server.request("/api/hand", QUESTION, sec_fetch_site=site)[0] == 403


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Basic {token}",
        "{token}",
        "bearer {token}",
        "Bearer {token}x",
        "Bearer \xff",
    ],
)
def test_nothing_is_told_without_the_token(server, given):
    given = given and given.format(token=server.token)
    status, _, body = server.request("/api/hand", QUESTION, authorization=given)
    assert status == 401
    assert b"handmade look" in body


def test_a_cookie_or_a_query_does_not_stand_for_the_token(server):
    path = f"/api/hand?token={server.token}"
    assert server.request(path, QUESTION, authorization=None, cookie=f"token={server.token}")[0] == 401


def test_reading_changes_and_tells_nothing(server):
    for path in ("/api/hand", "/api/about", "/api/verdict", "/api/image", "/api/saved"):
        assert server.request(path, None, "GET")[0] == 405
        assert server.request(path, None, "GET", authorization=None)[0] == 401


def test_of_many_forged_requests_none_gets_data(server):
    draw = random.Random(0)
    own = f"127.0.0.1:{server.port}"
    for _ in range(200):
        headers = {
            "host": draw.choice([own, "evil.example", f"localhost:{server.port}", "127.0.0.1:80"]),
            "origin": draw.choice([None, f"http://{own}", "null", "http://evil.example", f"http://{own}.evil.example"]),
            "sec_fetch_site": draw.choice([None, "same-origin", "same-site", "cross-site", "none"]),
            "authorization": draw.choice([None, "Bearer ", f"Bearer {new_token()}", f"Bearer {server.token[:-1]}"]),
            "cookie": draw.choice([None, f"token={server.token}"]),
        }
        status, _, body = server.request("/api/hand", QUESTION, **headers)
        assert status in (401, 403, 421), headers
        assert b"attention_weights" not in body


def test_a_header_that_comes_twice_is_refused(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as one:
        lines = [
            "GET /static/page.js HTTP/1.1",
            f"Host: 127.0.0.1:{server.port}",
            "Sec-Fetch-Site: cross-site",
            "Sec-Fetch-Site: same-origin",
            "Connection: close",
        ]
        one.sendall("\r\n".join([*lines, "", ""]).encode())
        assert one.recv(4096).startswith(b"HTTP/1.1 400")


def test_every_answer_forbids_what_is_not_ours(server):
    for path, method in (("/hand", "GET"), ("/static/page.js", "GET"), ("/nothing", "GET"), ("/api/hand", "POST")):
        for host in (None, "evil.example"):
            more = {} if host is None else {"host": host}
            _, headers, _ = server.request(path, None if method == "GET" else QUESTION, method, **more)
            assert headers["content-security-policy"] == POLICY
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
            assert "access-control-allow-origin" not in headers
            assert "set-cookie" not in headers
            assert "server" not in headers
    for forbidden in ("unsafe-inline", "unsafe-eval", "*", "http:", "https:"):
        assert forbidden not in POLICY


def test_no_page_has_script_or_style_written_into_it(server):
    _, _, body = server.request("/hand", None, "GET")
    assert not re.search(rb"<style|\sstyle=|\son\w+=|<script(?![^>]*\bsrc=)", body)


def test_there_is_no_socket(server):
    status, _, _ = server.request(
        "/api/hand",
        None,
        "GET",
        upgrade="websocket",
        connection="Upgrade",
        sec_websocket_key="x",
        sec_websocket_version="13",
    )
    assert status != 101


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/static/..%2fserver.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/..\\server.py",
        "/static/lib/../../guard.py",
        "/static/vendor/VERSIONS",
        "/static/page.html",
        "/static/",
    ],
)
def test_only_the_pages_own_files_are_served(server, path):
    assert server.request(path, None, "GET")[0] == 404


def test_a_module_outside_is_not_served_either(server, tmp_path):
    outside = tmp_path / "outside.js"
    outside.write_text("export default 1;")
    up = "../" * len(STATIC.parts)
    for path in (f"/static/{up}{outside}", f"/static/{outside}", f"/static/{up.replace('/', '%2f')}{outside}"):
        assert server.request(path.replace("//", "/"), None, "GET")[0] == 404
        assert server.request(path, None, "GET")[0] == 404


def test_what_has_not_changed_is_not_sent_again(server):
    _, headers, _ = server.request("/static/page.js", None, "GET")
    assert headers["cache-control"] == "no-cache"
    assert server.request("/static/page.js", None, "GET", if_none_match=headers["etag"])[0] == 304
    assert server.request("/static/page.js", None, "GET", if_none_match='"other"')[0] == 200


def test_modules_and_styles_are_sent_compressed_to_who_can_read_that(server):
    _, headers, plain = server.request("/static/style.css", None, "GET")
    assert "content-encoding" not in headers
    _, headers, packed = server.request("/static/style.css", None, "GET", accept_encoding="gzip, br")
    assert headers["content-encoding"] == "gzip"
    assert headers["vary"] == "accept-encoding"
    assert gzip.decompress(packed) == plain
    assert len(packed) < len(plain) / 2
    _, headers, _ = server.request("/static/fonts/inter.woff2", None, "GET", accept_encoding="gzip")
    assert "content-encoding" not in headers  # it is compressed already


def test_what_is_too_large_is_not_read(server):
    status, _, body = server.request("/api/hand", b" " * (LARGEST + 1))
    assert (status, b"65,536" in body) == (413, True)
    assert server.request("/api/image", b" " * (LARGEST_IMAGE + 1))[0] == 413


def test_no_path_comes_from_the_browser(server, observatory):
    for name in ("/etc", "../runs/gpt-1", "runs/../runs/gpt-1", "handmade-workshop"):
        with pytest.raises(InputError, match="no model"), observatory.models.opened(name):
            pass
        status, _, body = server.request("/api/verdict", {"exercise": name})
        assert (status, b"no exercise" in body) == (422, True)


def test_a_few_questions_wait_and_the_others_are_sent_back(observatory, monkeypatch):
    go = threading.Event()
    wait = lambda content, observatory: go.wait(20) and Answer({})
    monkeypatch.setattr(about, "told", wait)
    most = server_module.AT_ONCE + server_module.WAITING
    with running(observatory) as server:
        statuses: list[int] = []
        ask = lambda: statuses.append(server.request("/api/about", {})[0])
        threads = [threading.Thread(target=ask) for _ in range(most + 3)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 10
        while len(statuses) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert statuses == [429] * 3
        go.set()
        for thread in threads:
            thread.join(20)
        assert sorted(statuses) == [200] * most + [429] * 3


@pytest.mark.slow
def test_a_question_that_takes_too_long_is_given_up_and_its_model_opened_anew(folder, monkeypatch):
    models, go = Models(folder), threading.Event()
    observatory = Observatory(models, Bench(None))

    def stuck(content, observatory):
        with models.opened("runs/gpt-1"):
            go.wait(20)
        return Answer({})

    monkeypatch.setattr(about, "told", stuck)
    with running(observatory, seconds=0.3) as server:
        with models.opened("runs/gpt-1") as before:
            pass
        status, _, body = server.request("/api/about", {})
        assert (status, b"0.3 seconds" in body) == (503, True)
        with models.opened("runs/gpt-1") as after:  # and does not wait for the other
            assert after is not before
        go.set()


def test_a_model_that_opens_keeps_nobody_and_one_written_meanwhile_is_opened_again(folder, tmp_path, monkeypatch):
    shutil.copytree(folder / "runs" / "gpt-1", tmp_path / "runs" / "gpt-1")
    models, opens, go = Models(tmp_path), threading.Event(), threading.Event()
    own, found = models_module.open_model, []

    def slowly(*given):
        opens.set()
        assert go.wait(20)
        return own(*given)

    def ask():
        with models.opened("runs/gpt-1") as used:
            found.append(used)

    monkeypatch.setattr(models_module, "open_model", slowly)
    thread = threading.Thread(target=ask)
    thread.start()
    assert opens.wait(20)
    before = time.monotonic()
    models.forget_busy()  # the loop of events does this
    assert time.monotonic() - before < 5
    os.utime(tmp_path / "runs" / "gpt-1" / "model.safetensors", ns=(1, 1))
    go.set()
    thread.join(20)
    ask()
    ask()
    assert found[0] is not found[1]
    assert found[1] is found[2]


@pytest.mark.slow
def test_questions_that_are_given_up_close_nothing_and_keep_nothing(observatory, monkeypatch):
    go = threading.Event()
    monkeypatch.setattr(about, "told", lambda content, _: go.wait(60) and Answer({}))
    most = server_module.AT_ONCE + server_module.WAITING
    try:
        with running(observatory, seconds=0.05) as server:
            assert [server.request("/api/about", {})[0] for _ in range(most)] == [503] * most
            assert server.request("/api/hand", QUESTION)[0] == 429  # so many threads still run
            go.set()
            deadline, status = time.monotonic() + 10, 429
            while status == 429 and time.monotonic() < deadline:
                status = server.request("/api/about", {})[0]
            assert status == 200
            go.clear()
            assert server.request("/api/about", {})[0] == 503
            before = time.monotonic()
        assert time.monotonic() - before < 5  # its thread does not keep the server
    finally:
        go.set()


@pytest.mark.slow
def test_a_job_at_work_does_not_keep_the_end():
    bench = Bench(None)
    before = time.monotonic()
    with bench._lock:
        bench.close()
    assert time.monotonic() - before < 5


def test_an_error_of_ours_is_said_and_the_server_lives(observatory, monkeypatch, capsys):
    monkeypatch.setattr(about, "told", lambda content, observatory: 1 / 0)
    with running(observatory) as server:
        status, _, body = server.request("/api/about", {})
        assert (status, b"its mistake" in body) == (500, True)
        assert server.request("/api/hand", QUESTION)[0] == 200
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_images_are_kept_in_memory_the_newest_only(tmp_path):
    from PIL import Image

    kept = images.Images()
    for shade in range(images.KEPT + 2):
        file = io.BytesIO()
        Image.fromarray(np.full((2, 3), shade, np.uint8)).save(file, "PNG")
        number = kept.add(file.getvalue())
    assert kept.image(number).shape == (3, 2, 3)
    assert (kept.image(number) == shade).all()
    for gone in (1, 2, 99):
        with pytest.raises(InputError, match="drop one"):
            kept.image(gone)
    for content in (b"", b"no image", file.getvalue()[:40]):
        with pytest.raises(InputError, match="image"):
            kept.add(content)


def test_of_a_large_folder_the_first_image_of_each_folder_comes_first(tmp_path):
    for folder, count in (("cat", 5001), ("ship", 2)):
        (tmp_path / folder).mkdir()
        for number in range(count):
            (tmp_path / folder / f"{number:04}.png").touch()
    before = time.process_time()
    found = [path.relative_to(tmp_path).as_posix() for path in images.images_at(tmp_path)]
    assert time.process_time() - before < 3  # counting anew for each image took a minute
    assert found[:5] == ["cat/0000.png", "ship/0000.png", "cat/0001.png", "ship/0001.png", "cat/0002.png"]
    assert len(found) == images.MOST_GIVEN


def test_images_are_kept_as_long_as_they_are_not_too_much_together(monkeypatch):
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (10, 10)).save(file, "PNG")
    monkeypatch.setattr(images, "KEPT_BYTES", 700)  # two of 300 bytes
    kept = images.Images()
    for _ in range(3):
        kept.add(file.getvalue())
    assert kept.image(2).nbytes + kept.image(3).nbytes == 600
    with pytest.raises(InputError, match="drop one"):
        kept.image(1)
    monkeypatch.setattr(images, "KEPT_BYTES", 1)
    assert kept.image(kept.add(file.getvalue())).nbytes == 300


@pytest.mark.slow
def test_a_question_that_does_not_arrive_is_given_up_and_counted(observatory):
    most = server_module.AT_ONCE + server_module.WAITING
    with running(observatory, seconds=1.5) as server:
        head = [
            "POST /api/about HTTP/1.1",
            f"Host: 127.0.0.1:{server.port}",
            f"Origin: {server.url}",
            f"Authorization: Bearer {server.token}",
            "Content-Length: 10",
        ]
        slow = [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(most)]
        try:
            for one in slow:
                one.sendall("\r\n".join([*head, "", "{"]).encode())
            deadline, status = time.monotonic() + 1.3, 200
            while status == 200 and time.monotonic() < deadline:
                status = server.request("/api/about", {})[0]
            assert status == 429
            assert all(one.recv(4096).startswith(b"HTTP/1.1 408") for one in slow)
        finally:
            for one in slow:
                one.close()
        assert server.request("/api/about", {})[0] == 200


def test_the_token_is_random_and_long():
    assert len({new_token() for _ in range(50)}) == 50
    assert len(new_token()) == 32  # 192 bits in letters of six bits
