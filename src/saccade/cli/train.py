"""``saccade train``: a network for a whole data set."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from saccade.batch import interruption
from saccade.cli.errors import INTERRUPTED, one_line_errors
from saccade.cli.option_values import require_packages
from saccade.cli.options import Output, Quiet
from saccade.cli.progress import Bar
from saccade.cli.say import say


def train(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG.toml", help="Data, network and how to train it.")
    ],
    output: Output,
    quiet: Quiet = False,
) -> None:
    """Train a network on images with masks.

    FOLDER gets best.safetensors and last.safetensors, each enough for `saccade predict`,
    history.json and tensorboard/. The same command goes on after an interruption. Several GPUs or
    machines: torchrun -m saccade.cli train ...
    """
    with one_line_errors():
        require_packages("torchvision", "lightning")
        from saccade.training.config import read_config
        from saccade.training.loop import train as run

        settings = read_config(config)
        leader = os.environ.get("RANK", "0") == "0"  # of the processes of torchrun
        bar = Bar(1, quiet=quiet or not leader)

        def report(done: float, total: float, text: str) -> None:
            bar.show(done / max(total, 1), f"{text}, {done:.0f} of {total:.0f}")

        try:
            trained = run(
                settings,
                output,
                report=report,
                on_epoch=lambda e: bar.note(_line(e)),
                note=bar.warn,
            )
        finally:
            bar.close()
    if not leader:
        return
    if trained.interrupted:
        say(interruption(trained.step, trained.steps, "steps"), err=True)
        raise typer.Exit(INTERRUPTED)
    if quiet:
        return
    for entry in trained.history[-1:]:
        say(f"mIoU {100 * entry['miou']:.2f} %, best {100 * trained.best:.2f} %")
    if trained.early:
        say(f"no better for {settings.optim.patience} evaluations, ended at step {trained.step}")
    say(f"{trained.step} steps, {trained.seconds:.0f} s; written to {output}")


def _line(entry: dict[str, Any]) -> str:
    scores = f"mIoU {100 * entry['miou']:.2f} %, accuracy {100 * entry['accuracy']:.2f} %"
    return f"epoch {entry['epoch']}: {scores}"
