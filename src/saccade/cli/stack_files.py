"""Stacks in ``saccade segment``: slices or times with strokes on some of them, masks of all."""

import shutil
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saccade.batch.records import record_path, write_record
from saccade.cli.object_files import stored_objects
from saccade.cli.one_by_one import PARTS, End, file_version, one_by_one
from saccade.cli.outputs import Wanted, planned
from saccade.cli.pairs import Pair
from saccade.cli.progress import Bar
from saccade.cli.segment_settings import Settings, made_by, model_of
from saccade.cli.stack_objects import write_stack_objects
from saccade.files import atomic_write, refuse_to_replace
from saccade.strict_json import json_text, stored_json

if TYPE_CHECKING:
    from saccade.images import Image
    from saccade.interactive import Segmentation
    from saccade.stacks import StackSegmentation


def segment_stacks(
    pairs: Sequence[Pair],
    settings: Settings,
    wanted: Wanted,
    *,
    overwrite: bool,
    quiet: bool,
    single: bool,
) -> End:
    """Segment stacks one after the other; planes that are finished are kept whatever happens.

    Raises:
        InputError: of a single stack.
    """
    return one_by_one(
        pairs,
        partial(_segment, settings, wanted, overwrite=overwrite),
        partial(_kept, wanted),
        what="stacks",
        quiet=quiet,
        single=single,
    )


def _kept(wanted: Wanted, pair: Pair) -> str:
    return f"{len(list(_parts_of(pair, wanted).glob('*.npz')))} planes of {pair.image.name}"


def _segment(
    settings: Settings, wanted: Wanted, pair: Pair, bar: Bar, *, overwrite: bool
) -> Path | None:
    """One stack; None where its mask is there already."""
    from saccade.images import open_image

    image = open_image(pair.image)
    target = wanted.folder / _mask_name(image, pair)
    refuse_to_replace([target], pair.sources)
    made = made_by(settings, wanted)
    kept = target.exists() and not overwrite
    if kept:
        known = stored_json(record_path(target)) if record_path(target).is_file() else made
        if json_text(known) != json_text(made):
            bar.warn(
                f"{target.name}: was made with other options and is kept; --overwrite redoes it"
            )
        if _objects_fit(pair, target, wanted):
            bar.note(f"{target.name}: already done, skipped; --overwrite redoes it")
            return None
        bar.note(f"{target.name}: is kept, its objects are found")
    parts = _parts_of(pair, wanted)
    version = {**made, "files": [file_version(path) for path in pair.sources]}
    known_planes = _begin(parts, version, overwrite=overwrite)
    if known_planes:
        bar.note(f"{pair.image.name}: {len(known_planes)} planes are finished already")
    found = _found(
        settings,
        pair,
        image,
        progress=lambda done, text: bar.show(done, f"{pair.image.name}: {text}"),
        skip=known_planes,
        finished=_keeper(parts, version),
    )
    for remark in found.remarks:
        (bar.note if "= unlabelled" in remark else bar.warn)(f"{pair.image.name}: {remark}")
    if "uncertainty" in wanted.extras:
        unsure = (found.uncertainty.astype("float32") * 255).round().astype("uint8")
        _write(target.parent / "uncertainty" / target.name, image, _ordered(unsure, found))
    if wanted.objects is not None:
        numbers = write_stack_objects(
            pair, found, image, wanted.objects, wanted, names=_names(settings, wanted, pair)
        )
        if "instances" in wanted.extras:
            _write(target.parent / "instances" / target.name, image, numbers)
    if not kept:  # last, as it means "done"
        _write(target, image, _ordered(found.labels, found))
        record_path(target).parent.mkdir(exist_ok=True)
        write_record(target, made)
    shutil.rmtree(parts, ignore_errors=True)
    with suppress(OSError):  # other stacks are not finished
        parts.parent.rmdir()
    return None if kept else target


