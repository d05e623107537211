"""The format of a mask file, told from what is in it."""

from pathlib import Path

from saccade.data.foreign import document_kind, refuse_json
from saccade.files import first_bytes, read_json, remembering


def mask_format(path: Path) -> str:
    """Tell the format of a mask file from its content; what nobody knows is called "png".

    Raises:
        InputError: malformed JSON, or JSON of a program whose files are not read.
    """
    start = first_bytes(path)
    if start.startswith(b"<"):
        return "cvat"
    if not start.startswith((b"{", b"[")):
        return "png"  # or any other image: the decoder finds out
    return _kind_of_json(path)


def _read_kind(path: Path) -> str:
    document = read_json(path)
    return document_kind(document) or refuse_json(document, path)


_kind_of_json = remembering(_read_kind)
