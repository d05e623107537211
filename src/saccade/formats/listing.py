"""Which images an annotation file for many has entries for, told without drawing anything."""

import os
from typing import Any

from saccade.data.foreign import document_kind
from saccade.files import check_readable, first_bytes, read_json, read_xml, reading
from saccade.formats.coco_shapes import identifier
from saccade.formats.label_studio_reader import LISTS, task_address


def entry_names(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Return the name, path or address of the image of each entry of a file, in its order.

    Tasks of Label Studio that nobody has labelled are left out.

    Args:
        path: a COCO, CVAT or Label Studio file; files of all other kinds are of one image each and
            give ().

    Raises:
        InputError: the file is missing, or is malformed JSON or XML.

    Example:
        >>> from pathlib import Path
        >>> images = '[{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}]'
        >>> _ = Path("all.json").write_text('{"images": %s, "annotations": []}' % images)
        >>> entry_names("all.json")
        ('a.png', 'b.png')
    """
    path = check_readable(path)
    start = first_bytes(path, 4096)
    with reading(path, "entries that cannot be read"):
        if start.startswith(b"<"):
            if b"<annotations" not in start:
                return ()
            root = read_xml(path, "CVAT's XML")
            return tuple(image.get("name", "") for image in root.findall("image"))
        if not start.startswith((b"{", b"[")):
            return ()
        document = read_json(path)
        kind = document_kind(document)
        if kind == "coco":
            return tuple(str(image.get("file_name") or "") for image in document["images"])
        if kind == "label-studio":
            tasks = document if isinstance(document, list) else [document]
            return tuple(task_address(task) for task in tasks if _is_labeled(task))
    return ()


def empty_entries(path: str | os.PathLike[str]) -> frozenset[int]:
    """Return the places in `entry_names` of entries that nothing was drawn on.

    COCO and CVAT files list the images that nobody has come to yet, too.

    Args:
        path: a file that `entry_names` could read.

    Raises:
        InputError: the file is missing, or is malformed JSON or XML.
    """
    path = check_readable(path)
    with reading(path, "entries that cannot be read"):
        if first_bytes(path, 1) == b"<":
            images = read_xml(path, "CVAT's XML").findall("image")
            drawn = [any(shape.tag != "tag" for shape in image) for image in images]
        else:
            document = read_json(path)
            if document_kind(document) != "coco":
                return frozenset()
            found = [a for a in document.get("annotations", []) if isinstance(a, dict)]
            owners = {identifier(annotation.get("image_id")) for annotation in found}
            drawn = [identifier(image.get("id")) in owners for image in document["images"]]
    return frozenset(place for place, is_drawn in enumerate(drawn) if not is_drawn)


def _is_labeled(task: dict[str, Any]) -> bool:
    given = [task.get(key) for key in LISTS]
    items = [item for items in given if isinstance(items, list) for item in items]
    return any(isinstance(item, dict) and item.get("result") for item in items)
