"""One server for each folder: a second one would not see what is drawn in the first."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from saccade.errors import InputError
from saccade.serve.project import project_folder
from saccade.serve.settings import ServeSettings


@contextmanager
def folder_lock(settings: ServeSettings) -> Iterator[None]:
    """Hold the folder of a server's project; the system lets it go however the process ends.

    The lock is a file in the settings' ``home``, so it is seen by servers with the same home alone.

    Raises:
        InputError: another server has the folder.
    """
    folder = project_folder(settings).resolve()
    name = hashlib.sha256(str(folder).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    place = settings.home / "locks"
    place.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place / f"{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InputError(
            f"{folder}: another 'saccade serve' shows it, and two would overwrite each other's "
            "strokes; open that one's address, or stop it"
        ) from None
    try:
        yield
    finally:
        lock.release()
