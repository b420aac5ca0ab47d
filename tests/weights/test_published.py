"""The names of published weights, and where their files come from."""

import hashlib
import http.server
import os
import re
import threading
from dataclasses import replace

import pytest

from handmade import weights
from handmade.errors import InputError
from handmade.weights.fetch import fetch, find

CONTENT = b"0123456789" * 5000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A user's cache of the test's own, and nothing in HANDMADE_DATA."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: tmp_path / "cache" / name)
    monkeypatch.delenv("HANDMADE_DATA", raising=False)
    return tmp_path / "cache" / "handmade" / "weights"


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves /whole, /cut (the connection ends early), /wrong (another content) and 404 for the rest."""

    def do_GET(self):
        folder = self.path.split("/")[1]
        if folder not in ("whole", "cut", "wrong"):
            self.send_error(404)
            return
        body = b"x" * len(CONTENT) if folder == "wrong" else CONTENT
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:1000] if folder == "cut" else body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def entry(url: str, sha256: str = SHA256[:8]) -> weights.Published:
    return replace(weights.PUBLISHED["resnet18"], url=url, sha256=sha256)


# ---- names


def test_the_catalogue_says_the_same_thing_everywhere():
    for name, known in weights.PUBLISHED.items():
        assert known.builder == name
        assert re.fullmatch(r"[0-9a-f]{8}|[0-9a-f]{64}", known.sha256)
    assert len({known.url for known in weights.PUBLISHED.values()}) == len(weights.PUBLISHED)


def test_the_catalogue_of_image_classifiers():
    classifiers = {name: known for name, known in weights.PUBLISHED.items() if known.classes}
    for name, known in classifiers.items():
        assert known.file.startswith(name.partition("_bn")[0])
        assert f"-{known.sha256[:8]}." in known.file
        assert known.crop <= known.resize
        assert known.top_5 is None or known.top_1 < known.top_5 < 100
    assert len(classifiers) >= 18  # a card that is lost is noticed; one more is welcome


@pytest.mark.parametrize("name", ["resnet50", "resnet50-0676ba61.pth", "resnet50-0676ba61"])
def test_an_entry_is_found_by_its_name_and_by_its_file(name):
    assert weights.published(name) is weights.PUBLISHED["resnet50"]


def test_an_unknown_name_has_no_entry():
    assert weights.published("resnet51") is None


def test_a_misspelt_name(cache):
    with pytest.raises(InputError, match="no published weights named 'resnet5'; did you mean 'resnet50'"):
        find("resnet5")


def test_a_name_like_no_other(cache):
    with pytest.raises(InputError, match=r"named .unheard-of.\. There are alexnet, .*, g2p"):
        find("unheard-of")


def test_a_path_that_does_not_exist(tmp_path):
    for path in (tmp_path / "model", "model.pth"):
        with pytest.raises(InputError, match="no weights file .*model"):
            find(path)


# ---- on this machine


def test_the_published_resnet20_is_found_by_name(shared_data, monkeypatch):
    monkeypatch.setenv("HANDMADE_DATA", str(shared_data))
    assert find("resnet20") == shared_data / "weights" / "resnet20-12fca82f.th"


def test_folders_of_the_path_list_come_before_the_cache(tmp_path, cache, monkeypatch):
    known = entry("http://127.0.0.1:9/whole/net.pth")
    folders = [tmp_path / "first", tmp_path / "second"]
    monkeypatch.setenv("HANDMADE_DATA", os.pathsep.join(map(str, folders)))
    for folder in [cache, folders[1] / "weights", folders[0] / "weights"]:
        folder.mkdir(parents=True)
        (folder / "net.pth").write_bytes(CONTENT)
        assert fetch(known) == folder / "net.pth"


def test_another_file_of_that_name_is_not_used(cache):
    cache.mkdir(parents=True)
    (cache / "net.pth").write_bytes(CONTENT[1:])
    with pytest.raises(
        InputError, match=r"net\.pth is not the file that resnet18 names: move it away .*expected .{8}\.\.\."
    ):
        fetch(entry("http://127.0.0.1:9/whole/net.pth"))


# ---- by download


@pytest.mark.parametrize("sha256", [SHA256, SHA256[:8]], ids=["whole hash", "its beginning"])
def test_a_download_lands_in_the_cache(sha256, server, cache):
    path = fetch(entry(f"{server}/whole/net.pth", sha256))
    assert path == cache / "net.pth"
    assert path.read_bytes() == CONTENT
    assert os.listdir(cache) == ["net.pth"]


@pytest.mark.parametrize(
    ("folder", "complaint"),
    [
        ("wrong", r"/wrong/net\.pth sent another file, or not all of it \(its SHA-256 is"),
        ("cut", r"/cut/net\.pth broke off in the middle: go online, or fetch it elsewhere and give its path"),
        ("none", r"/none/net\.pth answered 404: go online"),
    ],
)
def test_a_failed_download_leaves_nothing(folder, complaint, server, cache):
    with pytest.raises(InputError, match=complaint) as caught:
        fetch(entry(f"{server}/{folder}/net.pth"))
    assert "\n" not in str(caught.value)
    assert not cache.exists() or os.listdir(cache) == []


def test_no_network(cache):
    with pytest.raises(InputError) as caught:
        fetch(entry("http://127.0.0.1:9/net.pth"))
    assert str(caught.value) == (
        f"net.pth is neither under $HANDMADE_DATA/weights nor in {cache}, and http://127.0.0.1:9/net.pth could not be "
        f"reached: go online, or fetch it elsewhere and give its path"
    )


def test_a_cache_that_cannot_be_written(server, cache):
    cache.parent.mkdir(parents=True)
    cache.write_bytes(b"a file where the folder should be")
    with pytest.raises(InputError, match="cannot write .*weights"):
        fetch(entry(f"{server}/whole/net.pth"))


# ---- the classes


def test_imagenet_classes_in_the_order_of_the_logits():
    classes = weights.imagenet_classes()
    assert len(classes) == len(set(classes)) == 1000
    known = {0: "tench", 1: "goldfish", 207: "golden retriever", 281: "tabby", 388: "giant panda", 999: "toilet tissue"}
    assert {number: classes[number] for number in known} == known
