"""Folders that go with the server: nobody else reads them, and none is left for long."""

import os
import subprocess
import sys
import tempfile

from handmade.web.private import private_folder


def test_folders_of_servers_that_were_killed_are_removed_at_the_next_start(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = tmp_path / f"handmade-look-{ended.pid}-abc"
    others = [tmp_path / f"handmade-look-{os.getppid()}-abc", tmp_path / "handmade-look-mine", tmp_path / "other"]
    for folder in (left, *others):
        folder.mkdir()
        (folder / "open.html").touch()
    with private_folder() as made:
        assert os.stat(made).st_mode & 0o777 == 0o700
        assert not left.exists()
        assert all((folder / "open.html").exists() for folder in others)
        with private_folder() as second:  # another one of this process
            assert os.path.exists(made)
    assert not os.path.exists(made)
    assert not os.path.exists(second)
