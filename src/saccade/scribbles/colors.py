"""Strokes drawn in colours: every colour is a class, transparency or the canvas is not.

Colours of the PASCAL VOC palette stand for their index, so that a palette PNG that some program
has turned into RGB still reads as what it was. Other colours become classes 0, 1, ... in the
order of their hexadecimal names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from saccade.data.palette import pack_rgb, voc_index
from saccade.errors import InputError
from saccade.scribbles.soft_edges import edge_shades, without_shades
from saccade.scribbles.strokes import (
    UNLABELED,
    Strokes,
    check_classes,
    free_unlabeled,
    name_classes,
    short_name,
    strokes_from_array,
)

_MOST_COLORS = 64
_MOST_BLENDS = 4096
_LEAST_SOFT = 4  # colours: two strokes, their canvas and a shade
_COUNTED_AT_ONCE = 8_000_000  # pixels


@dataclass(frozen=True)
class _Colors:
    """The colours of the opaque pixels of an image.

    Attributes:
        opaque: (H, W) where alpha is 255.
        present: 0xRRGGBB of every colour, ascending.
        counts: number of pixels of each.
        index: for each opaque pixel, row by row, the place of its colour in `present`; empty
            where a large image has too many colours.
    """

    opaque: NDArray[np.bool_]
    present: NDArray[np.uint32]
    counts: NDArray[np.int64]
    index: NDArray[np.integer]

    @property
    def overlay(self) -> bool:
        """Whether transparency says where nobody drew."""
        return not bool(self.opaque.all())

    def labels(self, values: Mapping[int, int], empty: int) -> NDArray[np.int32]:
        """Return (H, W) with `values` by colour, `empty` where there is none."""
        table = np.array([values.get(c, empty) for c in self.present.tolist()], dtype=np.int32)
        if not self.overlay:
            return np.asarray(table[self.index].reshape(self.opaque.shape))
        labels = np.full(self.opaque.shape, empty, dtype=np.int32)
        labels[self.opaque] = table[self.index]
        return labels


def strokes_from_colors(
    rgba: NDArray[np.uint8],
    *,
    unlabeled: int | None = None,
    names: Sequence[str] | None = None,
    source: str = "strokes",
) -> Strokes:
    """Read strokes from (H, W, 4) uint8 RGBA.

    Where any pixel is transparent, only pixels of alpha 255 are strokes. Where none is, grey
    images (R = G = B) are read as class values, VOC colours as class values, and otherwise the
    colour of more than half of the image is taken for the empty canvas. Colours that lie
    between their neighbours are shades of soft edges and are left unlabelled. `unlabeled`
    matters only where colours stand for class values.

    Raises:
        InputError: no fully opaque pixel, too many colours (a photograph), no canvas, and the
            reasons of `strokes_from_array`.
    """
    if not (rgba[..., 3] == 255).any():
        raise InputError(
            f"{source}: no fully opaque pixel; draw the strokes with a hard brush at 100 % opacity"
        )
    colors = _count_colors(rgba)
    if not colors.overlay and _is_grey(colors.present):
        values, remarks = without_shades(rgba[..., 0])
        strokes = strokes_from_array(
            values,
            unlabeled=unlabeled,
            names=names,
            source=source,
            kind="grey values in RGB",
        )
        return replace(strokes, remarks=remarks + strokes.remarks)
    if len(colors.present) > _MOST_BLENDS:
        raise _too_many(source, len(colors.present))
    stands = np.arange(len(colors.present))
    if len(stands) >= _LEAST_SOFT and (colors.overlay or not _all_voc(colors.present)):
        stands = _stands(colors)
    unclear = 0
    if not colors.overlay and 2 * (stands != np.arange(len(stands))).sum() >= len(stands):
        from saccade.scribbles.drawn_colors import find_drawn_colors  # SciPy is slow to import

        drawn = find_drawn_colors(rgba[..., :3])
        if drawn is not None:
            opaque = np.full((*drawn.index.shape, 1), 255, np.uint8)
            colors = _count_colors(np.dstack([drawn.colors[drawn.index], opaque]))
            stands, unclear = np.arange(len(colors.present)), drawn.unclear
    kept = colors.present[stands == np.arange(len(stands))]
    pixels = unclear + int(colors.counts[stands < 0].sum())
    colors = _merged(colors, stands)
    note = f" ({pixels} pixels of blended colours too)" if pixels else ""
    if _all_voc(kept) and (colors.overlay or not pixels):
        return _voc_strokes(colors, kept, unlabeled, names, source, note)
    if len(kept) > _MOST_COLORS:
        raise _too_many(source, len(kept))
    return _numbered_strokes(colors, kept, names, source, note)


def _count_colors(rgba: NDArray[np.uint8]) -> _Colors:
    opaque = rgba[..., 3] == 255
    step = max(1, _COUNTED_AT_ONCE // rgba.shape[1])
    blocks = [slice(top, top + step) for top in range(0, len(rgba), step)]
    if len(blocks) == 1:
        packed = pack_rgb(rgba[opaque][:, :3])
        present, index, counts = np.unique(packed, return_inverse=True, return_counts=True)
        return _Colors(opaque, present, counts, index)
    # Linear, where np.unique would sort every pixel and take 24 bytes for each.
    totals = np.zeros(2**24, dtype=np.int64)
    for rows in blocks:
        totals += np.bincount(_packed(rgba[rows], opaque[rows]), minlength=len(totals))
    present = np.flatnonzero(totals).astype(np.uint32)
    place = np.zeros(2**24, dtype=np.uint16)
    parts = []
    if len(present) <= _MOST_BLENDS:  # more are refused, unless no pixel's colour matters
        place[present] = np.arange(len(present))
        parts = [place[_packed(rgba[rows], opaque[rows])] for rows in blocks]
    return _Colors(opaque, present, totals[present], np.concatenate(parts) if parts else place[:0])


def _packed(rgba: NDArray[np.uint8], opaque: NDArray[np.bool_]) -> NDArray[np.int64]:
    """0xRRGGBB of the opaque pixels, row by row."""
    chosen = rgba.reshape(-1, 4) if opaque.all() else rgba[opaque]
    words = np.ascontiguousarray(chosen).view(">u4")[:, 0]
    return np.asarray(np.right_shift(words, 8, dtype=np.int64, casting="unsafe"))


def _is_grey(present: NDArray[np.uint32]) -> bool:
    red, green, blue = present >> 16, present >> 8 & 255, present & 255
    return bool(((red == green) & (green == blue)).all())


def _all_voc(present: NDArray[np.uint32]) -> bool:
    return all(color in voc_index() for color in present.tolist())


def _stands(colors: _Colors) -> NDArray[np.int64]:
    """What each colour stands for, of `edge_shades`."""
    present = colors.present
    rgb = np.stack([present >> 16 & 255, present >> 8 & 255, present & 255], axis=1)
    index = np.full(colors.opaque.shape, -1, np.int32)
    index[colors.opaque] = colors.index
    pixels = rgb.astype(np.uint8)[index]
    return edge_shades(pixels, index, rgb, colors.counts)


def _merged(colors: _Colors, stands: NDArray[np.int64]) -> _Colors:
    if (stands == np.arange(len(stands))).all():
        return colors
    places = np.where(stands < 0, np.arange(len(stands)), stands).astype(np.uint16)
    counts = np.bincount(places, weights=colors.counts, minlength=len(stands)).astype(np.int64)
    return replace(colors, counts=counts, index=places[colors.index])


def _voc_strokes(
    colors: _Colors,
    kept: NDArray[np.uint32],
    unlabeled: int | None,
    names: Sequence[str] | None,
    source: str,
    note: str,
) -> Strokes:
    kind = "RGBA overlay" if colors.overlay else "RGB image"
    return strokes_from_array(
        colors.labels({color: voc_index()[color] for color in kept.tolist()}, UNLABELED),
        unlabeled=UNLABELED if colors.overlay else unlabeled,
        names=names,
        source=source,
        kind=f"{kind} in VOC colours",
        meaning=f"transparent = unlabelled{note}" if colors.overlay else None,
    )


def _numbered_strokes(
    colors: _Colors,
    kept: NDArray[np.uint32],
    names: Sequence[str] | None,
    source: str,
    note: str,
) -> Strokes:
    canvas = None if colors.overlay else _canvas(colors, source)
    drawn = [color for color in kept.tolist() if color != canvas]
    what = "transparent" if canvas is None else f"canvas #{canvas:06x}"
    check_classes(range(len(drawn)), source, f"{what} = unlabelled")
    empty = free_unlabeled(range(len(drawn)))
    labels = colors.labels({color: i for i, color in enumerate(drawn)}, empty)
    hexadecimal = {i: f"#{color:06x}" for i, color in enumerate(drawn)}
    known = name_classes(range(len(drawn)), names, source) or hexadecimal
    listed = ", ".join(f"{i} = {color}" for i, color in hexadecimal.items())
    kind = "RGBA overlay" if canvas is None else "RGB image"
    line = f"{short_name(source)}: {kind}, {what} = unlabelled{note}, classes {listed}"
    remarks = (f"{note.strip(' ()').removesuffix(' too')} are left unlabelled",) if note else ()
    return Strokes(labels, empty, known, line, remarks)


def _canvas(colors: _Colors, source: str) -> int:
    most = int(colors.counts.argmax())
    if colors.counts[most] * 2 <= colors.counts.sum():
        raise InputError(
            f"{source}: RGB image without a colour that covers most of it, so 'no stroke' cannot "
            "be told; save the strokes as RGBA PNG on a transparent layer"
        )
    return int(colors.present[most])


def _too_many(source: str, count: int) -> InputError:
    return InputError(
        f"{source}: {count} colours, which looks like a photograph, not like strokes; save them "
        "as palette PNG or on a transparent layer (RGBA PNG) of their own"
    )
