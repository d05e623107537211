import numpy as np
import pytest
import torch
from torch.nn import functional

from saccade.errors import InputError
from saccade.evaluation.inference import (
    Protocol,
    labels_of,
    predict_probabilities,
    sliding_scores,
)

IMAGE = np.random.default_rng(0).integers(0, 256, (30, 45, 3)).astype(np.uint8)
KERNEL = torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(0))


def pixelwise(images):
    return images * 8


def convolved(images):
    return functional.conv2d(images, KERNEL, padding=1) * 5


def test_the_whole_image_once_is_the_softmax():
    found = predict_probabilities(convolved, IMAGE, Protocol())
    image = torch.from_numpy(IMAGE).permute(2, 0, 1)[None] / 255
    torch.testing.assert_close(found, convolved(image).softmax(1)[0])
    assert labels_of(found).dtype == np.uint8


@pytest.mark.parametrize("window", [7, 16, 30, 64])
def test_windows_that_see_all_they_need_change_nothing(window):
    whole = predict_probabilities(pixelwise, IMAGE, Protocol())
    slid = predict_probabilities(pixelwise, IMAGE, Protocol(window=window))
    torch.testing.assert_close(slid, whole)


def test_windows_have_one_size_and_cover_everything():
    sizes = set()

    def noted(images):
        sizes.add(tuple(images.shape[2:]))
        return images[:, :1]

    image = torch.arange(50 * 61.0).view(1, 1, 50, 61).expand(1, 3, -1, -1)
    torch.testing.assert_close(sliding_scores(noted, image, 16, 0.25), image[:, :1])
    assert sizes == {(16, 16)}


def test_flip_makes_the_answer_symmetric():
    mirrored = np.ascontiguousarray(IMAGE[:, ::-1])
    one, other = (
        predict_probabilities(convolved, i, Protocol(flip=True)) for i in (IMAGE, mirrored)
    )
    torch.testing.assert_close(one, other.flip(2))
    plain = predict_probabilities(convolved, IMAGE, Protocol())
    assert not torch.allclose(one, plain)


def test_scales_are_averaged():
    parts = [
        predict_probabilities(convolved, IMAGE, Protocol(scales=(s,))) for s in (0.5, 1.0, 1.5)
    ]
    together = predict_probabilities(convolved, IMAGE, Protocol(scales=(0.5, 1.0, 1.5)))
    torch.testing.assert_close(together, sum(parts) / 3)
    torch.testing.assert_close(together.sum(0), torch.ones(30, 45))


def test_resize_asks_at_that_size():
    asked = []

    def noted(images):
        asked.append(tuple(images.shape[2:]))
        return images

    found = predict_probabilities(noted, IMAGE, Protocol(resize=20, scales=(1.0, 2.0)))
    assert asked == [(20, 30), (40, 60)]
    assert found.shape == (3, 30, 45)


def test_the_protocol_describes_itself():
    text = str(Protocol((0.75, 1.0), True, 320, resize=180))
    assert text == "scales 0.75 1, flip, windows of 320, overlap 33%, shorter side 180"


@pytest.mark.parametrize("values", [{"scales": ()}, {"scales": (0.0,)}, {"overlap": 1.0}])
def test_wrong_protocols_are_refused(values):
    with pytest.raises(InputError):
        Protocol(**values)
