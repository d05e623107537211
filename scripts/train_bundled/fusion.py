"""The fusion stage: the frozen fit as in the product, and a network that reads its cues."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from episodes import MANY, SIZE, SIZES, Episodes, draw_more, pooled
from fit import FitStart
from instances import many_episode
from objects import held_out, object_episode, photos
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from saccade.interactive.averaging import average_draws
from saccade.interactive.cues import compute_cues
from saccade.interactive.fit_learned import fit_learned
from saccade.interactive.prepared import PreparedImage, prepare_image
from saccade.interactive.presets import LearnedFitSettings, preset_named
from saccade.interactive.stroke_maps import stroke_maps
from saccade.models.fusion_net import FusionNet, ImageEncoder
from saccade.models.weights import Bundle, EnsembleMember

PRESET = preset_named("fast")  # what the networks will be asked with
KINDS = {"binary": 0.42, "thing": 0.19, "segments": 0.05, "street": 0.34}
TRIES = 50  # at a kind that the photographs may not have
PAIRS = ("binary", "thing", "object", "many")  # an object, or like ones, and the rest
MORE = 0.4  # share of the episodes with strokes that were added to the first ones


@dataclass(frozen=True)
class Example:
    """Cues (P, C, h, w) of the ``stroked`` classes (P,), inputs (C, h, w), truth (h, w)."""

    cues: Tensor
    inputs: Tensor
    stroked: Tensor
    truth: Tensor

    def flip(self, axes: list[int]) -> Example:
        return Example(
            self.cues.flip(axes), self.inputs.flip(axes), self.stroked, self.truth.flip(axes)
        )


class FusionStage(nn.Module):
    """Both networks of the stage, with batch normalisation until `folded`."""

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
            self.fusion.leave.bias.copy_(torch.tensor([0.0, 0.5]))

    def freeze_norm(self) -> None:
        for m in self.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.eval()

    def folded(self) -> FusionStage:
        """The same function without normalisation layers."""
        plain = FusionStage(norm=False)
        state = {k: v for k, v in self.state_dict().items() if ".norm." not in k}
        for name, m in self.named_modules():
            if hasattr(m, "conv") and isinstance(m.norm, nn.BatchNorm2d):
                conv = fuse_conv_bn_eval(m.conv.eval(), m.norm.eval())
                state[f"{name}.conv.weight"], state[f"{name}.conv.bias"] = conv.weight, conv.bias
        plain.load_state_dict(state)
        return plain.eval().requires_grad_(False)

    def loss(self, example: tuple[str, list[Example]], device, generator) -> Tensor:
        kind, images = example
        image_index = torch.cat([torch.full_like(x.stroked, i) for i, x in enumerate(images)])
        encoding = self.encoder(torch.stack([x.inputs.float() for x in images]).to(device))
        cues = torch.cat([x.cues.float() for x in images]).to(device)
        scores = self.fusion(cues, image_index.to(device), encoding)
        losses = [
            _image_loss(scores[image_index == i], x, binary=kind in PAIRS)
            for i, x in enumerate(images)
        ]
        return torch.stack(losses).mean()


def _image_loss(scores: Tensor, example: Example, *, binary: bool) -> Tensor:
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


def bundle_of(model: FitStart, stage: FusionStage) -> Bundle:
    """What was learned in the form the product reads."""
    start = {k: v.detach() for k, v in model.start.items()}
    rates = {k: v.detach() for k, v in model.rates.items()}
    member = EnsembleMember(stage.encoder, stage.fusion)
    return Bundle(model.head, model.fuse, start, rates, (member,))


def cues_of(
    bundle: Bundle, image, strokes, classes: int, generator
) -> tuple[PreparedImage, Tensor, Tensor]:
    """Prepared image, cues (P, C, h, w) and stroked classes, by the functions of the product."""
    assert isinstance(PRESET.fit, LearnedFitSettings)
    prepared = prepare_image(image, bundle=bundle)
    maps = stroke_maps(prepared, strokes.astype(np.int64), tuple(range(classes)), PRESET.fit)
    net = fit_learned(
        prepared.fused_inputs,
        maps.labels_half,
        classes,
        bundle,
        PRESET.fit,
        sigma=PRESET.network.sigma,
        generator=generator,
    )
    averaged = average_draws(
        net,
        prepared.inputs,
        maps.stroked,
        draws=PRESET.draws,
        generator=generator,
        placement=PRESET.placement,
        fused=prepared.fused_inputs,
    )
    lab, edges = prepared.lab, prepared.standardized_lab
    return prepared, compute_cues(averaged, maps, lab, edges, generator=generator), maps.stroked


class FusionEpisodes(Episodes):
    """Lists of examples of one size; few of many classes or large, as memory and time are.

    Args:
        model: the frozen fit.
        objects: share of the lists that show whole objects, see `objects`.
        many: share of those that show many like things, see `instances`.
        without: stems of photographs that these may not show.
        args: of `Episodes`.
    """

    def __init__(
        self, model: FitStart, objects: float, many: float, without: set[str], *args
    ) -> None:
        super().__init__(*args)
        self.model = model
        self.photos = photos(self.root, without) if objects else []
        rest = 1 - objects - many
        self.kinds = {kind: share * rest for kind, share in KINDS.items()}
        self.kinds |= {"object": objects, "many": many}

    def _episode(self, rng, kind, size):
        if kind == "object":
            episode = object_episode(rng, self.photos[rng.integers(len(self.photos))], size)
        elif kind == "many":
            episode = many_episode(rng, [image for image, _ in self.bsds], size)
        else:
            episode = super()._episode(rng, kind, size)
        if episode is not None and rng.random() < MORE:
            image, truth, strokes = episode
            episode = image, truth, draw_more(rng, truth, strokes)
        return episode

    def __iter__(self):
        torch.set_num_threads(1)
        info = torch.utils.data.get_worker_info()
        worker = info.id if info else 0
        rng = np.random.default_rng((self.seed, worker))
        generator = torch.Generator().manual_seed(self.seed + worker)
        bundle = bundle_of(self.model, FusionStage())
        while True:
            kind = str(rng.choice(list(self.kinds), p=list(self.kinds.values())))
            size = list(SIZES)[rng.choice(len(SIZES), p=list(SIZES.values()))]
            turned = kind != "street" and rng.random() < 0.4
            images: list[Example] = []
            few = (kind not in PAIRS) + (size != SIZE)
            wanted = max(1, self.batch // (1 + few))
            tries = 0
            while len(images) < wanted and tries < TRIES:
                episode = self._episode(rng, kind, size)
                if episode is None or len(np.unique(episode[2])) < 3:
                    tries += 1
                    continue
                image, truth, strokes = (x.swapaxes(0, 1) if turned else x for x in episode)
                prepared, cues, stroked = cues_of(
                    bundle,
                    np.ascontiguousarray(image),
                    strokes,
                    2 if kind in PAIRS else MANY,
                    generator,
                )
                truth = torch.from_numpy(truth[::2, ::2].copy())
                images.append(Example(cues.half(), prepared.inputs[0].half(), stroked, truth))
            if images:
                yield kind, images


def examples(args, model: FitStart):
    """Endless examples, mirrored at random."""
    rng = np.random.default_rng(args.seed)
    without = held_out(args.data, args.hold)
    shares = args.objects, args.many
    data = FusionEpisodes(model, *shares, without, args.data, args.batch, args.seed)
    for (kind, images), _ in pooled(args, data):
        axes = [axis for axis, share in ((-1, 0.5), (-2, 0.25)) if rng.random() < share]
        yield kind, [x.flip(axes) for x in images]
