"""Episodes of the stage ``fusion``: cues, which the frozen fit makes as in the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from saccade.errors import InputError
from saccade.interactive.prepared import prepare_image
from saccade.models.weights import Bundle
from scripts.train_bundled.bundles import cues_of, shared_cues_of
from scripts.train_bundled.clicked import play
from scripts.train_bundled.elsewhere import Groups
from scripts.train_bundled.episodes import MANY, SIZE, Photographs
from scripts.train_bundled.fields import field_episode, fields
from scripts.train_bundled.fusion_stage import Example
from scripts.train_bundled.instances import many_episode
from scripts.train_bundled.objects import held_out, object_episode, photos
from scripts.train_bundled.settings import Stage
from scripts.train_bundled.strokes import draw_like_people, draw_more
from scripts.train_bundled.things import draw_view, things
from scripts.train_bundled.windows import Episode, Rng, Size

SIZES = {SIZE: 0.4, (288, 416): 0.4, (352, 496): 0.2}  # with their shares
TRIES = 50  # at a kind that the photographs may not have
PAIRS = ("binary", "thing", "object", "many", "clicks", "whole", "field")  # two classes
THINGS = frozenset(("clicks", "whole"))  # of the photographs of `things`
GOES_ON = 0.3  # share of the episodes with first strokes that go on as a session
MORE = 0.4  # share of the episodes with strokes that were added to the first ones

Examples = tuple[str, list[Example]]
"""A kind of episodes, and some of it that are of one size."""


class FusionEpisodes:
    """Draws few examples where they have many classes or are large, as memory and time are.

    Args:
        bundle: whose fit makes the cues, on the CPU.
        root: of the data.
        stage: kinds of episodes with their shares (see `objects` for whole objects, `instances`
            for repeated ones), examples of a batch, and photographs that are left out.
        fused: whether the bundle's fusion network is trained already, see `play`.
    """

    def __init__(self, bundle: Bundle, root: Path, stage: Stage, *, fused: bool = False) -> None:
        self.bundle, self.shares, self.batch = bundle, dict(stage.shares), stage.batch
        self.fused = fused
        shown = [kind for kind, share in self.shares.items() if share]
        self.photographs = Photographs(root, shown)
        self.objects = photos(root, held_out(root, stage.hold)) if "object" in shown else []
        self.things = things(root) if THINGS.intersection(shown) else []
        of_fields = fields(root) if {"field", "elsewhere"}.intersection(shown) else []
        self.fields = [field for field in of_fields if not field.stroked]
        self.groups = Groups(self.photographs, self.fields)

    def draw(self, rng: Rng, generator: torch.Generator) -> Examples:
        for _ in range(TRIES):
            kind = str(rng.choice(list(self.shares), p=list(self.shares.values())))
            size = list(SIZES)[rng.choice(len(SIZES), p=list(SIZES.values()))]
            turned = kind != "street" and rng.random() < 0.4
            images: list[Example] = []
            few = (kind not in PAIRS) + (size != SIZE)
            wanted = max(1, self.batch // (1 + few))
            tries = 0
            while len(images) < wanted and tries < TRIES:
                if kind == "elsewhere":
                    found = self._elsewhere(rng, size, generator)
                    images += [found] if found is not None else []
                    tries += 1
                    continue
                episode = self._episode(rng, kind, size)
                if episode is None or (kind != "clicks" and len(np.unique(episode[2])) < 3):
                    tries += 1
                    continue
                if turned:
                    image, truth, strokes = (x.swapaxes(0, 1) for x in episode)
                    episode = image, truth, strokes
                images.append(self._example(rng, kind, episode, generator))
            if images:
                return kind, images
        raise InputError(f"the photographs have no episode of {', '.join(self.shares)} for strokes")

    def _example(
        self, rng: Rng, kind: str, episode: Episode, generator: torch.Generator
    ) -> Example:
        image, truth, strokes = (np.ascontiguousarray(x) for x in episode)
        prepared = prepare_image(image, bundle=self.bundle)
        last = None
        if kind == "clicks":
            strokes, last = play(rng, prepared, truth, fused=self.fused)
        elif kind in PAIRS and self.bundle.objects is not None and rng.random() < GOES_ON:
            strokes, last = play(rng, prepared, truth, strokes, fused=self.fused)
        classes = 2 if kind in PAIRS else MANY
        cues, stroked = cues_of(prepared, strokes, classes, generator, last)
        half = torch.from_numpy(truth[::2, ::2].copy())
        return Example(cues.half(), prepared.inputs[0].half(), stroked, half)

    def _elsewhere(self, rng: Rng, size: Size, generator: torch.Generator) -> Example | None:
        group = self.groups.draw(rng, size)
        if group is None:
            return None
        cues, stroked, prepared, shown = shared_cues_of(self.bundle, group, generator)
        half = torch.from_numpy(group.asked[1][::2, ::2].copy())
        return Example(cues.half(), prepared.inputs[0].half(), stroked, half, shown)

    def _episode(self, rng: Rng, kind: str, size: Size) -> Episode | None:
        if kind == "object":
            photo = self.objects[rng.integers(len(self.objects))]
            episode = object_episode(rng, photo, size)
        elif kind in THINGS:
            number = int(rng.integers(len(self.things)))
            image, there = draw_view(rng, self.things, size, number)
            truth = there.astype(np.uint8)
            if kind == "clicks":
                return image, truth, np.full_like(truth, 255)
            episode = image, truth, draw_like_people(rng, truth)
        elif kind == "field":
            episode = field_episode(rng, self.fields[rng.integers(len(self.fields))], size)
        elif kind == "many":
            episode = many_episode(rng, [image for image, _ in self.photographs.bsds], size)
        else:
            episode = self.photographs.episode(rng, kind, size)
        if episode is not None and rng.random() < MORE:
            image, truth, strokes = episode
            episode = image, truth, draw_more(rng, truth, strokes)
        return episode
