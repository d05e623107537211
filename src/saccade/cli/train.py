"""``saccade train``: a network for a whole data set."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saccade.batch import interruption
from saccade.cli.errors import INTERRUPTED, one_line_errors
from saccade.cli.option_values import require_packages
from saccade.cli.options import Output, Quiet
from saccade.cli.progress import Bar
from saccade.cli.say import say

if TYPE_CHECKING:
    from saccade.training.config import TrainConfig
    from saccade.training.state import State

_REDRAW = 20.0
"""Seconds between two pictures of the curves."""


def train(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG.toml", help="Data, network and how to train it.")
    ],
    output: Output,
    quiet: Quiet = False,
) -> None:
    """Train a network on images with masks.

    FOLDER gets best.safetensors and last.safetensors, each enough for `saccade predict`, curves.png
    and, at the end, report.html with scores, confusions, and the best and worst predictions. The
    same command goes on after an interruption. Several GPUs or machines: torchrun -m saccade.cli
    train ...
    """
    with one_line_errors():
        require_packages("torchvision", "lightning")
        from saccade.training.config import read_config
        from saccade.training.curves import CURVES
        from saccade.training.loop import train as run

        settings = read_config(config)
        leader = os.environ.get("RANK", "0") == "0"  # of the processes of torchrun
        bar = Bar(1, quiet=quiet or not leader)
        clock, remarks = _Clock(), list[str]()

        def remark(line: str) -> None:
            remarks.append(line)
            bar.warn(line)

        def report(done: float, total: float, text: str) -> None:
            clock.see(done, total, text)
            bar.show(done / max(total, 1), f"{text}, {done:.0f} of {total:.0f}")

        try:
            trained = run(
                settings,
                output,
                report=report,
                on_epoch=lambda entry: bar.note(_line(entry) + clock.left()),
                note=remark,
                watch=lambda state: _redraw(output / CURVES, state, clock),
            )
            if leader and not trained.interrupted:
                _report(settings, output, remarks, bar)
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
    say(f"report: {output / 'report.html'}")


class _Clock:
    """What is left of a run, by the steps of this call, and when curves were drawn last."""

    def __init__(self) -> None:
        self.first: tuple[float, float] | None = None
        self.done, self.total = 0.0, 0.0
        self.drawn = -_REDRAW

    def see(self, done: float, total: float, text: str) -> None:
        """Take note of a step; what is checked before the first one is none."""
        if text.startswith("epoch"):
            self.done, self.total = done, total
            self.first = self.first or (done, time.monotonic())

    def left(self) -> str:
        """The time that the steps left will take, such as "; about 12 min left"."""
        if self.first is None or self.done <= self.first[0] or self.done >= self.total:
            return ""
        pace = (time.monotonic() - self.first[1]) / (self.done - self.first[0])
        return f"; about {_duration(pace * (self.total - self.done))} left"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _redraw(path: Path, state: "State", clock: _Clock) -> None:
    """Draw the curves, but not more often than somebody looks at them."""
    from saccade.training.curves import draw_curves

    if time.monotonic() - clock.drawn >= _REDRAW:
        draw_curves(path, state)
        clock.drawn = time.monotonic()


def _report(settings: "TrainConfig", output: Path, remarks: list[str], bar: Bar) -> None:
    from saccade.devices import pick_device
    from saccade.training.report import write_report

    write_report(
        output,
        settings,
        remarks=remarks,
        device=str(pick_device(settings.run.device)),
        progress=lambda done, total: bar.show(done / total, "writing the report"),
    )


def _line(entry: dict[str, Any]) -> str:
    scores = f"mIoU {100 * entry['miou']:.2f} %, accuracy {100 * entry['accuracy']:.2f} %"
    return f"epoch {entry['epoch']}: {scores}"
