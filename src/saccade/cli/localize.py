"""``saccade localize``: where are the classes of an image, from labels of whole images?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saccade.batch import interruption
from saccade.cli.errors import INTERRUPTED, one_line_errors
from saccade.cli.option_values import make_folder, require_packages, training_device_of
from saccade.cli.options import LAYOUT, SEED, SPLIT, TRAINING_DEVICE, Config, Output, Quiet
from saccade.cli.progress import Bar
from saccade.cli.say import say
from saccade.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from saccade.data.sets import LabeledSet
    from saccade.training.classifier_config import LocalizerTraining
    from saccade.training.config import DataConfig

LABELS, SHEET = "labels.csv", "sheet.jpg"


def localize(
    output: Output,
    root: Annotated[
        Path | None,
        typer.Argument(metavar="ROOT", help="Folder of the data set, if no --config names it."),
    ] = None,
    config: Config = None,
    layout: Annotated[str | None, LAYOUT] = None,
    split: Annotated[str | None, SPLIT] = None,
    labels: Annotated[
        str,
        typer.Option(
            metavar="masks|voc|FILE.csv",
            help="Image labels: classes in the masks, VOC's Annotations, or lines NAME,CLASS,...",
        ),
    ] = "masks",
    backbone: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Backbone of the classifier: vgg16, mobilenet_v2, resnet50 or resnet101. "
            "[default: vgg16]",
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="imagenet|none|FILE",
            help="What the backbone starts from. [default: imagenet]",
        ),
    ] = None,
    dilations: Annotated[
        str | None,
        typer.Option(
            metavar="N,N,...",
            help="Dilations of the blocks, the first for precise maps. [default: 1,3,6,9]",
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Passes over the images. [default: 15]"),
    ] = None,
    batch: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Images per step. [default: 30]")
    ] = None,
    lr: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="Learning rate of the backbone; that of the blocks is ten times. [default: 0.001]",
        ),
    ] = None,
    crop: Annotated[
        int | None,
        typer.Option(metavar="PIXELS", min=32, help="Side of the crops. [default: 321]"),
    ] = None,
    seed: Annotated[int | None, SEED] = None,
    rows: Annotated[
        int, typer.Option(metavar="N", min=1, help="Images on the sheet, one a row.")
    ] = 8,
    device: Annotated[str | None, TRAINING_DEVICE] = None,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Processes that read images. [default: 0]"),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Find where classes are, from labels of whole images.

    A classifier is trained on the labels, and maps of where it sees each class are written.

    FOLDER gets classifier.safetensors, maps/NAME.npz (one map per dilation and class of the
    image), labels.csv, and sheet.jpg: image, the maps, their fusion. The same command goes on
    after an interruption. `saccade pseudo-label IMAGES FOLDER/maps` turns maps into masks.

    --config has the tables data, network, optim, augmentation and run; options override it.
    Without it: layout folder, split train, seed 0, device auto.
    """
    with one_line_errors():
        require_packages("torchvision")
        if device is not None:
            training_device_of(device)
        if lr is not None and lr <= 0:
            raise InputError(f"--lr is {lr}, must be above 0")
        options: dict[str, dict[str, Any]] = {
            "data": {"root": root, "layout": layout, "train": split},
            "network": {
                "backbone": backbone,
                "weights": weights,
                "dilations": None if dilations is None else _numbers(dilations),
            },
            "optim": {"epochs": epochs, "batch": batch, "lr": lr},
            "augmentation": {"crop": None if crop is None else (crop, crop)},
            "run": {"seed": seed, "device": device, "workers": workers},
        }
        where, training = _settings(config, options)
        data = _open(where, allow_missing=labels != "masks")
        _localize(training, data, labels, Path(where.root), output, rows, quiet=quiet)


def _settings(
    path: Path | None, options: dict[str, dict[str, Any]]
) -> tuple["DataConfig", "LocalizerTraining"]:
    """Data and training from a file and the options that were given, which come first."""
    from saccade.training.classifier_config import localizer_training_of
    from saccade.training.config import read_toml

    content = {"data": {"layout": "folder"}, **(read_toml(path) if path else {})}
    given = {t: {k: v for k, v in o.items() if v is not None} for t, o in options.items()}
    # Paths of the command line start here, those of the file at its folder.
    for table, name in (("data", "root"), ("network", "weights")):
        value = given[table].get(name)
        if value not in (None, "none", "imagenet"):
            given[table][name] = str(Path(value).absolute())
    for table, values in given.items():
        if values:
            content[table] = {**content.get(table, {}), **values}
    if "root" not in content["data"]:
        raise InputError(
            "ROOT is missing: name the folder of the data set, or a --config that does"
        )
    try:
        return localizer_training_of(content, path.parent if path else Path())
    except InputError as error:
        raise InputError(f"{path}: {error}" if path else str(error)) from error


