"""``saccade segment``: one image or a folder of images, from strokes to masks."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from saccade.cli import batch
from saccade.cli.errors import BAD_INPUT, INTERRUPTED, one_line_errors
from saccade.cli.outputs import EXTRA_SUFFIXES, MASK_SUFFIXES, Wanted, prepared
from saccade.cli.pairs import Pairing, pair_up
from saccade.cli.progress import Bar
from saccade.errors import InputError
from saccade.interactive.presets import PRESETS


def _check_preset(text: str) -> str:
    return _one_of(PRESETS, text)


def _check_formats(texts: list[str]) -> list[str]:
    return [_one_of(MASK_SUFFIXES, text) for text in texts]


def _one_of(known: Iterable[str], text: str) -> str:
    if text not in known:
        raise typer.BadParameter(f"'{text}' is not one of {', '.join(known)}.")
    return text


def _check_unlabeled(text: str) -> str:
    if text != "auto" and not text.removeprefix("-").isdecimal():
        raise typer.BadParameter(f"'{text}' is neither 'auto' nor a whole number.")
    return text


def segment(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="Image, or folder of images.")],
    strokes: Annotated[
        Path,
        typer.Argument(
            metavar="STROKES",
            help="Strokes over it: label image (PNG, TIFF), RGBA overlay, ScribbleSup XML, "
            "labelme, COCO or Label Studio JSON, CVAT XML or .npy; or a folder of these, matched "
            "by file name.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")],
    preset: Annotated[
        str,
        typer.Option(
            metavar="|".join(PRESETS),
            callback=_check_preset,
            help="fast, best quality, or the paper to the letter.",
        ),
    ] = "fast",
    seed: Annotated[int, typer.Option(help="Same seed, same mask, on one device.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")] = "auto",
    unlabeled: Annotated[
        str,
        typer.Option(
            metavar="auto|N",
            callback=_check_unlabeled,
            help="Value in the strokes that means 'nobody drew here'; auto says what it took.",
        ),
    ] = "auto",
    formats: Annotated[
        list[str],
        typer.Option(
            "--format",
            metavar="|".join(MASK_SUFFIXES),
            callback=_check_formats,
            help="Format of the mask, may be repeated.",
        ),
    ] = ["png"],  # noqa: B006 (typer copies it)
    overlay: Annotated[bool, typer.Option(help="Picture of the mask over the image.")] = True,
    uncertainty: Annotated[
        bool, typer.Option("--uncertainty", help="Picture of where the mask is in doubt.")
    ] = False,
    probabilities: Annotated[
        bool,
        typer.Option(
            "--probabilities",
            help="Class probabilities: .npz with 'probabilities', float16 in the axis order "
            "(class, y, x), and 'classes', their class values.",
        ),
    ] = False,
    names: Annotated[
        Path | None, typer.Option(help="Text file with the class names, one a line, from 0.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Redo what exists; otherwise it is kept.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Segment an image from strokes, or every image of a folder.

    OUTPUT/NAME.png is the mask; pictures go to folders below OUTPUT. Images that have a mask
    are skipped, so a batch that was stopped goes on where it was.
    """
    settings = batch.Settings(preset, seed, device, None if unlabeled == "auto" else int(unlabeled))
    flags = (overlay, uncertainty, probabilities)
    with one_line_errors():
        wanted = Wanted(
            folder=output,
            formats=tuple(formats),
            extras=tuple(e for e, on in zip(EXTRA_SUFFIXES, flags, strict=True) if on),
            names=None if names is None else read_names(names),
        )
        _run(image, strokes, settings, wanted, overwrite=overwrite, quiet=quiet)


def read_names(path: Path) -> tuple[str, ...]:
    """Read class names, one a line, the first is that of class 0.

    Raises:
        InputError: the file is missing or no text, is empty, or has an empty line or the same
            name twice.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").rstrip().splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text, expected one class name a line") from error
    names = tuple(line.strip() for line in lines)
    if not names:
        raise InputError(f"{path}: is empty, expected one class name a line")
    for number, name in enumerate(names, start=1):
        if not name:
            raise InputError(f"{path}: line {number} is empty, expected a class name")
        if names.index(name) != number - 1:
            raise InputError(f"{path}: '{name}' stands there twice, expected different names")
    return names


def _run(
    image: Path,
    strokes: Path,
    settings: batch.Settings,
    wanted: Wanted,
    *,
    overwrite: bool,
    quiet: bool,
) -> None:
    found = pair_up(image, strokes)
    with prepared(wanted, found.pairs):
        _segment_all(found, settings, wanted, overwrite=overwrite, quiet=quiet)


def _segment_all(
    found: Pairing, settings: batch.Settings, wanted: Wanted, *, overwrite: bool, quiet: bool
) -> None:
    jobs = batch.plan(found.pairs, wanted, overwrite=overwrite)
    bar = Bar(len(jobs), quiet=quiet)
    for remark in found.remarks:
        bar.note(remark)
    _note_skipped(len(found.pairs) - len(jobs), bar)
    if not overwrite and (count := batch.outdated(found.pairs, wanted)):
        bar.note(f"{count} of the masks there are older than their image or strokes")
    outcome = batch.run(jobs, settings, wanted, bar)
    if not quiet:
        _print_outcome(outcome, wanted, single=found.single)
    _print_failures(outcome, len(jobs), single=found.single)
    if outcome.interrupted:
        typer.echo(
            f"interrupted: {len(outcome.done)} of {len(jobs)} done, their files are whole; "
            "the same command goes on from here",
            err=True,
        )
        raise typer.Exit(INTERRUPTED)
    if outcome.failed:
        raise typer.Exit(BAD_INPUT)


def _note_skipped(count: int, bar: Bar) -> None:
    if count:
        bar.note(f"{count} already done, skipped; --overwrite redoes them")


def _print_outcome(outcome: batch.Outcome, wanted: Wanted, *, single: bool) -> None:
    if not outcome.done:
        return
    count = len(outcome.done)
    if single:
        for kind, path in outcome.done[0].outputs.items():
            typer.echo(f"{'mask' if kind in MASK_SUFFIXES else kind:<14}{path}")
    else:
        typer.echo(f"{count} masks in {wanted.folder}")
    each = outcome.segmenting / count
    typer.echo(f"{outcome.seconds:.1f} s in all, {each:.1f} s per image for the segmentation")


def _print_failures(outcome: batch.Outcome, total: int, *, single: bool) -> None:
    if not outcome.failed:
        return
    if single:
        typer.echo(f"error: {next(iter(outcome.failed.values()))}", err=True)
        return
    untried = 0 if outcome.interrupted else total - len(outcome.failed) - len(outcome.done)
    rest = f", {untried} were not tried" if untried else ""
    typer.echo(f"error: {len(outcome.failed)} of {total} images failed{rest}", err=True)
    for path, message in outcome.failed.items():
        typer.echo(f"  {path.name}: {message}", err=True)
