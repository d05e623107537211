"""Which pairs of image and strokes are stacks, and what of the options is not for them."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from saccade.cli.outputs import Wanted
from saccade.cli.pairs import Pair
from saccade.errors import InputError

if TYPE_CHECKING:
    from saccade.images import Image

_UNNAMED = ("tiff", "npy", "picture", "array")
"""Kinds of files whose pages nobody calls slices or times."""

_FLAT = ("picture", "array")
"""And of these the first is segmented in any case."""

_FORMATS = ("png", "tiff", "own")


def is_stack(pair: Pair) -> bool:
    """Whether an image and its strokes are a stack, of which all planes are to be segmented.

    Pages of a plain TIFF are, where its strokes have pages too; with strokes of one page the
    first is segmented, as ever. What a file calls slices or times always are, and pages of which a
    model makes masks. Of what lies in a store nothing is said here, see `saccade.cli.elsewhere`.
    """
    if pair.elsewhere:
        return False
    image = _opened(pair.image)
    if pair.strokes is None:
        return image is not None and _planes(image) > 1 and image.kind not in _FLAT
    if image is not None and _planes(image) > 1 and image.kind not in _UNNAMED:
        return True
    drawn = _opened(pair.drawn)
    if drawn is None or _planes(drawn) < 2:
        return False
    if image is None or _planes(image) < 2:
        _refuse_pages(pair, drawn)
        return False
    return True


def _refuse_pages(pair: Pair, drawn: "Image") -> None:
    """Refuse strokes on several pages for one picture, or for what is no image, if it matters.

    Of plain pages the first is read, as ever; nothing is said where there are strokes on it.

    Raises:
        InputError: the image cannot be read, or the strokes are on other pages.
    """
    from saccade.images import is_picture, open_image
    from saccade.images.tiff import is_tiff

    first = drawn.plane()
    if drawn.kind in _UNNAMED and (first != first.flat[0]).any():
        return
    flat = is_picture(pair.image) and not is_tiff(pair.image)
    size = "one page" if flat else " x ".join(map(str, open_image(pair.image).array.shape))
    axes = f"{drawn.axes} ({' x '.join(map(str, drawn.array.shape))})"
    raise InputError(
        f"{pair.drawn}: axes {axes}, its image {pair.image.name} has {size}; expected strokes of "
        "the same pages"
    )


def refuse_stacks(pairs: Iterable[Pair], why: str) -> None:
    """Refuse stacks with strokes where images are pictures.

    Raises:
        InputError: one of the pairs is a stack.
    """
    for pair in pairs:
        if is_stack(pair):
            raise InputError(f"{pair.image}: is a stack, with strokes on its slices; {why}")


def check_stack_options(pair: Pair, wanted: Wanted) -> None:
    """Refuse what stacks have not.

    Raises:
        InputError: a format of pictures, or probabilities.
    """
    asked = [f"--format {one}" for one in wanted.formats if one not in _FORMATS]
    asked += ["--probabilities"] if "probabilities" in wanted.extras else []
    if asked:
        raise InputError(
            f"{pair.image}: {asked[0]} is of pictures; the mask of a stack is in a file like it"
        )


def _opened(path: Path) -> "Image | None":
    from saccade.images import is_image_folder, is_picture, open_image
    from saccade.images.tiff import is_tiff

    if path.is_dir():
        if not is_image_folder(path):
            return None
    elif is_picture(path) and not is_tiff(path):
        return None
    try:
        return open_image(path)
    except InputError:  # which is said when it is read
        return None


def _planes(image: "Image") -> int:
    return image.count("T") * image.count("Z")
