"""The dense CRF beside pydensecrf2, the wrapper of the authors' C++: result and time.

    python -m benchmarks.crf ROOT --images 8 --rounds 3

CamVid validation photographs at 375x500 with 21 classes (11 occur). The probabilities that both
refine are made from the masks: a coarse grid in which a fifth of the cells has a wrong class,
upsampled and softened, much like a network at stride 16. Both run in turns on the same input.
"""

import argparse
import statistics
import sys
from collections.abc import Sequence
from functools import partial

import numpy as np

from benchmarks.harness import command_line
from benchmarks.harness.command_line import positive

SIZE, CLASSES, CELL = (375, 500), 21, 16


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("crf", __doc__)
    command_line.add_root(parser, "camvid/")
    add = parser.add_argument
    add("--images", type=positive, default=8, help="photographs, spread over the set, default 8")
    add("--rounds", type=positive, default=3, help="default 3")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Compare every configuration, print and write the results."""
    import torch

    from benchmarks.harness import results
    from saccade.refine.dense_crf import DENSE_CRF_CONFIGS

    torch.set_num_threads(args.threads)
    cases = list(load_cases(args.root, args.images))
    rows = {}
    for name, config in DENSE_CRF_CONFIGS.items():
        row = rows[name] = compare(cases, config, args.rounds)
        scores = ", ".join(f"{k} {100 * v:.2f}" for k, v in row["miou"].items())
        print(
            f"{name:<22} mIoU {scores}; labels agree {100 * row['labels_that_agree']:.2f} %; "
            f"{row['seconds']['ours']:.2f} s, pydensecrf2 {row['seconds']['them']:.2f} s, ratio "
            f"{row['time_ratio']:.2f}",
            flush=True,
        )
    settings = results.machine(args.threads) | {"size": SIZE, "classes": CLASSES}
    settings |= {"images": args.images, "rounds": args.rounds}
    path = results.result_path(args, settings)
    results.write_results(path, {"run": settings, "rows": rows})
    results.report_written(path, args)


def load_cases(root, count):
    """Images (H, W, 3) uint8, truths (H, W), probabilities (K, H, W) float32."""
    from PIL import Image
    from skimage.transform import resize

    from saccade.data.sets import open_set
    from saccade.images import load_image

    labelled = open_set("camvid", root / "camvid", "val")
    generator = np.random.default_rng(0)
    for index in np.linspace(0, len(labelled.examples) - 1, count).astype(int):
        image = Image.fromarray(load_image(labelled.examples[index].image))
        image = np.asarray(image.resize(SIZE[::-1], Image.Resampling.BICUBIC))
        truth = Image.fromarray(labelled.labels(int(index))).resize(SIZE[::-1], 0)
        truth = np.asarray(truth)
        cells = truth[CELL // 2 :: CELL, CELL // 2 :: CELL].astype(int)
        wrong = (generator.random(cells.shape) < 0.2) | (cells == 255)
        cells = np.where(wrong, generator.integers(0, 11, cells.shape), cells)
        coarse = np.eye(CLASSES)[cells] * 0.7 + 0.3 / CLASSES
        probabilities = np.moveaxis(resize(coarse, SIZE, order=1), 2, 0)
        yield image.copy(), truth, np.ascontiguousarray(probabilities, np.float32)


def ours(image, probabilities, config):
    import torch

    from saccade.refine.dense_crf import dense_crf

    return dense_crf(torch.from_numpy(probabilities), torch.from_numpy(image), config).numpy()


def theirs(image, probabilities, config):
    from pydensecrf.densecrf import DenseCRF2D
    from pydensecrf.utils import unary_from_softmax

    model = DenseCRF2D(SIZE[1], SIZE[0], len(probabilities))
    model.setUnaryEnergy(unary_from_softmax(probabilities))
    xy, weight = config.spatial_xy, config.spatial_weight
    model.addPairwiseGaussian(sxy=xy, compat=weight)
    model.addPairwiseBilateral(
        sxy=config.bilateral_xy,
        srgb=config.bilateral_rgb,
        rgbim=np.ascontiguousarray(image),
        compat=config.bilateral_weight,
    )
    return np.array(model.inference(config.iterations)).reshape(probabilities.shape)


def compare(cases, config, rounds):
    """Scores, agreement, and seconds of both, in turns."""
    from benchmarks.harness.timing import interleaved
    from saccade.evaluation import confusion_matrix, mean_iou

    matrices = {name: np.zeros((CLASSES, CLASSES), np.int64) for name in ("before", "ours", "them")}
    seconds = {"ours": [], "them": []}
    agree, apart = [], []
    for image, truth, probabilities in cases:
        inputs = (image, probabilities, config)
        turns = interleaved(
            {"ours": partial(ours, *inputs), "them": partial(theirs, *inputs)}, rounds
        )
        for name, calls in turns.items():
            seconds[name] += [call.seconds for call in calls]
        ours_found, theirs_found = (calls[-1].result for calls in turns.values())
        one, two = ours_found.argmax(0), theirs_found.argmax(0)
        agree.append(float((one == two).mean()))
        apart.append(float(np.abs(ours_found - theirs_found).mean()))
        labels = {"before": probabilities.argmax(0), "ours": one, "them": two}
        for name, chosen in labels.items():
            matrices[name] += confusion_matrix(truth, chosen, CLASSES)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        "miou": {name: mean_iou(matrix) for name, matrix in matrices.items()},
        "labels_that_agree": float(np.mean(agree)),
        "mean_difference_of_probabilities": float(np.mean(apart)),
        "seconds": medians,
        "time_ratio": medians["ours"] / medians["them"],
    }


if __name__ == "__main__":
    sys.exit(main())
