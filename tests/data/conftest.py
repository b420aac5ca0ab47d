import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A user's cache of the test's own."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: tmp_path / "cache" / name)
    return tmp_path / "cache" / "handmade"
