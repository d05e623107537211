"""Quality of pseudo masks from simulated strokes, against ground truth, by confidence.

    python -m benchmarks.pseudo_labels ROOT --every 3 --preset fast

CamVid train, and CamVid val beside it: the networks that come with Saccade were trained on CamVid's
training masks, so only the second says what other photographs would give.
"""

import argparse
import statistics
import sys
from collections.abc import Sequence
from functools import partial

import numpy as np

from benchmarks.harness import command_line
from benchmarks.harness.command_line import positive

CONFIDENCES = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98)


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("pseudo_labels", __doc__)
    command_line.add_root(parser, "camvid/")
    add = parser.add_argument
    add("--every", type=positive, default=3, help="only every n-th image, default 3")
    add("--preset", default="fast", help="default fast")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Measure both splits, print and write the results."""
    import torch

    from benchmarks.harness import results
    from saccade.data.sets import open_set

    torch.set_num_threads(args.threads)
    sets = {}
    for split in ("train", "val"):
        labelled = open_set("camvid", args.root / "camvid", split)
        row = sets[split] = measure(labelled, args.every, args.preset)
        print(
            f"{split}: {row['images']} images, strokes on {100 * row['stroked']:.2f} % of the "
            f"pixels, {row['seconds_per_image']:.2f} s per image"
        )
        for line in row["rows"]:
            print(
                f"  confidence {line['confidence']:.2f}: mIoU {100 * line['miou']:.1f}, accuracy "
                f"{100 * line['accuracy']:.1f}, ignored {100 * line['ignored']:.1f} %"
            )
    settings = results.machine(args.threads) | {"preset": args.preset, "every": args.every}
    path = results.result_path(args, settings)
    results.write_results(path, {"run": settings, "sets": sets})
    results.report_written(path, args)


def measure(labelled, every, preset):
    """Scores by confidence, shares, and seconds of an image."""
    from benchmarks.harness.timing import timed
    from saccade.evaluation import confusion_matrix, mean_iou, overall_accuracy
    from saccade.images import load_image
    from saccade.scribbles.simulate import CLASSES, simulate_strokes
    from saccade.weak.stroke_masks import StrokeLabeling, pseudo_mask

    settings = StrokeLabeling(preset, device="cpu", confidence=0.0)
    classes = len(labelled.spec.names)
    matrices = {c: np.zeros((classes, classes), np.int64) for c in CONFIDENCES}
    ignored, known, stroked, seconds = dict.fromkeys(CONFIDENCES, 0), 0, 0, []
    for index in range(0, len(labelled.examples), every):
        truth, image = labelled.labels(index), load_image(labelled.examples[index].image)
        rng = np.random.default_rng([0, index])
        strokes = simulate_strokes(truth, rng, styles=CLASSES, by_component=True)
        call = timed(partial(pseudo_mask, image, strokes, settings))
        mask, chosen = call.result
        seconds.append(call.seconds)
        known += int((truth != 255).sum())
        stroked += int((strokes != 255).sum())
        for confidence in CONFIDENCES:
            left_out = (chosen < confidence) & (strokes == 255)
            ignored[confidence] += int((left_out & (truth != 255)).sum())
            target = np.where(left_out, 255, truth)
            matrices[confidence] += confusion_matrix(target, mask, classes)
    return {
        "images": len(seconds),
        "seconds_per_image": statistics.median(seconds),
        "stroked": stroked / known,
        "rows": [
            {
                "confidence": c,
                "ignored": ignored[c] / known,
                "miou": mean_iou(matrices[c]),
                "accuracy": overall_accuracy(matrices[c]),
            }
            for c in CONFIDENCES
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
