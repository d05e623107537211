"""A batch in parts, accumulated or in several processes, has the gradient of the whole batch."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from saccade.models.segmentation import SegmentationNet
from saccade.training.config import config_of
from saccade.training.loop import train
from saccade.training.losses import pixel_loss
from saccade.training.supervision import (
    Batch,
    Counts,
    SupervisionConfig,
    count_pixels,
    supervise,
)
from tests.helpers import run_python
from tests.training.helpers import SCRIPT, TWO_PROCESSES, changed, toml

pytestmark = pytest.mark.filterwarnings("ignore")

SPREADS = {
    "even": (384, 384, 384, 384),
    "strokes": (384, 384, 4, 0),
    "one image": (0, 0, 0, 7),
    "nothing": (0, 0, 0, 0),
}


def batch_of(labelled):
    """Four images of 16 x 24 with so many labelled pixels each; two of them are weak."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 3, (4, 384), generator=generator).to(torch.uint8)
    for row, count in zip(labels, labelled, strict=True):
        row[torch.randperm(384, generator=generator)[count:]] = 255
    inside = torch.ones(4, 16, 24, dtype=torch.bool)
    inside[1, 4:] = False
    allowed = torch.tensor([[True, True, False], [True] * 3, [False] * 3, [False] * 3])
    return Batch(
        torch.rand(4, 3, 16, 24, generator=generator), labels.view(4, 16, 24), inside, allowed
    )


@pytest.mark.parametrize("parts", [2, 4])
@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("stride", [1, 8])
@pytest.mark.parametrize(
    "config",
    [
        SupervisionConfig(),
        SupervisionConfig("masks", online=0.5),
        SupervisionConfig("masks", crf=0.3, crf_stride=2),
    ],
    ids=["cross entropy", "online", "crf"],
)
def test_parts_together_have_the_gradient_of_the_batch(parts, spread, weighted, stride, config):
    batch = batch_of(SPREADS[spread])
    factors = torch.tensor([1.0, 3.0, 0.2]) if weighted else None
    layer = torch.randn(3, 3, 1, 1, generator=torch.Generator().manual_seed(1))

    def gradient(pieces, counts):
        kernel = layer.clone().requires_grad_()
        for piece in pieces:
            scores = functional.conv2d(piece.images, kernel)[..., ::stride, ::stride]
            loss = supervise(scores, piece, piece.images, config, factors, counts)
            (loss / len(pieces)).backward()
        return kernel.grad

    pieces = [Batch(*p) for p in zip(*(t.chunk(parts) for t in batch), strict=True)]
    found = torch.tensor([count_pixels(p, config, factors) for p in pieces])
    whole, together = gradient([batch], None), gradient(pieces, Counts(*found.mean(0).tolist()))
    torch.testing.assert_close(together, whole, rtol=1e-4, atol=1e-6)


def test_one_count_is_the_mean():
    batch = batch_of(SPREADS["strokes"])
    counts = count_pixels(batch, SupervisionConfig(), None)
    scores = torch.randn(4, 3, 16, 24)
    assert torch.equal(
        pixel_loss(scores, batch.labels), pixel_loss(scores, batch.labels, None, counts.pixels)
    )


# Normalisation over the images of a part is another function than over those of the batch.
FIXED_NORMS = """
import runpy, sys
from torch import nn
from saccade.models.segmentation import SegmentationNet
SegmentationNet.train = lambda self, mode=True: nn.Module.train(self, False)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_accumulating_and_two_processes_train_the_same_network(
    settings, data, tmp_path, monkeypatch
):
    for number in range(5):  # hardly anything is labelled in most images
        path = data / f"masks/train/{number}.png"
        with Image.open(path) as mask:
            labels = np.array(mask)
        labels[:, 4:] = 255
        labels[4:] = 255
        Image.fromarray(labels).save(path)
    tables = {"optim": {"epochs": 1, "auxiliary": 0.4}, "augmentation": {"scale": [1, 1]}}
    settings = changed(settings, run={"validate_every": 9}, **tables)
    monkeypatch.setattr(
        SegmentationNet, "train", lambda self, mode=True: nn.Module.train(self, False)
    )
    weights = []
    for parts in (1, 2):
        config = config_of(changed(settings, optim={"accumulate": parts}), Path("."))
        train(config, tmp_path / str(parts))
        weights.append(load_file(tmp_path / str(parts) / "last.safetensors"))
    (tmp_path / "fixed.py").write_text(FIXED_NORMS)
    (tmp_path / "train.toml").write_text(toml(settings))
    arguments = (tmp_path / "fixed.py", SCRIPT, tmp_path / "train.toml", tmp_path / "two")
    run_python(*TWO_PROCESSES, *arguments)
    weights.append(load_file(tmp_path / "two/last.safetensors"))
    for other in weights[1:]:
        for name, value in weights[0].items():
            torch.testing.assert_close(other[name], value, rtol=1e-4, atol=1e-5)
