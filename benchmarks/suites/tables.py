"""Write the measured tables of docs/performance.md anew from the result files.

    python benchmarks/tables.py docs/performance.md

A table stands between the lines `<!-- table NAME -->` and `<!-- end -->`; what was measured is read
from --results: performance-*.json, floor-*.json and scaling-*.json of this machine, and from
floor-before-speed-*.json what was before the work on speed. A table whose file is missing stays.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
Content = Mapping[str, Any]
TABLE = re.compile(r"(<!-- table (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main(argv: Sequence[str] | None = None) -> int:
    """Rewrite the page; returns the exit code."""
    parser = argparse.ArgumentParser(prog="tables.py", description=str(__doc__).split("\n\n")[0])
    parser.add_argument("page", type=Path, help="docs/performance.md")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    args = parser.parse_args(argv)
    for folder in (HERE.parent, HERE.parent / "src"):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    from benchmarks import report
    from saccade.files import atomic_write

    machine = report.machine(1)

    def read(name: str) -> Content | None:
        path = args.results / f"{report.file_stem(machine, name)}.json"
        return json.loads(path.read_text()) if path.is_file() else None

    text = filled(args.page.read_text(), read)
    with atomic_write(args.page) as path:
        path.write_text(text)
    return 0


def filled(page: str, read: Callable[[str], Content | None]) -> str:
    """The page with its tables written anew; ``read`` gives a result file's content by name."""

    def replace(match: re.Match[str]) -> str:
        table = _table(match[2], read)
        return match[0] if table is None else f"{match[1]}{table}\n{match[3]}"

    return TABLE.sub(replace, page)


def checks(performance: Content) -> str:
    """Every check with its bound."""
    rows = []
    for check in performance["checks"]:
        unit, bound = check["unit"], check["bound"]
        value = f"{_short(check['value'])} {unit}".strip()
        kept = " **not kept**" if check["verdict"] == "FAIL" else ""
        rows.append(
            [check["name"], value + kept, "" if bound is None else f"{_short(bound)} {unit}"]
        )
    return markdown(["", "measured", "at most"], rows)


def floor(now: Content, before: Content, name: str) -> str:
    """The stages of one set: the least, before, now, and what is predicted for a GPU."""
    cpu, gpu = now["cpu"], now["gpu"]
    earlier = {row["stage"]: row for row in before[name]}
    nothing = {"seconds": 0.0, "calls": 0}
    numbers = []
    for row in now[name]:
        old = earlier.get(row["stage"], nothing)
        written = (row["written_operations"], row["written_bytes"], row["calls"])
        numbers.append(
            [
                row["operations"] / 1e6,
                row["bytes"] / 1e6,
                _ms(cpu, row["operations"], row["bytes"], 0),
                1e3 * old["seconds"],
                1e3 * row["seconds"],
                old["calls"],
                row["calls"],
                _ms(gpu, row["operations"], row["bytes"], 1),
                _ms(gpu, *written),
            ]
        )
    sums = [sum(column) for column in zip(*numbers, strict=True)]
    rows = [
        [row["stage"], *map(_short, line)] for row, line in zip(now[name], numbers, strict=True)
    ]
    rows.append(["**sum**", *map(_short, sums)])
    head = ["stage", "Mop", "MB", "least, ms", "before, ms", "now, ms", "calls before", "calls now"]
    return markdown([*head, "H200 least, ms", "H200 as written, ms"], rows)


def growth(scaling: Content, axis: str) -> str:
    """Seconds of each method over one axis."""
    points = [p for p in scaling["points"] if p["axis"] == axis]
    sizes = sorted({p["size"] for p in points})
    rows = []
    for method in dict.fromkeys(p["method"] for p in points):
        seconds = {p["size"]: p["seconds"] for p in points if p["method"] == method}
        rows.append([method, *(_short(seconds[s]) if s in seconds else "" for s in sizes)])
    return markdown([axis, *(f"{size:g}" for size in sizes)], rows)


def scores(scaling: Content) -> str:
    """Mean IoU of each method over the pixels."""
    points = [p for p in scaling["points"] if p["axis"] == "megapixels"]
    sizes = sorted({p["size"] for p in points})
    rows = []
    for method in dict.fromkeys(p["method"] for p in points):
        means = {
            p["size"]: sum(p["scores"]) / len(p["scores"]) for p in points if p["method"] == method
        }
        rows.append([method, *(f"{means[s]:.3f}" if s in means else "" for s in sizes)])
    return markdown(["mIoU at megapixels", *(f"{size:g}" for size in sizes)], rows)


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.strip() for cell in line) + " |" for line in lines)


def _table(name: str, read: Callable[[str], Content | None]) -> str | None:
    if name == "checks":
        found = read("performance")
        return None if found is None else checks(found)
    if name.startswith("floor-"):
        now, before = read("floor"), read("floor-before-speed")
        return None if now is None or before is None else floor(now, before, name[6:])
    found = read("scaling")
    if found is None:
        return None
    return scores(found) if name == "scores" else growth(found, name)


def _ms(peaks: Content, operations: float, moved: float, calls: int) -> float:
    slowest = max(operations / peaks["operations"], moved / peaks["bytes"], calls * peaks["call"])
    return 1e3 * slowest


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())
