"""The program's help on narrow terminals, for which the usual one has no room."""

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from typer.core import TyperCommand, TyperGroup

from handmade.terminal import columns

ENOUGH = 52
"""Columns from which on the usual help fits."""


class NarrowCommand(TyperCommand):
    """A command whose help fits the terminal."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        super().format_help(ctx, _fitting(formatter))


class NarrowGroup(TyperGroup):
    """A program whose help fits the terminal."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        super().format_help(ctx, _fitting(formatter))


def _fitting(formatter: Any) -> Any:
    """On a narrow terminal each meaning stands below its term, not beside it."""
    if sys.stdout.isatty() and columns() < ENOUGH:
        formatter.width = columns() - 1
        formatter.write_dl = partial(_terms_above, formatter)
    return formatter


def _terms_above(formatter: Any, rows: Sequence[tuple[str, str]], *_: Any, **__: Any) -> None:
    for term, meaning in rows:
        formatter.write(f"  {term}\n")
        with formatter.indentation():
            formatter.write_text(meaning)
