"""Files: one check before reading, one way of writing that never leaves half a file behind."""

import errno
import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import tee
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast
from xml.etree import ElementTree

from saccade.errors import InputError
from saccade.folders import odd_kind, real_paths
from saccade.stores import check_there, is_remote, putting

# Of `atomic_write`, and of safetensors, which writes to a temporary file of its own.
_PART = re.compile(r"\.[0-9a-f]{16}\.part(\..*)?|\.tmp[A-Za-z0-9]{6}")

T = TypeVar("T")

_MARK = b"\xef\xbb\xbf"  # some editors put it before UTF-8


def check_readable(path: str | os.PathLike[str]) -> Path:
    """Return `path` as a `Path` after making sure that it is a file with something in it.

    Of one in a store that is all: `saccade.copies.copied` gives a copy that can be opened.

    Raises:
        InputError: nothing is there, it is a folder or a pipe, socket or device, it is empty, or
            it may not be read.
    """
    if is_remote(path):
        return check_there(cast(Path, path))
    path = Path(path)
    try:
        if path.is_dir():
            raise InputError(f"{path}: is a folder, expected a file")
        if not path.exists():
            raise InputError(f"{path}: no such file")
        if kind := odd_kind(path):  # opening a pipe would wait for ever
            raise InputError(f"{path}: is {kind}, expected a file")
        if path.stat().st_size == 0:
            raise InputError(f"{path}: the file is empty")
    except (OSError, ValueError) as error:  # a name too long, a NUL byte in it, a closed folder
        if isinstance(error, InputError):
            raise
        raise InputError(f"{str(path)!r}: cannot be read ({one_line(error)})") from error
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: may not be read (permission denied)")
    return path


def read_text(path: str | os.PathLike[str]) -> str:
    """The text of a UTF-8 file, without the mark that some editors put before it.

    Raises:
        InputError: as `check_readable`, or the text is in another encoding.
    """
    path = check_readable(path)
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: byte {error.start + 1} is no UTF-8 ({error.reason}); save the file as UTF-8"
        ) from error


def read_names(path: str | os.PathLike[str]) -> list[str]:
    """The lines of a list of file names, whose bytes need not be UTF-8.

    Raises:
        InputError: what `check_readable` raises.
    """
    return os.fsdecode(check_readable(path).read_bytes().removeprefix(_MARK)).splitlines()


def read_json(path: str | os.PathLike[str]) -> Any:
    """What a JSON file in UTF-8 says.

    Raises:
        InputError: what `check_readable` raises, or malformed JSON.
    """
    path = check_readable(path)
    try:
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: malformed JSON ({one_line(error)})") from error


def remembering(read: Callable[[Path], T]) -> Callable[[Path], T]:
    """Return a reader that keeps what it read last for as long as the file stays as it is.

    For files that have something of many images, of which one is wanted after the other. Nobody
    may change what it returns.

    Example:
        >>> _ = Path("all.json").write_text("[1]")
        >>> read = remembering(read_json)
        >>> read(Path("all.json")) is read(Path("all.json"))
        True
    """

    @lru_cache(maxsize=1)
    def read_version(path: Path, version: tuple[int, int, int]) -> T:
        return read(path)

    def read_last(path: Path) -> T:
        status = check_readable(path).stat()
        return read_version(path, (status.st_ino, status.st_mtime_ns, status.st_size))

    return read_last


def read_xml(
    path: str | os.PathLike[str], expected: str, *, comments: bool = False
) -> ElementTree.Element:
    """The root of an XML file, with its comments if wanted.

    Args:
        path: path of the file.
        expected: what the file should be, for messages.
        comments: whether comments are among the elements.

    Raises:
        InputError: what `check_readable` raises, malformed XML, or entities.
    """
    path = check_readable(path)
    data = path.read_bytes()
    if re.search(rb"<!\s*(ENTITY|DOCTYPE)", data):  # no such file needs one; attacks do
        raise InputError(f"{path}: XML with a document type or entities, expected {expected}")
    builder = ElementTree.TreeBuilder(insert_comments=comments)
    try:
        return ElementTree.fromstring(data, parser=ElementTree.XMLParser(target=builder))
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise InputError(f"{path}: malformed XML ({one_line(error)})") from error


@contextmanager
def reading(path: object, what: str) -> Iterator[None]:
    """Make an `InputError` that names the file of whatever a damaged one makes a reader raise.

    Errors of readers that are `InputError` already stand as they are, and so do those of a full
    memory: sizes are checked before anything of them is allocated.

    Args:
        path: of the file that is read inside.
        what: is wrong with it, if something is.

    Raises:
        InputError: anything else was raised inside.
        Exception: what no file can be the reason of, see `_is_mistake`.

    Example:
        >>> with reading("a.json", "no such list"):
        ...     [][0]
        Traceback (most recent call last):
        saccade.errors.InputError: a.json: no such list (list index out of range)
    """
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as error:  # decoders raise nearly anything on a damaged file
        if _is_mistake(error):
            raise
        raise InputError(f"{path}: {what} ({one_line(error)})") from error


