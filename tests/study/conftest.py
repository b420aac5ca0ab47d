"""A learner's folder, and time that stands where a test puts it."""

from datetime import timedelta
from pathlib import Path

import pytest

from handmade.study.journal import NAME, Journal
from tests.support.studying import MORNING


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    """No test reads or writes the user's own journal."""
    folder = tmp_path / "home"
    monkeypatch.setenv("HANDMADE_STUDY", str(folder))
    return folder


@pytest.fixture
def journal(tmp_path) -> Journal:
    return Journal(tmp_path / "study" / NAME, said=lambda text: pytest.fail(text))


@pytest.fixture
def rate(journal):
    """Writes a review: rate("resnet-why", 3, days=2)."""

    def write(card: str, rating: int, **after: float):
        return journal.append("review", MORNING + timedelta(**after), card=card, rating=rating, seconds=5, where="test")

    return write
