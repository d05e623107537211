"""Quality of pseudo masks from simulated strokes, against ground truth, by confidence.

    python -m benchmarks.pseudo_labels [--data ../shared/data] [--every 3] [--preset fast]

CamVid train, and CamVid val beside it: the networks that come with Saccade were trained on CamVid's
training masks, so only the second says what other photographs would give.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).resolve().parent / "results"
CONFIDENCES = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98)


def measure(found, every, preset):
    """Scores by confidence, shares, and seconds of an image."""
    from saccade.evaluation import confusion_matrix, mean_iou, overall_accuracy
    from saccade.images import load_image
    from saccade.scribbles.simulate import CLASSES, simulate_strokes
    from saccade.weak.stroke_masks import StrokeLabelling, pseudo_mask

    settings = StrokeLabelling(preset, device="cpu", confidence=0.0)
    classes = len(found.spec.names)
    matrices = {c: np.zeros((classes, classes), np.int64) for c in CONFIDENCES}
    ignored, known, drawn, seconds = dict.fromkeys(CONFIDENCES, 0), 0, 0, []
    for index in range(0, len(found.examples), every):
        truth, image = found.labels(index), load_image(found.examples[index].image)
        rng = np.random.default_rng([0, index])
        strokes = simulate_strokes(truth, rng, styles=CLASSES, by_component=True)
        start = time.perf_counter()
        mask, chosen = pseudo_mask(image, strokes, settings)
        seconds.append(time.perf_counter() - start)
        known += int((truth != 255).sum())
        drawn += int((strokes != 255).sum())
        for confidence in CONFIDENCES:
            left_out = (chosen < confidence) & (strokes == 255)
            ignored[confidence] += int((left_out & (truth != 255)).sum())
            kept = np.where(left_out, 255, truth)
            matrices[confidence] += confusion_matrix(kept, mask, classes)
    return {
        "images": len(seconds),
        "seconds_per_image": statistics.median(seconds),
        "drawn": drawn / known,
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = os.environ.get("SACCADE_DATA", "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--every", type=int, default=3)
    parser.add_argument("--preset", default="fast")
    arguments = parser.parse_args()

    import torch

    from saccade.data.sets import open_set
    from saccade.experiments.engine.report import machine

    torch.set_num_threads(1)
    content = {"machine": machine(), "preset": arguments.preset, "sets": {}}
    for split in ("train", "val"):
        found = open_set("camvid", arguments.data / "camvid", split)
        result = measure(found, arguments.every, arguments.preset)
        content["sets"][split] = result
        print(
            f"{split}: {result['images']} images, strokes on {100 * result['drawn']:.2f} % of the "
            f"pixels, {result['seconds_per_image']:.2f} s per image"
        )
        for row in result["rows"]:
            print(
                f"  confidence {row['confidence']:.2f}: mIoU {100 * row['miou']:.1f}, accuracy "
                f"{100 * row['accuracy']:.1f}, ignored {100 * row['ignored']:.1f} %"
            )
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"pseudo-labels-2cpu-torch{torch.__version__.split('+')[0]}.json"
    path.write_text(json.dumps(content, indent=1) + "\n")
    print(path)


if __name__ == "__main__":
    main()
