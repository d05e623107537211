"""Aligned tables for the screen."""

import math
from collections.abc import Sequence


def aligned(
    head: Sequence[str], body: Sequence[Sequence[str]], *, left: int = 1, group: int | None = None
) -> str:
    """Columns in line, a rule below the head.

    Args:
        head: names of the columns.
        body: cells of each line.
        left: so many columns are aligned to the left, the others to the right.
        group: a rule also goes wherever this column's cell changes.
    """
    lines = [list(head), *map(list, body)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    text = []
    for number, line in enumerate(lines):
        changed = group is not None and number > 1 and line[group] != lines[number - 1][group]
        if number == 1 or changed:
            text.append(rule)
        cells = [
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        text.append("  ".join(cells).rstrip())
    return "\n".join(text)


def number(value: float, form: str) -> str:
    """A number in a format, or "-" for NaN."""
    return "-" if math.isnan(value) else format(value, form)
