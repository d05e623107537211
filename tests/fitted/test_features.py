"""Models that also look at the maps of a backbone of timm."""

import numpy as np
import pytest

import saccade
from saccade.errors import InputError
from tests.fitted.test_file import content
from tests.fitted.test_model import strokes
from tests.interactive.test_shared import picture
from tests.models.test_timm_maps import NAME, weights_of

pytest.importorskip("timm", reason="timm is not installed")


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    path = weights_of(NAME, tmp_path_factory.mktemp("weights") / "w.safetensors")
    rgb, truth = picture(0)
    return saccade.fit([rgb], [strokes(truth)], features=f"timm:{NAME}@{path}"), path


def test_its_regression_sees_the_maps(fitted):
    rgb, truth = picture(0)
    plain = saccade.fit([rgb], [strokes(truth)])
    sizes = [m.shared.regression.weights.shape[1] for m in (plain, fitted[0])]
    assert sizes[1] - sizes[0] == sum(m.shape[1] for m in fitted[0].bundle.more(_blank()))
    assert plain.bundle.more is None  # the weights that all share stay as they are


def _blank():
    import torch

    return torch.zeros(1, 3, 32, 32)


def test_its_file_has_the_backbone_too(fitted, tmp_path):
    model, weights = fitted
    model.save(tmp_path / "a.saccade")
    header, _ = content(tmp_path / "a.saccade")
    assert (header["format"], header["features"]) == (3, f"timm:{NAME}")
    assert str(weights) not in str(header)  # no path of this machine
    weights.unlink()
    again = saccade.load(tmp_path / "a.saccade")
    rgb, truth = picture(1)
    found = [m.predict(rgb).probabilities for m in (model, again)]
    assert np.array_equal(*found)
    again.update([rgb], [strokes(truth)])
    assert again.bundle.more is not None
    assert len(again.stroked) == 2


def test_other_features_are_refused():
    rgb, truth = picture(0)
    with pytest.raises(InputError, match="features: 'resnet18', expected 'bundled' or 'timm:NAME'"):
        saccade.fit([rgb], [strokes(truth)], features="resnet18")
