"""The image of a Label Studio task: in the task, among the served images, or fetched."""

import base64
import binascii
import os
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.files import last_part
from saccade.formats.entries import image_path, without_upload_prefix
from saccade.images import load_image
from saccade.serve.label_studio.interface import BrushTag
from saccade.serve.library import Entry
from saccade.serve.service import Service
from saccade.serve.settings import Limits
from saccade.serve.uploads import read_upload, upright_size

KEY_VARIABLE = "LABEL_STUDIO_API_KEY"
_TIMEOUT_SECONDS = 30


def load_task_image(service: Service, task: dict[str, Any], tag: BrushTag) -> NDArray[np.uint8]:
    """The pixels of a task's image: in the task, among the served images, or of Label Studio.

    Raises:
        InputError: it is none of these, or no image.
    """
    data = task.get("data")
    data = data if isinstance(data, dict) else {}
    address = (
        data.get(tag.key)
        if tag.key
        else next((v for v in data.values() if isinstance(v, str)), None)
    )
    if not isinstance(address, str) or not address:
        raise InputError("task: has no image in its data")
    limits = service.settings.limits
    if address.startswith("data:"):
        return _decode(_decode_data_uri(address), limits)
    served = _served_images(service, address)
    if len(served) == 1:
        return service.library.load(served[0])
    studio = service.settings.label_studio_url
    if studio is not None and (url := _label_studio_url(studio, address)) is not None:
        return _decode(_fetch(url, limits.upload_bytes), limits)
    if served:
        first, second = (f"'{Path(e.folder, e.name).as_posix()}'" for e in served[:2])
        raise InputError(
            f"task: image '{address[:100]}' may be {first} or {second}; name it with its folder"
        )
    raise InputError(
        f"task: image '{address[:100]}' is not among the served images; serve its folder, or start "
        "with --label-studio-url"
    )


def _served_images(service: Service, address: str) -> list[Entry]:
    """The image that an address names among the served ones; several where it may be either."""
    wanted = image_path(address)
    name = without_upload_prefix(last_part(wanted))
    return service.library.find_named(wanted) or service.library.find_named(name)


def _label_studio_url(studio: str, address: str) -> str | None:
    """The full address of an image of Label Studio, or None where it is somebody else's."""
    base = urlsplit(studio)
    parts = urlsplit(address)
    if not parts.scheme and not parts.netloc and address.startswith("/"):
        return f"{base.scheme}://{base.netloc}{address}"
    same = (parts.scheme, parts.netloc) == (base.scheme, base.netloc)
    return address if same and parts.scheme in ("http", "https") else None


class _NoRedirects(HTTPRedirectHandler):
    """A redirect could lead to any address that this machine can reach."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Refuse."""
        return


def _fetch(url: str, max_bytes: int) -> bytes:
    key = os.environ.get(KEY_VARIABLE)
    headers = {"Authorization": f"Token {key}"} if key else {}
    try:
        with build_opener(_NoRedirects).open(
            Request(url, headers=headers), timeout=_TIMEOUT_SECONDS
        ) as reply:
            data: bytes = reply.read(max_bytes + 1)
    except (URLError, OSError, ValueError) as error:
        raise InputError(f"task: image '{url[:100]}' cannot be fetched ({error})") from error
    if len(data) > max_bytes:
        raise InputError(f"task: image '{url[:100]}' is larger than {max_bytes // 2**20} MB")
    return data


def _decode_data_uri(address: str) -> bytes:
    head, _, body = address.partition(",")
    try:
        if not head.endswith(";base64"):
            raise ValueError
        return base64.b64decode(body, validate=True)
    except (ValueError, binascii.Error) as error:
        raise InputError("task: its image is no base64 data URI") from error


def _decode(data: bytes, limits: Limits) -> NDArray[np.uint8]:
    name = "the task's image"
    upright_size(data, limits, name)
    return read_upload(data, name, load_image)
