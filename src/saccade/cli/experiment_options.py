"""Options that the commands of ``saccade experiment`` share, and telling what came out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saccade.cli.errors import BAD_INPUT, INTERRUPTED
from saccade.cli.options import one_of
from saccade.cli.say import say
from saccade.experiments.gdc.image_tables import TABLE_PRESETS

if TYPE_CHECKING:
    from saccade.experiments.engine.report import Report

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Which one; see: saccade experiment list")
]
Data = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Folder with the data shared by all experiments, iseg/ and camvid/; not the paper's.",
    ),
]
Sets = Annotated[
    str,
    typer.Option(
        metavar="NAME,...",
        help="Which sets below --data: thin, full, dense (strokes on single objects), camvid. "
        "[default: thin,camvid]",
    ),
]
Limit = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="At most this many images of each set.")
]
Image = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="gdc-figure10, gdc-figure11: a photograph, not --data."),
]
Strokes = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="gdc-figure11: strokes on --image, 255 = unlabelled."),
]
Truth = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="gdc-figure11: the right mask of --image, 255 = unknown."),
]
Cityscapes = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Cityscapes: the data of gdc-table6.")
]
Features = Annotated[
    str,
    typer.Option(
        metavar="bundled|FILE",
        help="Frozen features: those that ship, or the paper's, ImageNet's MobileNetV2: a file of "
        "torchvision (.pth, .safetensors), or folded (.npz).",
    ),
]
TablePreset = Annotated[
    str,
    typer.Option(
        "--preset",
        metavar="|".join(TABLE_PRESETS),
        callback=lambda text: one_of(TABLE_PRESETS, text),
        help="paper: the GDC paper's network and optimisation, where it departs from print for "
        "quality or speed; paper-literal: as printed.",
    ),
]
Clicks = Annotated[
    bool,
    typer.Option(
        "--clicks",
        help="With --subset: training images of clicks.json, people's clicks on their objects.",
    ),
]
Ade20k = Annotated[
    Path | None,
    typer.Option("--ade20k", metavar="FOLDER", help="ADEChallengeData2016: data of dsnet-table4."),
]
Subset = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="The data of --voc, --context, ... is a part of the paper's: lists train and val are "
        "taken whatever their size, and the report has this name. Without it another number of "
        "images than the paper's is an error.",
    ),
]
Epochs = Annotated[
    int, typer.Option(metavar="N", min=0, help="Epochs in place of the schedule's; 0 for these.")
]
Curve = Annotated[
    int,
    typer.Option(metavar="N", min=0, help="Evaluate every N epochs too, into NAME-curve.csv."),
]
Crop = Annotated[
    int,
    typer.Option(
        metavar="N", min=0, help="Crops of N x N in place of the schedule's; 0 for these."
    ),
]
Freeze = Annotated[
    bool,
    typer.Option(
        "--freeze",
        help="Keep the backbones as they are and train what is on top, without changes of scale; "
        "a multiple as fast where --crop shows whole images.",
    ),
]
Saliency = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="mdc-..., weak-labels: saliency maps NAME.png of the images of --voc; OpenCV makes "
        "them if not given.",
    ),
]
Rows = Annotated[
    str, typer.Option(metavar="NAME,...", help="Train these rows only; a wrong name lists all.")
]
Voc = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="PASCAL VOC 2012, VOCdevkit/VOC2012: the paper's data."),
]
Context = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="PASCAL-Context, VOCdevkit/VOC2010 and its labels: the paper's data."
    ),
]
Scribbles = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="Strokes of ScribbleSup on the images of --voc and --context."
    ),
]


def check_seeds(text: str) -> str:
    """Refuse what is no list of different whole numbers, as wrong usage."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts) or len(set(parts)) < len(parts):
        raise typer.BadParameter(f"'{text}' is no list of different whole numbers like 0,1,2.")
    return text


Seeds = Annotated[
    str,
    typer.Option(
        metavar="N,N,...", callback=check_seeds, help="Repeat with each of these random seeds."
    ),
]
OldSeeds = Annotated[
    str,
    typer.Option("--seeds", hidden=True, callback=lambda text: check_seeds(text) if text else text),
]
Schedule = Annotated[
    str,
    typer.Option(
        metavar="auto|paper|full|reduced|smoke",
        help="How long to train. auto: the paper's on its data; on CamVid full with CUDA, else "
        "reduced, which is minutes a network on two cores. smoke: seconds, to try.",
    ),
]
Backbone = Annotated[
    str, typer.Option(metavar="NAME", help="Backbone of the networks; the paper's if not given.")
]
Weights = Annotated[
    str,
    typer.Option(
        metavar="auto|imagenet|none|FILE",
        help="What the backbone starts from. auto: ImageNet on the paper's data; on CamVid the "
        "file of weights below --data, if there is one.",
    ),
]


def names_in(text: str) -> tuple[str, ...]:
    """The names of a list like ``a,b``."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def seeds_in(text: str) -> tuple[int, ...]:
    """The numbers of a list that `Seeds` has checked."""
    return tuple(int(part) for part in text.split(","))


def tell(report: "Report") -> None:
    """Print a report.

    Raises:
        Exit: it is not complete.
    """
    if report.text:
        say(report.text)
    say(f"written: {', '.join(map(str, report.files))}")
    for name, why in report.failed.items():
        say(f"{name}: {why}", err=True)
    if report.interruption:
        say(report.interruption, err=True)
        raise typer.Exit(INTERRUPTED)
    if report.failed:
        raise typer.Exit(BAD_INPUT)