def _is_mistake(error: Exception) -> bool:
    """Whether our own code is at fault, which no message about a file may hide.

    That is a name, a module or an attribute of our own that does not exist, or a condition that
    must hold; decoders of others raise such things on damaged files too.
    """
    if isinstance(error, AttributeError):
        kind = type(error.obj)
        return kind.__module__.startswith("saccade") or kind is ModuleType
    if not isinstance(error, (NameError, AssertionError, ImportError)):
        return False
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    name = "" if frame is None else frame.tb_frame.f_globals.get("__name__", "")
    return str(name).partition(".")[0] in ("saccade", "tests", "__main__")


def first_bytes(path: Path, count: int = 64) -> bytes:
    """The first bytes of a file, without a UTF-8 mark and white space before them."""
    with open(path, "rb") as file:
        return file.read(count).removeprefix(_MARK).lstrip()


def last_part(path: str) -> str:
    """The part of a path after its last slash of either kind; "" where it ends with one."""
    return path.replace("\\", "/").rpartition("/")[2]


def one_line(error: BaseException) -> str:
    """Return the message of `error` on one line, or the name of its type if it has none."""
    return " ".join(str(error).split()) or type(error).__name__


def digest_of(*paths: Path) -> str:
    """16 hexadecimal digits that change with what is in the files."""
    found = hashlib.sha256()
    for path in paths:
        with open(check_readable(path), "rb") as file:
            found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()[:16]


def refuse_to_replace(outputs: Iterable[Path], inputs: Iterable[str | Path]) -> None:
    """Raise InputError where a file that is to be written is one that is to be read.

    Args:
        outputs: files that will be written; they need not exist.
        inputs: files that must stay as they are.
    """
    kept = set(real_paths(inputs))
    if not kept:
        return
    outputs, same = tee(outputs)
    for path, real in zip(outputs, real_paths(same), strict=True):
        if real in kept:
            raise InputError(f"{path}: is an input and would be replaced; give -o another folder")


@contextmanager
def atomic_write(path: str | os.PathLike[str], *, follow: bool = True) -> Iterator[Path]:
    """Give a temporary path beside `path` that becomes `path` when the block ends well.

    The temporary file is in the same folder, so that the rename is atomic, and has the same
    suffix, so that a writer can tell the format from it. Whatever leaves the block as an
    exception, KeyboardInterrupt included, removes the temporary file and leaves an older
    `path` as it was. A symbolic link is written through, or, without `follow`, replaced. The file
    gets the permissions of any new file, whatever its writer thinks.

    Raises:
        InputError: the folder of `path` does not exist, or `path` is itself a folder.
        OSError: a failed system call in the block; it has the name of `path` where it had none.
    """
    if is_remote(path):
        with putting(cast(Path, path)) as temporary:
            yield temporary
        return
    target = Path(os.path.realpath(path))
    if not follow and os.path.islink(path):
        target = Path(os.path.realpath(Path(path).parent)) / Path(path).name
    if target.is_dir() and not target.is_symlink():
        raise InputError(f"{path}: is a folder, expected the name of a file to write")
    if not target.parent.is_dir():
        raise InputError(f"{path}: cannot be written, there is no folder {target.parent}")
    temporary = target.with_name(f".{secrets.token_hex(8)}.part{target.suffix}")
    try:
        temporary.touch(exist_ok=False)
        mode = temporary.stat().st_mode
        yield temporary
        if temporary.stat().st_mode != mode:
            temporary.chmod(mode & 0o7777)
        os.replace(temporary, target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        # A full disk names no file, and nobody knows the temporary one.
        if error.errno is None or error.filename not in (None, temporary, str(temporary)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def remove_parts(folder: Path) -> None:
    """Remove what writers that were killed left in a folder that nobody else writes to."""
    for path in folder.iterdir():
        if _PART.fullmatch(path.name) and path.is_file():
            path.unlink(missing_ok=True)


def write_error(error: BaseException, path: str | os.PathLike[str]) -> OSError:
    """The `OSError` behind what a library made of a failed write, with the name of the file.

    PyTorch raises a `RuntimeError` after it, and safetensors says its number in the text.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno is not None:
            return OSError(cause.errno, cause.strerror, str(path))
        cause = cause.__cause__ or cause.__context__
    number = re.search(r"\(os error (\d+)\)", str(error))
    if number:
        return OSError(int(number[1]), os.strerror(int(number[1])), str(path))
    return OSError(errno.EIO, f"cannot be written ({one_line(error)})", str(path))
