"""What a run leaves behind: a table on screen, a CSV per image, a JSON with the machine."""

import argparse
import csv
import json
import math
import os
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.statistics import Row
from saccade.errors import InputError
from saccade.files import atomic_write

Scores = Mapping[tuple[str, str], float]  # (set, method) -> mIoU

LIBRARIES = (
    "torch",
    "numpy",
    "scikit-image",
    "scikit-learn",
    "opencv-contrib-python-headless",
    "PyMaxflow",
)


@dataclass(frozen=True)
class Record:
    """One call: one method with one seed on one image."""

    set: str
    image: str
    method: str
    seed: int
    score: float  # mIoU of this image
    seconds: float


def machine(threads: int) -> dict[str, Any]:
    """Date, processor and versions; no paths and no host name, so that files can be published."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _cpu_name(),
        "cpu_count": os.cpu_count(),
        "cpus_allowed": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "threads": threads,
        "platform": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: _version(name) for name in LIBRARIES},
    }


def settings(args: argparse.Namespace) -> dict[str, Any]:
    """What was asked for and on which machine."""
    return {
        **machine(args.threads),
        "sets": list(args.sets),
        "methods": list(args.methods),
        "seeds": list(args.seeds),
        "limit": args.limit,
        "every": args.every,
    }


def file_stem(machine: dict[str, Any], benchmark: str = "interactive") -> str:
    """Name of the result files, by hardware and torch version."""
    cpu = re.sub(r"[^a-z0-9]+", "-", machine["cpu"].lower()).strip("-")
    return f"{benchmark}-{cpu}-{machine['cpus_allowed']}cpu-torch{machine['torch'] or '-none'}"


def write(
    target: Path,
    machine: dict[str, Any],
    rows: Sequence[Row],
    records: Sequence[Record],
    notes: Sequence[str],
) -> None:
    """Write TARGET.csv (one line per call) and TARGET.json (machine, table, notes)."""
    lines = [asdict(record) for record in records]
    write_csv(target, list(Record.__dataclass_fields__), lines)
    table_rows = [{k: _plain(v) for k, v in asdict(row).items()} for row in rows]
    write_json(target, {"run": machine, "table": table_rows, "notes": list(notes)})


def write_csv(target: Path, fields: Sequence[str], lines: Sequence[Mapping[str, Any]]) -> None:
    """Write TARGET.csv, floats with six decimals."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(Path(f"{target}.csv")) as path, path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fields)
        writer.writeheader()
        for line in lines:
            floats = {k: f"{v:.6f}" for k, v in line.items() if isinstance(v, float)}
            writer.writerow({**line, **floats})


def write_json(target: Path, content: Mapping[str, Any]) -> None:
    """Write TARGET.json."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(Path(f"{target}.json")) as path:
        path.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")


def read_scores(path: Path) -> Scores:
    """The scores of an earlier run from its JSON file, InputError if it is none."""
    try:
        rows = json.loads(path.read_text())["table"]
        return {(row["set"], row["method"]): float(row["score"]) for row in rows}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not the JSON file of an earlier run") from error


def table(rows: Sequence[Row], first: str, before: Scores | None = None) -> str:
    """The aligned table: mIoU in [0, 1], se = standard error; ``before``, scores of another run."""
    if not rows:
        return "no method ran"
    head = [
        "method",
        "set",
        "n",
        "mIoU",
        "se",
        f"minus {first}",
        "se",
        "s",
        "x GrabCut",
        "seeds sd",
    ]
    body = [
        [
            row.method,
            row.set,
            str(row.images),
            _number(row.score, ".3f"),
            _number(row.standard_error, ".3f"),
            _number(row.difference, "+.3f"),
            _number(row.difference_error, ".3f"),
            _number(row.seconds, ".3f"),
            _number(row.to_grabcut, ".2f"),
            _number(row.seed_spread, ".4f"),
        ]
        for row in rows
    ]
    if before is not None:
        head += ["before", "change"]
        for row, line in zip(rows, body, strict=True):
            score = before.get((row.set, row.method), math.nan)
            line += [_number(score, ".3f"), _number(row.score - score, "+.3f")]
    widths = [max(len(line[i]) for line in [head, *body]) for i in range(len(head))]
    lines = []
    for number, line in enumerate([head, *body]):
        if number and (number == 1 or body[number - 1][1] != body[number - 2][1]):
            lines.append("-" * (sum(widths) + 2 * (len(widths) - 1)))
        names = [cell.ljust(width) for cell, width in zip(line[:2], widths[:2], strict=True)]
        numbers = [cell.rjust(width) for cell, width in zip(line[2:], widths[2:], strict=True)]
        lines.append("  ".join(names + numbers))
    return "\n".join(lines)


def _number(value: float, form: str) -> str:
    return "-" if math.isnan(value) else format(value, form)


def _plain(value: Any) -> Any:
    """NaN -> None: JSON has no NaN."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _cpu_name() -> str:
    """The processor's name where the system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine() or "unknown cpu"
