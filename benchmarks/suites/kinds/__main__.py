"""Many images of a kind: strokes on a few, masks of the others.

    python -m benchmarks.kinds ROOT --stroked 1,3,5 --methods saccade:fast,forest,forest-lite

`fields` (K of the five images with strokes are fitted to, those without are scored) and CamVid
(simulated strokes on six training frames, validation is scored). Mean IoU over one confusion matrix
a kind; differences to the first method with standard errors over images; seconds for the fit and
a megapixel. `one-by-one` is fitted to simulated strokes on each scored image, a ceiling.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.harness import command_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.suites.kinds.data import KindOfImages


@dataclass(frozen=True)
class Score:
    """What a method did to a kind.

    Attributes:
        kind: its name.
        stroked: images with strokes that it was fitted to.
        method: its name.
        matrices: (images, K, K) counts, rows = truth.
        fit_seconds: of the fit.
        seconds_a_megapixel: of the predictions, after the first image.
    """

    kind: str
    stroked: int
    method: str
    matrices: "NDArray[np.int64]"
    fit_seconds: float
    seconds_a_megapixel: float


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    from benchmarks.suites.kinds.data import KINDS
    from benchmarks.suites.kinds.methods import DEFAULT, METHODS

    parser = command_line.suite_parser("kinds", __doc__)
    command_line.add_root(parser, "fields/ and camvid/")
    command_line.add_selection(parser)
    add = parser.add_argument
    listed = command_line.names_of
    add("--kinds", type=listed(KINDS), default=KINDS, help="default: all")
    add("--methods", type=listed(tuple(METHODS)), default=DEFAULT, help="default: %(default)s")
    add("--stroked", type=command_line.whole_numbers, default=(3,), help="K, default 3")
    add("--seed", type=int, default=0, help="of every method, default 0")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Measure kind by kind, print the table, write the files."""
    from benchmarks.harness import results
    from benchmarks.suites.kinds.data import load_kind

    settings = results.machine(args.threads) | {"seed": args.seed, "every": args.every}
    path = results.result_path(args, settings)
    scores: list[Score] = []
    for name in args.kinds:
        kind = load_kind(args.root, name, every=args.every, limit=args.limit)
        for stroked in args.stroked:
            for method in args.methods:
                scores.append(measure(kind, min(stroked, len(kind.stroked)), method, args.seed))
                print(line_of(scores[-1]), file=sys.stderr, flush=True)
        table = table_of(scores, args.methods[0])
        results.write_results(path, {"run": settings, "table": table}, table if args.csv else None)
    print(summary(scores, args.methods))
    results.report_written(path, args)


def measure(kind: "KindOfImages", stroked: int, method: str, seed: int) -> Score:
    """Fit a method to the first images with strokes, and score the others."""
    from benchmarks.suites.kinds.methods import METHODS
    from saccade.evaluation.metrics import confusion_matrix

    # CamVid has few strokes of rare classes in one frame: there all frames are fitted to.
    shown = kind.stroked if kind.classes > 2 else kind.stroked[:stroked]
    began = time.perf_counter()
    predict = METHODS[method](shown, seed)
    fitted = time.perf_counter() - began
    matrices, seconds, megapixels = [], 0.0, 0.0
    for number, one in enumerate(kind.scored):
        began = time.perf_counter()
        labels = predict(one)
        if number or len(kind.scored) == 1:
            seconds += time.perf_counter() - began
            megapixels += one.truth.size / 1e6
        matrices.append(confusion_matrix(one.truth, labels, kind.classes))
    return Score(
        kind.name, len(shown), method, np.stack(matrices), fitted, seconds / max(megapixels, 1e-9)
    )


def line_of(score: Score) -> str:
    """One score as text."""
    from saccade.evaluation.metrics import mean_iou

    return (
        f"{score.kind}, {score.stroked} with strokes, {score.method}:"
        f" {mean_iou(score.matrices.sum(0)):.3f}"
    )


def table_of(scores: Sequence[Score], first: str) -> list[dict[str, Any]]:
    """Rows of the result file; differences are to the first method."""
    from saccade.evaluation.jackknife import estimate_miou
    from saccade.evaluation.metrics import iou_per_class

    rows = []
    for one in scores:
        estimate = estimate_miou(one.matrices[None], pooled=True)
        [base] = [
            estimate_miou(x.matrices[None], pooled=True)
            for x in scores
            if (x.kind, x.stroked, x.method) == (one.kind, one.stroked, first)
        ]
        difference = estimate.minus(base)
        rows.append(
            {
                "kind": one.kind,
                "stroked": one.stroked,
                "method": one.method,
                "images": len(one.matrices),
                "miou": estimate.value,
                "error": estimate.error,
                "iou": iou_per_class(one.matrices.sum(0)).tolist(),
                "difference": difference.value,
                "difference_error": difference.error,
                "fit_seconds": one.fit_seconds,
                "seconds_a_megapixel": one.seconds_a_megapixel,
            }
        )
    return rows


def summary(scores: Sequence[Score], methods: Sequence[str]) -> str:
    """A row for each kind and K, a column for each method, and the mean over the kinds of cells."""
    from saccade.evaluation.metrics import mean_iou

    found = {(x.kind, x.stroked, x.method): mean_iou(x.matrices.sum(0)) for x in scores}
    rows = list(dict.fromkeys((x.kind, x.stroked) for x in scores))
    lines = [f"{'':22}" + "".join(f"{method:>14}" for method in methods)]
    for kind, stroked in rows:
        cells = "".join(f"{found[kind, stroked, method]:14.3f}" for method in methods)
        lines.append(f"{f'{kind}, {stroked}':22}{cells}")
    two_classes = {k for x in scores for k in [x.stroked] if x.matrices.shape[1] == 2}
    for stroked in sorted(two_classes):
        of_k = [x for x in scores if x.stroked == stroked and x.matrices.shape[1] == 2]
        means = [
            np.mean([found[x.kind, stroked, m] for x in of_k if x.method == m]) for m in methods
        ]
        lines.append(f"{f'mean of fields, {stroked}':22}" + "".join(f"{x:14.3f}" for x in means))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
