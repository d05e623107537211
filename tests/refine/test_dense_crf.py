"""Mean field against sums over all pairs of pixels, pydensecrf, and what a user expects of it."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor

from saccade.errors import InputError
from saccade.refine.dense_crf import DENSE_CRF_CONFIGS, DenseCRFConfig, dense_crf

SPATIAL = DenseCRFConfig(bilateral_weight=0.0)
BILATERAL = DenseCRFConfig(spatial_weight=0.0)


def probabilities(classes: int, height: int, width: int) -> Tensor:
    generator = torch.Generator().manual_seed(classes)
    noise = torch.randn(classes, height, width, generator=generator, dtype=torch.float64)
    return noise.softmax(0)


def picture(height: int, width: int) -> Tensor:
    """A red disc on green, noisy."""
    generator = torch.Generator().manual_seed(0)
    colours = torch.tensor([[60.0, 150.0, 70.0], [180.0, 60.0, 50.0]])
    noise = 6 * torch.randn(height, width, 3, generator=generator)
    return (colours[disc(height, width)] + noise).clamp(0, 255).to(torch.uint8)


def disc(height: int, width: int) -> Tensor:
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return (((y - height / 2) ** 2 + (x - width / 2) ** 2) < (min(height, width) / 3) ** 2).long()


def normalized_gaussian(features: Tensor) -> Tensor:
    kernel = torch.exp(-0.5 * torch.cdist(features, features).square())
    return kernel / (kernel.sum(1)[:, None] * kernel.sum(1)).sqrt()


def brute_force(unary: Tensor, image: Tensor, config: DenseCRFConfig) -> Tensor:
    classes, height, width = unary.shape
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    xy = torch.stack([x, y], 2).view(-1, 2).double()
    rgb = image.view(-1, 3).double()
    near = normalized_gaussian(xy / config.spatial_xy)
    alike = normalized_gaussian(
        torch.cat([xy / config.bilateral_xy, rgb / config.bilateral_rgb], 1)
    )
    kernel = config.spatial_weight * near + config.bilateral_weight * alike
    energy = -unary.view(classes, -1).T.log()
    beliefs = (-energy).softmax(1)
    for _ in range(config.iterations):
        beliefs = (kernel @ beliefs - energy).softmax(1)
    return beliefs.T.reshape(unary.shape)


@pytest.mark.parametrize("classes", [2, 5])
def test_spatial_kernel_is_exact(classes: int) -> None:
    unary, image = probabilities(classes, 23, 31), picture(23, 31)
    expected = brute_force(unary, image, SPATIAL)
    torch.testing.assert_close(dense_crf(unary, image, SPATIAL), expected, rtol=0, atol=0.005)


# Few pixels and narrow colours leave most neighbours out of the lattice: it is close, not exact.
@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("rgb", [10.0, 40.0])
def test_mean_field_of_both_kernels(classes: int, rgb: float) -> None:
    config = DenseCRFConfig(bilateral_xy=10.0, bilateral_rgb=rgb)
    unary, image = probabilities(classes, 23, 31), picture(23, 31)
    result = dense_crf(unary, image, config)
    expected = brute_force(unary, image, config)
    assert float((result - expected).abs().mean()) < 0.02
    assert float((result.argmax(0) == expected.argmax(0)).double().mean()) > 0.97


@pytest.mark.parametrize("rows", [1, 4, 1000])
def test_blocks_do_not_change_the_result(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    unary, image = probabilities(3, 30, 20), picture(30, 20)
    expected = dense_crf(unary, image)
    monkeypatch.setattr("saccade.refine.dense_crf._BLOCK", rows * 3 * 20)
    torch.testing.assert_close(dense_crf(unary, image), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("classes", [1, 2, 5])
def test_probabilities_sum_to_one(classes: int, dtype: torch.dtype) -> None:
    result = dense_crf(probabilities(classes, 12, 17).to(dtype), picture(12, 17))
    assert result.shape == (classes, 12, 17)
    assert result.dtype == dtype
    tolerance = 4 * torch.finfo(dtype).eps
    torch.testing.assert_close(
        result.sum(0), torch.ones(12, 17, dtype=dtype), rtol=0, atol=tolerance
    )


def test_float32_agrees_with_float64() -> None:
    unary, image = probabilities(5, 40, 30), picture(40, 30)
    result = dense_crf(unary.float(), image)
    torch.testing.assert_close(result.double(), dense_crf(unary, image), rtol=0, atol=1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1)])
def test_the_smallest_images_are_refined(shape: tuple[int, int]) -> None:
    unary = probabilities(3, *shape)
    result = dense_crf(unary, picture(*shape))
    assert result.shape == unary.shape
    torch.testing.assert_close(result.sum(0), torch.ones(shape, dtype=torch.float64))


def test_one_pixel_reinforces_itself() -> None:
    unary = torch.tensor([0.4, 0.6], dtype=torch.float64).view(2, 1, 1)
    config = dataclasses.replace(SPATIAL, iterations=1, spatial_weight=2.0)
    expected = (unary.log() + 2.0 * unary).softmax(0)
    result = dense_crf(unary, torch.zeros(1, 1, 3, dtype=torch.uint8), config)
    torch.testing.assert_close(result, expected)


def test_improves_a_noisy_segmentation() -> None:
    target, image = disc(60, 80), picture(60, 80)
    generator = torch.Generator().manual_seed(3)
    logit = (target * 2.0 - 1.0) + 1.5 * torch.randn(60, 80, generator=generator)
    noisy = torch.stack([-logit, logit]).softmax(0)

    def iou(labels: Tensor) -> float:
        return float((labels & target).sum() / (labels | target).sum())

    assert iou(noisy.argmax(0)) < 0.6
    assert iou(dense_crf(noisy, image).argmax(0)) > 0.98


def test_fixed_pixels_stay_and_change_their_neighbors() -> None:
    image, target = picture(40, 40), disc(40, 40)
    unary = torch.full((3, 40, 40), 1 / 3)
    fixed = torch.full((40, 40), -1)
    fixed[20, 18:23] = 1
    fixed[2, 2:38] = 2
    result = dense_crf(unary, image, fixed=fixed)
    assert torch.equal(result[:, 20, 18:23], torch.eye(3)[1][:, None].expand(3, 5))
    assert torch.equal(result[:, 2, 2:38], torch.eye(3)[2][:, None].expand(3, 36))
    labels = result.argmax(0)
    assert float((labels[target == 1] == 1).float().mean()) > 0.95
    assert float((labels[target == 0] == 2).float().mean()) > 0.95


def test_fixed_overrules_a_certain_network() -> None:
    unary = torch.stack([torch.ones(8, 8), torch.zeros(8, 8)])
    fixed = torch.full((8, 8), -1)
    fixed[3, 3] = 1
    result = dense_crf(unary, picture(8, 8), fixed=fixed)
    assert float(result[1, 3, 3]) == 1.0
    assert float(result[0, 7, 7]) > 0.99


def test_without_iterations_the_weighted_unaries_remain() -> None:
    unary, image = probabilities(3, 5, 6), picture(5, 6)
    none = DenseCRFConfig(iterations=0)
    torch.testing.assert_close(dense_crf(unary, image, none), unary)
    squared = unary.square() / unary.square().sum(0)
    torch.testing.assert_close(dense_crf(unary, image, none, unary_weight=2.0), squared)


def test_input_is_left_alone_and_result_is_reproducible() -> None:
    unary, image = probabilities(3, 20, 25), picture(20, 25)
    before = unary.clone()
    first = dense_crf(unary, image)
    assert torch.equal(unary, before)
    assert torch.equal(dense_crf(unary, image), first)
    strided = unary.permute(1, 2, 0).contiguous().permute(2, 0, 1)
    assert torch.equal(dense_crf(strided, image), first)


def test_defaults_are_the_published_parameters() -> None:
    assert DENSE_CRF_CONFIGS["default"] == DenseCRFConfig(10, 4, 49, 5, 3, 3)
    assert DENSE_CRF_CONFIGS["deeplab-largefov"] == DenseCRFConfig(10, 5, 50, 10, 3, 3)
    assert DENSE_CRF_CONFIGS["deeplab-v2-vgg16"] == DenseCRFConfig(10, 4, 65, 3, 2, 2)
    assert DENSE_CRF_CONFIGS["deeplab-v2-resnet101"] == DenseCRFConfig(10, 4, 67, 3, 3, 1)


def reference(unary: Tensor, image: Tensor, config: DenseCRFConfig) -> Tensor:
    """The result of pydensecrf, the wrapper of the authors' code."""
    densecrf = pytest.importorskip("pydensecrf.densecrf")
    classes, height, width = unary.shape
    model = densecrf.DenseCRF2D(width, height, classes)
    energy = -unary.clamp(min=1e-5).log().view(classes, -1).float().numpy()
    model.setUnaryEnergy(np.ascontiguousarray(energy))
    if config.spatial_weight:
        model.addPairwiseGaussian(sxy=config.spatial_xy, compat=config.spatial_weight)
    if config.bilateral_weight:
        model.addPairwiseBilateral(
            sxy=config.bilateral_xy,
            srgb=config.bilateral_rgb,
            rgbim=image.numpy(),
            compat=config.bilateral_weight,
        )
    result = np.array(model.inference(config.iterations))
    return torch.from_numpy(result.reshape(unary.shape))


