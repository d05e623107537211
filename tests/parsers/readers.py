"""Every reader of files, by name, and what must hold of it for any file."""

import time
import warnings
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from saccade.annotations import read_any_strokes
from saccade.batch.records import read_record, record_of
from saccade.cli.option_values import read_names
from saccade.data.image_labels import read_label_file, voc_image_labels
from saccade.data.sets import open_set, read_values
from saccade.data.specs import LabelSpec, read_classes
from saccade.errors import InputError
from saccade.experiments.engine.rows import open_rows
from saccade.experiments.mdc.map_labels import made_with
from saccade.formats.masks import iter_annotations, read_mask
from saccade.images import decoded_size, image_size, load_image
from saccade.models.checkpoint import load_checkpoint
from saccade.models.mdc import load_localizer
from saccade.models.pretrained import load_backbone
from saccade.napari.files import strokes_reader
from saccade.scribbles.labelme import read_document
from saccade.scribbles.readers import read_strokes
from saccade.strict_json import stored_json
from saccade.training.classifier_config import localizer_training_of
from saccade.training.config import DataConfig, read_config, read_toml
from saccade.training.state import load_state
from saccade.weak.localization import read_maps
from saccade.weak.map_masks import MapRecord
from saccade.weak.saliency import read_saliency, saliency_size
from saccade.weak.stroke_labeling import StrokeLabeling
from saccade.weak.stroke_masks import finished, plan

SHAPE = (40, 50)
SPEC = LabelSpec(("background", "cat", "dog"))
_DATA = DataConfig("voc", "VOC2012")


def _placed(path: Path, name: str, *others: str) -> Path:
    """A copy of a file at the place where its reader looks, with empty files beside it."""
    place = path.parent / "placed" / name
    for other in (place, *(path.parent / "placed" / other for other in others)):
        other.parent.mkdir(parents=True, exist_ok=True)
        other.touch()
    place.write_bytes(path.read_bytes())
    return place


class _TinyNet:
    """A network whose backbone is a convolution, with the names of MobileNetV2's first."""

    def __init__(self) -> None:
        first = nn.Sequential(nn.Conv2d(3, 2, 3, bias=False), nn.BatchNorm2d(2))
        self.backbone = nn.Sequential(OrderedDict(features=nn.Sequential(first)))
        self.mean = self.std = torch.ones(1, 3, 1, 1)


def _record(path: Path) -> Any:
    record = _placed(path, "records/a.json", "a.png")
    mask = record.parents[1] / "a.png"
    jobs = plan([(mask, mask)], mask.parent)
    finished(jobs, SPEC, StrokeLabeling("fast", 0, "cpu", 0.9))
    content = read_record(mask, ())
    with suppress(TypeError):
        return content and record_of(MapRecord, content)


def _localizer_config(path: Path) -> Any:
    content = read_toml(path)
    return localizer_training_of(content, path.parent)


def _napari(path: Path) -> Any:
    read = strokes_reader(str(path))
    return read and read(str(path))


READERS: dict[str, Callable[[Path], Any]] = {
    "load_image": load_image,
    "image_size": image_size,
    "decoded_size": decoded_size,
    "strokes": read_strokes,
    "any_strokes": read_any_strokes,
    "any_strokes_shape": lambda path: read_any_strokes(path, shape=SHAPE),
    "napari": _napari,
    "read_document": lambda path: read_document(path, SHAPE),
    "read_mask": read_mask,
    "read_mask_shape": lambda path: read_mask(path, shape=SHAPE),
    "read_values": lambda path: SPEC.apply(read_values(path), path),
    "iter_ann": lambda path: [image.file_name for image in iter_annotations(path)],
    "saliency": lambda path: read_saliency(path, SHAPE),
    "saliency_size": saliency_size,
    "read_maps": read_maps,
    "read_config": read_config,
    "read_config_data": lambda path: read_config(path, data=_DATA),
    "localizer_config": _localizer_config,
    "read_classes": read_classes,
    "read_names": read_names,
    "image_labels": lambda path: read_label_file(path, ["a", "b.v1"], SPEC),
    "voc_labels": lambda path: voc_image_labels(
        _placed(path, "Annotations/a.xml").parents[1], ["a"], SPEC
    ),
    "image_list": lambda path: open_set(
        "voc",
        _placed(
            path,
            "ImageSets/Segmentation/val.txt",
            *("JPEGImages/a.jpg", "SegmentationClass/a.png"),
            *("JPEGImages/b.jpg", "SegmentationClass/b.png"),
        ).parents[2],
        "val",
    ),
    "load_checkpoint": load_checkpoint,
    "load_localizer": load_localizer,
    "load_state": lambda path: load_state(_placed(path, "state.pt").parent, {"lr": 0.1}),
    "pretrained": lambda path: load_backbone(
        _TinyNet(), "mobilenet_v2", str(path), images=lambda: torch.ones(2, 3, 8, 8)
    ),
    "record": _record,
    "rows": lambda path: open_rows(_placed(path, "rows.jsonl"), {"seed": "0"}),
    "made_with": lambda path: made_with(path, {"seed": 0}),
    "stored_json": stored_json,
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
