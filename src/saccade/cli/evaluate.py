"""``saccade evaluate``: a trained network against masks."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from saccade.cli.errors import one_line_errors
from saccade.cli.option_values import crf_of, device_of, make_folder, protocol_of, require_packages
from saccade.cli.options import (
    Crf,
    Device,
    Flip,
    Intensities,
    Layout,
    Output,
    Quiet,
    Resize,
    Scales,
    Split,
    Window,
    path_here,
)
from saccade.cli.progress import Bar
from saccade.cli.say import say
from saccade.errors import InputError, printable
from saccade.files import refuse_to_replace

OUTPUTS = ("scores.csv", "scores.json", "confusion.csv", "confusion.png")


def evaluate(
    checkpoint: Annotated[
        Path,
        typer.Argument(
            metavar="CHECKPOINT", parser=path_here, help="Network, a file of `saccade train`."
        ),
    ],
    data: Annotated[
        Path, typer.Argument(metavar="DATA", parser=path_here, help="Folder of the data set.")
    ],
    output: Output,
    layout: Layout = "folder",
    split: Split = "val",
    scales: Scales = "1",
    flip: Flip = False,
    window: Window = 0,
    resize: Resize = None,
    intensities: Intensities = None,
    crf: Crf = "",
    boundaries: Annotated[
        bool, typer.Option("--boundaries", help="Also score how well boundaries are met; slower.")
    ] = False,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Score a trained network against masks.

    One confusion matrix counts all images of a split. Prints the table; FOLDER gets scores.csv,
    scores.json, confusion.csv and confusion.png.
    """
    with one_line_errors():
        require_packages("torchvision")
        from saccade.data.check import inspect, require_labels, what_is_odd
        from saccade.data.sets import open_set
        from saccade.data.specs import class_difference
        from saccade.evaluation.report import (
            as_table,
            plot_confusion,
            score_rows,
            summary,
            write_scores,
        )
        from saccade.models.checkpoint import load_checkpoint
        from saccade.training.evaluate import evaluate as run

        protocol, place = protocol_of(scales, flip, window, resize), device_of(device)
        refining = crf_of(crf)
        loaded = load_checkpoint(checkpoint, device=place)
        if resize is None:
            protocol = replace(protocol, resize=loaded.resize)
        found = replace(open_set(layout, data, split), reading=loaded.reading)
        if intensities is not None:
            found = replace(found, reading=replace(found.reading, window=intensities))
        names = loaded.spec.names
        other = class_difference(names, found.spec.names, str(data))
        if other:
            raise InputError(f"{checkpoint}: {other}")
        inputs = (path for e in found.examples for path in (e.image, e.mask))
        refuse_to_replace((output / name for name in OUTPUTS), (checkpoint, *inputs))
        bar = Bar(len(found.examples), quiet=quiet)
        try:
            findings = inspect(found, lambda done, _: bar.show(done, "checking"))
            require_labels(findings)
            remarks = (*found.remarks, *what_is_odd(findings))
            for remark in remarks:
                bar.warn(f"note: {remark}")
            scores = run(
                loaded.net,
                found,
                protocol,
                device=place,
                boundaries=boundaries,
                crf=refining,
                progress=lambda done, _: bar.show(done, "evaluating"),
            )
        finally:
            bar.close()
        make_folder(output)
        edges = scores.boundaries.f_scores() if scores.boundaries else None
        asked = str(protocol) + (f", dense CRF {crf}" if crf else "")
        if intensities is not None:
            asked += f", intensities {intensities[0]:g},{intensities[1]:g}"
        about = {
            "checkpoint": checkpoint.name,
            "data": found.title,
            "split": split,
            "images": scores.images,
            "protocol": asked,
            "remarks": [printable(remark) for remark in remarks],
        }
        written = write_scores(output, scores.matrix, names, edges, about)
        if plot_confusion(output / "confusion.png", scores.matrix, names):
            written.append(output / "confusion.png")
        rows = score_rows(scores.matrix, names, edges)
        say(as_table(rows, summary(scores.matrix, edges)))
        say(f"{found.title} {split}, {scores.images} images; {asked}")
        say(f"written: {', '.join(map(str, written))}")
