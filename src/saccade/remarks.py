"""Remarks on many files: each kind is said once, with the number of files it holds for."""

import re
from collections.abc import Callable, Iterable

SHOWN = 8
"""Kinds of remarks that are said; what is odd in more ways than this is looked at by hand."""

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class Remarks:
    """Says a remark when it is new and counts the files for which it holds.

    Remarks that differ in their numbers only, such as "16-bit values 100 to 400 were stretched",
    are of one kind.

    Example:
        >>> remarks = Remarks(print)
        >>> for name, pages in (("a.tif", 12), ("b.tif", 9)):
        ...     remarks.add(name, [f"the first of {pages} pages"])
        a.tif: the first of 12 pages
        >>> remarks.summary
        ('2 files: the first of 12 pages (a.tif; the numbers differ)',)
    """

    def __init__(self, say: Callable[[str], None] = lambda line: None) -> None:
        self._say = say
        self._kinds: dict[str, _Kind] = {}

    def add(self, name: str, lines: Iterable[str]) -> None:
        """Take the remarks on the file `name`."""
        for line in dict.fromkeys(lines):
            key = _NUMBER.sub("#", line)
            kind = self._kinds.get(key)
            if kind is None:
                kind = self._kinds[key] = _Kind(name, line)
                if len(self._kinds) <= SHOWN:
                    self._say(f"{name}: {line}")
            kind.files += 1
            kind.differ |= line != kind.line

    def __bool__(self) -> bool:
        return bool(self._kinds)

    @property
    def summary(self) -> tuple[str, ...]:
        """A line for each kind with the number of its files, the most frequent first."""
        kinds = sorted(self._kinds.values(), key=lambda kind: -kind.files)
        lines = [kind.text for kind in kinds[:SHOWN]]
        if len(kinds) > SHOWN:
            lines.append(f"and {len(kinds) - SHOWN} other kinds of remarks")
        return tuple(lines)

    def summarize(self) -> None:
        """Say the summary, unless every remark was of one file and has been said."""
        if any(kind.files > 1 for kind in self._kinds.values()) or len(self._kinds) > SHOWN:
            for line in self.summary:
                self._say(line)


class _Kind:
    def __init__(self, name: str, line: str) -> None:
        self.name, self.line, self.files, self.differ = name, line, 0, False

    @property
    def text(self) -> str:
        if self.files == 1:
            return f"{self.name}: {self.line}"
        numbers = "; the numbers differ" if self.differ else ""
        return f"{self.files} files: {self.line} ({self.name}{numbers})"


def summary_of(remarks: Iterable[tuple[str, Iterable[str]]]) -> tuple[str, ...]:
    """Return the summary of pairs of a file's name and its remarks.

    Example:
        >>> summary_of([("a.tif", ["the first of 2 pages"]), ("b.tif", ["the first of 2 pages"])])
        ('2 files: the first of 2 pages (a.tif)',)
    """
    found = Remarks()
    for name, lines in remarks:
        found.add(name, lines)
    return found.summary
