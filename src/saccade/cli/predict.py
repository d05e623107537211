"""``saccade predict``: masks of a trained network for images and folders of images."""

from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from saccade.batch import run_batch
from saccade.batch.records import record_path
from saccade.cli.engines import Address, Engine, executor_of
from saccade.cli.errors import INTERRUPTED, one_line_errors
from saccade.cli.finish import finish
from saccade.cli.one_by_one import End
from saccade.cli.option_values import (
    crf_of,
    device_of,
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
from saccade.cli.outputs import Wanted, prepared
from saccade.cli.pairs import Pair, is_one_image
from saccade.cli.part_by_part import PartByPart, part_by_part
from saccade.cli.predict_files import finished, make_worker, mask_path, overlay_path
from saccade.cli.progress import Bar
from saccade.cli.say import say
from saccade.cli.segment_settings import Settings
from saccade.cli.submission import check_submission, choose_listed, pack_submission
from saccade.copies import copied
from saccade.errors import InputError
from saccade.files import check_readable, digest_of, refuse_to_replace
from saccade.folders import existing, list_files, name_key
from saccade.remarks import Remarks
from saccade.stores import is_folder
from saccade.suffixes import IMAGE_SUFFIXES


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

    Of a stack all slices or times get masks, in a file with its axes. Images of more than 64
    megapixels are seen part by part. Masks of these that another network made are kept, and a
    line says so. `saccade segment --model` counts and measures objects, too.
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
        if resize is None:
            protocol = replace(protocol, resize=known.resize)
        settings = Settings(device=device, window=intensities, model=checkpoint, protocol=protocol)
        wanted = Wanted(output, extras=("overlay",) if overlay else ())
        single = len(files) == 1
        apart = part_by_part([Pair(file, None) for file in files], settings, wanted)
        _refuse_unfit(apart, crf, submission)
        others = {pair.image for pair in apart.pairs}
        files = [file for file in files if file not in others]
        _refuse_to_replace_inputs(checkpoint, files, output)
        made_by = {
            "checkpoint": digest_of(checkpoint),
            "protocol": repr(protocol),
            "crf": repr(refine) if refine else "",
        }
        if intensities is not None:
            made_by["intensities"] = repr(intensities)
        done = {} if overwrite else finished(files, output, made_by)
        unknown = sum(
            not record_path(mask).exists() for mask in (one.mask for one in done.values())
        )
        setup = partial(
            make_worker,
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
        outdated = len(existing(mask_path(f, output) for f in files if f not in done))
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
        if not quiet and files:
            say(f"{len(outcome.done)} masks in {output}; {protocol}")
        end = End(INTERRUPTED if outcome.interrupted else 0)
        with prepared(wanted, apart.pairs) if apart.pairs else nullcontext():
            ends = apart.segment(
                settings, wanted, end, overwrite=overwrite, quiet=quiet, single=single
            )
        for end in ends:
            end.tell()
        finish(outcome, lambda file: file.name)
        if submission is not None:
            pack_submission(submission, [mask_path(file, output) for file in files])
            if not quiet:
                say(f"submission: {submission}, {len(files)} masks")


def _files(images: list[Path], output: Path) -> tuple[list[Path], tuple[str, ...]]:
    """The image files named, and those in the folders named, in the order of their names.

    Also lines on what in the folders is no image.
    """
    files: list[Path] = []
    remarks: tuple[str, ...] = ()
    for path in images:
        if is_folder(path) and not is_one_image(path):
            listing = list_files(path, IMAGE_SUFFIXES)
            files += listing.files
            remarks += listing.remarks
        else:
            files.append(path if is_folder(path) else check_readable(path))
    if not files:
        raise InputError("; ".join([f"{images[0]}: no images there", *remarks]))
    files = list(dict.fromkeys(files))  # a folder and a file in it
    stems: dict[str, Path] = {}
    for path in files:
        other = stems.setdefault(name_key(path.stem), path)
        if other != path:
            raise InputError(f"{other} and {path} would both be {mask_path(path, output)}")
    return files, remarks


def _refuse_unfit(apart: PartByPart, crf: str, submission: Path | None) -> None:
    """Refuse what needs all of an image at once.

    Raises:
        InputError: a stack or a large image, and an option that they have not.
    """
    asked = ["--crf"] if crf else []
    asked += ["--submission"] if submission is not None else []
    for pair in apart.pairs:
        if asked:
            what = "a stack" if pair in apart.stacks else "so large that it is seen in parts"
            raise InputError(f"{pair.image}: is {what}; {asked[0]} is of pictures, leave it out")


def _refuse_to_replace_inputs(checkpoint: Path, files: list[Path], output: Path) -> None:
    masks = [mask_path(file, output) for file in files]
    outputs = (path for m in masks for path in (m, overlay_path(m), record_path(m)))
    refuse_to_replace(outputs, (checkpoint, *files))
