"""``saccade pseudo-label``: masks to train on, from strokes or from localisation maps."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saccade.batch import Executor, Outcome
from saccade.cli.engines import Address, Engine, executor_of
from saccade.cli.errors import one_line_errors
from saccade.cli.finish import finish
from saccade.cli.option_values import channels_of, classes_of, make_folder, refuse_given
from saccade.cli.options import (
    Channels,
    Classes,
    Confidence,
    Device,
    IntensityWindow,
    Jobs,
    OutputAnywhere,
    Preset,
    Quiet,
    Seed,
    path_anywhere,
)
from saccade.cli.pairs import pair_maps, pair_up
from saccade.cli.progress import Bar
from saccade.cli.say import say
from saccade.errors import InputError
from saccade.files import check_readable
from saccade.folders import list_files
from saccade.remarks import summary_of
from saccade.stores import is_folder, is_remote

if TYPE_CHECKING:
    from saccade.data.specs import LabelSpec
    from saccade.weak.map_masks import MapJob, MapRecord
    from saccade.weak.stroke_labeling import StrokeLabeling
    from saccade.weak.stroke_masks import Job, Record

MOSTLY = 0.9
"""Share of pixels without a class above which a warning is due."""


def pseudo_label(
    context: typer.Context,
    images: Annotated[
        Path,
        typer.Argument(
            metavar="IMAGES",
            parser=path_anywhere,
            help="Folder of images; may be a URL of a store, as that of strokes may.",
        ),
    ],
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            parser=path_anywhere,
            help="Folder of strokes, one COCO, CVAT or Label Studio file of strokes, or folder of "
            "maps (.npz) of saccade localize.",
        ),
    ],
    output: OutputAnywhere,
    classes: Classes = None,
    confidence: Confidence = 0.9,
    preset: Preset = "fast",
    seed: Seed = 0,
    device: Device = "auto",
    jobs: Jobs = 0,
    engine: Engine = "local",
    address: Address = "",
    window: IntensityWindow = None,
    channels: Channels = "",
    fusion: Annotated[
        str,
        typer.Option(
            metavar="anti-noise|average|first",
            help="From maps: how those of different dilations become one.",
        ),
    ] = "anti-noise",
    share: Annotated[
        float,
        typer.Option(
            metavar="P", help="From maps: how much of a map is its object, see --threshold."
        ),
    ] = 0.3,
    threshold: Annotated[
        str,
        typer.Option(
            metavar="share|high-share|quantile",
            help="From maps: an object is where its map has at least P of its maximum (share), at "
            "least 1 - P of it (high-share), or the largest P of its values (quantile).",
        ),
    ] = "share",
    conflicts: Annotated[
        str,
        typer.Option(
            metavar="ignore|strongest", help="From maps: pixels that several classes claim."
        ),
    ] = "ignore",
    saliency: Annotated[
        str,
        typer.Option(
            metavar="FOLDER|fine-grained|spectral|none",
            help="From maps: what tells the background; a folder of maps, or OpenCV's.",
        ),
    ] = "fine-grained",
    saliency_threshold: Annotated[
        float | None,
        typer.Option(
            metavar="P",
            help="From maps: pixels whose saliency is below this are background, for a folder of "
            "maps. [default: 0.06] For OpenCV's the share of pixels that are. [default: 0.3]",
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Turn strokes or localization maps into masks to train on.

    FOLDER/NAME.png has class indices, and 255 where the class is uncertain. `saccade train` takes
    the folder as [supervision] masks. The same command goes on after an interruption.
    """
    with one_line_errors():
        if not is_folder(images):
            raise InputError(f"{images}: no such folder")
        if not is_folder(source):
            if not is_remote(source) and not source.exists():
                raise InputError(f"{source}: no such folder")
            check_readable(source)
        elif list_files(source, {".npz"}).files:
            for folder in (images, source):
                if is_remote(folder):
                    raise InputError(
                        f"{folder}: images and their maps are read on this machine; expected "
                        "folders here"
                    )
            refuse_given(context, ("channels",), "is for strokes; maps are of all channels")
            given = saliency not in ("fine-grained", "spectral", "none")
            if given and not Path(saliency).is_dir():
                raise InputError(
                    f"--saliency is {saliency!r}: no such folder; expected one, or fine-grained, "
                    "spectral or none"
                )
            limit = saliency_threshold
            options = {
                "fusion": fusion,
                "share": share,
                "threshold": threshold,
                "conflicts": conflicts,
                "saliency": "given" if given else saliency,
                "saliency_threshold": (0.06 if given else 0.3) if limit is None else limit,
                "percentile": not given,
                "window": window,
            }
            maps = Path(saliency) if given else None
            from saccade.weak.map_masks import MASKS_PER_PROCESS

            executor = executor_of(engine, address, jobs, output, items_each=MASKS_PER_PROCESS)
            _from_maps(images, source, output, classes, options, maps, executor, quiet=quiet)
            return
        from saccade.weak.stroke_labeling import StrokeLabeling

        spec = classes_of(classes)
        chosen = channels_of(channels)
        settings = StrokeLabeling(preset, seed, device, confidence, None, window, chosen)
        executor = executor_of(engine, address, jobs, output, images, source)
        _from_strokes(images, source, output, spec, settings, executor, quiet=quiet)


