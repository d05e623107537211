"""Several images, one network: fitted to all of their strokes."""

import pytest
import torch

from saccade.interactive.fit_joint import _places, _sample, fit_jointly
from saccade.interactive.presets import LearnedFitSettings
from saccade.models.weights import load_bundle
from tests.models.scribble_net.helpers import generator

SETTINGS = LearnedFitSettings()


@pytest.fixture(scope="module")
def bundle():
    return load_bundle(members=1)


def _two_halves(bundle, size, shown=(0, 1), dark=-1.0):
    """A dark and a light half, a stroke on those classes that are shown."""
    inputs = torch.full((1, 43, *size), dark)
    inputs[..., size[1] // 2 :] = 1.0
    inputs += 0.05 * torch.randn(inputs.shape, generator=generator())
    labels = torch.full(size, 2)
    for k in shown:
        labels[3:-3, size[1] // 4 + k * size[1] // 2] = k
    return inputs, bundle.fuse(inputs), labels


@torch.no_grad()
def _right(net, inputs):
    labels = net(inputs, generator=generator(1))[0].argmax(0)
    half = inputs.shape[3] // 2
    return ((labels[:, :half] == 0).float().mean() + (labels[:, half:] == 1).float().mean()) / 2


def test_classes_may_be_stroked_in_different_images(bundle):
    first, second = (_two_halves(bundle, (24, 40), (0,)), _two_halves(bundle, (30, 36), (1,)))
    net = fit_jointly(
        [one[1:] for one in (first, second)], 2, bundle, SETTINGS, sigma=0.1, generator=generator()
    )
    unseen = _two_halves(bundle, (28, 44))[0]
    assert _right(net, unseen) > 0.9


def test_same_seed_same_network(bundle):
    images = [_two_halves(bundle, (24, 40))[1:], _two_halves(bundle, (30, 36))[1:]]
    one, two, other = (
        fit_jointly(images, 2, bundle, SETTINGS, sigma=0.2, generator=generator(seed))
        for seed in (5, 5, 6)
    )
    assert torch.equal(one.out.weight, two.out.weight)
    assert not torch.equal(one.out.weight, other.out.weight)


def test_images_that_show_a_class_have_as_many_pixels_each():
    many, few = torch.zeros(20, 30, dtype=torch.long), torch.full((9, 9), 2)
    few[4, 4], few[5, 5] = 0, 1
    places = [_places([many, few], k) for k in range(2)]
    image, pixels = _sample(places, 1000, generator(), torch.device("cpu"))
    assert 400 < (image[:1000] == 1).sum() < 600
    assert image[1000:].eq(1).all()
    assert pixels[1000:].eq(5).all()


def test_a_class_without_labels_harms_no_other(bundle):
    inputs, fused, labels = _two_halves(bundle, (24, 40))
    labels = labels.where(labels < 2, 3)
    net = fit_jointly([(fused, labels)], 3, bundle, SETTINGS, sigma=0.1, generator=generator())
    assert _right(net, inputs) > 0.9


def test_a_stop_keeps_the_steps_so_far(bundle):
    images, done = [_two_halves(bundle, (24, 40))[1:]], []
    fit_jointly(
        images,
        2,
        bundle,
        SETTINGS,
        sigma=0.1,
        generator=generator(),
        step=lambda share: done.append(share) or len(done) < 3,
    )
    assert len(done) == 3
