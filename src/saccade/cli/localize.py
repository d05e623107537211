"""``saccade localize``: where are the classes of an image, from labels of whole images?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saccade.cli.errors import INTERRUPTED, one_line_errors
from saccade.cli.networks import Device, Layout, Quiet, Split, make_folder, require_packages
from saccade.cli.progress import Bar
from saccade.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from saccade.data.sets import LabeledSet
    from saccade.training.classifier import LocalizerTraining

LABELS, SHEET = "labels.csv", "sheet.jpg"


def localize(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="Folder of the data set.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")],
    layout: Layout = "folder",
    split: Split = "train",
    labels: Annotated[
        str,
        typer.Option(
            metavar="masks|voc|FILE.csv",
            help="Image labels: classes in the masks, VOC's Annotations, or lines NAME,CLASS,...",
        ),
    ] = "masks",
    backbone: Annotated[
        str, typer.Option(help="vgg16, mobilenet_v2, resnet50 or resnet101.")
    ] = "vgg16",
    weights: Annotated[
        str, typer.Option(metavar="imagenet|none|FILE", help="Of the backbone.")
    ] = "imagenet",
    dilations: Annotated[
        str, typer.Option(metavar="N,N,...", help="Of the blocks, the first for precise maps.")
    ] = "1,3,6,9",
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the images.")] = 15,
    batch: Annotated[int, typer.Option(min=1, help="Images per step.")] = 30,
    lr: Annotated[float, typer.Option(help="Rate of the backbone; the blocks have ten times.")] = (
        0.001
    ),
    crop: Annotated[int, typer.Option(min=32, help="Side of the crops, pixels.")] = 321,
    seed: Annotated[int, typer.Option(help="Of weights, order and augmentation.")] = 0,
    rows: Annotated[int, typer.Option(min=1, help="Images on the sheet.")] = 8,
    device: Device = "auto",
    workers: Annotated[int, typer.Option(min=0, help="Processes that read images.")] = 0,
    quiet: Quiet = False,
) -> None:
    """Train a classifier on labels of images and write where it sees each class.

    OUTPUT gets classifier.safetensors, maps/NAME.npz (one map per dilation and class of the
    image), labels.csv, and sheet.jpg: image, the maps, their fusion. The same command goes on
    after an interruption. `saccade pseudo-label IMAGES OUTPUT/maps` turns maps into masks.
    """
    with one_line_errors():
        require_packages("torchvision")
        from saccade.data.sets import open_set
        from saccade.data.transforms import Augmentation
        from saccade.files import refuse_to_replace
        from saccade.models.mdc import LocalizerConfig
        from saccade.training.classifier import LocalizerTraining, check_labels
        from saccade.training.config import OptimConfig

        if device not in ("auto", "cpu", "cuda"):
            raise InputError(f"--device is {device!r}, expected auto, cpu or cuda")
        if lr <= 0:
            raise InputError(f"--lr is {lr}, must be above 0")
        found = open_set(layout, root, split, allow_missing=labels != "masks")
        present = _present(labels, root, found)
        config = LocalizerTraining(
            LocalizerConfig(backbone=backbone, dilations=_numbers(dilations)),
            weights,
            OptimConfig(epochs=epochs, batch=batch, lr=lr, drop=0.4),
            Augmentation(crop=(crop, crop), scale=(0.75, 1.5)),
            seed,
            device,  # type: ignore[arg-type]
            workers,
        )
        check_labels(found, present)
        inputs = [example.image for example in found.examples]
        if labels not in ("masks", "voc"):
            inputs.append(Path(labels))
        refuse_to_replace((output / name for name in (LABELS, SHEET)), inputs)
        make_folder(output)
        _run(config, found, present, output, rows, truth=labels == "masks", quiet=quiet)


def _run(
    config: "LocalizerTraining",
    found: "LabeledSet",
    present: "NDArray[np.bool_]",
    output: Path,
    rows: int,
    *,
    truth: bool,
    quiet: bool,
) -> None:
    from saccade.data.image_labels import write_image_labels
    from saccade.files import atomic_write, digest_of
    from saccade.formats.overlay import write_picture
    from saccade.training.classifier import CLASSIFIER, train_classifier
    from saccade.weak.localization import draw_sheet, example_rows, localize_all

    given = {e.name: tuple(map(int, present[i].nonzero()[0])) for i, e in enumerate(found.examples)}
    bar = Bar(1, quiet=quiet)
    try:
        done = train_classifier(
            config, found, present, output, report=lambda n, of, text: bar.show(n / of, text)
        )
        with atomic_write(output / LABELS) as path:
            write_image_labels(path, given, found.spec)
        if not done.interrupted:
            localize_all(
                done.net,
                found,
                present,
                output / "maps",
                source=digest_of(output / CLASSIFIER),
                progress=lambda n, of: bar.show(n / of, f"maps, {n} of {of}"),
            )
    finally:
        bar.close()
    if done.interrupted:
        typer.echo(
            f"interrupted after step {done.step} of {done.steps}; the same command goes on",
            err=True,
        )
        raise typer.Exit(INTERRUPTED)
    sheet = draw_sheet(found, output / "maps", example_rows(found, present, rows), truth=truth)
    write_picture(output / SHEET, sheet)
    if done.losses:
        typer.echo(f"loss {done.losses[-1]:.3f} in the last of {len(done.losses)} epochs")
    typer.echo(f"{len(found.examples)} images; written to {output}")


def _present(labels: str, root: Path, found: "LabeledSet") -> "NDArray[np.bool_]":
    """(N, K), the labels of each image; the background has a cue of its own, so none here."""
    from saccade.data.image_labels import (
        as_table,
        labels_in_masks,
        read_image_labels,
        voc_image_labels,
    )

    names = [example.name for example in found.examples]
    if labels == "masks":
        known = labels_in_masks(found)
    elif labels == "voc":
        known = voc_image_labels(root, names, found.spec)
    else:
        known = read_image_labels(Path(labels), names, found.spec)
    table = as_table(known, names, len(found.spec.names))
    if "background" in found.spec.names:
        table[:, found.spec.names.index("background")] = False
    return table


def _numbers(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise InputError(f"--dilations is {text!r}, expected whole numbers like 1,3,6,9")
    return tuple(map(int, parts))
