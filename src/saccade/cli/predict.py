"""``saccade predict``: masks of a trained network for images and folders of images."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saccade.batch import Report, Worker, run_batch
from saccade.batch.records import RECORDS, read_record, record_path, write_record
from saccade.cli.engines import Address, Engine, executor_of
from saccade.cli.errors import one_line_errors
from saccade.cli.finish import finish
from saccade.cli.option_values import (
    crf_of,
    device_of,
    make_folder,
    protocol_of,
    require_packages,
)
from saccade.cli.options import (
    Crf,
    Device,
    Flip,
    Intensities,
    Jobs,
    OutputAnywhere,
    Overlay,
    Overwrite,
    Quiet,
    Resize,
    Scales,
    Window,
    path_anywhere,
    path_here,
)
from saccade.cli.progress import Bar
from saccade.cli.say import say
from saccade.cli.submission import check_submission, choose_listed, pack_submission
from saccade.copies import copied
from saccade.errors import InputError
from saccade.files import check_readable, digest_of, refuse_to_replace
from saccade.folders import existing, list_files, name_key
from saccade.remarks import Remarks
from saccade.stores import is_folder
from saccade.suffixes import IMAGE_SUFFIXES

if TYPE_CHECKING:
    from saccade.evaluation.inference import Protocol
    from saccade.refine.dense_crf import DenseCRFConfig


def predict(
    checkpoint: Annotated[
        Path,
        typer.Argument(
            metavar="CHECKPOINT", parser=path_here, help="Network, a file of `saccade train`."
        ),
    ],
    images: Annotated[
        list[Path],
        typer.Argument(
            metavar="IMAGES",
            parser=path_anywhere,
            help="Images, or folders of images; may be URLs of a store.",
        ),
    ],
    output: OutputAnywhere,
    scales: Scales = "1",
    flip: Flip = False,
    window: Window = 0,
    resize: Resize = None,
    intensities: Intensities = None,
    crf: Crf = "",
    overlay: Overlay = True,
    overwrite: Overwrite = False,
    listed: Annotated[
        Path | None,
        typer.Option("--list", metavar="FILE", help="Segment these only: an id a line (test.txt)."),
    ] = None,
    submission: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.tgz",
            parser=path_anywhere,
            help="Pack the masks for PASCAL VOC's server (comp6_test_cls).",
        ),
    ] = None,
    device: Device = "auto",
    jobs: Jobs = 1,
    engine: Engine = "local",
    address: Address = "",
    quiet: Quiet = False,
) -> None:
    """Segment images with a trained network.

    FOLDER/NAME.png is the mask, FOLDER/overlay/NAME.png a picture of it, FOLDER/records/NAME.json
    what made it. Images that have the mask of this network and these options are skipped, so a
    batch that was stopped goes on where it was; masks of another are made anew.
    """
    with one_line_errors():
        require_packages("torchvision")
        from saccade.images.network_input import require_channels
        from saccade.models.checkpoint import load_checkpoint

        protocol, place = protocol_of(scales, flip, window, resize), device_of(device)
        refine = crf_of(crf)
        executor = executor_of(engine, address, jobs, output, *images)
        files, remarks = _files(images, output)
        if listed is not None:
            files = choose_listed(files, listed)
        known = load_checkpoint(checkpoint)  # before long work, also for what is wrong with it
        with copied(files[0]) as (first,):
            require_channels(known.reading, first)
        if submission is not None:
            check_submission(submission, known.spec.names)
        _refuse_to_replace_inputs(checkpoint, files, output)
        if resize is None:
            protocol = replace(protocol, resize=known.resize)
        made_by = {
            "checkpoint": digest_of(checkpoint),
            "protocol": repr(protocol),
            "crf": repr(refine) if refine else "",
        }
        if intensities is not None:
            made_by["intensities"] = repr(intensities)
        done = {} if overwrite else _finished(files, output, made_by)
        unknown = sum(
            not record_path(mask).exists() for mask in (one.mask for one in done.values())
        )
        setup = partial(
            _make_worker,
            checkpoint,
            output,
            protocol,
            place,
            refine,
            made_by,
            intensities,
            overlay=overlay,
        )
        bar = Bar(len(files), quiet=quiet)
        if done:
            bar.note(f"{len(done)} already done, skipped; --overwrite redoes them")
        if unknown:
            bar.warn(
                f"nothing says which network made {unknown} of the masks there; they are kept as "
                "they are, --overwrite makes them anew"
            )
        outdated = len(existing(_mask(f, output) for f in files if f not in done))
        if outdated and not overwrite:
            bar.note(f"{outdated} masks of another network, other options or images are made anew")
        for remark in remarks:
            bar.warn(remark)
        read = Remarks(bar.warn)
        try:
            outcome = run_batch(
                files,
                setup,
                already=done.get,
                executor=executor,
                name=lambda f: f.name,
                progress=bar.show,
                on_record=lambda file, one: read.add(file.name, one.remarks),
            )
            read.summarize()
        finally:
            bar.close()
        if not quiet:
            say(f"{len(outcome.done)} masks in {output}; {protocol}")
        finish(outcome, lambda file: file.name)
        if submission is not None:
            pack_submission(submission, [_mask(file, output) for file in files])
            if not quiet:
                say(f"submission: {submission}, {len(files)} masks")


@dataclass(frozen=True)
class Predicted:
    """The mask of an image, and how the image was read."""

    mask: Path
    remarks: tuple[str, ...] = ()


def _mask(file: Path, output: Path) -> Path:
    return output / f"{file.stem}.png"


def _overlay(mask: Path) -> Path:
    return mask.parent / "overlay" / mask.name


def _files(images: list[Path], output: Path) -> tuple[list[Path], tuple[str, ...]]:
    """The image files named, and those in the folders named, in the order of their names.

    Also lines on what in the folders is no image.
    """
    files: list[Path] = []
    remarks: tuple[str, ...] = ()
    for path in images:
        if is_folder(path):
            listing = list_files(path, IMAGE_SUFFIXES)
            files += listing.files
            remarks += listing.remarks
        else:
            files.append(check_readable(path))
    if not files:
        raise InputError("; ".join([f"{images[0]}: no images there", *remarks]))
    files = list(dict.fromkeys(files))  # a folder and a file in it
    stems: dict[str, Path] = {}
    for path in files:
        other = stems.setdefault(name_key(path.stem), path)
        if other != path:
            raise InputError(f"{other} and {path} would both be {_mask(path, output)}")
    return files, remarks


def _refuse_to_replace_inputs(checkpoint: Path, files: list[Path], output: Path) -> None:
    masks = [_mask(file, output) for file in files]
    outputs = (path for m in masks for path in (m, _overlay(m), record_path(m)))
    refuse_to_replace(outputs, (checkpoint, *files))


def _finished(files: list[Path], output: Path, made_by: dict[str, str]) -> dict[Path, Predicted]:
    """The images that need not be segmented again, with their masks.

    A mask without a record was made by an older release, or drawn by somebody: it is kept.
    """
    done = {}
    masks = existing(_mask(file, output) for file in files)
    known = existing(record_path(mask) for mask in masks)
    for file in files:
        mask = _mask(file, output)
        if mask in masks and (
            record_path(mask) not in known or read_record(mask, (file,)) == made_by
        ):
            done[file] = Predicted(mask)
    return done


def _make_worker(
    checkpoint: Path,
    output: Path,
    protocol: "Protocol",
    device: str,
    crf: "DenseCRFConfig | None",
    made_by: dict[str, str],
    intensities: tuple[float, float] | None,
    *,
    overlay: bool,
) -> Worker[Path, Predicted]:
    """Load the network and return what writes the mask of an image."""
    import torch

    from saccade.evaluation.inference import labels_of, predict_probabilities
    from saccade.formats.masks import write_mask
    from saccade.formats.overlay import render_overlay, write_picture
    from saccade.images.network_input import as_colors
    from saccade.models.checkpoint import load_checkpoint
    from saccade.refine.dense_crf import dense_crf

    loaded = load_checkpoint(checkpoint, device=device)
    for folder in ("overlay", RECORDS) if overlay else (RECORDS,):
        make_folder(output / folder)
    colors = {k: (int(r), int(g), int(b)) for k, (r, g, b) in enumerate(loaded.spec.colors)}

    def work(file: Path, report: Report) -> Predicted:
        with copied(file) as (here,):
            read = loaded.reading.read(here, window=intensities)
        image = as_colors(read.pixels)
        probabilities = predict_probabilities(loaded.net, read.pixels, protocol, device)
        if crf is not None:
            probabilities = dense_crf(probabilities, torch.from_numpy(image), crf)
        labels = labels_of(probabilities)
        mask = _mask(file, output)
        if overlay:
            picture = render_overlay(image, labels, colors=loaded.spec.colors)
            write_picture(_overlay(mask), picture)
        write_mask(mask, labels, "png", colors=colors)
        write_record(mask, made_by)
        return Predicted(mask, read.remarks)

    return work
