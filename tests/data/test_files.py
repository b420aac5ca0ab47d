import gzip
import hashlib
import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from handmade import downloading
from handmade.data import files
from handmade.data.files import DataFile, fetch, find
from handmade.errors import InputError

CONTENT = bytes(range(256)) * 1000


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """A server with moods: what it does is in the first part of the path."""

    asked: list[str]
    over: threading.Event

    def do_GET(self):
        self.asked.append(self.path)
        mood = self.path.split("/")[1]
        if mood == "missing":
            self.send_error(404)
            return
        if mood == "silent":
            self.over.wait(10)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        body = {"good": CONTENT, "cut": CONTENT[:100_000], "wrong": CONTENT[::-1]}[mood]
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("HANDMADE_DATA", raising=False)
    Handler.asked, Handler.over = [], threading.Event()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        Handler.over.set()
        running.shutdown()
        thread.join()


def file_at(*urls: str) -> DataFile:
    return DataFile("set/file.bin", sha256(CONTENT), urls)


def everything(folder) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


def test_downloads_once(server, cache):
    file = file_at(f"{server}/good/file.bin")
    path = fetch(file)
    assert path == cache / "set/file.bin"
    assert path.read_bytes() == CONTENT
    assert fetch(file) == path
    assert Handler.asked == ["/good/file.bin"]
    assert everything(cache) == [os.path.join("set", "file.bin")]


@pytest.mark.parametrize(
    ("mood", "reason"),
    [
        ("cut", "broke off in the middle"),
        ("wrong", r"sent another file, or not all of it \(its SHA-256 is .{64}, expected .{64}\)"),
        ("missing", "answered 404"),
        ("silent", "did not answer in time"),
    ],
)
def test_nothing_is_kept_of_a_failed_download(server, cache, monkeypatch, mood, reason):
    monkeypatch.setattr(downloading, "TIMEOUT", 0.2)
    with pytest.raises(InputError, match=rf"set/file.bin is not in .*: 127.0.0.1:\d+ {reason}\. Go online, or put"):
        fetch(file_at(f"{server}/{mood}/file.bin"))
    assert everything(cache) == []


def test_the_next_mirror_is_asked(server, cache):
    moods = ("missing", "cut", "wrong", "good")
    assert fetch(file_at(*(f"{server}/{mood}/file.bin" for mood in moods))).read_bytes() == CONTENT
    assert Handler.asked == [f"/{mood}/file.bin" for mood in moods]


def test_no_network(server, cache):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/file.bin"
        with pytest.raises(InputError, match=r"127.0.0.1:\d+ could not be reached\. Go online"):
            fetch(file_at(url))


def test_every_mirror_has_its_reason(server, cache):
    with pytest.raises(InputError, match=r"answered 404; 127.0.0.1:\d+ broke off in the middle\."):
        fetch(file_at(f"{server}/missing/file.bin", f"{server}/cut/file.bin"))


def test_a_file_without_a_download(cache):
    with pytest.raises(InputError, match=r"could not be downloaded: it has no fixed .* put the file under a folder"):
        fetch(file_at())


def test_a_cache_that_cannot_be_written(server, cache):
    cache.parent.mkdir()
    cache.write_text("in the way")
    with pytest.raises(InputError, match=r"cannot write .*set/file.bin: "):
        fetch(file_at(f"{server}/good/file.bin"))


def test_a_packed_file_has_two_hashes(server, cache):
    file = DataFile("set/file.gz", sha256(b"unpacked"), (f"{server}/good/file.gz",), sha256(CONTENT))
    assert fetch(file).read_bytes() == CONTENT


def test_the_path_list_comes_before_the_cache(cache, tmp_path, monkeypatch):
    file = file_at("http://never.invalid/file.bin")
    first, second = tmp_path / "first", tmp_path / "second"
    monkeypatch.setenv("HANDMADE_DATA", os.pathsep.join(map(str, (tmp_path / "absent", first, second))))
    assert find(file) is None
    for folder in (cache, second, first):
        (folder / "set").mkdir(parents=True)
        (folder / "set/file.bin").write_bytes(CONTENT)
        assert find(file) == fetch(file) == folder / "set/file.bin"


def test_an_unpacked_file_will_do(cache):
    file = DataFile("set/file.gz", sha256(CONTENT), ("http://never.invalid/file.gz",))
    (cache / "set").mkdir(parents=True)
    (cache / "set/file").write_bytes(CONTENT)
    assert find(file) == cache / "set/file"
    (cache / "set/file.gz").write_bytes(gzip.compress(CONTENT))
    assert find(file) == cache / "set/file.gz"


def test_a_packaged_file_is_looked_for_nowhere_else(cache, tmp_path, monkeypatch):
    file = DataFile("set/file.bin", sha256(CONTENT), packaged=True)
    monkeypatch.setattr(files, "PACKAGED", tmp_path / "package")
    (cache / "set").mkdir(parents=True)
    (cache / "set/file.bin").write_bytes(CONTENT)
    assert find(file) is None


def test_other_content_is_refused(cache):
    (cache / "set").mkdir(parents=True)
    (cache / "set/file.bin").write_bytes(CONTENT[1:])
    with pytest.raises(InputError, match=r"file.bin is not the expected file .* move it away"):
        files.read(file_at("http://never.invalid/file.bin"))


def test_a_progress_bar_where_someone_watches(server, cache, monkeypatch, capsys):
    fetch(file_at(f"{server}/good/file.bin"))
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    fetch(DataFile("set/again.bin", sha256(CONTENT), (f"{server}/good/file.bin",)))
    assert "256k/256k" in capsys.readouterr().err


def test_mnist_is_found_under_the_name_that_some_sites_give_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HANDMADE_DATA", str(tmp_path))
    dotted = tmp_path / "mnist" / "train-images.idx3-ubyte"
    dotted.parent.mkdir()
    dotted.write_bytes(b"")
    assert find(DataFile("mnist/train-images-idx3-ubyte.gz", "")) == dotted
