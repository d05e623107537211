#!/usr/bin/env python
"""How many evenly spread draws equal 50 independent ones.

The preset `paper` averages the softmax over draws of the sampling positions (GDC paper, section
V-A). The average of n draws misses that of infinitely many by an error whose variance is, for
independent draws, the variance of one draw divided by n; for evenly spread draws
(`saccade.ops.quasi`) it is measured over repetitions. Both are unbiased, so the ratio says how many
independent draws an average of n evenly spread ones is worth. Networks are fitted to a few of the
thin images, the variance is the mean over pixels and classes.

    python benchmarks/draws.py ROOT [--every 6] [--counts 16,20,24] [--out benchmarks/results]
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

    from benchmarks.datasets import Pair
    from saccade.models.scribble_net import ScoresOfDraws

HERE = Path(__file__).resolve().parent
COUNTS = (16, 20, 24)
GOAL = 50


@dataclass(frozen=True)
class Line:
    """One image with one number of draws."""

    image: str
    draws: int
    variance: float  # of the mean of so many evenly spread draws
    independent: float  # of a single draw
    equals: float  # independent draws with the same variance
    bias: float  # squared difference of both means, less what chance explains
    milliseconds: float  # processor time of a draw, evenly spread
    milliseconds_independent: float


def measure(pair: "Pair", counts: Sequence[int], *, singles: int, repeats: int) -> list[Line]:
    """Variances on one image.

    Args:
        pair: the image with its strokes.
        counts: numbers of evenly spread draws.
        singles: how many independent draws.
        repeats: how many averages of each count.
    """
    import torch

    draws = fitted(pair)
    generator = torch.Generator().manual_seed(1)
    start = time.process_time()
    first = second = torch.zeros(())
    for scores in draws.independent(singles, generator):
        p = scores.softmax(1)
        first, second = first + p, second + p.square()
    alone = 1000 * (time.process_time() - start) / singles
    mean = first / singles
    one = float(((second / singles - mean.square()) * (singles / (singles - 1))).mean())
    lines = []
    for count in counts:
        start = time.process_time()
        means = torch.stack([_mean(draws, count, generator) for _ in range(repeats)])
        taken = 1000 * (time.process_time() - start) / (repeats * count)
        variance = float(means.var(0).mean())
        chance = variance / repeats + one / singles
        bias = float((means.mean(0) - mean).square().mean()) - chance
        lines.append(Line(pair.stem, count, variance, one, one / variance, bias, taken, alone))
    return lines


def fitted(pair: "Pair") -> "ScoresOfDraws":
    """The preset's network of an image, ready for draws."""
    import torch

    from saccade.interactive.fit_paper import fit_paper
    from saccade.interactive.inputs import encode_strokes
    from saccade.interactive.prepared import prepare_image
    from saccade.interactive.presets import PaperFitSettings, preset_named
    from saccade.interactive.stroke_maps import stroke_maps
    from saccade.models.scribble_net import ScoresOfDraws

    preset = preset_named("paper")
    assert isinstance(preset.fit, PaperFitSettings)
    image = prepare_image(pair.image)
    classes, index = encode_strokes(pair.strokes, pair.truth.shape, unlabeled=255, classes=None)
    net = fit_paper(
        image.features,
        stroke_maps(image, index, classes, preset.fit).labels_half,
        len(classes),
        preset.fit,
        preset.network,
        generator=torch.Generator().manual_seed(0),
    )
    return ScoresOfDraws(net, image.features)


def _mean(draws: "ScoresOfDraws", count: int, generator: "torch.Generator") -> "torch.Tensor":
    import torch

    total = torch.zeros(())
    for scores in draws.even(count, generator):
        total = total + scores.softmax(1)
    return total / count


def summary(lines: Sequence[Line]) -> str:
    """For each number of draws: the mean, the least and the most over images."""
    head = (
        f"{'even draws':>10}  {'equal independent ones':>22}  {'least':>6}  {'most':>6}  ms a draw"
    )
    rows = [head, "-" * len(head)]
    for count in sorted({line.draws for line in lines}):
        chosen = [line for line in lines if line.draws == count]
        worth = [line.equals for line in chosen]
        cost = np.median([line.milliseconds for line in chosen])
        rows.append(
            f"{count:>10}  {np.mean(worth):>22.1f}  {min(worth):>6.1f}  {max(worth):>6.1f}"
            f"  {cost:>9.1f}"
        )
    alone = np.median([line.milliseconds_independent for line in lines])
    return "\n".join([*rows, f"an independent draw: {alone:.1f} ms; goal: {GOAL}"])


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    about, details = str(__doc__).split("\n\n", 1)
    parser = argparse.ArgumentParser(
        prog="draws.py",
        description=about,
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("root", type=Path, help="folder with iseg/")
    add("--every", type=int, default=6, help="only every n-th image, default 6")
    add("--counts", default=",".join(map(str, COUNTS)), help="numbers of evenly spread draws")
    add("--singles", type=int, default=50, help="independent draws that give their variance")
    add("--repeats", type=int, default=5, help="averages of each count")
    add("--out", type=Path, default=HERE / "results", help="where the results are written")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study; returns the exit code."""
    args = build_parser().parse_args(argv)
    os.environ["OMP_NUM_THREADS"] = "1"
    for folder in (HERE.parent, HERE.parent / "src"):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    from benchmarks import report
    from benchmarks.datasets import load_pairs
    from saccade.errors import InputError

    try:
        counts = [int(part) for part in args.counts.split(",")]
        lines = []
        for pair in load_pairs(args.root, "thin", every=args.every):
            lines += measure(pair, counts, singles=args.singles, repeats=args.repeats)
            worth = ", ".join(f"{x.draws}: {x.equals:.0f}" for x in lines if x.image == pair.stem)
            print(f"{pair.stem}: {worth}", file=sys.stderr, flush=True)
    except (InputError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    run = {**report.machine(1), "singles": args.singles, "repeats": args.repeats}
    target = args.out / report.file_stem(run, "draws")
    report.write_csv(target, [f.name for f in fields(Line)], [_exact(line) for line in lines])
    report.write_json(target, {"run": run, "table": [asdict(line) for line in lines]})
    print(summary(lines))
    print(f"written: {target}.csv, .json")
    return 0


def _exact(line: Line) -> dict[str, object]:
    """Six decimals would say little of a variance."""
    return {k: f"{v:.4g}" if isinstance(v, float) else v for k, v in asdict(line).items()}


if __name__ == "__main__":
    sys.exit(main())