def _open(where: "DataConfig", *, allow_missing: bool) -> "LabeledSet":
    from dataclasses import replace

    from saccade.data.sets import open_set

    data = open_set(where.layout, Path(where.root), where.train, allow_missing=allow_missing)
    return replace(data, examples=data.examples[:: where.every], reading=where.colors)


def _localize(
    training: "LocalizerTraining",
    data: "LabeledSet",
    labels: str,
    root: Path,
    output: Path,
    rows: int,
    *,
    quiet: bool,
) -> None:
    from saccade.files import refuse_to_replace
    from saccade.training.classifier import CLASSIFIER, check_classifier_start
    from saccade.training.labeled_images import check_labels

    inputs = [example.image for example in data.examples]
    if labels not in ("masks", "voc"):
        inputs.append(Path(labels))
    inputs += [example.mask for example in data.examples]
    inputs.append(Path(training.weights))
    refuse_to_replace((output / name for name in (LABELS, SHEET, CLASSIFIER)), inputs)
    classes = len(data.spec.names)
    if labels == "masks":  # all of which are decoded for it
        check_classifier_start(training, classes, output)
    present = _present(labels, root, data)
    check_labels(data, present)
    if labels != "masks":
        check_classifier_start(training, classes, output)
    make_folder(output)
    _run(training, data, present, output, rows, truth=labels == "masks", quiet=quiet)


def _run(
    training: "LocalizerTraining",
    data: "LabeledSet",
    present: "NDArray[np.bool_]",
    output: Path,
    rows: int,
    *,
    truth: bool,
    quiet: bool,
) -> None:
    from saccade.data.check import image_remarks
    from saccade.data.image_labels import write_image_labels
    from saccade.files import atomic_write, digest_of
    from saccade.formats.overlay import write_picture
    from saccade.training.classifier import CLASSIFIER, train_classifier
    from saccade.weak.localization import localize_all
    from saccade.weak.sheet import draw_sheet, example_rows

    given = {e.name: tuple(map(int, present[i].nonzero()[0])) for i, e in enumerate(data.examples)}
    bar = Bar(1, quiet=quiet)
    read = image_remarks(data, lambda n, of: bar.show(n / of, "checking images"))
    for remark in (*data.remarks, *read):
        bar.warn(remark)
    try:
        done = train_classifier(
            training, data, present, output, report=lambda n, of, text: bar.show(n / of, text)
        )
        with atomic_write(output / LABELS) as path:
            write_image_labels(path, given, data.spec)
        if not done.interrupted:
            localize_all(
                done.net,
                data,
                present,
                output / "maps",
                source=digest_of(output / CLASSIFIER),
                progress=lambda n, of: bar.show(n / of, f"maps, {n} of {of}"),
            )
    finally:
        bar.close()
    if done.interrupted:
        say(interruption(done.step, done.steps, "steps"), err=True)
        raise typer.Exit(INTERRUPTED)
    sheet = draw_sheet(data, output / "maps", example_rows(data, present, rows), truth=truth)
    write_picture(output / SHEET, sheet)
    if quiet:
        return
    if done.losses:
        say(f"loss {done.losses[-1]:.3f} in the last of {len(done.losses)} epochs")
    say(f"{len(data.examples)} images; written to {output}")


def _present(labels: str, root: Path, data: "LabeledSet") -> "NDArray[np.bool_]":
    """(N, K), the labels of each image; the background has a cue of its own, so none here."""
    from saccade.data.image_labels import (
        as_table,
        labels_in_masks,
        read_label_file,
        voc_image_labels,
    )

    names = [example.name for example in data.examples]
    if labels == "masks":
        known = labels_in_masks(data)
    elif labels == "voc":
        known = voc_image_labels(root, names, data.spec)
    else:
        found = read_label_file(Path(labels), names, data.spec)
        for remark in found.remarks:
            say(f"note: {remark}", err=True)
        known = found.classes
    table = as_table(known, names, len(data.spec.names))
    if "background" in data.spec.names:
        table[:, data.spec.names.index("background")] = False
    return table


def _numbers(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise InputError(f"--dilations is {text!r}, expected whole numbers like 1,3,6,9")
    return tuple(map(int, parts))
