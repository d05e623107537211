"""Options that more than one verb has: the same name, the same meaning, the same help."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from saccade.cli.say import say
from saccade.errors import InputError
from saccade.interactive.presets import PRESETS
from saccade.stores import local_path_of, path_of

RENAMED = {"--processes": "--jobs", "--names": "--classes"}
"""Options by their names of old, which work for one more release."""

BARE = {"--instances": ("separate", ("connected", "separate"))}
"""Options that may stand without a value: the one that they have then, and all that they take."""


class Verb(TyperCommand):
    """A verb that takes options by their names of old too, and says what they are called now."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the command line."""
        return super().parse_args(ctx, self._completed(self._renamed(args)))

    def _completed(self, args: list[str]) -> list[str]:
        """Give options their usual value where they stand without one."""
        own = {name for parameter in self.params for name in parameter.opts}
        end = args.index("--") if "--" in args else len(args)
        for place in reversed(range(end)):
            usual, values = BARE.get(args[place], ("", ()))
            if args[place] in own and usual and not set(args[place + 1 : place + 2]) & set(values):
                args = [*args[: place + 1], usual, *args[place + 1 :]]
        return args

    def _renamed(self, args: list[str]) -> list[str]:
        own = {name for parameter in self.params for name in parameter.opts}
        end = args.index("--") if "--" in args else len(args)
        for place, arg in enumerate(args[:end]):
            old, equals, value = arg.partition("=")
            if old in RENAMED and old not in own and RENAMED[old] in own:
                say(f"note: {old} is now {RENAMED[old]}", err=True)
                args = [*args[:place], RENAMED[old] + equals + value, *args[place + 1 :]]
        return args


def one_of(known: Iterable[str], text: str) -> str:
    """Refuse, as wrong usage, what is none of the known words."""
    if text not in known:
        raise typer.BadParameter(f"'{text}' is not one of {', '.join(known)}.")
    return text


# Where results go, and what is said of them.


def path_anywhere(text: str | Path) -> Path:  # a default is a path already
    """The path of an argument that may be the URL of a store; a wrong one is wrong usage."""
    try:
        return path_of(str(text))
    except InputError as error:
        raise typer.BadParameter(str(error)) from error


def path_here(text: str | Path) -> Path:
    """The path of an argument on this machine; a URL is wrong usage."""
    try:
        return local_path_of(str(text))
    except InputError as error:
        raise typer.BadParameter(str(error)) from error


_OUTPUT_HELP = "Folder for the results; made if it is missing."
Output = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="FOLDER", parser=path_here, help=_OUTPUT_HELP),
]
OutputAnywhere = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="FOLDER",
        parser=path_anywhere,
        help=_OUTPUT_HELP + " May be a URL of a store, such as s3://BUCKET/FOLDER.",
    ),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Make results anew that are there; else they are kept.")
]
Overlay = Annotated[
    bool,
    typer.Option("--overlay/--no-overlay", help="Also draw the mask over the image, in overlay/."),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print nothing but tables, warnings and errors.")
]

# How work is done.

Jobs = Annotated[
    int,
    typer.Option(
        "--jobs", metavar="N", min=0, help="Images worked on side by side; 0: one per core."
    ),
]
Device = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="auto|cpu|cuda|cuda:N",
        help="Where to compute; auto takes a GPU where there is one.",
    ),
]
TRAINING_DEVICE = typer.Option(
    "--device",
    metavar="auto|cpu|cuda",
    help="Where to compute; auto takes a GPU where there is one.",
)
TrainingDevice = Annotated[str, TRAINING_DEVICE]
SEED = typer.Option(
    "--seed",
    metavar="N",
    min=0,
    help="Start of all random numbers: same seed, same result, on one device.",
)
Seed = Annotated[int, SEED]
Preset = Annotated[
    str,
    typer.Option(
        "--preset",
        metavar="|".join(PRESETS),
        callback=lambda text: one_of(PRESETS, text),
        help="How to segment: fast, for best quality, or as the paper does.",
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE.toml",
        help="Settings of the training, a file as for `saccade train`.",
    ),
]

# Data sets and labels.

LAYOUT = typer.Option(
    "--layout",
    metavar="NAME",
    help="Layout of the data: folder, lists, camvid, voc, voc-aug, sbd, context59, context60, "
    "ade20k or cityscapes.",
)
Layout = Annotated[str, LAYOUT]
SPLIT = typer.Option("--split", metavar="NAME", help="Part of the data: train, val, ...")
Split = Annotated[str, SPLIT]
Channels = Annotated[
    str,
    typer.Option(
        "--channels",
        metavar="1,3,4|NAME,...",
        help="Channels to use, by number from 1 or by the names that the file gives them; all "
        "without it.",
    ),
]
Classes = Annotated[
    Path | None,
    typer.Option(
        "--classes",
        metavar="FILE",
        help="Text file with the class names, one a line; the first is class 0.",
    ),
]


def _check_unlabeled(text: str) -> str:
    if text != "auto" and not text.removeprefix("-").isdecimal():
        raise typer.BadParameter(f"'{text}' is neither 'auto' nor a whole number.")
    return text


Unlabeled = Annotated[
    str,
    typer.Option(
        "--unlabeled",
        metavar="auto|N",
        callback=_check_unlabeled,
        help="Value in the strokes that means 'nobody drew here'; auto says what it took.",
    ),
]
Confidence = Annotated[
    float,
    typer.Option(
        "--confidence",
        metavar="P",
        help="From strokes: pixels whose class is less probable become 255; 0 keeps all.",
    ),
]

# How the numbers of images become intensities.

INTENSITIES = "LOW,HIGH"
_WINDOW_HELP = (
    "Values of the image that become black and white; else what the file says, or a rule."
)


def _window_of(text: str) -> tuple[float, float] | None:
    """The two numbers of LOW,HIGH; None for ""."""
    if not text:
        return None
    parts = text.split(",")
    try:
        low, high = (float(part) for part in parts)
    except ValueError:
        low = high = 0.0
    if not low < high or high - low == float("inf"):
        raise typer.BadParameter(f"'{text}' is not LOW,HIGH: two numbers, the first smaller.")
    return low, high


IntensityWindow = Annotated[
    Any,
    typer.Option("--window", metavar=INTENSITIES, parser=_window_of, help=_WINDOW_HELP),
]
Intensities = Annotated[
    Any,
    typer.Option("--intensities", metavar=INTENSITIES, parser=_window_of, help=_WINDOW_HELP),
]

# What a trained network is given, and what is made of its answer.

Scales = Annotated[
    str,
    typer.Option(
        "--scales", metavar="N,N,...", help="Average over the image at these factors of its size."
    ),
]
Flip = Annotated[bool, typer.Option("--flip", help="Average with the mirror image.")]
Window = Annotated[
    int,
    typer.Option(
        "--window",
        metavar="PIXELS",
        help="Side of windows that slide over the image, at least 32; 0: the whole image at once.",
    ),
]
Resize = Annotated[
    int | None,
    typer.Option(
        "--resize",
        metavar="PIXELS",
        help="Bring the shorter side of the image to this first; 0: leave it. Without it, as the "
        "network was trained.",
    ),
]
Crf = Annotated[
    str,
    typer.Option(
        "--crf",
        metavar="NAME",
        help="Refine by a dense CRF: default, deeplab-largefov, deeplab-v2-vgg16 or "
        "deeplab-v2-resnet101.",
    ),
]
