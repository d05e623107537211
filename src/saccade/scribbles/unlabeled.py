"""Which value of a label image means that nobody drew: the one rule for files, API and server.

The value that covers more than half of the image does, unless the caller says another. 255 and
65535 often mean "unlabelled" where dense strokes or a mask cover more: then it counts what lies
around the classes, as strokes lie in what nobody drew. Where that is not clear, the caller is
asked. A choice that leaves nothing unlabelled, or next to nothing, is refused with the value that
would be right.
"""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from saccade.errors import InputError

FILE_OPTION = "--unlabeled {}"
ARGUMENT = "unlabeled={}"
"""How the caller says a value: of the command line, and of the Python API."""

_MARKERS = (65535, 255)
_TINY = 0.01  # of the image: a file that leaves less unlabelled is a mask
_SMALL = 0.1  # what a mask may well leave as 255
_MOST = 0.5
_CANVAS = 0.75  # strokes of all classes together cover less than the rest, dense ones 15 %
_MOST_DRAWN = 0.2
_AROUND = 0.8  # of the classes' neighbours
_LISTED = 12


class MaskLikeError(InputError):
    """Class values that may be a mask, but are no strokes as they are; `reason` says why."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Unlabeled:
    """The value that means "nobody drew", why, and what else was decided with it.

    >>> Unlabeled(0, "it covers 92% of the image").value
    0
    """

    value: int
    reason: str = ""
    remarks: tuple[str, ...] = ()


def choose_unlabeled(
    values: NDArray[Any],
    counts: dict[int, int],
    told: int | None = None,
    *,
    source: str = "strokes",
    option: str = FILE_OPTION,
) -> Unlabeled:
    """The value that means "nobody drew".

    Args:
        values: (H, W) integers.
        counts: value -> number of pixels in `values`.
        told: the value that the caller says; None: by the rule.
        source: name of the file or argument, for messages.
        option: how the caller says a value, "{}" in the place of it.

    Raises:
        MaskLikeError: a told value that is nearly nowhere, or two values that both may be meant.

    Example:
        >>> labels = np.zeros((10, 10), int)
        >>> labels[2, 2:6], labels[7, 2:6] = 1, 2
        >>> choose_unlabeled(labels, {0: 92, 1: 4, 2: 4})
        Unlabeled(value=0, reason='it covers 92% of the image', remarks=())
    """
    image = _Shares(values, counts)
    if told is None:
        return _found(image, source, option)
    _check_told(image, told, source, option)
    return Unlabeled(told, "as told")


class _Shares:
    """How much of an image each value covers, and what lies around the others."""

    def __init__(self, values: NDArray[Any], counts: dict[int, int]) -> None:
        self.values, self.counts = values, counts
        self._total = sum(counts.values())
        self.top = max(counts, key=lambda value: counts[value])

    def share(self, value: int) -> float:
        return self.counts.get(value, 0) / self._total

    def said(self, value: int) -> str:
        """The share for people, never rounded to none or all."""
        share = self.share(value)
        return f"{share:.0%}" if 0.01 <= share <= 0.99 or share in (0, 1) else f"{share:.2%}"

    def around(self, first: int, second: int) -> float:
        """Of the neighbours of all classes that are `first` or `second`, the share of `first`.

        1.0 where the classes have neither beside them.
        """
        firsts = seconds = 0
        for one, other in (
            (self.values[1:], self.values[:-1]),
            (self.values[:, 1:], self.values[:, :-1]),
        ):
            for inner, outer in ((one, other), (other, one)):
                drawn = (inner != first) & (inner != second)
                beside = outer[drawn]
                firsts += int((beside == first).sum())
                seconds += int((beside == second).sum())
        return firsts / (firsts + seconds) if firsts + seconds else 1.0

    def listed(self) -> str:
        text = ", ".join(str(value) for value in list(self.counts)[:_LISTED])
        return text + (", ..." if len(self.counts) > _LISTED else "")


def _found(image: _Shares, source: str, option: str) -> Unlabeled:
    top = image.top
    rivals = [m for m in _MARKERS if m in image.counts and m != top]
    if image.share(top) > _MOST:
        if top in _MARKERS:
            return Unlabeled(top)
        reason = f"it covers {image.said(top)} of the image"
        if not rivals or len(image.counts) == 2:
            return Unlabeled(top, reason)
        if all(_is_class(image, marker) for marker in rivals):
            named = " and ".join(str(m) for m in sorted(rivals))
            verb = "is a class" if len(rivals) == 1 else "are classes"
            return Unlabeled(top, reason, (f"{named} {verb}, as {top} covers most of the image",))
    elif top in _MARKERS:
        return Unlabeled(top, f"it covers {image.said(top)} of the image")
    meant = [m for m in rivals if _is_rest(image, m)]
    if len(meant) == 1 and len(rivals) == 1:
        return Unlabeled(
            meant[0],
            f"{image.said(meant[0])} of the image, which lies around the strokes; {top} covers "
            f"{image.said(top)} and is a class",
        )
    raise _ask(image, rivals, source, option)


def _is_class(image: _Shares, marker: int) -> bool:
    """Whether 255 or 65535 was drawn on a canvas of the value that covers most."""
    return (
        image.share(image.top) >= _CANVAS
        and image.share(marker) <= _MOST_DRAWN
        and image.around(image.top, marker) >= _AROUND
    )


def _is_rest(image: _Shares, marker: int) -> bool:
    """Whether 255 or 65535 is what dense strokes left over: it lies around the other classes."""
    return image.share(marker) >= _TINY and image.around(marker, image.top) >= _AROUND


def _ask(image: _Shares, rivals: list[int], source: str, option: str) -> MaskLikeError:
    choices = [image.top, *(m for m in rivals if image.share(m) >= _TINY)]
    shares = ", ".join(f"{value} covers {image.said(value)}" for value in choices)
    which = " or ".join(option.format(value) for value in choices)
    if len(choices) == 1:
        shares += ", too little for what nobody drew"
        which += " if it is that"
    return MaskLikeError(
        f"{source}: values {image.listed()}: which of them means 'nobody drew' is not clear "
        f"({shares}); say {which}",
        f"with the values {image.listed()} and none that means 'no stroke'",
    )


def _check_told(image: _Shares, told: int, source: str, option: str) -> None:
    share, top = image.share(told), image.top
    if told == top or share >= (_SMALL if told in _MARKERS else _MOST_DRAWN):
        return
    canvas = image.share(top) >= _CANVAS and image.around(top, told) >= _AROUND
    if share >= _TINY and not canvas:
        return
    left = f"only {image.said(told)} of the image is {told}" if share else f"no pixel is {told}"
    if image.share(top) > _MOST:
        advice = f"{top} covers {image.said(top)}: use {option.format(top)}"
    else:
        advice = f"a whole mask (values {image.listed()}) is no strokes"
    raise MaskLikeError(
        f"{source}: {left}, which leaves {'next to ' if share else ''}nothing unlabelled; {advice}",
        f"with the values {image.listed()} and none that means 'no stroke'",
    )
