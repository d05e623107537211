"""Trains as `saccade train` does, one thread a process; for tests that kill it or start two."""

import sys
from pathlib import Path

import torch

from saccade.training.config import read_config
from saccade.training.loop import train

if __name__ == "__main__":
    torch.set_num_threads(1)
    trained = train(
        read_config(Path(sys.argv[1])),
        Path(sys.argv[2]),
        report=lambda done, total, text: print(text, done, flush=True),
    )
    print("finished", trained.step, trained.scores.miou, trained.scores.images, flush=True)
