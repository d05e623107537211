"""What a table leaves behind: text for the terminal, Markdown, CSV and JSON."""

import csv
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from math import isnan
from pathlib import Path
from typing import Any

from saccade.evaluation.metrics import mean_iou, overall_accuracy
from saccade.experiments.gdc_tables import GDC, Published, Table, preset_of
from saccade.experiments.rows import Key, Row
from saccade.experiments.samples import SPECS
from saccade.experiments.summary import Claim, Line, Summary
from saccade.files import atomic_write

PAPER_SETS = {"voc": "VOC", "context": "Context"}


def markdown(table: Table, summaries: Sequence[Summary], notes: Sequence[str]) -> str:
    """The whole report as Markdown that reads well on a terminal too."""
    parts = [f"# {table.title}"]
    for summary in summaries:
        parts.append(f"## {_heading(summary)}")
        parts.append(_what_differs(summary))
        parts.append(aligned(_head(table), [_cells(table, one) for one in summary.lines]))
        head = ["the paper's order", "paper", "ours", "se", ""]
        parts.append(aligned(head, [_claim_cells(table, c) for c in summary.claims]))
    if not summaries:
        parts.append("No image is finished with every branch.")
    parts += [f"Note: {note}." for note in notes]
    return "\n\n".join(parts) + "\n"


def write_report(
    folder: Path,
    table: Table,
    summaries: Sequence[Summary],
    rows: Mapping[Key, Row],
    settings: Mapping[str, Any],
    notes: Sequence[str],
) -> list[Path]:
    """Write NAME.md, NAME.csv (one line per segmentation) and NAME.json; returns their paths."""
    paths = [folder / f"{table.name}{suffix}" for suffix in (".md", ".csv", ".json")]
    with atomic_write(paths[0]) as path:
        path.write_text(markdown(table, summaries, notes))
    with atomic_write(paths[1]) as path, path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["set", "image", "branch", "seed", "miou", "accuracy", "seconds"])
        for row in rows.values():
            scores = (mean_iou(row.matrix), overall_accuracy(row.matrix), row.seconds)
            writer.writerow([*row.key, *(f"{score:.6f}" for score in scores)])
    content = {
        "experiment": table.name,
        "settings": dict(settings),
        "machine": machine(),
        "sets": [_plain(summary) for summary in summaries],
        "notes": list(notes),
    }
    write_json(paths[2], content)
    return paths


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")


def machine() -> dict[str, str]:
    """Processor and versions, no paths and no host name."""
    cpu = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next(
            (li.split(":", 1)[1].strip() for li in lines if li.startswith("model name")), cpu
        )
    except OSError:  # another system than Linux
        pass
    return {"cpu": cpu, "python": platform.python_version(), "torch": version("torch")}


def number(value: float | None, form: str) -> str:
    """The number, or nothing where there is none."""
    return "" if value is None or isnan(value) else format(value, form)


def _heading(summary: Summary) -> str:
    images = f"{summary.images} images"
    if summary.images < summary.of:
        images = f"{summary.images} of {summary.of} images"
    seeds = ", ".join(map(str, summary.seeds))
    return f"{summary.set}: {images}, seed{'s' * (len(summary.seeds) > 1)} {seeds}"


def _what_differs(summary: Summary) -> str:
    spec = SPECS[summary.set]
    metric = (
        "mIoU from one confusion matrix over all images, as the paper's"
        if spec.pooled
        else "mIoU is the mean over images of each image's own, the paper's is of one matrix"
    )
    data = "the paper's data" if summary.set in PAPER_SETS else "other data than the paper's"
    preset = preset_of(GDC)
    return (
        f"{spec.text}: {data}; {metric}. In percent; se = standard error over images, of the "
        f"difference where it follows one. Preset `paper`: {preset.draws} draws, normalised "
        "branches, inverse class weights; strokes keep their class. An order holds or is reversed "
        "where Student's t says so at 95 %."
    )


def _head(table: Table) -> list[str]:
    papers = [f"paper, {PAPER_SETS[name]}" for name in _paper_sets(table)]
    return ["branch", *papers, "ours", "se", "GDC minus", "se", "accuracy", "s"]


def _cells(table: Table, line: Line) -> list[str]:
    cells = table.published[line.branch]
    return [
        line.branch,
        *(number(100 * cells[name].miou, ".2f") for name in _paper_sets(table)),
        number(100 * line.miou, ".2f"),
        number(100 * line.error, ".2f"),
        number(100 * line.difference, "+.2f"),
        number(100 * line.difference_error, ".2f"),
        number(100 * line.accuracy, ".2f"),
        number(line.seconds, ".1f"),
    ]


def _claim_cells(table: Table, claim: Claim) -> list[str]:
    gaps = [
        100 * (_published(table, claim.better, n).miou - _published(table, claim.worse, n).miou)
        for n in _paper_sets(table)
    ]
    return [
        f"{claim.better} > {claim.worse}",
        " / ".join(f"{gap:+.2f}" for gap in gaps),
        number(100 * claim.difference, "+.2f"),
        number(100 * claim.error, ".2f"),
        claim.verdict,
    ]


def _published(table: Table, branch: str, name: str) -> Published:
    return table.published[branch][name]


def _paper_sets(table: Table) -> list[str]:
    return [name for name in PAPER_SETS if name in table.published[GDC]]


def aligned(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
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


def _plain(summary: Summary) -> dict[str, Any]:
    content = asdict(summary)
    for group in ("lines", "claims"):
        content[group] = [
            {k: None if isinstance(v, float) and isnan(v) else v for k, v in item.items()}
            for item in content[group]
        ]
    for item, claim in zip(content["claims"], summary.claims, strict=True):
        item["verdict"] = claim.verdict
    return content
