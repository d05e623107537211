"""The file of a model: one safetensors file, no pickle.

Its header says in JSON what the model is; the tensors are what was fitted, and the images with
their strokes at the size at which they are worked on, so that it can be fitted again: after more
strokes, or with the weights of a later release.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from saccade import __version__
from saccade.devices import pick_device
from saccade.errors import InputError
from saccade.files import atomic_write, check_readable
from saccade.fitted.kept_reading import reading_document, reading_from
from saccade.fitted.scores import HeldOut
from saccade.fitted.stored import pack_image, pack_shared, unpack_image, unpack_shared
from saccade.fitted.stroked import StrokedImage
from saccade.images import Reading
from saccade.interactive.presets import (
    LearnedFitSettings,
    NetworkSettings,
    PottsSettings,
    Preset,
)
from saccade.models.headers import CHECKPOINT, has_header
from saccade.models.timm_maps import TimmMaps, restore_timm
from saccade.models.weights import weights_digest
from saccade.strict_json import json_text

if TYPE_CHECKING:
    from saccade.fitted.model import Model
    from saccade.fitted.trained import TrainedModel

FORMAT = 3
"""Of the files that `save` writes. A release reads its own format and those before it.

Models of whole pictures are written in format 1, which says nothing of how images are read, and
those without a backbone of timm in format 2 at most.
"""
_KEY = "saccade_model"
_MORE = "more."


@dataclass(frozen=True)
class Header:
    """What the header of a file says.

    Attributes:
        version: the release that wrote it.
        classes: the K class values, ascending.
        names: class value to name.
        preset: all settings.
        seed: of everything drawn at random.
        weights: SHA-256 of the trained weights that it was fitted with.
        provisional: one class alone was drawn.
        images: name and SHA-256 of each image with strokes, and what was assumed of it.
        held_out: how well strokes of each image are predicted by a fit to the others.
        reading: how images are read.
        features: ``"timm:NAME"`` where a backbone of timm is asked too.
    """

    version: str
    classes: tuple[int, ...]
    names: dict[int, str]
    preset: Preset
    seed: int
    weights: str
    provisional: bool
    images: tuple[tuple[str, str, tuple[str, ...]], ...]
    held_out: HeldOut
    reading: Reading
    features: str = "bundled"


def save(model: Model, path: object) -> None:
    """Write a model; see `Model.save`."""
    path = Path(cast("str | os.PathLike[str]", path))
    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: no such folder, for {path.name}")
    held_out = model.held_out()
    tensors = pack_shared(model.shared)
    for number, one in enumerate(model.stroked):
        tensors |= pack_image(number, one.ready)
    header = {
        "format": 1 if model.reading == Reading() else 2,
        "version": __version__,
        "classes": list(model.classes),
        "names": {str(value): name for value, name in model.names.items()},
        "preset": asdict(model.preset),
        "seed": model.seed,
        "weights": weights_digest(model.preset.weights),
        "provisional": model.provisional,
        "images": [[one.name, one.digest, list(one.remarks)] for one in model.stroked],
        "held_out": {
            "images": held_out.images,
            "of_class": {str(value): share for value, share in held_out.of_class.items()},
            "temperature": held_out.temperature,
        },
    }
    if model.reading != Reading():
        header["reading"] = reading_document(model.reading)
    if model.bundle.more is not None:
        header |= {"format": FORMAT, "features": f"timm:{model.bundle.more.name}"}
        weights = model.bundle.more.state_dict()
        tensors |= {_MORE + name: value.cpu().contiguous() for name, value in weights.items()}
    with atomic_write(path) as part:
        save_file(tensors, part, {_KEY: json_text(header)})


def load(path: object, *, device: str = "auto") -> Model | TrainedModel:
    """Read a model from its file: fitted to strokes, or a network trained on masks.

    Args:
        path: a file of `Model.save`, or a checkpoint of ``saccade train``.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ...

    Returns:
        Both have ``classes``, ``names``, ``read`` and ``predict``; a `Model` can be fitted on.

    Raises:
        InputError: the file is missing, damaged, of a later release, or something else.

    >>> import tempfile, numpy as np, saccade
    >>> strokes = np.full((64, 96), 255)
    >>> strokes[5, 10:80], strokes[32, 40:56] = 0, 1
    >>> model = saccade.fit([np.zeros((64, 96, 3), np.uint8)], [strokes])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(f"{folder}/cells.saccade")
    ...     load(f"{folder}/cells.saccade").classes
    (0, 1)
    """
    path = check_readable(cast("str | os.PathLike[str]", path))
    if has_header(path, CHECKPOINT):
        from saccade.fitted.trained import load_trained

        return load_trained(path, device=device)
    return load_fitted(path, device=device)


def load_fitted(path: object, *, device: str = "auto") -> Model:
    """Read a model that was fitted to strokes, see `load`.

    Raises:
        InputError: the file is missing, damaged, of a later release, or something else, such as a
            trained network.
    """
    from saccade.fitted.model import Model

    path = check_readable(cast("str | os.PathLike[str]", path))
    if has_header(path, CHECKPOINT):
        raise InputError(f"{path}: is a trained network, must be a model of strokes (saccade fit)")
    header, tensors = _read(path)
    try:
        model = Model(header.preset, header.seed, device, more=_backbone(header, tensors, device))
        stored = [unpack_image(tensors, number) for number in range(len(header.images))]
        settings = header.classes, header.preset, model.bundle, model.device
        stroked = [
            StrokedImage(
                name,
                digest,
                partial(one.prepared, *settings, provisional=header.provisional),
                remarks,
            )
            for (name, digest, remarks), one in zip(header.images, stored, strict=True)
        ]
        # In memory of their own: sums differ in the last bits by how numbers lie in a file.
        numbers = {
            name: value.to(model.device, copy=True)
            for name, value in tensors.items()
            if not name.startswith((_MORE, "image."))
        }
        shared = unpack_shared(numbers, header.classes, model.bundle, header.preset)
    except InputError:  # timm is missing, or has another backbone of that name
        raise
    except (KeyError, OSError, RuntimeError, TypeError, ValueError, IndexError) as error:
        raise InputError(
            f"{path}: is damaged ({type(error).__name__}), must be a file of Model.save"
        ) from error
    fitted_here = header.weights == weights_digest(header.preset.weights)
    model.restore(header, stroked, shared if fitted_here else None)
    return model


def _backbone(header: Header, tensors: Mapping[str, Tensor], device: str) -> TimmMaps | None:
    if header.features == "bundled":
        return None
    weights = {name[len(_MORE) :]: x for name, x in tensors.items() if name.startswith(_MORE)}
    return restore_timm(header.features.removeprefix("timm:"), weights, pick_device(device))


def _read(path: Path) -> tuple[Header, dict[str, Tensor]]:
    """Header and tensors of a file.

    Raises:
        InputError: it is no such file, damaged, or of a later release.
    """
    try:
        with safe_open(path, "pt") as file:
            text = (file.metadata() or {}).get(_KEY)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(
            f"{path}: holds no model ({type(error).__name__}), must be a file of Model.save"
        ) from error
    if text is None:
        raise InputError(f"{path}: holds tensors but no model, must be a file of Model.save")
    try:
        content = json.loads(text)
        number = content["format"]
        if number > FORMAT:
            raise InputError(
                f"{path}: was written by saccade {content.get('version')} in format {number}, this "
                f"release reads formats up to {FORMAT}: update saccade"
            )
        return _header(content), tensors
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{path}: its header is damaged ({type(error).__name__}: {error}), must be that of "
            "Model.save"
        ) from error


def _header(content: Mapping[str, Any]) -> Header:
    settings = dict(content["preset"])
    parts = {"fit": LearnedFitSettings, "network": NetworkSettings}
    parts |= {name: PottsSettings for name in settings if name.startswith("refine")}
    for name, kind in parts.items():
        settings[name] = None if settings[name] is None else kind(**settings[name])
    classes = tuple(int(value) for value in content["classes"])
    if len(classes) < 2 or list(classes) != sorted(set(classes)):
        raise ValueError("classes must be two or more, ascending")
    return Header(
        version=str(content["version"]),
        classes=classes,
        names={int(value): str(name) for value, name in content["names"].items()},
        preset=Preset(**settings),
        seed=int(content["seed"]),
        weights=str(content["weights"]),
        provisional=bool(content["provisional"]),
        images=tuple(
            (str(name), str(digest), tuple(str(line) for line in remarks))
            for name, digest, remarks in content["images"]
        ),
        held_out=HeldOut(
            {int(v): float(share) for v, share in content["held_out"]["of_class"].items()},
            int(content["held_out"]["images"]),
            _temperature(content["held_out"].get("temperature", 1.0)),  # the first files have none
        ),
        reading=reading_from(content.get("reading")),  # files of format 1 have none
        features=str(content.get("features", "bundled")),
    )


def _temperature(value: object) -> float:
    found = float(cast("float", value))
    if not 0 < found < math.inf:
        raise ValueError(f"a temperature is {value}, must be above 0")
    return found
