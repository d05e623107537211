"""``saccade fit``: strokes on a few images of a kind to a model that is kept."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saccade.cli.assumptions import Assumptions
from saccade.cli.errors import one_line_errors
from saccade.cli.option_values import channels_of, read_names, refuse_given
from saccade.cli.options import (
    Channels,
    Classes,
    Device,
    IntensityWindow,
    Overwrite,
    Preset,
    Quiet,
    Seed,
    Unlabeled,
    path_here,
)
from saccade.cli.pairs import Pairing, pair_up, size_of
from saccade.cli.progress import Bar
from saccade.cli.say import say
from saccade.cli.segment_settings import Settings
from saccade.cli.stack_kinds import refuse_stacks
from saccade.errors import InputError
from saccade.folders import list_files
from saccade.remarks import Remarks
from saccade.suffixes import IMAGE_SUFFIXES

if TYPE_CHECKING:
    from saccade.fitted import Model
    from saccade.scribbles.strokes import Strokes

SUFFIX = ".saccade"


def fit(
    context: typer.Context,
    images: Annotated[
        Path, typer.Argument(metavar="IMAGES", parser=path_here, help="Image, or folder of images.")
    ],
    strokes: Annotated[
        Path,
        typer.Argument(
            metavar="STROKES",
            parser=path_here,
            help="Strokes over some of them: a folder, matched by file name, or one file, as for "
            "`saccade segment`.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar=f"NAME{SUFFIX}", help="File of the model; its folder exists."
        ),
    ],
    more: Annotated[
        Path | None,
        typer.Option(
            "--more",
            metavar=f"NAME{SUFFIX}",
            help="Go on from this model: its strokes stay, but for images that are given here.",
        ),
    ] = None,
    suggest: Annotated[
        int,
        typer.Option(
            "--suggest",
            metavar="N",
            min=0,
            help="Also name at most N images without strokes on which strokes would help most.",
        ),
    ] = 0,
    preset: Preset = "fast",
    seed: Seed = 0,
    device: Device = "auto",
    unlabeled: Unlabeled = "auto",
    classes: Classes = None,
    window: IntensityWindow = None,
    channels: Channels = "",
    features: Annotated[
        str,
        typer.Option(
            "--features",
            metavar="timm:NAME[@FILE]",
            help="Also look at the maps of this backbone of timm, with weights of its cache or of "
            "FILE. Nothing is downloaded.",
        ),
    ] = "bundled",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Fit a model to strokes on a few images of a kind.

    `saccade segment IMAGES --model NAME.saccade` then gives masks of all images of that kind,
    with strokes or without. What is printed at the end says how well the model predicts strokes
    of an image that it was not fitted to.
    """
    with one_line_errors():
        if output.exists() and not overwrite:
            raise InputError(f"{output}: is there already; --overwrite replaces it")
        if not output.parent.is_dir():
            raise InputError(f"{output.parent}: no such folder, for {output.name}")
        if more is not None:
            decided = ("preset", "seed", "window", "channels", "features")
            refuse_given(context, decided, "is the model's, leave it out with --more")
        if suggest and not images.is_dir():
            raise InputError(f"{images}: is one image, --suggest chooses from a folder")
        names = None if classes is None else read_names(classes)
        chosen = channels_of(channels)
        found = pair_up(images, strokes)
        refuse_stacks(found.pairs, "a model is fitted to pictures, saccade segment takes stacks")
        bar = Bar(1, quiet=quiet)
        try:
            settings = Settings(preset, seed, device, _value(unlabeled), window, channels=chosen)
            model = _fitted(found, bar, more, settings, names, features)
            model.save(output, progress=bar.show)
            others = _without_strokes(images, found) if suggest else []
            next_ones = model.suggest_images(suggest, others, progress=bar.show)
        finally:
            bar.close()
        if not quiet:
            _print_done(model, output)
        for one in next_ones:
            unlike = ", unlike those with strokes" if one.unlike else ""
            say(f"draw next on  {one.name}  ({one.score:.3f} unsure{unlike})")


def _value(unlabeled: str) -> int | None:
    return None if unlabeled == "auto" else int(unlabeled)


def _fitted(
    found: Pairing,
    bar: Bar,
    more: Path | None,
    settings: Settings,
    names: tuple[str, ...] | None,
    features: str,
) -> "Model":
    from saccade.fitted import fit
    from saccade.fitted.file import load_fitted

    for remark in found.remarks:
        bar.warn(remark)
    known = None if more is None else load_fitted(more, device=settings.device)
    drawn = _read_strokes(found, bar, settings.unlabeled, names)
    paths = [pair.image for pair in found.pairs]
    if known is None:
        model = fit(
            paths,
            drawn,
            preset=settings.preset,
            seed=settings.seed,
            device=settings.device,
            window=settings.window,
            channels=settings.channels,
            features=features,
            progress=bar.show,
        )
    else:
        model = known.update(paths, drawn, progress=bar.show)
    remarks = Remarks(bar.warn)
    said = {line for strokes in drawn for line in (*strokes.remarks, strokes.assumption)}
    remarks.add("model", tuple(x for x in model.remarks if not any(x.endswith(y) for y in said)))
    remarks.summarize()
    for strokes in drawn:
        model.names |= strokes.names
    if names is not None:
        model.names = {value: names[value] for value in model.classes if value < len(names)}
    return model


def _read_strokes(
    found: Pairing, bar: Bar, unlabeled: int | None, names: tuple[str, ...] | None
) -> "list[Strokes]":
    from saccade.annotations import read_any_strokes

    assumptions, drawn = Assumptions(bar.note), []
    for pair in found.pairs:
        strokes = read_any_strokes(
            pair.drawn,
            shape=size_of(pair.image),
            unlabeled=unlabeled,
            names=names,
            image_name=pair.entry,
        )
        assumptions.add(strokes, pair.drawn)
        drawn.append(strokes)
    assumptions.summarize()
    return drawn


def _print_done(model: "Model", path: Path) -> None:
    counted = len(model.stroked)
    images = "1 image" if counted == 1 else f"{counted} images"
    say(f"model         {path}, fitted to strokes on {images}")
    held_out = model.held_out()
    for value in model.classes:
        name = model.names.get(value, "")
        share = held_out.of_class.get(value)
        told = "" if share is None else f"  {100 * share:.0f} % of its strokes predicted"
        say(f"class {value:<8}{name}{told}")
    if not held_out.images:
        say("how good it is shows with strokes on a second image")


def _without_strokes(images: Path, found: Pairing) -> list[Path]:
    known = {pair.image for pair in found.pairs}
    return [path for path in list_files(images, IMAGE_SUFFIXES).files if path not in known]
