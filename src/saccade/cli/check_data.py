"""``saccade check-data``: what is in a data set, and what is wrong with it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saccade.cli.errors import BAD_INPUT, one_line_errors
from saccade.cli.option_values import make_folder
from saccade.cli.options import Layout, Quiet, Split, path_here
from saccade.cli.progress import Bar
from saccade.cli.say import say
from saccade.files import refuse_to_replace

if TYPE_CHECKING:
    from saccade.data.check import Findings
    from saccade.data.sets import LabeledSet

_SHOWN = 20
_PICTURES = 12


def check_data(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", parser=path_here, help="Folder of the data set.")
    ],
    layout: Layout = "folder",
    split: Split = "train",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Folder for a picture of some masks, if wanted.",
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Check a data set before training on it.

    Looks at pairs, values, sizes and classes. Exits with 1 where anything is wrong, and names the
    files.
    """
    with one_line_errors():
        from saccade.data.check import inspect
        from saccade.data.sets import open_set

        found = open_set(layout, data, split, allow_missing=True)
        bar = Bar(len(found.examples), quiet=quiet)
        try:
            findings = inspect(found, lambda done, _: bar.show(done, "checking"))
        finally:
            bar.close()
        _print(found, findings, split)
        if output is not None:
            path = output / f"{split or 'all'}-sheet.png"
            refuse_to_replace([path], (p for e in found.examples for p in (e.image, e.mask)))
            make_folder(output)
            if _write_sheet(found, path):
                say(f"written: {path}")
        problems = (*found.missing, *findings.problems)
        if findings.untrainable:
            problems = (*problems, findings.untrainable)
        for problem in problems[:_SHOWN]:
            say(f"error: {problem}", err=True)
        if len(problems) > _SHOWN:
            say(f"and {len(problems) - _SHOWN} more", err=True)
        if problems:
            raise typer.Exit(BAD_INPUT)


def _print(found: "LabeledSet", findings: "Findings", split: str) -> None:
    sizes = findings.sizes
    say(f"{found.title} {split}: {len(found.examples)} images with masks")
    for note in (*found.remarks, *findings.remarks):
        say(f"note: {note}")
    if findings.hint and not findings.untrainable:
        never = ", ".join(findings.absent)
        say(f"note: no mask has the class {never}{findings.hint}")
    if len(sizes):
        (low_h, low_w), (high_h, high_w) = sizes.min(0), sizes.max(0)
        say(f"width {low_w} to {high_w}, height {low_h} to {high_h} pixels")
    total = int(findings.pixels.sum())
    width = max(map(len, found.spec.names))
    say(f"{'class':<{width}}  share of pixels  images")
    for name, pixels, images in zip(
        found.spec.names, findings.pixels, findings.images, strict=True
    ):
        share = f"{100 * pixels / max(total, 1):.2f} %"
        say(f"{name:<{width}}  {share:>15}  {images:>6}{'' if images else '  never occurs'}")
    everything = total + findings.ignored
    say(f"without a class: {100 * findings.ignored / max(everything, 1):.2f} % of the pixels")


def _write_sheet(found: "LabeledSet", path: Path) -> bool:
    """Overlays of examples spread over the set, with names; False where none can be read."""
    import numpy as np

    from saccade.errors import InputError
    from saccade.formats.overlay import write_picture
    from saccade.formats.sheet import contact_sheet, lettered, with_legend
    from saccade.images import load_image

    pictures = []
    chosen = np.linspace(0, len(found.examples) - 1, min(_PICTURES, len(found.examples)))
    for index in sorted({int(i) for i in chosen}):
        try:
            image, labels = load_image(found.examples[index].image), found.labels(index)
        except InputError:  # listed among the problems
            continue
        if image.shape[:2] == labels.shape:
            colors = np.vstack([found.spec.colors, np.full((256, 3), 255, np.uint8)])[:256]
            tinted = image * 0.45 + colors[np.minimum(labels, len(found.spec.names))] * 0.55
            picture = np.where((labels == 255)[..., None], image, tinted).astype(np.uint8)
            name = found.examples[index].name
            pictures.append(lettered(picture, name if len(name) < 30 else f"...{name[-27:]}"))
    if pictures:
        sheet = contact_sheet(pictures)
        write_picture(path, with_legend(sheet, found.spec.names, found.spec.colors))
    return bool(pictures)
