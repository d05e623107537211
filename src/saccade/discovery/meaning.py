"""What the values or colors of masks stand for: names of classes, and what has none."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import ImageColor

from saccade.data import known
from saccade.data.palette import pack_rgb
from saccade.data.specs import IGNORE, LabelSpec
from saccade.discovery.class_files import ClassFile, Color, Named
from saccade.discovery.pairs import FEW_VALUES
from saccade.discovery.survey import Survey
from saccade.errors import InputError

_BLACK, _WHITE, _BORDER = 0, 0xFFFFFF, 0xE0E0C0
_GROUND = 0.1
"""Black, or white, that covers more of the pixels than this is a class, and no gap between them."""
_RARE = 50
_FEW_OBJECTS = 8
_REAL = 0.005
"""Where values are blurred, those that cover so much of one mask are meant, others are edges."""


@dataclass(frozen=True)
class Meaning:
    """Classes of masks.

    Attributes:
        classes: with value, and color where masks have colors.
        ignored: values without a class.
        colored: masks have colors.
        remarks: lines on what was assumed.
        convert: "" where masks can be read as they are; "nearest" where each pixel has to get the
            nearest value of a class, "objects" where every value but 0 is one class.
    """

    classes: tuple[Named, ...]
    ignored: tuple[int, ...]
    colored: bool
    remarks: tuple[str, ...]
    convert: str = ""

    @property
    def text(self) -> str:
        """The content of a classes.txt, which `saccade.data.specs.read_classes` reads."""
        lines = []
        for index, named in enumerate(self.classes):
            value = index if self.convert or named.value is None else named.value
            color = " ".join(map(str, named.color)) if named.color else ""
            lines.append(f"{value} {named.name} {color}".rstrip())
        ignored = () if self.convert else self.ignored
        lines += [f"ignore {value}" for value in ignored if value != IGNORE]
        return "\n".join(lines) + "\n"


def meaning_of(found: Survey, file: ClassFile | None) -> Meaning:
    """What the values or colors of masks stand for.

    Args:
        found: what stands in the masks.
        file: that names classes, where there is one.

    Raises:
        InputError: one value alone, too many to be classes, or a file that names others.
    """
    convert, values, remarks = _distinct(found)
    if convert == "objects":
        classes = (Named("background", 0), Named("object", 1))
        return Meaning(classes, (), False, tuple(remarks), convert)
    meaning = _of_colors(found, values, file) if found.colored else _of_values(values, file)
    rare = [v for v in values if found.pixels[v] < _RARE and _class_of(meaning, v) is not None]
    if rare:
        what = _in_words(rare[0], found.colored)
        others = f" (and {len(rare) - 1} more)" if len(rare) > 1 else ""
        remarks.append(
            f"{what} is at {found.pixels[rare[0]]} pixels of all masks{others}; if that is a slip "
            "of the brush, take its line out of classes.txt and correct the masks"
        )
    if len(meaning.classes) < 2:
        only = meaning.classes[0].name if meaning.classes else "nothing"
        raise InputError(f"all masks have {only} alone, expected two classes or more")
    return Meaning(
        meaning.classes, meaning.ignored, found.colored, (*meaning.remarks, *remarks), convert
    )


def _distinct(found: Survey) -> tuple[str, list[int], list[str]]:
    """How masks have to be converted, their values, and lines on it."""
    values = sorted(found.pixels)
    if not found.colored and _number_objects(found.counts):
        line = (
            f"masks number their objects (up to {found.most - 1} in one); "
            "all numbers are the class 'object'"
        )
        return "objects", values, [line]
    if len(values) <= FEW_VALUES:
        return "", values, []
    meant = [value for value in values if found.largest[value] >= _REAL]
    share = sum(found.pixels[value] for value in meant) / sum(found.pixels.values())
    kind = "colors" if found.colored else "values"
    if not 2 <= len(meant) <= FEW_VALUES or share < 0.8:
        raise InputError(
            f"masks have {found.most} different {kind} and more, expected a few: one for each class"
        )
    line = (
        f"edges in the masks are blurred ({len(values)} {kind}); each pixel gets the nearest of "
        f"the {len(meant)} that cover {100 * _REAL:g} % or more of a mask"
    )
    return "nearest", meant, [line]


def _number_objects(counts: tuple[tuple[int, int], ...]) -> bool:
    """Whether masks number objects 1, 2, ... instead of naming classes, and no two alike."""
    tops = {top for _, top in counts}
    if len(tops) < 2 or max(tops) <= _FEW_OBJECTS:
        return False
    # A few numbers may be missing, of objects that somebody took away.
    exact = max(tops) <= FEW_VALUES
    fit = [n == top if exact else 2 * n >= top for n, top in counts]
    return sum(fit) == len(fit) if exact else sum(fit) >= 0.8 * len(fit)


def _of_values(values: list[int], file: ClassFile | None) -> Meaning:
    real = [value for value in values if value != IGNORE or len(values) == 2]
    gaps = (
        [f"255 has no class in the masks (values {_few(real)})"] if len(real) < len(values) else []
    )
    if file is not None:
        return _named_values(real, file, gaps)
    if len(real) == 2 and real[0] == 0:
        both = (Named("background", 0), Named("object", real[1]))
        line = f"masks have the values 0, called 'background', and {real[1]}, called 'object'"
        return Meaning(both, (), False, (line, *gaps))
    classes = tuple(Named("background" if v == 0 else f"class {v}", v) for v in real)
    line = f"nothing names the values {_few(real)} of the masks; names are in classes.txt"
    return Meaning(classes, (), False, (line, *gaps))


def _named_values(values: list[int], file: ClassFile, gaps: list[str]) -> Meaning:
    given = {c.value if c.value is not None else i: c.name for i, c in enumerate(file.classes)}
    values = [value for value in values if value not in file.ignored]
    remarks = [f"classes are named by {file.path.name}", *gaps]
    unknown = [value for value in values if value not in given]
    if unknown == [len(file.classes)] and file.classes[0].value is None and 0 in values:
        given = {0: "background", **{i + 1: c.name for i, c in enumerate(file.classes)}}
        remarks.append(f"{file.path.name} names the values from 1; 0 is called 'background'")
    elif unknown:
        raise InputError(
            f"{file.path}: names the values {_few(sorted(given))}, but masks have "
            f"{_few(unknown)} too; add a line VALUE NAME, or 'ignore VALUE'"
        )
    classes = tuple(Named(name, value) for value, name in sorted(given.items()))
    return Meaning(classes, file.ignored, False, tuple(remarks))


def _of_colors(found: Survey, values: list[int], file: ClassFile | None) -> Meaning:
    total = sum(found.pixels.values())
    plain = {v for v in (_BLACK, _WHITE) if len(values) == 2 or found.pixels[v] > _GROUND * total}
    names, remark = _names_of_colors(values, file)
    classes, gaps = [], []
    for value in values:
        if value in names:
            classes.append(Named(names[value], None, _rgb(value)))
        elif value in (_BLACK, _WHITE, _BORDER) and value not in plain:
            gaps.append(value)
        else:
            black = value == _BLACK or (value == _WHITE and _BLACK not in values)
            other = "object" if len(values) == 2 and _BLACK in values else color_name(value)
            name = "background" if black else other
            classes.append(Named(_unused(name, classes), None, _rgb(value)))
    if file is not None or names:  # in the order that is known
        order = list(names)
        classes.sort(key=lambda c: order.index(p) if (p := _packed(c.color)) in order else 999)
    lines = [remark] if remark else []
    for value in gaps:
        share = 100 * found.pixels[value] / total
        lines.append(
            f"{_in_words(value, True)} has no class: it covers {share:.1f} % of the masks; with a "
            f"line {_line(value)!r} in classes.txt it has one"
        )
    if _WHITE in plain.intersection(values).difference(names) and len(values) > 2:
        called = next(c.name for c in classes if _packed(c.color) == _WHITE)
        share = 100 * found.pixels[_WHITE] / total
        lines.append(
            f"{_in_words(_WHITE, True)} covers {share:.1f} % of the masks and is the class "
            f"{called!r}; if it means 'not labelled', take its line out of classes.txt"
        )
    return Meaning(tuple(classes), (), True, tuple(lines))


def _line(value: int) -> str:
    return "NAME " + " ".join(map(str, _rgb(value)))


def _names_of_colors(values: list[int], file: ClassFile | None) -> tuple[dict[int, str], str]:
    """Names of colors that are known, and a line on where from."""
    if file is not None and any(named.color for named in file.classes):
        names = {_packed(named.color): named.name for named in file.classes if named.color}
        return names, f"classes are named by {file.path.name}"
    meant = set(values) - {_BLACK, _WHITE, _BORDER}
    for title, spec in _KNOWN:
        colors = dict(zip(pack_rgb(spec.colors).tolist(), spec.names, strict=True))
        if len(meant) >= 4 and meant <= colors.keys():
            kept = {c: name for c, name in colors.items() if c in values}
            return kept, f"the colors are those of {title}, whose names the classes have"
    idle = f"{file.path.name} names classes and not their colors, " if file is not None else ""
    return {}, f"{idle or 'nothing names the colors of the masks, '}{_CALLED}"


_CALLED = "so classes are called by their colors; the names are in classes.txt"
_KNOWN: tuple[tuple[str, LabelSpec], ...] = (
    ("CamVid", known.CAMVID),
    ("Cityscapes", known.CITYSCAPES),
    ("PASCAL VOC", known.VOC),
)


@lru_cache(maxsize=1)
def _css() -> tuple[list[str], np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    from skimage.color import rgb2lab

    table = {ImageColor.getrgb(name)[:3]: name for name in sorted(ImageColor.colormap)}
    colors = np.array(list(table), np.uint8)
    return list(table.values()), rgb2lab(colors[None])[0]


def color_name(value: int) -> str:
    """What people would call a color: the nearest of the colors that web pages name.

    Args:
        value: 0xRRGGBB.

    Example:
        >>> color_name(0xFE0202), color_name(0x4682B0)
        ('red', 'steelblue')
    """
    from skimage.color import rgb2lab

    names, lab = _css()
    own = rgb2lab(np.array([[_rgb(value)]], np.uint8))[0, 0]
    return names[int(((lab - own) ** 2).sum(1).argmin())]


def _unused(name: str, classes: list[Named]) -> str:
    taken = {named.name for named in classes}
    numbers = (f"{name} {number}" for number in range(2, 1000))
    return name if name not in taken else next(n for n in numbers if n not in taken)


def _class_of(meaning: Meaning, value: int) -> Named | None:
    fits = (c for c in meaning.classes if value in (c.value, _packed(c.color) if c.color else None))
    return next(fits, None)


def _rgb(value: int) -> Color:
    return value >> 16, value >> 8 & 255, value & 255


def _packed(color: Color | None) -> int:
    return -1 if color is None else color[0] << 16 | color[1] << 8 | color[2]


def _in_words(value: int, colored: bool) -> str:
    return f"color {_rgb(value)}" if colored else f"value {value}"


def _few(values: list[int]) -> str:
    shown = ", ".join(map(str, values[:8]))
    return shown + (f" and {len(values) - 8} more" if len(values) > 8 else "")
