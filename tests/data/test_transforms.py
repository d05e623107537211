import numpy as np
import pytest
import torch

from saccade.data.transforms import Augmentation, augment
from saccade.errors import InputError

GENERATOR = np.random.default_rng(0)
LABELS = GENERATOR.integers(0, 3, (40, 50)).astype(np.uint8)
IMAGE = np.repeat(LABELS[..., None] * 80, 3, axis=2).astype(np.uint8)


def test_the_seed_alone_decides_and_global_state_is_left_alone():
    settings = Augmentation(crop=(24, 32), jitter=0.2)
    state = torch.get_rng_state()
    one, two = (augment(IMAGE, LABELS, settings, 5) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(one[0], two[0])
    assert torch.equal(one[1], two[1])
    assert not torch.equal(one[1], augment(IMAGE, LABELS, settings, 6)[1])


@pytest.mark.parametrize("seed", range(8))
def test_image_and_labels_stay_together(seed):
    settings = Augmentation(crop=(24, 32), scale=(1.0, 1.0))
    image, labels, _ = augment(IMAGE, LABELS, settings, seed)
    assert image.shape == (3, 24, 32)
    assert labels.shape == (24, 32)
    assert torch.equal(image[0], labels * 80)
    assert type(image) is torch.Tensor


def test_padding_has_no_class_and_every_label_comes_from_the_mask():
    settings = Augmentation(crop=(90, 90), scale=(0.5, 2.0))
    for seed in range(6):
        image, labels, _ = augment(IMAGE, LABELS, settings, seed)
        assert image.shape == (3, 90, 90)
        assert set(labels.unique().tolist()) <= {0, 1, 2, 255}
    _, small, inside = augment(IMAGE, LABELS, Augmentation(crop=(90, 90), scale=(1.0, 1.0)), 0)
    assert (small == 255).sum() == 90 * 90 - 40 * 50
    # A pixel without a class inside of the image is not padding.
    holed = LABELS.copy()
    holed[:5] = 255
    settings = Augmentation(crop=(90, 90), scale=(1.0, 1.0))
    _, holed, inside = augment(IMAGE, holed, settings, 0)
    assert inside.sum() == 40 * 50
    assert ((holed == 255) & inside).sum() == 5 * 50


def test_resize_brings_the_shorter_side_first():
    settings = Augmentation(crop=(20, 25), scale=(1.0, 1.0), resize=20, flip=0.0)
    _, labels, _ = augment(IMAGE, LABELS, settings, 0)
    assert (labels != 255).all()


@pytest.mark.parametrize(
    "values", [{"crop": (0, 4)}, {"scale": (2.0, 1.0)}, {"flip": 2.0}, {"resize": -1}]
)
def test_wrong_settings_are_refused(values):
    with pytest.raises(InputError, match="augmentation"):
        Augmentation(**values)
