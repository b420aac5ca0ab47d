"""The time at which tests of the study room begin."""

from datetime import UTC, datetime

MORNING = datetime(2026, 12, 1, 8, 30, tzinfo=UTC)
