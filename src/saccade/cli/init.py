"""``saccade init``: a configuration that trains, for a folder as people have it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saccade.cli.errors import one_line_errors
from saccade.cli.option_values import make_folder, require_packages
from saccade.cli.options import Output, Overwrite, Quiet, Seed
from saccade.cli.progress import Bar
from saccade.cli.say import say

if TYPE_CHECKING:
    from saccade.discovery.plan import Plan


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder with images and their masks.")
    ],
    output: Output = Path("training"),
    hold_out: Annotated[
        float,
        typer.Option(
            "--hold-out",
            metavar="SHARE",
            min=0.01,
            max=0.9,
            help="Share of the images to score on, where folders do not say which.",
        ),
    ] = 0.2,
    images: Annotated[
        str,
        typer.Option(
            metavar="PATTERN",
            help="Images, such as 'raw/*_img.tif' below FOLDER; what * stands for is the same in "
            "the mask's path.",
        ),
    ] = "",
    masks: Annotated[
        str, typer.Option(metavar="PATTERN", help="Their masks, such as 'labels/*_gt.png'.")
    ] = "",
    seed: Seed = 0,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Write a configuration that trains on a folder.

    FOLDER has images and masks, under whatever names. Finds out which mask belongs to which image
    and what the values or colors of masks mean, holds some images out to score on, and says what
    it assumed. A data set of Hugging Face on disk is unpacked below the output. The results are
    train.toml for `saccade train`, lists of the images, and classes.txt. Nothing in FOLDER is
    changed.
    """
    with one_line_errors():
        from saccade.discovery.hugging_face import is_hugging_face, unpack
        from saccade.discovery.plan import CONFIG, Wishes, plan_for
        from saccade.errors import InputError
        from saccade.files import atomic_write

        if bool(images) != bool(masks):
            raise InputError("--images and --masks belong together, give both or none")
        if (output / CONFIG).exists() and not overwrite:
            raise InputError(f"{output / CONFIG}: is there already; --overwrite replaces it")
        require_packages("torchvision", "lightning")
        bar = Bar(1, quiet=quiet)
        try:
            gpu, pretrained = _machine()
            wishes = Wishes(output.resolve(), hold_out, seed, gpu, pretrained)
            root = folder.resolve()
            if is_hugging_face(root):
                root = unpack(root, output.resolve() / "unpacked", bar.show)
            plan = plan_for(root, wishes, bar.show, (images, masks) if images else None)
        finally:
            bar.close()
        there = [output / name for name in plan.files if (output / name).exists()]
        if there and not overwrite:
            raise InputError(f"{there[0]}: is there already; --overwrite replaces it")
        make_folder(output)
        if plan.masks:
            make_folder(output / "masks")
            plan.write_masks()
        for name, text in plan.files.items():
            with atomic_write(output / name) as path:
                path.write_text(text, encoding="utf-8", errors="surrogateescape", newline="\n")
        _tell(plan, output, quiet)


def _machine() -> tuple[bool, bool]:
    """Whether there is a GPU, and ImageNet weights of the small backbone in torchvision's cache."""
    import torch

    from saccade.models.pretrained import in_cache

    return torch.cuda.is_available(), in_cache("mobilenet_v2")


def _tell(plan: "Plan", output: Path, quiet: bool) -> None:
    if quiet:
        return
    for remark in plan.remarks:
        say(f"note: {remark}")
    say(f"classes: {', '.join(plan.classes)}")
    say(f"written: {', '.join(str(output / name) for name in plan.files)}")
    say(f"next: saccade train {output / 'train.toml'} -o run/")