def test_lattice_agrees_with_pydensecrf() -> None:
    unary, image = probabilities(4, 60, 80).float(), picture(60, 80)
    expected = reference(unary, image, BILATERAL)
    torch.testing.assert_close(dense_crf(unary, image, BILATERAL), expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", DENSE_CRF_CONFIGS)
def test_labels_agree_with_pydensecrf(name: str) -> None:
    # Its spatial kernel is a lattice too, ours is exact.
    unary, image = probabilities(4, 60, 80).float(), picture(60, 80)
    expected = reference(unary, image, DENSE_CRF_CONFIGS[name])
    result = dense_crf(unary, image, DENSE_CRF_CONFIGS[name])
    assert float((result.argmax(0) == expected.argmax(0)).float().mean()) > 0.98


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probabilities": torch.ones(4, 4)}, "probabilities are"),
        ({"probabilities": torch.ones(2, 4, 4, dtype=torch.int64)}, "floating point"),
        ({"probabilities": torch.full((2, 4, 4), -0.1)}, "negative"),
        ({"probabilities": torch.full((2, 4, 4), float("nan"))}, "not finite"),
        ({"image": torch.zeros(4, 5, 3, dtype=torch.uint8)}, "image is"),
        ({"image": torch.zeros(4, 4, 3)}, "uint8"),
        ({"unary_weight": -1.0}, "unary_weight"),
        ({"fixed": torch.zeros(4, 5, dtype=torch.int64)}, "fixed is"),
        ({"fixed": torch.zeros(4, 4)}, "integers"),
        ({"fixed": torch.full((4, 4), 2)}, r"fixed has classes 2\.\.2"),
        ({"fixed": torch.full((4, 4), -2)}, "fixed has classes"),
    ],
)
def test_wrong_input_is_refused(change: dict[str, Tensor], message: str) -> None:
    good = {
        "probabilities": torch.full((2, 4, 4), 0.5),
        "image": torch.zeros(4, 4, 3, dtype=torch.uint8),
    }
    with pytest.raises(InputError, match=message):
        dense_crf(**{**good, **change})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("iterations", -1),
        ("bilateral_weight", -1.0),
        ("bilateral_xy", 0.0),
        ("bilateral_rgb", float("nan")),
        ("spatial_xy", float("inf")),
    ],
)
def test_wrong_settings_are_refused(field: str, value: float) -> None:
    with pytest.raises(InputError, match=field):
        DenseCRFConfig(**{field: value})