def _from_strokes(
    images: Path,
    strokes: Path,
    output: Path,
    spec: "LabelSpec",
    settings: "StrokeLabeling",
    executor: Executor,
    *,
    quiet: bool,
) -> None:
    from saccade.weak.stroke_masks import label_all, plan

    found = pair_up(images, strokes)
    make_folder(output)
    work = plan([(pair.image, pair.drawn, pair.entry) for pair in found.pairs], output)
    bar = Bar(len(work), quiet=quiet)
    for remark in found.remarks:
        bar.warn(remark)
    try:
        outcome = label_all(work, spec, settings, executor=executor, progress=bar.show)
    finally:
        bar.close()
    _say_remarks(outcome)
    records = outcome.records.values()
    if records and not quiet:
        sure = sum(r.confidence for r in records) / len(records)
        seconds = sum(r.seconds for r in records) / len(records)
        say(f"{_summary(outcome, output)}; mean confidence {sure:.3f}, {seconds:.2f} s per image")
    finish(outcome, lambda job: job.image.name)


def _say_remarks(outcome: "Outcome[Job, Record] | Outcome[MapJob, MapRecord]") -> None:
    for line in summary_of((job.image.name, r.remarks) for job, r in outcome.records.items()):
        say(line, err=True)


def _summary(outcome: "Outcome[Job, Record] | Outcome[MapJob, MapRecord]", output: Path) -> str:
    share = 100 * _ignored(outcome)
    count = len(outcome.records)
    return f"{count} masks in {output}; {share:.1f} % of the pixels without a class, 255"


def _ignored(outcome: "Outcome[Job, Record] | Outcome[MapJob, MapRecord]") -> float:
    """The share of the pixels without a class."""
    records = outcome.records.values()
    return sum(record.ignored for record in records) / sum(record.pixels for record in records)


def _from_maps(
    images: Path,
    source: Path,
    output: Path,
    classes: Path | None,
    options: dict[str, Any],
    saliency: Path | None,
    executor: Executor,
    *,
    quiet: bool,
) -> None:
    from saccade.weak.map_masks import MapLabeling, label_from_maps

    settings = MapLabeling(**options)
    spec = _map_spec(source, classes)
    found = pair_maps(images, source)
    files = [pair.image for pair in found.pairs]
    bar = Bar(len(files), quiet=quiet)
    for remark in found.remarks:
        bar.warn(remark)
    try:
        outcome = label_from_maps(
            files,
            source,
            spec,
            settings,
            output,
            saliency=saliency,
            executor=executor,
            progress=bar.show,
        )
    finally:
        bar.close()
    _say_remarks(outcome)
    if outcome.records:
        if not quiet:
            say(_summary(outcome, output))
        if _ignored(outcome) > MOSTLY:
            way = ""
            if settings.conflicts == "ignore":
                way = "; --conflicts strongest labels pixels that several classes claim"
            say(f"warning: there is little to learn from masks that are mostly 255{way}", err=True)
    finish(outcome, lambda job: job.image.name)


def _map_spec(source: Path, classes: Path | None) -> "LabelSpec":
    kept = source.parent / "classifier.safetensors"
    if classes is not None or not kept.is_file():
        return classes_of(classes)
    from saccade.models.mdc import load_localizer

    return load_localizer(kept).spec
