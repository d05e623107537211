"""``saccade predict``: masks of a trained network for images and folders of images."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saccade.cli.errors import BAD_INPUT, INTERRUPTED, one_line_errors
from saccade.cli.networks import (
    Crf,
    Device,
    Flip,
    Quiet,
    Resize,
    Scales,
    Window,
    crf_of,
    device_of,
    make_folder,
    protocol_of,
    require_packages,
)
from saccade.cli.pairs import IMAGE_SUFFIXES
from saccade.cli.progress import Bar
from saccade.errors import InputError, message_of

if TYPE_CHECKING:
    from saccade.evaluation.inference import Protocol
    from saccade.models.checkpoint import Checkpoint
    from saccade.refine.dense_crf import DenseCRFConfig


def predict(
    checkpoint: Annotated[Path, typer.Argument(help="Of saccade train.")],
    images: Annotated[list[Path], typer.Argument(help="Images, or folders of images.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the masks.")],
    scales: Scales = "1",
    flip: Flip = False,
    window: Window = 0,
    resize: Resize = 0,
    crf: Crf = "",
    overlay: Annotated[bool, typer.Option(help="Picture of the mask over the image.")] = True,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Redo what exists; otherwise it is kept.")
    ] = False,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Segment images with a trained network; the checkpoint says all that is needed.

    OUTPUT/NAME.png is the mask, OUTPUT/overlay/NAME.png a picture of it. Images that have a mask
    are skipped, so a batch that was stopped goes on where it was.
    """
    with one_line_errors():
        require_packages("torchvision")
        protocol, place = protocol_of(scales, flip, window, resize), device_of(device)
        refining = crf_of(crf)
        files = _files(images, output)
        from saccade.models.checkpoint import load_checkpoint

        loaded = load_checkpoint(checkpoint, device=place)
        make_folder(output / "overlay" if overlay else output)
        left = [f for f in files if overwrite or not (output / f"{f.stem}.png").exists()]
        bar = Bar(len(left), quiet=quiet)
        if len(left) < len(files):
            bar.note(f"{len(files) - len(left)} already done, skipped; --overwrite redoes them")
        failed: dict[Path, str] = {}
        done = 0
        try:
            for number, path in enumerate(left):
                bar.show(number, path.name)
                try:
                    _one(loaded, path, output, protocol, place, refining, overlay=overlay)
                    done += 1
                except InputError as error:
                    failed[path] = message_of(error)
        except KeyboardInterrupt:
            bar.close()
            typer.echo(f"interrupted: {done} of {len(left)} done; the same command goes on")
            raise typer.Exit(INTERRUPTED) from None
        finally:
            bar.close()
        typer.echo(f"{done} masks in {output}; {protocol}")
        for path, message in failed.items():
            typer.echo(f"error: {path.name}: {message}", err=True)
        if failed:
            raise typer.Exit(BAD_INPUT)


def _files(images: list[Path], output: Path) -> list[Path]:
    """The image files named, and those in the folders named, in the order of their names."""
    files: list[Path] = []
    for path in images:
        if path.is_dir():
            files += sorted(p for p in path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
        elif path.is_file():
            files.append(path)
        else:
            raise InputError(f"{path}: no such file or folder")
    if not files:
        raise InputError(f"{images[0]}: no images there")
    stems: dict[str, Path] = {}
    for path in files:
        other = stems.setdefault(path.stem, path)
        if other != path:
            raise InputError(f"{other} and {path} would both be {output / path.stem}.png")
        if path.resolve() == (output / f"{path.stem}.png").resolve():
            raise InputError(f"{path}: its mask would replace it; give -o another folder")
    return files


def _one(
    loaded: "Checkpoint",
    path: Path,
    output: Path,
    protocol: "Protocol",
    device: str,
    crf: "DenseCRFConfig | None",
    *,
    overlay: bool,
) -> None:
    from saccade.evaluation.inference import labels_of, predict_probabilities
    from saccade.formats.masks import write_mask
    from saccade.formats.overlay import render_overlay, write_picture
    from saccade.images import load_image

    image = load_image(path)
    found = predict_probabilities(loaded.net, image, protocol, device)
    if crf is not None:
        import torch

        from saccade.refine.dense_crf import dense_crf

        found = dense_crf(found, torch.from_numpy(image), crf)
    labels = labels_of(found)
    if overlay:
        picture = render_overlay(image, labels, colors=loaded.spec.colors)
        write_picture(output / "overlay" / f"{path.stem}.png", picture)
    colors = {k: (int(r), int(g), int(b)) for k, (r, g, b) in enumerate(loaded.spec.colors)}
    write_mask(output / f"{path.stem}.png", labels, "png", colors=colors)
