"""Trains as `saccade train` does, one thread a process; for tests that kill it or start two."""

import os
import sys
from pathlib import Path

import torch

from saccade.training.config import read_config
from saccade.training.loop import train

if __name__ == "__main__":
    torch.set_num_threads(1)
    trained = train(
        read_config(Path(sys.argv[1])),
        Path(sys.argv[2].format(rank=os.environ.get("RANK"))),
        report=lambda done, total, text: os.write(1, f"{text} {done}\n".encode()),
    )
    # One write, as two processes share the pipe.
    line = f"finished {trained.step} {trained.scores.miou} {trained.scores.images}\n"
    os.write(1, line.encode())
