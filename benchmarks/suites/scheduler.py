"""A million items that cost nothing: items a second and memory of the program that hands them out.

    python -m benchmarks.scheduler --items 1000000

Engines get paths and a worker that does nothing with them: in this process, in two others, in two
actors of Ray. `segment` is the whole of `saccade segment --model` over a folder of that many image
files (links to a few) and an empty output folder, with such a worker in this process: the folder is
listed, outputs are planned and compared with what is there. Each part is a process of its own;
memory is the largest resident set of that process alone, without Ray's and the workers'.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import command_line

_PARTS = ("here", "jobs", "ray", "segment")
_LINKS = 30_000
"""Names of one file; some file systems allow no more than 65,000."""


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("scheduler", __doc__)
    add = parser.add_argument
    add("--items", type=command_line.whole_numbers, default=(10_000, 1_000_000))
    add("--parts", type=command_line.names_of(_PARTS), default=_PARTS, help=", ".join(_PARTS))
    add("--only", choices=_PARTS, help=argparse.SUPPRESS)  # a process of one part
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Run each part in a process of its own, and write the file after each."""
    if args.only:
        [count] = args.items
        print(json.dumps(_measured(args.only, count)))
        return
    from benchmarks.harness import results

    settings = results.machine(args.threads)
    path = results.result_path(args, settings)
    rows: list[dict[str, Any]] = []
    for part in args.parts:
        for count in args.items:
            order = [sys.executable, "-W", "ignore", "-m", "benchmarks.scheduler"]
            order += ["--only", part, "--items", str(count)]
            before = os.getloadavg()[0]
            done = subprocess.run(order, check=True, capture_output=True, text=True)
            rows.append(json.loads(done.stdout.splitlines()[-1]))
            rows[-1] |= {"load_average_before": before, "load_average_after": os.getloadavg()[0]}
            print(", ".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
            results.write_results(path, {"run": settings, "table": rows})
    results.report_written(path, args)


def _measured(part: str, count: int) -> dict[str, Any]:
    """Seconds, items a second after the first, and memory, of one part in this process."""
    with tempfile.TemporaryDirectory() as name:
        work = _segment(Path(name), count) if part == "segment" else _engine(part, count)
        rss, began = _peak_mb(), time.perf_counter()
        first = work()
        ended = time.perf_counter()
    return {
        "part": part,
        "items": count,
        "seconds": ended - began,
        "seconds_to_first": first - began,
        "items_a_second": (count - 1) / (ended - first),
        "rss_before_mb": rss,
        "rss_peak_mb": _peak_mb(),
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def noop() -> Callable[..., str]:
    """A worker whose record is the name of the item."""
    return lambda item, report: str(item.name)


def _engine(part: str, count: int) -> Callable[[], float]:
    from benchmarks.suites import scheduler  # by a name that workers can import
    from saccade.batch import InThisProcess, LocalProcesses, OnRay, run_batch

    executor = {"here": InThisProcess(), "jobs": LocalProcesses(2), "ray": OnRay(2)}[part]

    def work() -> float:
        times: list[float] = []
        items = [Path(f"/images/{number:08}.png") for number in range(count)]
        outcome = run_batch(
            items,
            scheduler.noop,
            executor=executor,
            on_record=lambda item, record: times or times.append(time.perf_counter()),
        )
        assert len(outcome.done) == count
        return times[0]

    return work


def _segment(folder: Path, count: int) -> Callable[[], float]:
    from PIL import Image

    from saccade.cli import segment_files
    from saccade.cli.app import app

    images = folder / "images"
    images.mkdir()
    for number in range(count):
        if number % _LINKS == 0:
            Image.new("RGB", (64, 64)).save(folder / "one.png")
            os.rename(folder / "one.png", source := folder / f"{number}.png")
        os.link(source, images / f"{number:08}.png")
    (folder / "kind.saccade").write_text("not read", encoding="utf-8")
    times: list[float] = []

    def make_worker(*_: object) -> Callable[..., segment_files.Done]:
        times.append(time.perf_counter())
        return lambda job, report: segment_files.Done(0.0)

    segment_files._make_worker = make_worker
    order = ["segment", str(images), "--model", str(folder / "kind.saccade"), "--no-overlay"]

    def work() -> float:
        try:
            app([*order, "--quiet", "-o", str(folder / "out")])
        except SystemExit as ended:
            if ended.code:
                raise
        return times[0]

    return work


if __name__ == "__main__":
    sys.exit(main())
