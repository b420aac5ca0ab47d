"""Every test of kernels."""

from tests.support.guarded_memory import guarded_memory  # noqa: F401
