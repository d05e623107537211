"""Write the measured tables of a page anew from the result files.

    python -m benchmarks.tables docs/notes/performance.md

A table stands between the lines `<!-- table NAME -->` and `<!-- end -->`, where NAME is checks
(of performance.json), lower_bound-thin, lower_bound-camvid (of lower_bound.json), megapixels,
classes or scores (of scaling.json). A table whose file is missing stays.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import command_line

Content = Mapping[str, Any]
TABLE = re.compile(r"(<!-- table (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("tables", __doc__)
    parser.add_argument("page", type=Path, help="Markdown file to rewrite")
    parser.add_argument("--machine", help="folder of the results below OUT, default this machine's")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Rewrite the page; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Rewrite the page."""
    from benchmarks.harness import results
    from saccade.files import atomic_write

    machine = args.machine or results.machine_name(results.machine(args.threads))

    def read(name: str) -> Content | None:
        path = args.out / machine / f"{name}.json"
        return json.loads(path.read_text()) if path.is_file() else None

    text = filled(args.page.read_text(), read)
    with atomic_write(args.page) as path:
        path.write_text(text)


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
        verdict = " **not kept**" if check["verdict"] == "FAIL" else ""
        rows.append(
            [check["name"], value + verdict, "" if bound is None else f"{_short(bound)} {unit}"]
        )
    return markdown(["", "measured", "at most"], rows)


def lower_bound(content: Content, name: str) -> str:
    """The stages of one set: the bound, what is measured, and what is predicted for a GPU."""
    cpu, gpu = content["cpu"], content["gpu"]
    lines = [
        [
            row["operations"] / 1e6,
            row["bytes"] / 1e6,
            _ms(cpu, row["operations"], row["bytes"], 0),
            1e3 * row["seconds"],
            row["calls"],
            _ms(gpu, row["operations"], row["bytes"], 1),
            _ms(gpu, row["written_operations"], row["written_bytes"], row["calls"]),
        ]
        for row in content[name]
    ]
    stages = [row["stage"] for row in content[name]]
    sums = [sum(column) for column in zip(*lines, strict=True)]
    rows = [
        [stage, *map(_short, line)]
        for stage, line in zip([*stages, "**sum**"], [*lines, sums], strict=True)
    ]
    head = ["stage", "Mop", "MB", "bound, ms", "measured, ms", "calls"]
    return markdown([*head, "H200 bound, ms", "H200 as written, ms"], rows)


def seconds(scaling: Content, axis: str) -> str:
    """Seconds of each method over one axis."""
    points = [p for p in scaling["points"] if p["axis"] == axis]
    sizes = sorted({p["size"] for p in points})
    rows = []
    for method in dict.fromkeys(p["method"] for p in points):
        taken = {p["size"]: p["seconds"] for p in points if p["method"] == method}
        rows.append([method, *(_short(taken[s]) if s in taken else "" for s in sizes)])
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
    kind, _, of_set = name.partition("-")
    file = {"checks": "performance", "lower_bound": "lower_bound"}.get(kind, "scaling")
    content = read(file)
    if content is None:
        return None
    if file == "lower_bound":
        return lower_bound(content, of_set)
    if file == "performance":
        return checks(content)
    return scores(content) if name == "scores" else seconds(content, name)


def _ms(peaks: Content, operations: float, moved: float, calls: int) -> float:
    slowest = max(operations / peaks["operations"], moved / peaks["bytes"], calls * peaks["call"])
    return 1e3 * slowest


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())
