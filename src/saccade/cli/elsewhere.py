"""Images and strokes of ``saccade segment`` that lie in a store: worked on as copies."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from saccade.cli.pairs import Pair
from saccade.cli.stack_kinds import is_stack
from saccade.copies import copied
from saccade.errors import InputError

_MANY = "expected a copy of it on this machine"


@contextmanager
def here(pair: Pair) -> Iterator[Pair]:
    """Give a pair whose files can be opened: itself, or one of copies.

    Raises:
        InputError: a file cannot be fetched, or is a stack or a slide, which are worked on part by
            part.
    """
    if not pair.elsewhere:
        yield pair
        return
    from saccade.cli.slide_files import is_slide  # which imports what calls this

    with copied(*pair.sources) as (image, *strokes):
        found = replace(pair, image=image, strokes=strokes[0] if strokes else None)
        if is_stack(found):
            raise InputError(f"{image}: is a stack, which is read plane by plane; {_MANY}")
        if is_slide(found):
            raise InputError(f"{image}: is so large that it is read part by part; {_MANY}")
        yield found
