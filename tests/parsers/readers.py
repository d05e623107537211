"""Every reader of files, by name, and what must hold of it for any file."""

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saccade.annotations import read_any_strokes
from saccade.errors import InputError
from saccade.formats.masks import iter_annotations, read_mask
from saccade.images import decoded_size, image_size, load_image
from saccade.models.checkpoint import load_checkpoint
from saccade.models.mdc import load_localizer
from saccade.scribbles.labelme import read_document
from saccade.scribbles.readers import read_strokes
from saccade.training.config import read_config
from saccade.weak.localization import read_maps
from saccade.weak.saliency import read_saliency, saliency_size

SHAPE = (40, 50)

READERS: dict[str, Callable[[Path], Any]] = {
    "load_image": load_image,
    "image_size": image_size,
    "decoded_size": decoded_size,
    "strokes": read_strokes,
    "any_strokes": read_any_strokes,
    "any_strokes_shape": lambda path: read_any_strokes(path, shape=SHAPE),
    "read_document": lambda path: read_document(path, SHAPE),
    "read_mask": read_mask,
    "read_mask_shape": lambda path: read_mask(path, shape=SHAPE),
    "iter_ann": lambda path: [image.file_name for image in iter_annotations(path)],
    "saliency": lambda path: read_saliency(path, SHAPE),
    "saliency_size": saliency_size,
    "read_maps": read_maps,
    "read_config": read_config,
    "load_checkpoint": load_checkpoint,
    "load_localizer": load_localizer,
}


@dataclass(frozen=True)
class Outcome:
    """What a reader did with a file: a fault ("" for none), the message, the seconds."""

    fault: str
    message: str
    seconds: float


def outcome_of(reader: str, path: Path, *, most_seconds: float = 5) -> Outcome:
    """Read a file: a result or an `InputError` of one short line, and soon."""
    fault = message = ""
    start = time.monotonic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # decoders warn of what is damaged
            READERS[reader](path)
    except InputError as error:
        message = str(error)
        if len(message) > 300 or len(message.splitlines()) > 1:
            fault = f"a message of {len(message)} characters: {message[:80]}"
    except Exception as error:
        fault = f"{type(error).__name__}: {str(error)[:80]}"
    seconds = time.monotonic() - start
    if not fault and seconds > most_seconds:
        fault = f"{seconds:.1f} s"
    return Outcome(fault, message, seconds)
