"""Stacks and large images among others: found, checked, and worked on one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass

from saccade.cli.one_by_one import End
from saccade.cli.outputs import Wanted
from saccade.cli.pairs import Pair
from saccade.cli.segment_settings import Settings
from saccade.cli.slide_files import is_slide, refuse_slides, segment_slides
from saccade.cli.stack_files import segment_stacks
from saccade.cli.stack_kinds import check_stack_options, is_stack, refuse_stacks
from saccade.errors import InputError
from saccade.stores import is_remote


@dataclass(frozen=True)
class PartByPart:
    """What is not worked on as a whole; finished parts of it are kept whatever happens."""

    stacks: tuple[Pair, ...] = ()
    large: tuple[Pair, ...] = ()

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Both."""
        return self.stacks + self.large

    def segment(
        self,
        settings: Settings,
        wanted: Wanted,
        before: End,
        *,
        overwrite: bool,
        quiet: bool,
        single: bool,
    ) -> list[End]:
        """Segment them, unless somebody pressed Ctrl-C; how each kind ended.

        Raises:
            InputError: of a single one.
        """
        ends = [before]
        for pairs, work in ((self.stacks, segment_stacks), (self.large, segment_slides)):
            if not ends[-1].interrupted:
                how = {"overwrite": overwrite, "quiet": quiet, "single": single}
                ends.append(work(pairs, settings, wanted, **how))
        return ends[1:]


def part_by_part(pairs: Sequence[Pair], settings: Settings, wanted: Wanted) -> PartByPart:
    """Find stacks and large images, and check what is asked of them.

    With a model, images without strokes are looked at too. Large images that a model of strokes
    segments are read as a whole.

    Raises:
        InputError: a stack with strokes and a model, an option that they have not, or a folder in
            a store.
    """
    model = settings.model
    kept = [pair for pair in pairs if model is None or pair.strokes is None]
    if model is not None:
        drawn = (pair for pair in pairs if pair.strokes is not None)
        refuse_stacks(drawn, "leave --model out, its strokes are for all of them")
    stacks = tuple(pair for pair in kept if is_stack(pair))
    for pair in stacks:
        check_stack_options(pair, wanted)
    parted, others = model is None or _is_network(settings), set(stacks)
    large = tuple(pair for pair in kept if parted and pair not in others and is_slide(pair))
    refuse_slides(large, wanted)
    if is_remote(wanted.folder) and (apart := [*stacks, *large]):
        raise InputError(
            f"{apart[0].image}: masks of stacks and of slides grow in their file and go to a "
            f"folder of this machine, not to {wanted.folder}"
        )
    return PartByPart(stacks, large)


def _is_network(settings: Settings) -> bool:
    from saccade.models.headers import CHECKPOINT, has_header

    return settings.model is not None and has_header(settings.model, CHECKPOINT)
