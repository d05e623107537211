"""``saccade segment``: one image or a folder of images, from strokes to masks."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from saccade.batch import Executor, Outcome
from saccade.cli.engines import Address, Engine, executor_of
from saccade.cli.errors import INTERRUPTED, one_line_errors
from saccade.cli.finish import finish
from saccade.cli.object_files import count_line, summary_path, write_tables, write_yolo_data
from saccade.cli.object_options import Instances, MinArea, Table, object_options
from saccade.cli.one_by_one import End
from saccade.cli.option_values import channels_of, read_names, refuse_given
from saccade.cli.options import (
    Channels,
    Classes,
    Device,
    IntensityWindow,
    Jobs,
    OutputAnywhere,
    Overlay,
    Overwrite,
    Preset,
    Quiet,
    Seed,
    Unlabeled,
    one_of,
    path_anywhere,
    path_here,
)
from saccade.cli.outputs import EXTRA_SUFFIXES, FORMATS, Wanted, objects_parts, prepared
from saccade.cli.pairs import Pair, Pairing, pair_up, with_all_images
from saccade.cli.part_by_part import part_by_part
from saccade.cli.progress import Bar
from saccade.cli.say import say
from saccade.cli.segment_files import (
    Done,
    Job,
    made_otherwise,
    other_annotations,
    outdated,
    plan,
    segment_files,
    with_masks,
)
from saccade.cli.segment_settings import Settings
from saccade.errors import InputError
from saccade.files import check_readable, refuse_to_replace

_NAMED = 8
"""Images that are named at the end of a run."""


def segment(
    context: typer.Context,
    image: Annotated[
        Path,
        typer.Argument(
            metavar="IMAGE",
            parser=path_anywhere,
            help="Image, or folder of images; may be a URL of a store, as STROKES may.",
        ),
    ],
    output: OutputAnywhere,
    strokes: Annotated[
        Path | None,
        typer.Argument(
            metavar="STROKES",
            parser=path_anywhere,
            help="Strokes over it: label image (PNG, TIFF), RGBA overlay, ScribbleSup XML, "
            "labelme, COCO or Label Studio JSON, CVAT XML or .npy; for a folder of images a folder "
            "of these, matched by file name, or one COCO, CVAT or Label Studio file.",
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            metavar="NAME.saccade",
            parser=path_here,
            help="A model of `saccade fit`, or a network of `saccade train`: all images get masks; "
            "STROKES, where there are some, count on their own image.",
        ),
    ] = None,
    preset: Preset = "fast",
    seed: Seed = 0,
    device: Device = "auto",
    jobs: Jobs = 1,
    engine: Engine = "local",
    address: Address = "",
    unlabeled: Unlabeled = "auto",
    classes: Classes = None,
    window: IntensityWindow = None,
    channels: Channels = "",
    formats: Annotated[
        list[str],
        typer.Option(
            "--format",
            metavar="|".join(FORMATS),
            callback=lambda texts: [one_of(FORMATS, text) for text in texts],
            help="Format of the mask, or of its objects (yolo, geojson, gpkg); may be repeated. "
            "own is the image's own, where a PNG would lose pixel size or place.",
        ),
    ] = ["png", "own"],  # noqa: B006 (typer copies it)
    instances: Instances = "",
    min_area: MinArea = 1,
    table: Table = None,
    overlay: Overlay = True,
    uncertainty: Annotated[
        bool,
        typer.Option("--uncertainty", help="Also draw how uncertain the mask is, in uncertainty/."),
    ] = False,
    probabilities: Annotated[
        bool,
        typer.Option(
            "--probabilities",
            help="Also write class probabilities: .npz with 'probabilities', float16 in the axis "
            "order (class, y, x), and 'classes', their class values.",
        ),
    ] = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Segment an image from strokes, or every image of a folder.

    FOLDER/NAME.png is the mask; pictures go to folders below FOLDER. Images that have a mask
    are skipped, so a batch that was stopped goes on where it was.

    Of a stack, with strokes on some slices or times, all get masks, in a file with its axes.

    With --model, which `saccade fit` made from strokes on a few images, all images of IMAGE get
    masks, those without strokes too.

    With --instances every object of a class has a number of its own, in FOLDER/instances/, and
    files of COCO, labelme, YOLO, GeoJSON and GeoPackage have an annotation for each; --table
    measures them.
    """
    value = None if unlabeled == "auto" else int(unlabeled)
    with one_line_errors():
        _refuse_unused(context, model, strokes)
        executor = executor_of(engine, address, jobs, output, image, strokes)
        settings = Settings(preset, seed, device, value, window, model, channels_of(channels))
        objects = object_options(instances, min_area, table, formats)
        flags = (overlay, uncertainty, probabilities, bool(instances), objects is not None)
        wanted = Wanted(
            folder=output,
            formats=tuple(formats),
            extras=tuple(e for e, on in zip(EXTRA_SUFFIXES, flags, strict=True) if on),
            names=None if classes is None else read_names(classes),
            objects=objects,
        )
        found = _pairs_of(image, strokes, model)
        refuse_to_replace(
            () if table is None else (table, summary_path(table)),
            (path for pair in found.pairs for path in pair.sources),
        )
        apart = part_by_part(found.pairs, settings, wanted)
        with prepared(wanted, found.pairs):
            everything = found.pairs
            others = set(apart.pairs)
            found = replace(found, pairs=tuple(p for p in found.pairs if p not in others))
            jobs_left = plan(found.pairs, wanted, overwrite=overwrite)
            masked = with_masks(jobs_left, wanted)
            old = outdated(masked, wanted)
            if other := made_otherwise(masked, settings, wanted):
                remark = (
                    f"{other} of the masks there were made with another preset, seed, "
                    "--unlabeled, --window, --channels or --classes and are kept; "
                    "--overwrite makes them anew"
                )
                found = replace(found, remarks=(*found.remarks, remark))
            if kept := 0 if overwrite else other_annotations(found.pairs, wanted):
                remark = (
                    f"{kept} of the annotations there have no objects of these options and are "
                    "kept; --overwrite makes them anew"
                )
                found = replace(found, remarks=(*found.remarks, remark))
            outcome = _segment(found, jobs_left, old, settings, wanted, executor, quiet=quiet)
            ends = apart.segment(
                settings,
                wanted,
                End(INTERRUPTED if outcome.interrupted else 0),
                overwrite=overwrite,
                quiet=quiet,
                single=found.single,
            )
            _write_all_objects(everything, wanted, table, quiet=quiet)
            for end in ends:
                end.tell()
            finish(outcome, lambda job: job.pair.image.name, single=found.single)


