"""What is written for an image, where, and in which order.

Masks lie in the output folder itself, which is then a folder of masks and of nothing else;
everything to look at lies in folders below it.
"""

import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saccade.batch.records import record_path
from saccade.cli import object_files
from saccade.cli.object_files import FoundObjects, ObjectOptions, has_objects
from saccade.cli.own_container import OWN, own_name, write_own
from saccade.cli.pairs import Pair
from saccade.errors import InputError
from saccade.files import refuse_to_replace
from saccade.formats.names import MASK_FORMATS, OBJECT_FORMATS
from saccade.stores import check_writable, is_remote

if TYPE_CHECKING:
    from saccade.interactive import Segmentation

MASK_SUFFIXES = {name: fmt.suffix for name, fmt in MASK_FORMATS.items()}
"""Format of a mask -> what follows the stem; no two are the same, so all can lie together."""

FORMATS = (*MASK_FORMATS, OWN, *OBJECT_FORMATS)
"""All that --format takes."""

EXTRA_SUFFIXES = {
    "overlay": ".png",
    "uncertainty": ".png",
    "probabilities": ".npz",
    "instances": ".png",
    "objects": ".json",
}
"""Whatever is not a mask -> suffix; its name is also the name of its folder."""


@dataclass(frozen=True)
class Wanted:
    """What the user asked for. The first format's mask is written last and means "done"."""

    folder: Path
    formats: tuple[str, ...] = ("png",)
    extras: tuple[str, ...] = ("overlay",)
    names: tuple[str, ...] | None = None
    objects: ObjectOptions | None = None

    def folders(self) -> list[Path]:
        """The folder, and those in it that outputs go to."""
        yolo = [self.folder / "yolo" / name for name in ("labels", "images")]
        extras = [self.folder / extra for extra in self.extras]
        own = [self.folder / OWN] if OWN in self.formats[1:] else []
        return [self.folder, *extras, *own, *(yolo if "yolo" in self.formats else [])]


def planned(pair: Pair, wanted: Wanted) -> dict[str, Path]:
    """Return kind of output -> path, in the order in which they are written."""
    stem = pair.image.stem
    extras = {
        extra: wanted.folder / extra / f"{stem}{EXTRA_SUFFIXES[extra]}" for extra in wanted.extras
    }
    formats = dict.fromkeys(reversed(wanted.formats))
    paths = {fmt: _mask_path(stem, fmt, wanted.folder) for fmt in formats if fmt != OWN}
    if OWN in formats and (own := _own_path(pair.image, wanted)):
        paths = {OWN: own} | paths
    return extras | paths


def _own_path(image: Path, wanted: Wanted) -> Path | None:
    """None where a PNG loses nothing, and the mask of another format is there."""
    name = own_name(image)
    if wanted.formats[0] == OWN:
        return wanted.folder / (name or f"{image.stem}.png")
    return None if name is None else wanted.folder / OWN / name


def _mask_path(stem: str, fmt: str, folder: Path) -> Path:
    if fmt == "yolo":  # reads labels/ beside images/
        return folder / "yolo" / "labels" / f"{stem}.txt"
    return folder / f"{stem}{(MASK_FORMATS | OBJECT_FORMATS)[fmt].suffix}"


def objects_parts(pairs: Collection[Pair], wanted: Wanted) -> list[Path]:
    """Where what is known of the objects of each image lies; nowhere where none are wanted."""
    if wanted.objects is None:
        return []
    return [planned(pair, wanted)["objects"] for pair in pairs]


@contextmanager
def prepared(wanted: Wanted, pairs: Collection[Pair]) -> Iterator[None]:
    """Make the output folders before work that could not be kept; take back those left empty.

    Raises:
        InputError: an output would replace an input.
        OSError: a folder cannot be made or written to.
    """
    _refuse_to_replace_inputs(wanted, pairs)
    made: list[Path] = []
    try:
        _make_folders(wanted, made)
        yield
    finally:
        for folder in reversed(made):
            with suppress(OSError):  # not empty: it is there for a reason
                folder.rmdir()


def _make_folders(wanted: Wanted, made: list[Path]) -> None:
    if is_remote(wanted.folder):
        check_writable(wanted.folder)
        return
    for folder in wanted.folders():
        try:
            missing = [f for f in (folder, *folder.parents) if not f.exists()]
            folder.mkdir(parents=True, exist_ok=True)
            made.extend(reversed(missing))
            tempfile.TemporaryFile(dir=folder).close()  # permissions do not tell everything
        except FileExistsError as error:
            raise InputError(f"{folder}: is a file, expected a folder to write to") from error
        except OSError as error:
            reason = error.strerror or str(error)
            raise InputError(f"{folder}: cannot be written to ({reason})") from error


def write(
    kind: str,
    path: Path,
    *,
    pair: Pair,
    image: Any,
    result: "Segmentation",
    names: dict[int, str] | tuple[str, ...] | None,
    options: ObjectOptions | None = None,
    found: Callable[[], FoundObjects] | None = None,
    linked: bool = True,
) -> tuple[str, ...]:
    """Write one output of `planned`; the file appears whole or not at all. Returns remarks.

    Args:
        kind: one of `FORMATS` or an extra of `EXTRA_SUFFIXES`.
        path: the file to write.
        pair: where the image came from.
        image: (H, W, 3) uint8.
        result: the segmentation of `image`.
        names: class names by value, or in the order of the values 0, 1, ...
        options: how objects are found, if they are wanted.
        found: gives the objects then.
        linked: whether files may say where the image lies; of a copy they say its name.
    """
    from saccade.formats.masks import write_mask
    from saccade.formats.overlay import render_overlay, render_uncertainty, write_picture

    if kind == "overlay":
        write_picture(path, render_overlay(image, result.labels))
    elif kind == "uncertainty":
        write_picture(path, render_uncertainty(result.uncertainty))
    elif kind == "probabilities":
        _write_probabilities(path, result)
    elif options is not None and found is not None and kind == "instances":
        object_files.write_label_image(path, found())
    elif options is not None and found is not None and kind == "objects":
        return object_files.write_objects(path, found(), options, image, pair.image)
    elif found is not None and has_objects(kind):
        object_files.write_annotations(path, kind, found(), pair.image, linked=linked)
    elif kind == OWN and own_name(pair.image) is not None:
        write_own(path, result.labels, pair.image)
    else:
        kind = "png" if kind == OWN else kind
        classes = range(len(names)) if isinstance(names, tuple) else result.classes
        write_mask(
            path, result.labels, kind, classes=classes, names=names, image_path=pair.image.name
        )
    return ()


def _write_probabilities(path: Path, result: "Segmentation") -> None:
    import numpy as np

    from saccade.files import atomic_write

    with atomic_write(path) as temporary:
        np.savez_compressed(
            temporary,
            probabilities=result.probabilities.astype(np.float16),
            classes=np.asarray(result.classes, dtype=np.int32),
        )


def _refuse_to_replace_inputs(wanted: Wanted, pairs: Collection[Pair]) -> None:
    refuse_to_replace(
        (
            path
            for pair in pairs
            for kind, output in planned(pair, wanted).items()
            for path in (output, record_path(output), *_beside(kind, output, pair))
        ),
        (path for pair in pairs for path in pair.sources),
    )


def _beside(kind: str, output: Path, pair: Pair) -> list[Path]:
    """What is written together with an output."""
    if kind == "yolo":
        return [object_files.yolo_image(output, pair.image)]
    return [output.with_suffix(".tif")] if kind == "instances" else []
