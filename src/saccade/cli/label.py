"""``saccade label``: a folder of images and strokes to a trained network, and a report."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saccade.cli.engines import Address, Engine, executor_of
from saccade.cli.errors import INTERRUPTED, one_line_errors
from saccade.cli.option_values import (
    channels_of,
    classes_of,
    make_folder,
    refuse_given,
    require_packages,
)
from saccade.cli.options import (
    Channels,
    Classes,
    Confidence,
    Config,
    Device,
    IntensityWindow,
    Jobs,
    Output,
    Preset,
    Quiet,
    Seed,
    path_here,
)
from saccade.cli.pairs import pair_up
from saccade.cli.progress import Bar
from saccade.cli.say import say
from saccade.errors import InputError

if TYPE_CHECKING:
    from saccade.data.sets import LabeledSet
    from saccade.training.config import TrainConfig
    from saccade.weak.pipeline import Done, Pipeline


def label(
    context: typer.Context,
    images: Annotated[
        Path, typer.Argument(metavar="IMAGES", parser=path_here, help="Folder of images.")
    ],
    strokes: Annotated[
        Path,
        typer.Argument(
            metavar="STROKES",
            parser=path_here,
            help="Folder of strokes, matched by file name, or one COCO, CVAT or Label Studio file.",
        ),
    ],
    output: Output,
    classes: Classes = None,
    config: Config = None,
    val_images: Annotated[
        Path | None,
        typer.Option("--val-images", metavar="FOLDER", help="Images to evaluate on."),
    ] = None,
    val_masks: Annotated[
        Path | None,
        typer.Option("--val-masks", metavar="FOLDER", help="Their masks; values as in --classes."),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            metavar="NAME.saccade",
            help="Make the masks with a model of `saccade fit` and the strokes of each image, "
            "instead of a fit for each.",
        ),
    ] = None,
    confidence: Confidence = 0.9,
    preset: Preset = "fast",
    seed: Seed = 0,
    device: Device = "auto",
    window: IntensityWindow = None,
    channels: Channels = "",
    jobs: Jobs = 0,
    engine: Engine = "local",
    address: Address = "",
    skip_failed: Annotated[
        bool,
        typer.Option("--skip-failed", help="Train without the images that cannot be labelled."),
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Train a network from strokes on images, with a report.

    The strokes become masks, the network is trained on these and evaluated.

    FOLDER gets masks/, run/ with the network, and report.html: what was labelled, how sure, what
    was ignored, how good the network is. Without --val-masks every tenth image is held out with
    its pseudo mask. The same command goes on after an interruption, at every step.

    --preset, --seed and --device are those of the segmenter; the network's are in the tables
    network, optim, augmentation and run of --config. Without it: MobileNetV2 with GDPP, from
    ImageNet where torchvision's cache has it.
    """
    with one_line_errors():
        require_packages("torchvision", "lightning")
        executor = executor_of(engine, address, jobs)
        from saccade.weak.pipeline import Pipeline
        from saccade.weak.stroke_labeling import StrokeLabeling, load_model

        spec = classes_of(classes)
        if model is not None:
            why = "is the model's, leave it out with --model"
            refuse_given(context, ("preset", "seed", "window", "channels"), why)
            load_model(model, spec, device)
        chosen = channels_of(channels)
        training = _training(config, images, window, chosen)
        val = _val(val_images, val_masks, classes)
        found = pair_up(images, strokes)
        if found.single:
            raise InputError("expected two folders; for one image: saccade segment IMAGE STROKES")
        make_folder(output)
        work = Pipeline(
            images.resolve().name,
            [(pair.image, pair.drawn, pair.entry) for pair in found.pairs],
            spec,
            StrokeLabeling(preset, seed, device, confidence, None, window, chosen, model),
            training,
            val,
            executor,
            skip_failed,
            (*found.remarks, *(val.remarks if val is not None else ())),
        )
        done = _run(work, output, quiet=quiet)
        if not quiet:
            say(f"report: {done.report}")
        if done.interruption:
            say(done.interruption, err=True)
            raise typer.Exit(INTERRUPTED)
        if done.scores is not None and not quiet:
            what = "ground truth" if val is not None else "held-out pseudo masks"
            say(f"mIoU {100 * done.scores.miou:.2f} % against {what}")


def _run(work: "Pipeline", output: Path, *, quiet: bool) -> "Done":
    from saccade.training.lock import locked
    from saccade.weak.pipeline import label_and_train

    bar = Bar(2, quiet=quiet)  # two stages
    for remark in work.remarks:
        bar.warn(remark)
    try:
        with locked(output):
            return label_and_train(
                work,
                output,
                lambda stage, done, total, text: bar.show(
                    (stage == "train") + done / max(total, 1), f"{stage}: {text}"
                ),
                bar.warn,
            )
    finally:
        bar.close()


def _training(
    path: Path | None,
    images: Path,
    window: tuple[float, float] | None,
    channels: tuple[str, ...] | None,
) -> "TrainConfig":
    """The configuration, with data that nobody looks at.

    Raises:
        InputError: the file is wrong, or has tables that are decided elsewhere.
    """
    from saccade.models.pretrained import in_cache
    from saccade.models.segmentation import SegmentationConfig
    from saccade.training.config import DataConfig, TrainConfig, read_config

    data = DataConfig(
        "folder", images.name, train="", val="", intensities=window or (), channels=channels or ()
    )
    if path is None:
        network = SegmentationConfig(2)
        return TrainConfig(data, network, "imagenet" if in_cache(network.backbone) else "none")
    config = read_config(path, data=data)
    return replace(config, data=data)


def _val(images: Path | None, masks: Path | None, classes: Path | None) -> "LabeledSet | None":
    """The validation images; their masks have the values that --classes gives, and its ignored."""
    from saccade.data.sets import pair_up as pair_masks
    from saccade.data.specs import read_classes

    if (images is None) != (masks is None):
        raise InputError("--val-images and --val-masks belong together, give both or none")
    if images is None or masks is None or classes is None:
        return None
    found = pair_masks("validation", images, masks, read_classes(classes))
    if found.missing:
        raise InputError(found.missing[0])
    if not found.examples:
        raise InputError(f"{images}: no images")
    return found
