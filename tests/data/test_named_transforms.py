import numpy as np
import pytest
import torch

from saccade.data.transforms import Augmentation, augment
from saccade.errors import InputError


def sample(*more, seed=0, crop=(40, 50)):
    """A white square on black, class 1 on 0, augmented."""
    image, labels = np.zeros((40, 50, 3), np.uint8), np.zeros((40, 50), np.uint8)
    image[5:20, 5:20], labels[5:20, 5:20] = 255, 1
    settings = Augmentation(crop=crop, scale=(1.0, 1.0), flip=0.0, more=more)
    return augment(image, labels, settings, seed)


def test_image_and_mask_go_the_same_way():
    picture, mask, inside = sample("RandomRotation(degrees=(90, 90))", "RandomVerticalFlip(p=1.0)")
    inner = inside & (picture[0] != 124)
    assert 1 in mask
    assert torch.equal((picture[0] > 127)[inner], (mask == 1)[inner])
    assert (mask[~inside] == 255).all()
    assert not inside.all()


def test_the_seed_decides_what_is_drawn():
    name = "ElasticTransform(alpha=60.0)"
    one, again, other = (sample(name, seed=seed)[0] for seed in (3, 3, 4))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_what_changes_colors_leaves_the_mask():
    picture, mask, _ = sample("GaussianBlur(kernel_size=5, sigma=2.0)")
    assert len(picture.unique()) > 2
    assert mask.unique().tolist() == [0, 1]


def upside_down(image, planes):
    return image.flip(1), planes.flip(1)


def too_small(image, planes):
    return image[:, :3], planes


def test_a_function_is_called():
    picture, mask, _ = sample(f"{__name__}:upside_down")
    assert torch.equal(picture[0] > 127, mask == 1)
    assert mask[30, 10] == 1
    with pytest.raises(InputError, match=r"returned \(3, 3, 50\)"):
        sample(f"{__name__}:too_small")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("RandomRotaton(15)", "is no transform of torchvision"),
        ("RandomRotation(angle=15)", "unexpected keyword argument 'angle'"),
        ("RandomRotation(degrees=__import__('os'))", "expected for example"),
        ("Normalize([0.5], [0.5])", "for images of bytes"),
        ("no_such_module:f", "No module named 'no_such_module'"),
        ("os:no_such_function", "no attribute"),
        ("a b", "expected for example"),
    ],
)
def test_what_is_no_transform_is_refused_at_once(text, words):
    with pytest.raises(InputError, match=words):
        Augmentation(more=(text,))
