"""The dense CRF beside pydensecrf2, the wrapper of the authors' C++: result and time.

    python -m benchmarks.crf [--data ../shared/data] [--images 8] [--rounds 3] [--threads 1]

CamVid validation photographs at 375x500 with 21 classes (11 occur). The probabilities that both
refine are made from the masks: a coarse grid in which a fifth of the cells has a wrong class,
upsampled and softened, much like a network at stride 16. Both run in turns on the same input.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).resolve().parent / "results"
SIZE, CLASSES, CELL = (375, 500), 21, 16


def load_cases(root, count):
    """Images (H, W, 3) uint8, truths (H, W), probabilities (K, H, W) float32."""
    from PIL import Image
    from skimage.transform import resize

    from saccade.data.sets import open_set
    from saccade.images import load_image

    found = open_set("camvid", root / "camvid", "val")
    generator = np.random.default_rng(0)
    for index in np.linspace(0, len(found.examples) - 1, count).astype(int):
        image = Image.fromarray(load_image(found.examples[index].image))
        image = np.asarray(image.resize(SIZE[::-1], Image.Resampling.BICUBIC))
        truth = Image.fromarray(found.labels(int(index))).resize(SIZE[::-1], 0)
        truth = np.asarray(truth)
        cells = truth[CELL // 2 :: CELL, CELL // 2 :: CELL].astype(int)
        wrong = (generator.random(cells.shape) < 0.2) | (cells == 255)
        cells = np.where(wrong, generator.integers(0, 11, cells.shape), cells)
        coarse = np.eye(CLASSES)[cells] * 0.7 + 0.3 / CLASSES
        probabilities = np.moveaxis(resize(coarse, SIZE, order=1), 2, 0)
        yield image.copy(), truth, np.ascontiguousarray(probabilities, np.float32)


def ours(image, found, config):
    import torch

    from saccade.refine.dense_crf import dense_crf

    return dense_crf(torch.from_numpy(found), torch.from_numpy(image), config).numpy()


def theirs(image, found, config):
    from pydensecrf.densecrf import DenseCRF2D
    from pydensecrf.utils import unary_from_softmax

    model = DenseCRF2D(SIZE[1], SIZE[0], len(found))
    model.setUnaryEnergy(unary_from_softmax(found))
    xy, weight = config.spatial_xy, config.spatial_weight
    model.addPairwiseGaussian(sxy=xy, compat=weight)
    model.addPairwiseBilateral(
        sxy=config.bilateral_xy,
        srgb=config.bilateral_rgb,
        rgbim=np.ascontiguousarray(image),
        compat=config.bilateral_weight,
    )
    return np.array(model.inference(config.iterations)).reshape(found.shape)


def compare(cases, config, rounds):
    """Scores, agreement, and seconds of both, in turns."""
    from saccade.evaluation import confusion_matrix, mean_iou

    matrices = {name: np.zeros((CLASSES, CLASSES), np.int64) for name in ("before", "ours", "them")}
    seconds = {"ours": [], "them": []}
    agree, apart = [], []
    for image, truth, found in cases:
        results = {}
        for turn in range(rounds):
            order = (("ours", ours), ("them", theirs))
            for name, run in order[:: 1 if turn % 2 == 0 else -1]:
                start = time.perf_counter()
                results[name] = run(image, found, config)
                seconds[name].append(time.perf_counter() - start)
        one, two = results["ours"].argmax(0), results["them"].argmax(0)
        agree.append(float((one == two).mean()))
        apart.append(float(np.abs(results["ours"] - results["them"]).mean()))
        labels = {"before": found.argmax(0), "ours": one, "them": two}
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = os.environ.get("SACCADE_DATA", "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()

    import torch

    from saccade.experiments.engine.report import machine
    from saccade.refine.dense_crf import DENSE_CRF_CONFIGS

    torch.set_num_threads(arguments.threads)
    cases = list(load_cases(arguments.data, arguments.images))
    rows = {}
    for name, config in DENSE_CRF_CONFIGS.items():
        rows[name] = compare(cases, config, arguments.rounds)
        row = rows[name]
        scores = ", ".join(f"{k} {100 * v:.2f}" for k, v in row["miou"].items())
        print(
            f"{name:<22} mIoU {scores}; labels agree {100 * row['labels_that_agree']:.2f} %; "
            f"{row['seconds']['ours']:.2f} s, pydensecrf2 {row['seconds']['them']:.2f} s, ratio "
            f"{row['time_ratio']:.2f}",
            flush=True,
        )
    RESULTS.mkdir(exist_ok=True)
    content = {
        "machine": machine(),
        "threads": arguments.threads,
        "size": SIZE,
        "classes": CLASSES,
        "images": arguments.images,
        "rows": rows,
    }
    path = RESULTS / f"crf-2cpu-torch{torch.__version__.split('+')[0]}.json"
    path.write_text(json.dumps(content, indent=1) + "\n")
    print(path)


if __name__ == "__main__":
    main()
