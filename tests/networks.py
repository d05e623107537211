"""A small trained network for tests of what uses one."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch.nn import functional

from saccade.data.specs import LabelSpec
from saccade.models.checkpoint import save_checkpoint
from saccade.models.segmentation import SegmentationConfig, SegmentationNet


@cache
def small_network() -> bytes:
    """A checkpoint that knows a bright left part, class 1 "object", from a dark right one.

    It is good for nothing but to have both classes: its backbone is as it begins, its last layer is
    the best one for such images.
    """
    torch.manual_seed(0)
    config = SegmentationConfig(2, pyramid="none", width=32, dropout=0.0, output_stride=8)
    net = SegmentationNet(config).eval()
    target = (torch.arange(128)[None] < torch.arange(8, 120, 8)[:, None]).float()
    target = target[:, None].expand(-1, 64, -1)
    images = (0.2 + 0.55 * target + 0.1 * torch.rand(target.shape))[:, None].expand(-1, 3, -1, -1)
    seen = []
    last = next(m for n, m in net.named_modules() if f"{n}.weight" in net.of_classes)
    last.register_forward_hook(lambda module, given, found: seen.append(given[0]))
    with torch.no_grad():
        net(images)
        features = seen[0].flatten(2).mT.reshape(-1, seen[0].shape[1])
        wanted = functional.interpolate(target[:, None], seen[0].shape[2:], mode="area")
        features = torch.cat([features, torch.ones(len(features), 1)], 1)
        found = torch.linalg.lstsq(features.double(), 20 * wanted.flatten().double() - 10).solution
        last.weight.copy_(torch.stack([-found[:-1], found[:-1]])[..., None, None] / 2)
        last.bias.copy_(torch.stack([-found[-1], found[-1]]) / 2)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "net.safetensors"
        spec = LabelSpec(("background", "object"))
        save_checkpoint(path, net.config, net.state_dict(), spec, {})
        return path.read_bytes()


def halves(seed, size):
    """A picture with a bright and a dark half."""
    picture = np.random.default_rng(seed).integers(150, 255, (*size, 3), dtype=np.uint8)
    picture[:, size[1] // 2 :] //= 4
    return picture
