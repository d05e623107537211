"""Are a model's probabilities calibrated on images of its kind that nobody drew on?

    python -m benchmarks.kinds_calibration ROOT --stroked 3

A model of each kind of `fields` is fitted to K images with strokes; pixels of images that the
weights have not seen are scored. Expected calibration error over 15 bins: as it would be without
the model's temperature, with it, and at the best of some, which nobody could know. The temperature
comes from the strokes of each stroked image in turn, see `saccade.fitted.scores`.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.harness import command_line

if TYPE_CHECKING:
    from benchmarks.suites.kinds.data import KindOfImages

BINS = 15
TEMPERATURES = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0)


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    from benchmarks.suites.kinds.data import FIELDS

    parser = command_line.suite_parser("kinds_calibration", __doc__)
    command_line.add_root(parser, "fields/")
    command_line.add_selection(parser)
    add = parser.add_argument
    add("--kinds", type=command_line.names_of(FIELDS), default=FIELDS, help="default: all")
    add("--stroked", type=command_line.whole_numbers, default=(3,), help="K, default 3")
    add("--seed", type=int, default=0, help="of the fits, default 0")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Measure kind by kind, print the table, write the files."""
    from benchmarks.harness import results
    from benchmarks.suites.kinds.data import load_kind

    options = {key: getattr(args, key) for key in ("seed", "limit", "every")}
    settings = results.machine(args.threads) | options
    path = results.result_path(args, settings)
    rows: list[dict[str, Any]] = []
    for name in args.kinds:
        kind = load_kind(args.root, name, every=args.every, limit=args.limit)
        for stroked in args.stroked:
            rows.append(row_of(kind, stroked, args.seed))
            print(line_of(rows[-1]), file=sys.stderr, flush=True)
        content = {"run": settings, "temperatures": TEMPERATURES, "table": rows}
        results.write_results(path, content, rows if args.csv else None)
    print(summary(rows))
    results.report_written(path, args)


def row_of(kind: "KindOfImages", stroked: int, seed: int) -> dict[str, Any]:
    """Calibration errors on the scored images of a kind, every pixel counts alike."""
    import torch

    import saccade
    from saccade.evaluation.calibration import calibration_error, reliability_counts
    from saccade.interactive.refinement import apply_temperature

    shown = kind.stroked[:stroked]
    drawn = [one.strokes for one in shown]
    model = saccade.fit([one.image for one in shown], drawn, seed=seed)
    plain = [model.predict(one.image) for one in kind.scored]
    temperature = model.held_out().temperature
    counts = np.zeros((len(TEMPERATURES) + 1, 3, BINS))
    for found, one in zip(plain, kind.scored, strict=True):
        again = model.predict(one.image)
        assert np.array_equal(found.labels, again.labels)  # a temperature changes no mask
        known = one.truth != 255
        right = (found.labels == one.truth)[known]
        p = torch.from_numpy(found.probabilities[:, known])
        several = [apply_temperature(p.clone(), t).amax(0).numpy() for t in TEMPERATURES]
        several.append(again.probabilities[:, known].max(0))
        counts += np.stack([reliability_counts(one, right, BINS) for one in several])
    *errors, own = (calibration_error(one) for one in counts)
    return {
        "kind": kind.name,
        "stroked": len(shown),
        "images": len(kind.scored),
        "temperature": temperature,
        "error": own,
        "error_before": errors[TEMPERATURES.index(1.0)],
        "errors": errors,
    }


def line_of(row: dict[str, Any]) -> str:
    """One row as text."""
    best = TEMPERATURES[int(np.argmin(row["errors"]))]
    return (
        f"{row['kind']}, {row['stroked']}: error {row['error_before']:.3f}, with its temperature"
        f" {row['temperature']:.2f} {row['error']:.3f}, at best {min(row['errors']):.3f} at {best}"
    )


def summary(rows: Sequence[dict[str, Any]]) -> str:
    """Means over the kinds for each K."""
    lines = []
    for stroked in dict.fromkeys(row["stroked"] for row in rows):
        of_k = [row for row in rows if row["stroked"] == stroked]
        before, own = (float(np.mean([r[k] for r in of_k])) for k in ("error_before", "error"))
        lines.append(f"{stroked} with strokes: error {before:.3f}, with the temperature {own:.3f}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
