"""Large images in ``saccade segment``: worked on part by part, finished parts are kept."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saccade import __version__
from saccade.batch.records import record_path, write_record
from saccade.cli.one_by_one import PARTS, End, file_version, one_by_one
from saccade.cli.outputs import Wanted
from saccade.cli.own_container import OWN
from saccade.cli.pairs import Pair
from saccade.cli.progress import Bar
from saccade.cli.segment_files import Job, made_otherwise, plan, strokes_of
from saccade.cli.segment_settings import Settings, made_by, model_of
from saccade.cli.slide_objects import OF_OBJECTS, write_slide_objects
from saccade.errors import InputError
from saccade.formats.names import refuse_unfit

if TYPE_CHECKING:
    from saccade.images import Image
    from saccade.slides import SlideSegmentation

_FORMATS = ("png", "tiff", OWN)


def is_slide(pair: Pair) -> bool:
    """Whether an image is so large that it is never in memory as a whole.

    Of what lies in a store nothing is said here, see `saccade.cli.elsewhere`.
    """
    from saccade import slides
    from saccade.images import image_size, is_picture, open_image

    if pair.elsewhere:
        return False
    try:
        path = pair.image
        height, width = image_size(path) if is_picture(path) else open_image(path).size
    except InputError:  # which is said when it is segmented
        return False
    return height * width > slides.LARGE_PIXELS


def refuse_slides(pairs: Iterable[Pair], wanted: Wanted) -> None:
    """Refuse what large images have not.

    Raises:
        InputError: a format of annotations, or probabilities.
    """
    asked = [f"--format {one}" for one in wanted.formats if one not in _FORMATS]
    asked += ["--probabilities"] if "probabilities" in wanted.extras else []
    for pair in pairs:
        if asked:
            raise InputError(
                f"{pair.image}: is segmented part by part, as it is large; {asked[0]} needs all of "
                f"it in memory, expected the formats {', '.join(_FORMATS)}"
            )


def segment_slides(
    pairs: Sequence[Pair],
    settings: Settings,
    wanted: Wanted,
    *,
    overwrite: bool,
    quiet: bool,
    single: bool,
) -> End:
    """Segment large images one after the other; parts that are finished are kept.

    Raises:
        InputError: of a single image.
    """
    return one_by_one(
        pairs,
        partial(_segment, settings, wanted, overwrite=overwrite),
        partial(_kept, wanted),
        what="large images",
        quiet=quiet,
        single=single,
    )


def _kept(wanted: Wanted, pair: Pair) -> str:
    return f"{len(list(_parts_of(pair, wanted).glob('*.npz')))} parts of {pair.image.name}"


def _parts_of(pair: Pair, wanted: Wanted) -> Path:
    return wanted.folder / PARTS / pair.image.name


def _segment(
    settings: Settings, wanted: Wanted, pair: Pair, bar: Bar, *, overwrite: bool
) -> Path | None:
    """One image; None where its mask is there already."""
    from saccade.images import open_image
    from saccade.slides import Journal

    (job,) = plan([pair], wanted, overwrite=overwrite)
    name = pair.image.name
    if not overwrite and made_otherwise([pair], settings, wanted):
        bar.warn(f"{name}: its mask was made with other options and is kept; --overwrite redoes it")
    if not job.outputs:
        bar.note(f"{name}: already done, skipped; --overwrite redoes it")
        return None
    image = open_image(pair.image)
    work, names = _ready(settings, wanted, pair, image, job, bar)
    made = made_by(settings, wanted)
    versions = [file_version(path) for path in pair.sources]
    version = {**made, "files": versions, "saccade": __version__}
    journal = Journal(_parts_of(pair, wanted), version)
    if journal.count:
        bar.note(f"{name}: {journal.count} parts are finished already")
    found = work(journal, progress=lambda done, text: bar.show(done, f"{name}: {text}"))
    for remark in found.remarks:
        bar.warn(f"{name}: {remark}")
    if any(kind in OF_OBJECTS for kind, _ in job.outputs):
        write_slide_objects(pair, found, image, names, wanted, bar)
    for kind, path in job.outputs:
        bar.show(1.0, f"{name}: writes {path.name}")
        _write(kind, path, found, image, names)
    last = job.outputs[-1][1]
    if job.outputs[-1][0] == wanted.formats[0]:
        record_path(last).parent.mkdir(exist_ok=True)
        write_record(last, made)
    journal.forget()
    if not any(journal.folder.parent.iterdir()):  # else others are not finished
        journal.folder.parent.rmdir()
    return last


def _ready(
    settings: Settings, wanted: Wanted, pair: Pair, image: "Image", job: Job, bar: Bar
) -> "tuple[Callable[..., SlideSegmentation], Any]":
    """What segments an image into a journal, by its strokes or by a trained network, and names."""
    if pair.strokes is None:
        from saccade.fitted.slide import predict_slide
        from saccade.fitted.trained import TrainedModel

        model = model_of(settings)
        assert isinstance(model, TrainedModel)  # others see images as a whole
        by_network = partial(predict_slide, model, image, window=settings.window)
        return by_network, wanted.names or model.names
    from saccade.slides.segmenting import encoded, segment_slide

    strokes = strokes_of(pair, image.size, settings, wanted.names)
    for kind, _ in job.outputs:
        refuse_unfit(strokes.classes, kind)
    bar.note(strokes.assumption)
    for remark in strokes.remarks:
        bar.warn(f"{pair.image.name}: {remark}")
    places, classes = encoded(strokes)
    by_strokes = partial(
        segment_slide,
        image,
        places,
        classes=classes,
        preset=settings.preset,
        seed=settings.seed,
        device=settings.device,
        channels=settings.channels,
        window=settings.window,
    )
    return by_strokes, wanted.names or strokes.names


def _write(kind: str, path: Path, found: "SlideSegmentation", image: "Image", names: Any) -> None:
    """One output; pictures to look at are as large as the overview."""
    from saccade.formats.overlay import render_overlay, render_uncertainty, write_picture
    from saccade.formats.tiled import write_large_png, write_tiled

    if kind in OF_OBJECTS:
        return  # written already
    if kind == "overlay":
        write_picture(path, render_overlay(found.overview, found.small(found.labels)))
    elif kind == "uncertainty":
        small = found.small(found.uncertainty).astype("float32") / 255
        write_picture(path, render_uncertainty(small))
    elif kind == "png" or path.suffix == ".png":
        write_large_png(path, found.labels, names)
    else:
        write_tiled(path, found.labels, image)