def _found(settings: Settings, pair: Pair, image: "Image", **how: Any) -> "StackSegmentation":
    """The masks of all planes, by strokes on some of them or by a model."""
    from saccade.images import open_image
    from saccade.interactive.inputs import UNLABELED

    if pair.strokes is None:
        from saccade.fitted.stack import predict_stack

        return predict_stack(model_of(settings), image, window=settings.window, **how)
    from saccade.stacks import segment_stack

    return segment_stack(
        image,
        open_image(pair.drawn),
        unlabeled=UNLABELED if settings.unlabeled is None else settings.unlabeled,
        preset=settings.preset,
        seed=settings.seed,
        device=settings.device,
        channels=settings.channels,
        window=settings.window,
        **how,
    )


def _names(settings: Settings, wanted: Wanted, pair: Pair) -> dict[int, str]:
    if wanted.names is None and pair.strokes is None:
        return model_of(settings).names
    return dict(enumerate(wanted.names or ()))


def _objects_fit(pair: Pair, target: Path, wanted: Wanted) -> bool:
    """Whether the objects that are wanted, if any, are there and were found with these options."""
    if wanted.objects is None:
        return True
    known = stored_objects(planned(pair, wanted)["objects"])
    numbered = "instances" not in wanted.extras or (
        (target.parent / "instances" / target.name).exists()
    )
    return numbered and known is not None and known["made_by"] == wanted.objects.record()


def _mask_name(image: "Image", pair: Pair) -> str:
    from saccade.formats.containers import mask_name

    return mask_name(image) or f"{pair.image.stem}.npy"


def _ordered(values: Any, found: "StackSegmentation") -> Any:
    """Values along the axes of the stack as T, Z, Y and X, as far as it has them."""
    return values.transpose([found.axes.index(axis) for axis in "TZYX" if axis in found.axes])


def _write(path: Path, image: "Image", values: Any) -> None:
    """Values along T, Z, Y and X in the stack's own container."""
    import numpy as np

    from saccade.formats.containers import write_like

    axes = "".join(axis for axis in "TZYX" if axis in image.axes)
    if path.suffix == ".npy":
        own = image.axes.replace("C", "")
        with atomic_write(path) as temporary:
            np.save(temporary, values.transpose([axes.index(axis) for axis in own]))
        return
    write_like(path, values, image, axes=axes)


def _parts_of(pair: Pair, wanted: Wanted) -> Path:
    return wanted.folder / PARTS / pair.image.name


def _begin(parts: Path, version: dict[str, object], *, overwrite: bool) -> dict[Any, Any]:
    """The planes that an interrupted run with the same files and options has finished."""
    import numpy as np

    said = parts / "made.json"
    same = said.is_file() and json_text(stored_json(said)) == json_text(version)
    if (not same or overwrite) and parts.exists():
        shutil.rmtree(parts)  # what stayed would be taken for planes of this run
    planes = {}
    for path in parts.glob("*.npz"):
        # One that is damaged is segmented again.
        with suppress(OSError, ValueError, KeyError, zipfile.BadZipFile), np.load(path) as known:
            t, z = path.stem.split("-")
            maps = [known[name].astype(np.float32) / 255 for name in ("uncertainty", "confidence")]
            planes[int(t), int(z)] = known["labels"].astype(np.int32), *maps
    return planes


def _keeper(
    parts: Path, version: dict[str, object]
) -> "Callable[[tuple[int, int], Segmentation], None]":
    import numpy as np

    from saccade.stacks.collected import label_probability

    def keep(place: tuple[int, int], found: "Segmentation") -> None:
        if not parts.exists():  # nothing is left of a stack that is refused
            parts.mkdir(parents=True)
            with atomic_write(parts / "made.json") as temporary:
                temporary.write_text(json_text(version), encoding="utf-8")
        with atomic_write(parts / f"{place[0]}-{place[1]}.npz") as temporary:
            np.savez_compressed(
                temporary,
                labels=found.labels.astype(np.uint16),
                uncertainty=np.rint(found.uncertainty * 255).astype(np.uint8),
                confidence=np.rint(label_probability(found) * 255).astype(np.uint8),
            )

    return keep
