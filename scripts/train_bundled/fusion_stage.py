"""The networks of the stage ``fusion``, which read cues, and their loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from saccade.models.fusion_net import CUE, FusionNet, ImageEncoder, few_vectors, stroke_vectors
from scripts.train_bundled.tasks import State


@dataclass(frozen=True)
class Example:
    """An image as the fusion network sees it.

    Attributes:
        cues: (P, C, h, w) of the ``stroked`` classes.
        inputs: (C, h, w).
        stroked: (P,).
        truth: (h, w).
        shown: inputs (C, h, w) of other images, and their strokes (P, h, w).
    """

    cues: Tensor
    inputs: Tensor
    stroked: Tensor
    truth: Tensor
    shown: tuple[tuple[Tensor, Tensor], ...] = ()

    def flip(self, axes: list[int]) -> Example:
        return Example(
            self.cues.flip(axes),
            self.inputs.flip(axes),
            self.stroked,
            self.truth.flip(axes),
            tuple((inputs.flip(axes), own.flip(axes)) for inputs, own in self.shown),
        )


class FusionStage(nn.Module):
    """Both networks of the stage, with batch normalization until `folded`."""

    def __init__(self, norm: bool = True) -> None:
        super().__init__()
        self.encoder, self.fusion = ImageEncoder(norm=norm), FusionNet(norm=norm)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
                if m.bias is not None:
                    nn.init.zeros_(m.bias)
        with torch.no_grad():  # what is added to a normalised map starts small
            for name in ("to0", "to1", "to2", "to3"):
                getattr(self.encoder, name).weight.mul_(0.5)
            self.fusion.rivals.weight.mul_(0.5)
            self.fusion.leave.weight.mul_(0.3)
            assert self.fusion.leave.bias is not None
            self.fusion.leave.bias.copy_(torch.tensor([0.0, 0.5, 0.5]))

    def folded(self) -> FusionStage:
        """The same function without normalization layers."""
        plain = FusionStage(norm=False)
        state = {k: v for k, v in self.state_dict().items() if ".norm." not in k}
        for name, m in self.named_modules():
            if hasattr(m, "conv") and isinstance(m.norm, nn.BatchNorm2d):
                conv = fuse_conv_bn_eval(m.conv.eval(), m.norm.eval())
                state[f"{name}.conv.weight"], state[f"{name}.conv.bias"] = conv.weight, conv.bias
        plain.load_state_dict(state)
        return plain.eval().requires_grad_(False)

    def loss(self, images: Sequence[Example], *, binary: bool, kept: float = 0.0) -> Tensor:
        """The mean over images of one size.

        Args:
            images: what the networks see.
            binary: whether each shows one object.
            kept: by how much more it costs to lose what was right in the mask before.
        """
        device = next(self.parameters()).device
        image_index = torch.cat([torch.full_like(x.stroked, i) for i, x in enumerate(images)])
        encoding = self.encoder(torch.stack([x.inputs.float() for x in images]).to(device))
        cues = torch.cat([x.cues.float() for x in images]).to(device)
        elsewhere = [vectors for x in images for vectors in self._elsewhere(x, device)]
        scores = self.fusion(cues, image_index.to(device), encoding, elsewhere)
        losses = [
            _image_loss(scores[image_index == i], x, binary=binary, kept=kept)
            for i, x in enumerate(images)
        ]
        return torch.stack(losses).mean()

    def _elsewhere(self, example: Example, device: torch.device) -> list[Tensor | None]:
        """Of each class, vectors at its strokes in other images; None where there are none."""
        if not example.shown:
            return [None] * len(example.stroked)
        found = [
            stroke_vectors(self.encoder(inputs[None].float().to(device)), own.to(device))
            for inputs, own in example.shown
        ]
        return [few_vectors(torch.cat(vectors, 1)) for vectors in zip(*found, strict=True)]


def stage_with(state: State | None) -> FusionStage:
    """With the weights of a state if there is one; packed ones have no normalization left."""
    if not state:
        return FusionStage()
    stage = FusionStage(norm=any(".norm." in name for name in state))
    stage.load_state_dict(state)
    return stage


def packed(state: State, parts: Mapping[str, str]) -> State:
    """Half precision, with normalization folded in; ``parts`` are the networks' names in a file."""
    found = {}
    for name, value in stage_with(state).folded().state_dict().items():
        part, rest = name.split(".", 1)
        found[f"{parts[part]}.{rest}"] = value.half()
    return found


def _keeping(cues: Tensor, target: Tensor, kept: float) -> Tensor:
    """Weights (h, w), of mean 1: what was right in the mask before costs more to lose."""
    last = cues[:, CUE["last"]].float().to(target.device)
    if not last.any():  # there was none
        return torch.ones_like(last[0])
    weights = 1 + kept * (last.argmax(0) == target).float()
    return weights / weights.mean()


def _image_loss(scores: Tensor, example: Example, *, binary: bool, kept: float) -> Tensor:
    """Cross-entropy, in part balanced over classes, and soft IoU.

    With many classes balance costs more than it gives: what a rare class wrongly takes of a
    frequent one hardly shows in the frequent one's loss, and ruins the rare one's IoU.
    """
    balance, overlap = (0.4, 0.6) if binary else (0.15, 0.8)
    classes = len(scores)
    table = torch.full((256,), 255)
    table[example.stroked] = torch.arange(classes)
    target = table[example.truth.long()].to(scores.device)
    valid = target != 255
    safe = target.masked_fill(~valid, 0)
    loss = F.cross_entropy(scores[None], safe[None], reduction="none")[0]
    loss = (loss * valid).clamp_max(8.0)  # human segments err too
    loss = loss * _keeping(example.cues, safe, kept)
    onehot = F.one_hot(safe, classes).movedim(2, 0) * valid
    count = onehot.flatten(1).sum(1)
    each = (loss * onehot).flatten(1).sum(1) / count.clamp_min(1)
    p = scores.softmax(0) * valid
    both, either = (p * onehot).flatten(1).sum(1), (p + onehot).flatten(1).sum(1)
    iou = (both + 1) / (either - both + 1)
    there = count > 0
    parts = (
        balance * each.sum() / there.sum(),
        (1 - balance) * loss.sum() / valid.sum().clamp_min(1),
        overlap * (1 - (iou * there).sum() / there.sum()),
    )
    return sum(parts[1:], parts[0])
