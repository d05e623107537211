"""Files beside a data set that say what its classes are called, and their colors."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from saccade.data.specs import read_classes
from saccade.errors import InputError
from saccade.files import read_text

NAMES = (
    *("classes.txt", "class_dict.csv", "labelmap.txt", "label_colors.txt", "labels.txt"),
    *("class_names.txt", "classnames.txt", "label_names.txt", "names.txt", "obj.names"),
)

Color = tuple[int, int, int]


@dataclass(frozen=True)
class Named:
    """A class that a file names.

    Attributes:
        name: of the class.
        value: in a mask of values; None where the file does not say.
        color: in a mask of colors; None where the file does not say.
    """

    name: str
    value: int | None = None
    color: Color | None = None


@dataclass(frozen=True)
class ClassFile:
    """A file that names classes.

    Attributes:
        path: of the file.
        classes: in its order.
        ignored: values that it says have no class.
    """

    path: Path
    classes: tuple[Named, ...]
    ignored: tuple[int, ...] = ()


def find_class_file(root: Path) -> ClassFile | None:
    """The first file of a usual name in a folder, or in one below it, that names two classes.

    It may be classes.txt as `saccade train` reads it, class_dict.csv (name, r, g, b), CVAT's
    labelmap.txt, or CamVid's label_colors.txt.
    """
    for folder in (root, *sorted(p for p in root.glob("*") if p.is_dir())):
        for name in NAMES:
            path = folder / name
            if path.is_file() and (found := _read(path)) and len(found.classes) >= 2:
                return found
    return None


def _read(path: Path) -> ClassFile | None:
    try:
        text = read_text(path)
        if path.suffix == ".csv":
            return ClassFile(path, tuple(_from_csv(text)))
        if path.name == "labelmap.txt":
            return ClassFile(path, tuple(_from_labelmap(text)))
        colored = [_from_colors(line) for line in text.splitlines() if line.strip()]
        if colored and all(colored):
            return ClassFile(path, tuple(named for named in colored if named))
        spec = read_classes(path)
    except (InputError, ValueError, KeyError):
        return None
    values: list[int | None] = [value for value, _ in spec.mapping]
    colors: list[Color | None] = list(spec.palette)
    count = len(spec.names)
    rows = zip(spec.names, values or [None] * count, colors or [None] * count, strict=True)
    return ClassFile(path, tuple(Named(*row) for row in rows), spec.ignored)


def _from_csv(text: str) -> list[Named]:
    rows = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    lower = ({(k or "").strip().lower(): v for k, v in row.items()} for row in rows)
    return [
        Named(row["name"].strip(), None, (int(row["r"]), int(row["g"]), int(row["b"])))
        for row in lower
    ]


def _from_labelmap(text: str) -> list[Named]:
    """CVAT's: ``name:r,g,b:parts:actions``."""
    named = []
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            name, color, *_ = line.split(":")
            r, g, b = (int(word) for word in color.split(","))
            named.append(Named(name.strip(), None, (r, g, b)))
    return named


def _from_colors(line: str) -> Named | None:
    """CamVid's: three numbers, then the name."""
    words = line.split()
    if len(words) < 4 or not all(word.isdecimal() and int(word) < 256 for word in words[:3]):
        return None
    r, g, b = (int(word) for word in words[:3])
    return Named(" ".join(words[3:]), None, (r, g, b))
