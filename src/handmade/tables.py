"""Tables as plain text, which stay whole in a pipe."""

from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns as wide as their widest cell; numbers to the right, with thousands marked, text to the left."""
    cells = [list(header), *(list(map(cell_text, row)) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    numeric = [bool(rows) and all(isinstance(row[column], int) for row in rows) for column in range(len(header))]
    lines = [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in cells
    ]
    return "\n".join(lines)


def cell_text(cell: object) -> str:
    """A cell as it is written: of numbers, the thousands marked."""
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
