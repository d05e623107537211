import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from saccade.models.features import MobileNetHead, half_size_features, normalized_lab
from saccade.models.weights import load_head


@pytest.fixture
def head() -> MobileNetHead:
    return load_head("random", generator=torch.Generator().manual_seed(0))


def _image(*size, seed=0):
    return torch.rand(size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 5), (8, 12)])
def test_sizes_are_rounded_up(head, size):
    fine, coarse = head(_image(1, 3, *size))
    assert fine.shape == (1, 16, -(-size[0] // 2), -(-size[1] // 2))
    assert coarse.shape == (1, 24, -(-size[0] // 4), -(-size[1] // 4))


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 5), (8, 12)])
def test_maps_are_standardised_at_half_size(head, size):
    maps = half_size_features(head, _image(2, 3, *size), _image(2, 2, *size, seed=1))
    assert maps.shape == (2, 42, -(-size[0] // 2), -(-size[1] // 2))
    assert maps.isfinite().all()
    torch.testing.assert_close(maps.mean((2, 3)), torch.zeros(2, 42), rtol=0, atol=1e-5)
    if size == (8, 12):
        spread = maps.std((2, 3), correction=0)
        torch.testing.assert_close(spread, torch.ones(2, 42), rtol=0, atol=0.02)


def test_a_flat_image_gives_no_noise(head):
    maps = half_size_features(head, torch.full((1, 3, 64, 64), 0.3), torch.ones(1, 1, 64, 64))
    assert maps.isfinite().all()
    assert maps[:, 40].abs().max() < 1e-3


def test_extra_maps_are_averaged_over_the_pixels_they_cover(head):
    extra = torch.tensor([[1.0, 3.0], [5.0, 7.0]]).repeat_interleave(2, 1).view(1, 1, 2, 4)
    extra = torch.cat([extra, torch.zeros(1, 1, 2, 4)], 2)
    found = half_size_features(head, _image(1, 3, 4, 4), extra)[0, 40]
    means = torch.tensor([[3.0, 5.0], [0.0, 0.0]])
    expected = (means - means.mean()) / means.std(correction=0)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_a_batch_is_each_image_alone(head):
    images = _image(3, 3, 11, 14)
    together = half_size_features(head, images)
    for image, maps in zip(images, together, strict=True):
        alone = half_size_features(head, image[None])
        torch.testing.assert_close(maps[None], alone, rtol=1e-4, atol=1e-4)


def test_lab_is_cie_lab_scaled():
    image = np.random.default_rng(0).integers(0, 256, (9, 11, 3), dtype=np.uint8)
    image[0, :3] = [(0, 0, 0), (255, 255, 255), (3, 2, 1)]
    found = normalized_lab(torch.from_numpy(image)[None])[0].movedim(0, 2).numpy()
    expected = rgb2lab(image) / 50 - np.array([1, 0, 0])
    np.testing.assert_allclose(found, expected, atol=0.02)
