"""The files of a folder that are meant, matched by name, and what was left out.

Every verb, data set and the server goes by the rule of this module: hidden files are nobody's,
suffixes are compared without case and names in Unicode's composed form (NFC), and what is no file
(a pipe, a socket, a folder called x.png, a link to nowhere) is never opened, but said.
"""

import os
import stat
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from saccade.errors import InputError, printable
from saccade.stores import entries_in, is_remote, names_in

_HIDDEN = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db"})
_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}
_SHOWN = 5


@dataclass(frozen=True)
class Listing:
    """Files of a folder.

    Attributes:
        files: those with one of the suffixes that were asked for, in the order of their names.
        remarks: lines on what was left out.
    """

    files: tuple[Path, ...]
    remarks: tuple[str, ...] = ()


def name_key(name: str) -> str:
    """Return a file name in the form in which names are compared: NFC, and printable.

    Example:
        >>> name_key("cafe" + chr(0x301)) == name_key("caf" + chr(0xE9))
        True
    """
    return unicodedata.normalize("NFC", printable(name))


def is_hidden(name: str) -> bool:
    """Whether a file is one that systems put there: .DS_Store, ._x.jpg, Thumbs.db.

    Example:
        >>> [is_hidden(name) for name in ("._a.jpg", "Thumbs.db", "a.jpg")]
        [True, True, False]
    """
    return name.startswith(".") or name.lower() in _HIDDEN


def odd_kind(path: str | os.PathLike[str]) -> str:
    """Return what there is instead of a file, such as "a pipe"; "" for a file.

    Example:
        >>> odd_kind("/dev/null"), odd_kind("/nowhere")
        ('a device', 'a link to nowhere')
    """
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return "a link to nowhere"
    except OSError as error:
        return f"not readable ({error.strerror})"
    return "" if stat.S_ISREG(mode) else _KINDS.get(stat.S_IFMT(mode), "no file")


def list_files(folder: Path, suffixes: Collection[str], *, used: Iterable[Path] = ()) -> Listing:
    """Return the files of a folder with one of the suffixes, and lines on what was left out.

    Args:
        folder: to look in; folders in it are not searched.
        suffixes: in lower case, with their dot.
        used: files that are read for something else, so nothing is said of them.

    Raises:
        InputError: there is no such folder, or it may not be read.
    """
    found, others, odd = list[Path](), list[Path](), list[str]()
    elsewhere = set(used)
    for path, is_file in _entries(folder):
        wanted = path.suffix.lower() in suffixes
        kind = "" if is_file else "a folder" if is_remote(path) else odd_kind(path)
        if not kind:
            (found if wanted else others).append(path)
        elif wanted or kind != "a folder":
            odd.append(f"{printable(path.name)} ({kind})")
    remarks = (
        _left_out(folder, [path for path in others if path not in elsewhere]),
        _no_files(folder, odd),
    )
    return Listing(tuple(found), tuple(remark for remark in remarks if remark))


def by_stem(folder: Path, files: Iterable[Path]) -> dict[str, Path]:
    """Return files by their stem in the form of `name_key`.

    Raises:
        InputError: a stem stands for several files.
    """
    found: dict[str, list[Path]] = defaultdict(list)
    for path in files:
        found[name_key(path.stem)].append(path)
    for paths in found.values():
        if len(paths) > 1:
            names = " and ".join(path.name for path in paths)
            raise InputError(f"{folder}: {names} have the same stem; keep one of them there")
    return {stem: paths[0] for stem, paths in found.items()}


def some_names(what: str, paths: Iterable[Path]) -> str:
    """Return a line that counts files and names a few; "" for none.

    Example:
        >>> some_names("images without strokes", [Path("b.png"), Path("a.png")])
        '2 images without strokes: a.png, b.png'
    """
    return _counted(what, sorted(printable(path.name) for path in paths))


def existing(paths: Iterable[Path]) -> set[Path]:
    """Those of the paths that exist, with one look at each folder and one more at each of these.

    Example:
        >>> _ = Path("a.png").write_text("a")
        >>> [path.name for path in existing([Path("a.png"), Path("b.png")])]
        ['a.png']
    """
    known: dict[str, frozenset[str]] = {}
    found = set()
    for path in paths:
        folder, name = os.path.split(str(path))
        if folder not in known:
            known[folder] = frozenset(map(_loosely, names_in(path.parent)))
        if known[folder] and _loosely(name) in known[folder] and path.exists():
            found.add(path)
    return found


def _loosely(name: str) -> str:
    """A name such that those are equal that some system takes for the same."""
    return name_key(name).casefold()


def real_paths(paths: Iterable[str | os.PathLike[str]]) -> Iterator[str]:
    """Paths as `os.path.realpath` gives them, with one look at each folder instead of each file.

    On a network drive a question for each part of each of a million paths takes hours.

    Example:
        >>> _ = Path("a.png").write_text("a")
        >>> Path("b.png").symlink_to("a.png")
        >>> one, other = real_paths(["a.png", "b.png"])
        >>> one == other
        True
    """
    known: dict[str, tuple[str, frozenset[str] | None]] = {}
    for path in paths:
        if is_remote(path):
            yield str(path)
            continue
        folder, name = os.path.split(path)
        if folder not in known:
            known[folder] = os.path.realpath(folder), _links_in(folder or os.curdir)
        real, links = known[folder]
        if links is None or name in links or name in ("", os.curdir, os.pardir):
            yield os.path.realpath(path)
        else:
            yield os.path.join(real, name)


def _links_in(folder: str) -> frozenset[str] | None:
    """Names of a folder that are links; None where that is not all there is to know."""
    if os.name == "nt":  # short names, and names in another case
        return None
    try:
        with os.scandir(folder) as entries:
            return frozenset(entry.name for entry in entries if entry.is_symlink())
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
    except OSError:  # it may not be read
        return None


def _entries(folder: Path) -> list[tuple[Path, bool]]:
    """What is in a folder, in the order of the names, and whether it surely is a file."""
    if is_remote(folder):
        return [(path, is_file) for path, is_file in entries_in(folder) if not is_hidden(path.name)]
    try:
        with os.scandir(folder) as entries:
            shown = (entry for entry in entries if not is_hidden(entry.name))
            found = [(folder / entry.name, _is_file(entry)) for entry in shown]
    except FileNotFoundError as error:
        raise InputError(f"{folder}: no such folder") from error
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror})") from error
    return sorted(found)


def _is_file(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_file()  # known with its name, but for links
    except OSError:  # a link in a circle, or to where nobody may look
        return False


def _left_out(folder: Path, others: list[Path]) -> str:
    if not others:
        return ""
    count = Counter(path.suffix.lower() or "without a suffix" for path in others)
    kinds = [printable(suffix) for suffix, _ in count.most_common(_SHOWN)]
    more = ", ..." if len(count) > _SHOWN else ""
    files = "1 file" if len(others) == 1 else f"{len(others)} files"
    return f"{printable(folder.name) or folder}: {files} left out: {', '.join(kinds)}{more}"


def _no_files(folder: Path, odd: list[str]) -> str:
    what = "entry is no file, skipped" if len(odd) == 1 else "entries are no files, skipped"
    line = _counted(what, odd)
    return f"{printable(folder.name) or folder}: {line}" if line else ""


def _counted(what: str, names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{len(names)} {what}: {', '.join(names[:_SHOWN])}{more}"
