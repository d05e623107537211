"""One training at a time in a folder: two would overwrite each other's state and checkpoints."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from saccade.errors import InputError
from saccade.training.fabric import in_first

LOCK = "lock"
"""File in the folder of a run while a process trains there; it says which."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes from training in a folder, which is made if it is missing.

    The operating system gives up the lock of a process that dies, so a file that it left behind
    hinders nobody. Windows, and file systems that know no locks, have none.

    Raises:
        InputError: another process trains there.
    """
    missing = [f for f in (folder, *folder.parents) if not f.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    file = _acquire(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # before it is closed: nobody else has it yet
        os.close(file)
        for made in missing:
            with suppress(OSError):  # not empty: it is there for a reason
                made.rmdir()


@contextmanager
def locked_together(folder: Path, fabric: Any) -> Iterator[None]:
    """As `locked`, in the first process for all that train together.

    Raises:
        InputError: in all of them, where the first finds another process.
    """
    with ExitStack() as stack:
        in_first(fabric, lambda: stack.enter_context(locked(folder)))
        yield


def _acquire(path: Path) -> int:
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if not _take(file):
            holder = os.read(file, 20).decode("ascii", "replace").strip()
            os.close(file)
            raise InputError(
                f"{path.parent}: another process trains there ({holder or 'it has just begun'}); "
                "wait for it, or give -o another folder"
            )
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file), path.stat()):
                break
        os.close(file)  # its holder ended, and removed it, between the two calls
    os.truncate(file, 0)
    os.write(file, f"{os.getpid()}\n".encode())
    return file


def _take(file: int) -> bool:
    if sys.platform != "win32":
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # no locks there, as on some network drives
            return True
    return True
