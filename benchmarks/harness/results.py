"""Result files: OUT/MACHINE/NAME.json, and NAME.csv with every single measurement where asked."""

import argparse
import csv
import json
import math
import os
import platform
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from saccade.files import atomic_write

LIBRARIES = (
    "torch",
    "torchvision",
    "numpy",
    "scikit-image",
    "scikit-learn",
    "opencv-contrib-python-headless",
    "PyMaxflow",
)


def machine(threads: int) -> dict[str, Any]:
    """Date, hardware and versions; no paths and no host name, so that files can be published."""
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


def machine_name(run: Mapping[str, Any]) -> str:
    """The folder of a machine's results: "amd-epyc-2cpu", or the name of its ``card``."""
    hardware = run.get("card") or f"{run['cpu']} {run['cpu_count']}cpu"
    return re.sub(r"[^a-z0-9]+", "-", hardware.lower()).strip("-")


def result_path(args: argparse.Namespace, run: Mapping[str, Any]) -> Path:
    """The JSON file of a run with these options on this machine."""
    path: Path = args.out / machine_name(run) / f"{args.name}.json"
    return path


def write_results(
    path: Path, content: Mapping[str, Any], lines: Sequence[Mapping[str, Any]] | None = None
) -> None:
    """Write the JSON file, and beside it the lines as CSV unless they are None; NaN becomes null.

    Call it after every set, so that nothing is lost.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        text = json.dumps(_without_nan(content), indent=2, allow_nan=False)
        temporary.write_text(text + "\n")
    if lines:
        with (
            atomic_write(path.with_suffix(".csv")) as temporary,
            temporary.open("w", newline="") as file,
        ):
            writer = csv.DictWriter(
                file, list(dict.fromkeys(key for line in lines for key in line))
            )
            writer.writeheader()
            writer.writerows({k: _short(v) for k, v in line.items()} for line in lines)


def report_written(path: Path, args: argparse.Namespace) -> None:
    """Say where the results are."""
    print(f"written: {path}" + (" and .csv" if args.csv else ""))


def _short(value: Any) -> Any:
    """Floats with six digits, of which a variance of 1e-5 has as many as a score."""
    return f"{value:.6g}" if isinstance(value, float) else value


def _without_nan(content: Any) -> Any:
    """NaN -> None, at any depth: JSON has no NaN."""
    if isinstance(content, Mapping):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and math.isnan(content) else content


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