def _refuse_unused(context: typer.Context, model: Path | None, strokes: Path | None) -> None:
    """Refuse options that a model decides, and neither strokes nor a model.

    Raises:
        InputError: there are such.
    """
    if model is None and strokes is None:
        raise InputError("STROKES are missing; without any, --model NAME.saccade says what is what")
    if model is not None:
        decided = ("preset", "seed", "channels")
        refuse_given(context, decided, "is the model's, leave it out with --model")


def _pairs_of(image: Path, strokes: Path | None, model: Path | None) -> Pairing:
    found = None if strokes is None else pair_up(image, strokes)
    if model is not None:
        check_readable(model)
        return with_all_images(image, found)
    assert found is not None  # one of the two is there
    return found


def _segment(
    found: Pairing,
    jobs: list[Job],
    old: int,
    settings: Settings,
    wanted: Wanted,
    executor: Executor,
    *,
    quiet: bool,
) -> Outcome[Job, Done]:
    bar = Bar(len(jobs), quiet=quiet)
    for remark in found.remarks:
        bar.warn(remark)
    if skipped := sum(not job.outputs for job in jobs):
        bar.note(f"{skipped} already done, skipped; --overwrite redoes them")
    if old:
        bar.note(f"{old} of the masks there are older than their image or strokes")
    try:
        outcome = segment_files(
            jobs,
            settings,
            wanted,
            executor=executor,
            note=bar.note,
            warn=bar.warn,
            progress=bar.show,
        )
    finally:
        bar.close()
    if not quiet:
        _print_done(outcome, wanted, single=found.single)
    return outcome


def _write_all_objects(
    pairs: Sequence[Pair], wanted: Wanted, table: Path | None, *, quiet: bool
) -> None:
    """Write what is of all images together: the table, and YOLO's list of classes."""
    parts = objects_parts(pairs, wanted)
    if "yolo" in wanted.formats:
        write_yolo_data(wanted.folder / "yolo", parts)
    if table is not None:
        write_tables(table, parts)
    if parts and not quiet:
        say(count_line(parts) + ("" if table is None else f" in {table}"))


def _print_done(outcome: Outcome[Job, Done], wanted: Wanted, *, single: bool) -> None:
    if not outcome.done:
        return
    if single:
        for kind, path in next(iter(outcome.done)).outputs:
            say(f"{'mask' if kind in FORMATS else kind:<14}{path}")
    else:
        say(f"{len(outcome.done)} masks in {wanted.folder}")
    if unlike := [job.pair.image.name for job, done in outcome.done.items() if done.unlike]:
        say(f"look first at   {_some(unlike)}  (unlike the images of the model)")
    each = sum(done.seconds for done in outcome.done.values()) / len(outcome.done)
    say(f"{outcome.seconds:.1f} s in all, {each:.1f} s per image for the segmentation")


def _some(names: Sequence[str]) -> str:
    """At most eight names, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
