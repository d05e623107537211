"""How many evenly spread draws equal 50 independent ones.

    python -m benchmarks.draws ROOT --every 6 --counts 16,20,24

The preset `paper` averages the softmax over draws of the sampling positions (GDC paper, section
V-A). The average of n draws misses that of infinitely many by an error whose variance is, for
independent draws, the variance of one draw divided by n; for evenly spread draws
(`saccade.ops.quasi`) it is measured over repetitions. Both are unbiased, so the ratio says how many
independent draws an average of n evenly spread ones is worth. Networks are fitted to a few of the
thin images, the variance is the mean over pixels and classes.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.harness import command_line
from benchmarks.harness.command_line import positive, whole_numbers

if TYPE_CHECKING:
    import torch

    from benchmarks.harness.datasets import Pair
    from saccade.models.scribble_net import ScoresOfDraws

COUNTS = (16, 20, 24)
GOAL = 50


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("draws", __doc__)
    command_line.add_root(parser, "iseg/")
    command_line.add_selection(parser, every=6)
    add = parser.add_argument
    add("--counts", type=whole_numbers, default=COUNTS, help="numbers of evenly spread draws")
    add("--singles", type=positive, default=50, help="independent draws that give their variance")
    add("--repeats", type=positive, default=5, help="averages of each count, default 5")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Measure image by image, print the summary, write the files."""
    from benchmarks.harness import results
    from benchmarks.harness.datasets import load_pairs

    lines = []
    for pair in load_pairs(args.root, "thin", limit=args.limit, every=args.every):
        lines += measure(pair, args.counts, singles=args.singles, repeats=args.repeats)
        worth = ", ".join(f"{x.draws}: {x.equals:.0f}" for x in lines if x.image == pair.stem)
        print(f"{pair.stem}: {worth}", file=sys.stderr, flush=True)
    settings = results.machine(args.threads) | {"singles": args.singles, "repeats": args.repeats}
    path = results.result_path(args, settings)
    table = [asdict(line) for line in lines]
    results.write_results(path, {"run": settings, "table": table}, table if args.csv else None)
    print(summary(lines))
    results.report_written(path, args)


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


if __name__ == "__main__":
    sys.exit(main())
