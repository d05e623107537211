"""From finished rows to the table: scores, differences to GDC, and which claims of a paper hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan

import numpy as np
from scipy.special import stdtrit

from saccade.evaluation.jackknife import Estimate, estimate_miou, mean_accuracy
from saccade.experiments.gdc_tables import GDC, Table
from saccade.experiments.rows import Key, Row
from saccade.experiments.samples import SPECS


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
    """An order that the paper claims: mIoU of ``better`` minus that of ``worse``.

    A difference counts if Student's t says that it is not 0, at 95 % and two-sided.
    """

    better: str
    worse: str
    difference: float
    error: float
    images: int

    @property
    def verdict(self) -> str:
        """Whether it holds, is reversed, or the difference may be chance."""
        side = "same sign" if self.difference > 0 else "reversed"
        if isnan(self.error):
            return f"one image ({side})"
        if abs(self.difference) <= float(stdtrit(self.images - 1, 0.975)) * self.error:
            return f"within noise ({side})"
        return "holds" if self.difference > 0 else "reversed"


@dataclass(frozen=True)
class Summary:
    """One table on one set: images that every branch and seed has finished."""

    set: str
    images: int
    of: int  # images asked for
    seeds: tuple[int, ...]
    lines: tuple[Line, ...]
    claims: tuple[Claim, ...]


def summarise(
    table: Table, keys: Sequence[Key], rows: Mapping[Key, Row], seeds: Sequence[int]
) -> list[Summary]:
    """Summaries of the sets that occur in `keys`, those without a finished image left out."""
    found = []
    for name in dict.fromkeys(key[0] for key in keys):
        stems = list(dict.fromkeys(key[1] for key in keys if key[0] == name))
        whole = [
            stem
            for stem in stems
            if all((name, stem, b, s) in rows for b in table.branches for s in seeds)
        ]
        if whole:
            found.append(_one_set(table, name, whole, len(stems), rows, tuple(seeds)))
    return found


def _one_set(
    table: Table,
    name: str,
    stems: Sequence[str],
    of: int,
    rows: Mapping[Key, Row],
    seeds: tuple[int, ...],
) -> Summary:
    estimates: dict[str, Estimate] = {}
    lines = []
    for branch in table.branches:
        mine = [[rows[name, stem, branch, seed] for stem in stems] for seed in seeds]
        matrices = np.array([[row.matrix for row in run] for run in mine])
        estimates[branch] = estimate_miou(matrices, pooled=SPECS[name].pooled)
        seconds = float(np.median([row.seconds for run in mine for row in run]))
        lines.append((branch, mean_accuracy(matrices), seconds))
    claims = []
    for better, worse in table.claims:
        gap = estimates[better].minus(estimates[worse])
        claims.append(Claim(better, worse, gap.value, gap.error, len(stems)))
    return Summary(
        name,
        len(stems),
        of,
        seeds,
        tuple(_line(branch, estimates, right, taken) for branch, right, taken in lines),
        tuple(claims),
    )


def _line(branch: str, estimates: Mapping[str, Estimate], right: float, seconds: float) -> Line:
    own = estimates[branch]
    gap = estimates[GDC].minus(own)
    difference, error = (nan, nan) if branch == GDC else (gap.value, gap.error)
    return Line(branch, own.value, own.error, difference, error, right, seconds)
