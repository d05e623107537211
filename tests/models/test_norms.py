import pytest
import torch
from torch.nn import functional as F

from saccade.errors import InputError
from saccade.models.norms import affine, build_norm


def _norm(name, channels):
    norm = build_norm(name, channels)
    with torch.no_grad():
        for parameter in norm.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(parameter.numel()))
    return norm


def _maps(channels, size=(5, 7)):
    scale = torch.arange(1.0, channels + 1).view(1, -1, 1, 1)  # channels that differ
    return torch.randn(1, channels, *size, generator=torch.Generator().manual_seed(1)) * scale + 2


@pytest.mark.parametrize("channels", [1, 4, 6, 8])
@pytest.mark.parametrize("name", ["batch", "group"])
def test_affine_is_the_layer_before_its_relu(name, channels):
    norm, maps = _norm(name, channels), _maps(channels)
    variance, mean = torch.var_mean(maps[0].flatten(1), 1, correction=0)
    scale, shift = affine(norm, mean, variance)
    found = maps * scale.view(-1, 1, 1) + shift.view(-1, 1, 1)
    torch.testing.assert_close(F.relu(found), norm(maps), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["batch", "group"])
def test_each_half_of_the_channels_is_normalized_by_itself(name):
    for half in (1, 3, 4, 6, 16):
        norm = _norm(name, 2 * half)
        mean = torch.randn(2 * half, generator=torch.Generator().manual_seed(2))
        variance = mean.square() + 0.5
        whole = affine(norm, mean, variance)
        for channels in (slice(0, half), slice(half, 2 * half)):
            part = affine(norm, mean[channels], variance[channels], channels)
            for found, expected in zip(part, whole, strict=True):
                torch.testing.assert_close(found, expected[channels])


def test_no_norm_is_no_relu_either():
    maps = _maps(3) - 5
    assert torch.equal(build_norm("none", 3)(maps), maps)


def test_maps_of_one_pixel_are_normalized_too():
    assert _norm("batch", 4)(_maps(4, (1, 1))).isfinite().all()


def test_unknown_names_are_refused():
    with pytest.raises(InputError, match="use none, batch or group"):
        build_norm("layer", 4)
