"""Report of a table of the GDC paper: scores, differences to GDC, and which claims hold."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isnan, nan
from pathlib import Path
from typing import Any

import numpy as np

from saccade.evaluation.jackknife import estimate_miou, mean_accuracy
from saccade.evaluation.metrics import mean_iou, overall_accuracy
from saccade.experiments.engine.report import (
    format_number,
    machine,
    markdown_table,
    verdict,
    write_json,
)
from saccade.experiments.engine.rows import Key, Row
from saccade.experiments.engine.samples import SPECS
from saccade.experiments.gdc.image_tables import GDC, ImageTable
from saccade.files import atomic_write

PAPER_SETS = {"voc": "VOC", "context": "Context"}


@dataclass(frozen=True)
class Line:
    """One branch on one set; scores in [0, 1], NaN where there is none."""

    branch: str
    miou: float
    error: float  # standard error of the mIoU over images
    difference: float  # GDC's mIoU minus this one's
    difference_error: float
    accuracy: float  # overall accuracy
    seconds: float  # median


@dataclass(frozen=True)
class Claim:
    """An order that the paper claims: mIoU of ``better`` minus that of ``worse``."""

    better: str
    worse: str
    difference: float
    error: float
    images: int

    @property
    def verdict(self) -> str:
        """Whether it holds, is reversed, or the difference may be chance."""
        return verdict(self.difference, self.error, self.images, of="image")


@dataclass(frozen=True)
class Summary:
    """One table on one set: images that every branch and seed has finished."""

    set: str
    images: int
    of: int  # images asked for
    seeds: tuple[int, ...]
    lines: tuple[Line, ...]
    claims: tuple[Claim, ...]


def summarize(
    table: ImageTable, keys: Sequence[Key], rows: Mapping[Key, Row], seeds: Sequence[int]
) -> list[Summary]:
    """Summaries of the sets that occur in `keys`, those without a finished image left out."""
    summaries = []
    for name in dict.fromkeys(key[0] for key in keys):
        stems = list(dict.fromkeys(key[1] for key in keys if key[0] == name))
        finished = [
            stem
            for stem in stems
            if all((name, stem, b, s) in rows for b in table.branches for s in seeds)
        ]
        if finished:
            summaries.append(_summarize_set(table, name, finished, len(stems), rows, tuple(seeds)))
    return summaries


def markdown(table: ImageTable, summaries: Sequence[Summary], notes: Sequence[str]) -> str:
    """The whole report as Markdown that reads well on a terminal too."""
    parts = [f"# {table.title}"]
    for summary in summaries:
        parts.append(f"## {_heading(summary)}")
        parts.append(_what_differs(summary))
        parts.append(markdown_table(_head(table), [_cells(table, one) for one in summary.lines]))
        head = ["the paper's order", "paper", "ours", "se", ""]
        parts.append(markdown_table(head, [_claim_cells(table, c) for c in summary.claims]))
    if not summaries:
        parts.append("No image is finished with every branch.")
    parts += [f"Note: {note}." for note in notes]
    return "\n\n".join(parts) + "\n"


def write_report(
    folder: Path,
    table: ImageTable,
    summaries: Sequence[Summary],
    rows: Mapping[Key, Row],
    settings: Mapping[str, Any],
    notes: Sequence[str],
) -> list[Path]:
    """Write NAME.md, NAME.csv (one line per segmentation) and NAME.json; returns their paths."""
    paths = [folder / f"{table.name}{suffix}" for suffix in (".md", ".csv", ".json")]
    with atomic_write(paths[0]) as path:
        path.write_text(markdown(table, summaries, notes), encoding="utf-8")
    with atomic_write(paths[1]) as path, path.open("w", encoding="utf-8", newline="") as file:
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


def _summarize_set(
    table: ImageTable,
    name: str,
    stems: Sequence[str],
    of: int,
    rows: Mapping[Key, Row],
    seeds: tuple[int, ...],
) -> Summary:
    runs = {
        branch: [[rows[name, stem, branch, seed] for stem in stems] for seed in seeds]
        for branch in table.branches
    }
    matrices = {b: np.array([[row.matrix for row in run] for run in runs[b]]) for b in runs}
    scores = {b: estimate_miou(matrices[b], pooled=SPECS[name].pooled) for b in runs}
    lines = []
    for branch, score in scores.items():
        gap = scores[GDC].minus(score)
        difference, error = (nan, nan) if branch == GDC else (gap.value, gap.error)
        accuracy = mean_accuracy(matrices[branch])
        seconds = float(np.median([row.seconds for run in runs[branch] for row in run]))
        lines.append(Line(branch, score.value, score.error, difference, error, accuracy, seconds))
    claims = []
    for better, worse in table.claims:
        gap = scores[better].minus(scores[worse])
        claims.append(Claim(better, worse, gap.value, gap.error, len(stems)))
    return Summary(name, len(stems), of, seeds, tuple(lines), tuple(claims))


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
    return (
        f"{spec.text}: {data}; {metric}. In percent; se = standard error over images, of the "
        "difference where it follows one. An order holds or is reversed where Student's t says so "
        "at 95 %."
    )


def _head(table: ImageTable) -> list[str]:
    papers = [f"paper, {PAPER_SETS[name]}" for name in _paper_sets(table)]
    return ["branch", *papers, "ours", "se", "GDC minus", "se", "accuracy", "s"]


def _cells(table: ImageTable, line: Line) -> list[str]:
    cells = table.published[line.branch]
    return [
        line.branch,
        *(format_number(100 * cells[name].miou, ".2f") for name in _paper_sets(table)),
        format_number(100 * line.miou, ".2f"),
        format_number(100 * line.error, ".2f"),
        format_number(100 * line.difference, "+.2f"),
        format_number(100 * line.difference_error, ".2f"),
        format_number(100 * line.accuracy, ".2f"),
        format_number(line.seconds, ".1f"),
    ]


def _claim_cells(table: ImageTable, claim: Claim) -> list[str]:
    better, worse = table.published[claim.better], table.published[claim.worse]
    gaps = [100 * (better[name].miou - worse[name].miou) for name in _paper_sets(table)]
    return [
        f"{claim.better} > {claim.worse}",
        " / ".join(f"{gap:+.2f}" for gap in gaps),
        format_number(100 * claim.difference, "+.2f"),
        format_number(100 * claim.error, ".2f"),
        claim.verdict,
    ]


def _paper_sets(table: ImageTable) -> list[str]:
    return [name for name in PAPER_SETS if name in table.published[GDC]]


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
