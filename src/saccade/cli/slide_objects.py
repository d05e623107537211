"""Objects of large images in ``saccade segment``: numbers in a tiled TIFF, and rows."""

from typing import TYPE_CHECKING, Any

from saccade.cli.object_files import put_document
from saccade.cli.outputs import Wanted, planned
from saccade.cli.pairs import Pair
from saccade.cli.progress import Bar

if TYPE_CHECKING:
    from saccade.images import Image
    from saccade.slides import SlideSegmentation

OF_OBJECTS = ("instances", "objects")
"""Outputs that are written with the objects."""


def write_slide_objects(
    pair: Pair, found: "SlideSegmentation", image: "Image", names: Any, wanted: Wanted, bar: Bar
) -> None:
    """Find the objects of a large image, and write their numbers and what is known of them."""
    from saccade.formats.tiled import write_tiled
    from saccade.objects.measurements import name_of
    from saccade.slides import find_slide_objects, measure_slide, summarize_slide

    options, file = wanted.objects, pair.image.name
    assert options is not None  # or nobody asks for them
    given = dict(enumerate(names)) if isinstance(names, tuple) else dict(names or {})
    titles = {value: name_of(value, given) for value in sorted({*given, *found.classes})}
    background = tuple(sorted({0, *found.provisional}))
    objects = find_slide_objects(
        found.labels,
        found.confidence,
        found.journal.folder / "numbers",
        separate=options.mode == "separate",
        min_area=options.min_area,
        background=background,
        progress=lambda done: bar.show(done, f"{file}: finds objects"),
    )
    if objects.whole:
        bar.warn(
            f"{file}: {objects.whole} connected parts are larger than 16 megapixels; each is one "
            "object, what touches in it is not parted"
        )
    paths = planned(pair, wanted)
    if "instances" in paths:
        target = paths["instances"].with_suffix(".tif")
        write_tiled(target, objects.labels, image, numbers=True)
    rows = measure_slide(
        objects,
        image,
        names=titles,
        file=file,
        progress=lambda done: bar.show(done, f"{file}: measures objects"),
    )
    classes = [value for value in titles if value not in background]
    summary = summarize_slide(objects, image, classes=classes, names=titles, file=file)
    put_document(paths["objects"], options, background, titles, rows, summary)
