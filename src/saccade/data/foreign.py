"""JSON and XML of other programs, called what they are instead of read as something else.

`document_kind` tells the three kinds of JSON that are read: COCO, labelme and Label Studio.
"""

from collections.abc import Callable
from typing import Any, NoReturn
from xml.etree.ElementTree import Element

from saccade.errors import InputError

Kind = tuple[str, Callable[[Any], bool]]

EXPECTED_JSON = "expected COCO, labelme, Label Studio"
EXPECTED_XML = "expected CVAT for images, ScribbleSup"

_TASK_KEYS = ("annotations", "completions", "predictions")


def document_kind(document: Any) -> str | None:
    """Return "coco", "labelme" or "label-studio", or None for JSON of any other kind."""
    if isinstance(document, dict):
        if _foreign(document):
            return None
        if "shapes" in document:
            return "labelme"
        if "images" in document:
            return "coco"
    entries = document if isinstance(document, list) else [document]
    tasks = [entry for entry in entries if isinstance(entry, dict)]
    if _foreign(document) or not tasks or len(tasks) < len(entries):
        return None
    return "label-studio" if any(map(_is_task, tasks)) else None


def refuse_json(document: Any, source: object) -> NoReturn:
    """Raise the InputError that says what a JSON document is that cannot be read."""
    name = _foreign(document)
    what = f" ({name})" if name else ""
    raise InputError(f"{source}: JSON of an unknown kind{what}, {EXPECTED_JSON}")


def refuse_xml(root: Element, source: object) -> NoReturn:
    """Raise the InputError that says what an XML document is that cannot be read."""
    name = foreign_xml(root)
    what = f"<{str(root.tag)[:60]}>" + (f" ({name})" if name else "")
    raise InputError(f"{source}: XML of an unknown kind, {what}, {EXPECTED_XML}")


def foreign_xml(root: Element) -> str | None:
    """Return what an XML document of another program is called, None where nobody knows it."""
    return next((name for name, matches in _XML if matches(root)), None)


def _is_task(entry: dict[str, Any]) -> bool:
    if isinstance(entry.get("data"), dict):
        return True
    answers = [entry[key] for key in _TASK_KEYS if isinstance(entry.get(key), list)]
    if answers:  # others call a list of shapes so
        return any(not given or any(_has(a, "result") for a in given) for given in answers)
    # JSON-MIN: the results lie beside the image.
    lists = (value for value in entry.values() if isinstance(value, list))
    return any(isinstance(r, dict) and "original_width" in r for value in lists for r in value[:5])


def _foreign(document: Any) -> str | None:
    return next((name for name, matches in _JSON if matches(document)), None)


def _first(document: Any, key: str | None = None) -> dict[str, Any]:
    """The first object of a list, or of the list at `key`; {} where there is none."""
    if key is not None:
        document = document.get(key) if isinstance(document, dict) else None
    if isinstance(document, list) and document and isinstance(document[0], dict):
        return document[0]
    return {}


def _has(entry: Any, *keys: str) -> bool:
    return isinstance(entry, dict) and all(key in entry for key in keys)


def _is_via(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    if any(str(key).startswith("_via") for key in document):
        return True
    entries = list(document.values())
    return bool(entries) and all(_has(entry, "filename", "regions") for entry in entries)


def _is_isat(document: Any) -> bool:
    item = _first(document, "objects")
    return _has(document, "info", "objects") and (
        _has(item, "category", "segmentation") or "ISAT" in str(document["info"])[:500]
    )


_JSON: tuple[Kind, ...] = (
    ("EISeg", lambda d: _has(_first(d), "labelIdx", "points")),
    ("ISAT", _is_isat),
    ("VGG Image Annotator, VIA", _is_via),
    (
        "COCO results, without their images",
        lambda d: _has(_first(d), "image_id", "category_id"),
    ),
    ("COCO panoptic", lambda d: _has(_first(d, "annotations"), "segments_info")),
    ("COCO captions", lambda d: _has(_first(d, "annotations"), "caption", "image_id")),
    (
        "GeoJSON",
        lambda d: (
            isinstance(d, dict)
            and d.get("type") in ("FeatureCollection", "Feature", "GeometryCollection")
        ),
    ),
    (
        "Supervisely",
        lambda d: _has(_first(d, "objects"), "classTitle") or _has(d, "size", "objects", "tags"),
    ),
    (
        "SA-1B",
        lambda d: (
            _has(d, "image", "annotations")
            and "dataset" not in d
            and _has(d["image"], "height", "width")
        ),
    ),
    ("Dataloop", lambda d: _has(_first(d, "annotations"), "coordinates")),
    ("Hasty", lambda d: _has(d, "project_name", "label_classes", "images")),
    ("SuperAnnotate", lambda d: _has(d, "metadata", "instances")),
    (
        "V7 Darwin",
        lambda d: _has(d, "item", "annotations") or _has(d, "dataset", "image", "annotations"),
    ),
    (
        "Cityscapes",
        lambda d: _has(d, "imgHeight", "imgWidth", "objects"),
    ),
    ("Labelbox", lambda d: _has(_first(d), "data_row") or _has(_first(d), "Labeled Data")),
    (
        "CreateML",
        lambda d: _has(_first(_first(d), "annotations"), "coordinates"),
    ),
    (
        "BDD100K or Scalabel",
        lambda d: _has(_first(d), "name", "labels") or _has(_first(d, "frames"), "name", "labels"),
    ),
    (
        "CVAT's backup of a task",
        lambda d: (
            _has(d, "version", "shapes", "tags", "tracks")
            or _has(_first(d), "version", "shapes", "tracks")
        ),
    ),
    ("Datumaro", lambda d: _has(d, "categories", "items")),
    ("a list of GeoJSON features, such as QuPath's", lambda d: _first(d).get("type") == "Feature"),
)

_XML: tuple[tuple[str, Callable[[Element], bool]], ...] = (
    (
        "CVAT for videos",
        lambda r: r.tag == "annotations" and r.find("track") is not None,
    ),
    ("CVAT without an <image>", lambda r: r.tag == "annotations"),
    (
        "Pascal VOC, boxes",
        lambda r: r.tag == "annotation" and r.find("object/bndbox") is not None,
    ),
    (
        "the LabelMe web tool",
        lambda r: r.tag == "annotation" and r.find("object/polygon/pt") is not None,
    ),
    ("ASAP or Aperio ImageScope", lambda r: r.tag in ("ASAP_Annotations", "Annotations")),
    ("SVG", lambda r: str(r.tag).endswith("svg")),
    ("HTML", lambda r: str(r.tag).lower().endswith("html")),
)
