"""A segmenter that takes no time, so that tests of the command line test the command line."""

import os
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

# At the fifth call it makes this file and waits to be interrupted.
BLOCKED = os.environ.get("FAKE_BLOCKED")
calls = []


class FakeSegmenter:
    """Gives every pixel the class of the first stroke; remembers how it was called."""

    def __init__(self, preset="fast", seed=0, device="auto", *, unlabeled=255, classes=None):
        self.arguments = {"preset": preset, "seed": seed, "device": device, "unlabeled": unlabeled}

    def fit(self, image, strokes, *, progress=None, cancel=None):
        calls.append(self.arguments)
        unlabeled = getattr(strokes, "unlabeled", self.arguments["unlabeled"])
        strokes = getattr(strokes, "labels", strokes)
        if progress is not None:
            progress(0.5, "fit")
        while BLOCKED and len(calls) == 5:
            Path(BLOCKED).touch()
            time.sleep(1)
        classes = tuple(int(c) for c in np.unique(strokes) if c != unlabeled)
        labels = np.where(strokes == unlabeled, classes[0], strokes)
        probabilities = np.stack([labels == c for c in classes]).astype(np.float32)
        self.result = SimpleNamespace(
            unlike=False,
            labels=labels.astype(np.int32),
            probabilities=probabilities,
            uncertainty=np.linspace(0, 1, labels.size, dtype=np.float32).reshape(labels.shape),
            classes=classes,
            timings={},
            remarks=(),
            provisional=(),
        )
        return self
