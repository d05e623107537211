"""Cues of each class to probabilities, by the fusion network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from saccade.models.fusion_net import ImageEncoding
from saccade.models.weights import EnsembleMember


@torch.no_grad()
def fuse_cues(
    cues: Tensor,
    stroked: Tensor,
    classes: int,
    ensemble: Sequence[EnsembleMember],
    encodings: Sequence[ImageEncoding],
    elsewhere: Sequence[Sequence[Tensor]] | None = None,
) -> Tensor:
    """Probabilities by all cues; the classes that nobody drew get 0.

    Args:
        cues: (P, len(CUES), h, w) of the P classes that somebody drew.
        stroked: (P,) their indices.
        classes: K.
        ensemble: the members to ask; the mean of their scores counts.
        encodings: of the image, one for each member.
        elsewhere: of each member, for each of the P classes vectors at strokes in other images.

    Returns:
        (K, h, w), sums to 1 over the classes.

    >>> from saccade.models.fusion_net import CUES
    >>> from saccade.models.weights import load_bundle
    >>> member = load_bundle(members=1).ensemble[0]
    >>> encoding = member.encoder(torch.zeros(1, 43, 16, 24))
    >>> cues, stroked = torch.zeros(2, len(CUES), 16, 24), torch.tensor([0, 2])
    >>> p = fuse_cues(cues, stroked, 3, [member], [encoding])
    >>> p.shape, p[1].max().item()
    (torch.Size([3, 16, 24]), 0.0)
    """
    image_index = torch.zeros_like(stroked)
    others = elsewhere or [[] for _ in ensemble]
    scores = torch.stack(
        [
            member.fusion.to(cues.device)(cues, image_index, encoding, other)
            for member, encoding, other in zip(ensemble, encodings, others, strict=True)
        ]
    ).mean(0)
    out = cues.new_zeros(classes, *scores.shape[1:])
    out[stroked] = scores.softmax(0)
    return out
