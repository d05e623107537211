"""Bounds that a measurement has to keep, printed beside it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Check:
    """One measured number and, where there is one, the most it may be."""

    name: str
    value: float
    bound: float | None = None  # None: reported only
    unit: str = ""

    @property
    def verdict(self) -> str:
        """ "pass", "FAIL", or nothing where no bound is set."""
        if self.bound is None:
            return ""
        return "pass" if self.value <= self.bound else "FAIL"  # NaN fails


def table(checks: Sequence[Check]) -> str:
    """The aligned table of values, bounds and verdicts."""
    head = ["check", "measured", "at most", ""]
    body = [[c.name, _amount(c.value, c.unit), _bound(c), c.verdict] for c in checks]
    widths = [max(len(line[i]) for line in [head, *body]) for i in range(len(head))]
    lines = [
        f"{name.ljust(widths[0])}  {value.rjust(widths[1])}  {bound.rjust(widths[2])}  {verdict}"
        for name, value, bound, verdict in [head, *body]
    ]
    lines.insert(1, "-" * (sum(widths) + 6))
    return "\n".join(line.rstrip() for line in lines)


def as_rows(checks: Sequence[Check]) -> list[dict[str, Any]]:
    """For JSON."""
    return [{**asdict(check), "verdict": check.verdict} for check in checks]


def _bound(check: Check) -> str:
    return "-" if check.bound is None else _amount(check.bound, check.unit)


def _amount(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{number} {unit}".strip()
