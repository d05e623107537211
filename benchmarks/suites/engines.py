"""A folder of small images in one process, in two, on Ray, and killed between them: one hash?

    python -m benchmarks.engines ROOT --images 2000

The images are parts of `fields/nuclei-fluo`; `saccade fit` gets three of its images with strokes.
`saccade segment --model` runs in one process, with ``--jobs 2``, and with ``--engine ray --jobs
2``. Then once more, begun with ``--jobs 2``, where a worker and later the program itself are killed
(SIGKILL), gone on with on Ray, where an actor and later the program are killed, and finished with
``--jobs 2``. The hash of each is over the names and bytes of all files of its folder. Exit code 1
if two differ.

Seconds are those of a program from its start to its end; an image's are those between the first
mask and the last, so without the start. The load average beside them says what else ran.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import command_line

_SIDE = 64
_ENGINES = {
    "one process": (),
    "jobs 2": ("--jobs", "2"),
    "ray 2": ("--engine", "ray", "--jobs", "2"),
}
_KILLED = (("jobs 2", ("worker", "program")), ("ray 2", ("worker", "program")), ("jobs 2", ()))
"""Engines one after another, each with what is killed in it."""


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("engines", __doc__)
    command_line.add_root(parser, "fields/")
    add = parser.add_argument
    add("--images", type=command_line.positive, default=2000, help="default %(default)s")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Segment the folder each way, compare, write the file after each."""
    from benchmarks.harness import results
    from benchmarks.suites.interrupted import fit, make_images
    from saccade.errors import InputError

    settings = results.machine(args.threads) | {"images": args.images, "side": _SIDE}
    path = results.result_path(args, settings)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = fit(args.root, folder)
        make_images(args.root, folder / "images", args.images, _SIDE)
        order = [sys.executable, "-m", "saccade.cli", "segment", str(folder / "images")]
        order += ["--model", str(model), "--quiet", "--no-overlay", "-o"]
        for number, way in enumerate((*_ENGINES, "killed")):
            out = folder / str(number)
            before, began = os.getloadavg()[0], time.time()
            kills = list(_kill([*order, str(out)], out, args.images)) if way == "killed" else []
            if way != "killed":
                subprocess.run([*order, str(out), *_ENGINES[way]], check=True, capture_output=True)
            load = {"load_average_before": before, "load_average_after": os.getloadavg()[0]}
            rows.append({"way": way, **_measured(out, began), **load, "kills": kills})
            print(", ".join(f"{key} {value}" for key, value in rows[-1].items() if value != []))
            content = {"run": settings, "table": rows, **_compared(rows)}
            results.write_results(path, content, None)
    results.report_written(path, args)
    if len({row["sha256"] for row in rows}) > 1 or {row["masks"] for row in rows} != {args.images}:
        raise InputError("the results differ")


def _measured(out: Path, began: float) -> dict[str, Any]:
    """Counts, seconds and the hash of a folder of results."""
    ended = time.time()
    masks = sorted(path.stat().st_mtime for path in out.glob("*.png"))
    files, found = hash_of(out)
    return {
        "masks": len(masks),
        "files": files,
        "seconds": ended - began,
        "seconds_to_first": masks[0] - began,
        "seconds_each": (masks[-1] - masks[0]) / max(1, len(masks) - 1),
        "sha256": found,
    }


def hash_of(folder: Path) -> tuple[int, str]:
    """The number of files below a folder, and SHA-256 over their names and bytes."""
    found, count = hashlib.sha256(), 0
    for path in sorted(folder.rglob("*")):
        if path.is_file() and ".part" not in path.name:  # such are what a kill left
            name = path.relative_to(folder).as_posix().encode()
            found.update(name + b"\0" + hashlib.sha256(path.read_bytes()).digest())
            count += 1
    return count, found.hexdigest()


def _compared(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """What two processes gain, and what Ray costs, in seconds an image."""
    each = {row["way"]: row["seconds_each"] for row in rows}
    if "ray 2" not in each:
        return {}
    return {
        "jobs_2_against_1": each["one process"] / each["jobs 2"],
        "ray_overhead_seconds_each": each["ray 2"] - each["jobs 2"],
    }


def _kill(order: Sequence[str], out: Path, images: int) -> Iterator[dict[str, Any]]:
    """Segment with kills, at equal shares of the masks; tells of each."""
    share, count = 0, 1 + sum(len(kills) for _, kills in _KILLED)
    for way, kills in _KILLED:
        process = subprocess.Popen(
            [*order, *_ENGINES[way]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for what in kills:
            share += 1
            while process.poll() is None and _masks(out) < images * share // count:
                time.sleep(0.1)
            killed = _worker_of(process.pid) if what == "worker" else process
            killed.kill()
            yield {"way": way, "killed": what, "masks": _masks(out)}
        if process.wait() != 0 and not kills:
            raise subprocess.CalledProcessError(process.returncode, order, stderr="after the kills")


def _masks(out: Path) -> int:
    return sum(name.endswith(".png") for name in os.listdir(out)) if out.is_dir() else 0


def _worker_of(program: int) -> Any:
    """A process that works on items, of this program."""
    import psutil

    below = psutil.Process(program).children(recursive=True)
    named = [(one, " ".join(one.cmdline())) for one in below]
    return next(
        one for one, name in named if "spawn_main" in name or name.startswith("ray::MapWorker")
    )


if __name__ == "__main__":
    sys.exit(main())
