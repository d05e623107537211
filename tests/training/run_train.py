"""Trains as `saccade train` does, one thread a process; for tests that kill it or start two.

usage: run_train.py CONFIG FOLDER [TEXT]; at a report that starts with TEXT it waits to be killed.
"""

import os
import sys
import time
from pathlib import Path

import torch

from saccade.training.config import read_config
from saccade.training.loop import train


def report(done, total, text):
    os.write(1, f"{text} {done}\n".encode())
    while len(sys.argv) > 3 and text.startswith(sys.argv[3]):
        time.sleep(1)


if __name__ == "__main__":
    torch.set_num_threads(1)
    trained = train(
        read_config(Path(sys.argv[1])),
        Path(sys.argv[2].format(rank=os.environ.get("RANK"))),
        report=report,
    )
    # One write, as two processes share the pipe.
    line = f"finished {trained.step} {trained.scores.miou} {trained.scores.images}\n"
    os.write(1, line.encode())
