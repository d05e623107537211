"""``saccade pseudo-label``: masks to train on, from strokes or from localisation maps."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saccade.batch import LocalProcesses, Outcome
from saccade.cli.errors import one_line_errors
from saccade.cli.finish import finish
from saccade.cli.networks import Quiet, make_folder
from saccade.cli.pairs import pair_maps, pair_up
from saccade.cli.progress import Bar
from saccade.errors import InputError

if TYPE_CHECKING:
    from saccade.data.specs import LabelSpec
    from saccade.weak.map_masks import MapJob, MapRecord
    from saccade.weak.stroke_masks import Job, Record, StrokeLabelling

Classes = Annotated[
    Path | None,
    typer.Option("--classes", metavar="classes.txt", help="Class names, one a line, from 0."),
]
Confidence = Annotated[
    float,
    typer.Option(help="From strokes: pixels whose class is less probable become 255; 0 keeps all."),
]
Preset = Annotated[str, typer.Option(metavar="fast|best|paper", help="Of the segmenter.")]
Processes = Annotated[
    int, typer.Option(min=0, help="Images that are labelled side by side; 0: one per core.")
]
MOSTLY = 0.9
"""Share of pixels without a class above which a warning is due."""


def pseudo_label(
    images: Annotated[Path, typer.Argument(metavar="IMAGES", help="Folder of images.")],
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE", help="Folder of strokes, or of maps (.npz) of saccade localize."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the masks.")],
    classes: Classes = None,
    confidence: Confidence = 0.9,
    preset: Preset = "fast",
    seed: Annotated[int, typer.Option(help="Of the segmenter.")] = 0,
    processes: Processes = 0,
    fusion: Annotated[
        str, typer.Option(metavar="anti-noise|average|first", help="From maps: of the blocks.")
    ] = "anti-noise",
    share: Annotated[float, typer.Option(help="From maps: the 30 % of 'top 30 %'.")] = 0.3,
    threshold: Annotated[
        str,
        typer.Option(metavar="share|high-share|quantile", help="From maps: its reading."),
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
            help="From maps: what says where the background is.",
        ),
    ] = "fine-grained",
    saliency_threshold: Annotated[
        float | None,
        typer.Option(
            help="Below it is background: 0.06 of maps that are given; of OpenCV's a "
            "share of the pixels, 0.3."
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")] = "auto",
    quiet: Quiet = False,
) -> None:
    """Turn strokes or localisation maps into masks that a network can be trained from.

    OUTPUT/NAME.png has class indices, and 255 where the class is in doubt. `saccade train` takes
    the folder as [supervision] masks. The same command goes on after an interruption.
    """
    with one_line_errors():
        if not images.is_dir() or not source.is_dir():
            lost = images if not images.is_dir() else source
            raise InputError(f"{lost}: no such folder")
        if any(source.glob("*.npz")):
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
            }
            maps = Path(saliency) if given else None
            _from_maps(images, source, output, classes, options, maps, processes, quiet=quiet)
            return
        from saccade.weak.stroke_masks import StrokeLabelling

        spec = read_spec(classes)
        settings = StrokeLabelling(preset_named(preset), seed, device, confidence)
        _from_strokes(images, source, output, spec, settings, processes, quiet=quiet)


def _from_strokes(
    images: Path,
    strokes: Path,
    output: Path,
    spec: "LabelSpec",
    settings: "StrokeLabelling",
    processes: int,
    *,
    quiet: bool,
) -> None:
    from saccade.weak.stroke_masks import label_all, plan

    found = pair_up(images, strokes)
    make_folder(output)
    jobs = plan([(pair.image, pair.strokes) for pair in found.pairs], output)
    bar = Bar(len(jobs), quiet=quiet)
    for remark in found.remarks:
        bar.warn(remark)
    try:
        outcome = label_all(
            jobs, spec, settings, executor=LocalProcesses(processes), progress=bar.show
        )
    finally:
        bar.close()
    records = outcome.records.values()
    if records:
        sure = sum(r.confidence for r in records) / len(records)
        seconds = sum(r.seconds for r in records) / len(records)
        typer.echo(
            f"{_summary(outcome, output)}; mean confidence {sure:.3f}, {seconds:.2f} s per image"
        )
    finish(outcome, lambda job: job.image.name)


def _summary(outcome: "Outcome[Job, Record] | Outcome[MapJob, MapRecord]", output: Path) -> str:
    share = _ignored(outcome)
    return (
        f"{len(outcome.records)} masks in {output}; {100 * share:.1f} % of the pixels in doubt, 255"
    )


def _ignored(outcome: "Outcome[Job, Record] | Outcome[MapJob, MapRecord]") -> float:
    """The share of the pixels without a class."""
    records = outcome.records.values()
    return sum(record.ignored for record in records) / sum(record.pixels for record in records)


def read_spec(path: Path | None) -> "LabelSpec":
    """The classes of --classes.

    Raises:
        InputError: it is missing, or cannot be read.
    """
    from saccade.data.specs import LabelSpec, read_classes

    if path is None:
        raise InputError("--classes is missing: a file with the class names, one a line, from 0")
    return LabelSpec(read_classes(path).names, read_classes(path).palette)


def preset_named(name: str) -> str:
    """Return the name of a preset.

    Raises:
        InputError: it is none.
    """
    from saccade.interactive.presets import PRESETS

    if name not in PRESETS:
        raise InputError(f"--preset is {name!r}, expected {', '.join(PRESETS)}")
    return name


def _from_maps(
    images: Path,
    source: Path,
    output: Path,
    classes: Path | None,
    options: dict[str, Any],
    saliency: Path | None,
    processes: int,
    *,
    quiet: bool,
) -> None:
    from saccade.weak.map_masks import MASKS_PER_PROCESS, MapLabelling, label_from_maps

    settings = MapLabelling(**options)
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
            executor=LocalProcesses(processes, MASKS_PER_PROCESS),
            progress=bar.show,
        )
    finally:
        bar.close()
    if outcome.records:
        typer.echo(_summary(outcome, output))
        if _ignored(outcome) > MOSTLY:
            way = ""
            if settings.conflicts == "ignore":
                way = "; --conflicts strongest labels pixels that several classes claim"
            typer.echo(
                f"warning: there is little to learn from masks that are mostly 255{way}", err=True
            )
    finish(outcome, lambda job: job.image.name)


def _map_spec(source: Path, classes: Path | None) -> "LabelSpec":
    kept = source.parent / "classifier.safetensors"
    if classes is not None or not kept.is_file():
        return read_spec(classes)
    from saccade.models.mdc import load_localizer

    return load_localizer(kept).spec
