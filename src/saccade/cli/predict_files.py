"""The masks of ``saccade predict``: which are there, and what makes one."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from saccade.batch import Report, Worker
from saccade.batch.records import RECORDS, read_record, record_path, write_record
from saccade.cli.option_values import make_folder
from saccade.copies import copied
from saccade.folders import existing

if TYPE_CHECKING:
    from saccade.evaluation.inference import Protocol
    from saccade.refine.dense_crf import DenseCRFConfig


@dataclass(frozen=True)
class Predicted:
    """The mask of an image, and how the image was read."""

    mask: Path
    remarks: tuple[str, ...] = ()


def mask_path(file: Path, output: Path) -> Path:
    """Where the mask of an image lies."""
    return output / f"{file.stem}.png"


def overlay_path(mask: Path) -> Path:
    """Where the picture of a mask lies."""
    return mask.parent / "overlay" / mask.name


def finished(files: list[Path], output: Path, made_by: dict[str, str]) -> dict[Path, Predicted]:
    """The images that need not be segmented again, with their masks.

    A mask without a record was made by an older release, or drawn by somebody: it is kept.
    """
    done = {}
    masks = existing(mask_path(file, output) for file in files)
    known = existing(record_path(mask) for mask in masks)
    for file in files:
        mask = mask_path(file, output)
        if mask in masks and (
            record_path(mask) not in known or read_record(mask, (file,)) == made_by
        ):
            done[file] = Predicted(mask)
    return done


def make_worker(
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
        mask = mask_path(file, output)
        if overlay:
            picture = render_overlay(image, labels, colors=loaded.spec.colors)
            write_picture(overlay_path(mask), picture)
        write_mask(mask, labels, "png", colors=colors)
        write_record(mask, made_by)
        return Predicted(mask, read.remarks)

    return work
