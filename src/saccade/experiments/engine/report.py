"""What all reports share: tables in Markdown, JSON, the machine, and whether an order holds."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from math import isnan
from pathlib import Path
from typing import Any

from scipy.special import stdtrit

from saccade.files import atomic_write
from saccade.strict_json import json_text


@dataclass(frozen=True)
class Report:
    """The result of an experiment.

    Attributes:
        text: the report, as Markdown.
        files: the files it was written to.
        failed: what could not be measured -> why, on one line.
        interruption: what to tell the user if Ctrl-C ended the work early; "" if it is complete.
    """

    text: str
    files: tuple[Path, ...]
    failed: Mapping[str, str] = field(default_factory=dict)
    interruption: str = ""


def verdict(difference: float, error: float, count: int, *, of: str) -> str:
    """Whether an order that a paper claims holds, by Student's t at 95 %, two-sided.

    Args:
        difference: mean of what should be better minus what should be worse.
        error: its standard error.
        count: number of pairs that the mean is of.
        of: what is counted, "image" or "seed".

    Returns:
        "holds", "reversed", "within noise (...)", "one image (...)" or "not measured"; in brackets
        is the sign of the difference.

    Example:
        >>> verdict(2.0, 0.5, 20, of="image"), verdict(-0.1, 0.5, 20, of="image")
        ('holds', 'within noise (reversed)')
    """
    if not count:
        return "not measured"
    sign = "same sign" if difference > 0 else "reversed"
    if count < 2:
        return f"one {of} ({sign})"
    if abs(difference) <= float(stdtrit(count - 1, 0.975)) * error:
        return f"within noise ({sign})"
    return "holds" if difference > 0 else "reversed"


def markdown_table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A Markdown table with columns of even width; the first is flush left, the others right."""
    widths = [max(len(line[i]) for line in (head, *body)) for i in range(len(head))]
    rule = ["-" * widths[0], *("-" * (max(2, width) - 1) + ":" for width in widths[1:])]
    widths = [max(2, width) for width in widths]
    lines = []
    for line in (head, rule, *body):
        cells = [
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def format_number(value: float | None, form: str) -> str:
    """The number, or nothing where there is none."""
    return "" if value is None or isnan(value) else format(value, form)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file."""
    with atomic_write(path) as temporary:
        temporary.write_text(json_text(content, indent=2) + "\n", encoding="utf-8")


def machine() -> dict[str, str]:
    """Processor and versions, no paths and no host name."""
    cpu = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        cpu = next(
            (li.split(":", 1)[1].strip() for li in lines if li.startswith("model name")), cpu
        )
    except OSError:  # another system than Linux
        pass
    return {"cpu": cpu, "python": platform.python_version(), "torch": version("torch")}
