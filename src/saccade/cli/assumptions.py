"""How the strokes of many files were read, said once, and files that contradict each other."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from saccade.errors import InputError

if TYPE_CHECKING:
    from saccade.scribbles.strokes import Strokes

_SHOWN = 5
"""Of ways in which strokes were read; with many classes nearly every file has its own."""


class Assumptions:
    """Says once what strokes were taken to mean, and finds files that contradict each other."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._counts: dict[str, int] = {}
        self._values: dict[str, tuple[int, Path]] = {}
        self._names: dict[int, tuple[str, Path]] = {}

    def add(self, strokes: "Strokes", path: Path) -> None:
        """Note how `path` was read, if no earlier file was read like it.

        Raises:
            InputError: a class has another name here than in an earlier file, so that masks of
                the two would not mean the same.
        """
        self._compare_names(strokes.names, path)
        assumption = strokes.assumption.removeprefix(f"{path.name}: ")
        if assumption not in self._counts and len(self._counts) < _SHOWN:
            self._note(f"{path.name}: {assumption}")
        self._counts[assumption] = self._counts.get(assumption, 0) + 1

    def summarize(self) -> None:
        """Say how many files were read in which way, where it was not the same for all."""
        if len(self._counts) > 1:
            self._note("strokes were not all read in the same way:")
            common = sorted(self._counts.items(), key=lambda item: -item[1])
            for assumption, count in common[:_SHOWN]:
                self._note(f"  {count} files: {assumption}")
            if len(common) > _SHOWN:
                self._note(f"  and {len(common) - _SHOWN} other ways")
        elif sum(self._counts.values()) > 1:
            self._note(f"the same holds for all {sum(self._counts.values())} files with strokes")

    def _compare_names(self, names: dict[int, str], path: Path) -> None:
        advice = "list the classes of all files with --classes"
        for value, name in names.items():
            other, earlier = self._values.get(name, (value, path))
            if other != value:
                raise InputError(
                    f"{path}: '{name}' is class {value} here and {other} in {earlier.name}; "
                    f"{advice}"
                )
            known, earlier = self._names.get(value, (name, path))
            if known != name:
                raise InputError(
                    f"{path}: class {value} is '{name}' here and '{known}' in {earlier.name}; "
                    f"{advice}"
                )
        for value, name in names.items():
            self._values.setdefault(name, (value, path))
            self._names.setdefault(value, (name, path))
