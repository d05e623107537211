import numpy as np
import pytest
import torch

from saccade.interactive.descent import class_weights, fit_descent, training_labels
from saccade.interactive.presets import DescentSettings, NetworkSettings
from saccade.interactive.scene import shrink_strokes

NET = NetworkSettings()


def _index(picture):
    return np.where(picture.strokes == 255, -1, picture.strokes).astype(np.int64)


def _marks(scene, picture):
    return torch.from_numpy(shrink_strokes(_index(picture), 2, scene.half))


def _go_on(_fraction):
    return True


def _generator(seed=0):
    return torch.Generator().manual_seed(seed)


def _descend(scene, picture, settings, network=NET, step=_go_on, warm=None, seed=0):
    return fit_descent(
        scene,
        _index(picture),
        2,
        settings,
        network,
        generator=_generator(seed),
        step=step,
        warm=warm,
    )


def _same(first, second):
    return all(
        torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True)
    )


def test_class_weights_by_hand():
    targets = torch.tensor([0, 0, 0, 1, 3, 3, 3, 3])
    expected = {
        "paper": [3 / 8, 1 / 8, 0.0, 4 / 8],  # equation 6 as printed
        "none": [1.0, 1.0, 1.0, 1.0],
        "inverse": [8 / (4 * 3), 8 / 4, 8 / 4, 8 / (4 * 4)],
    }
    for rule, weights in expected.items():
        torch.testing.assert_close(class_weights(targets, 4, rule), torch.tensor(weights))


def test_inverse_weights_give_each_class_the_same_say():
    targets = torch.tensor([0] * 90 + [1] * 10)
    weights = class_weights(targets, 2, "inverse")
    torch.testing.assert_close(weights[targets][:90].sum(), weights[targets][90:].sum())


def test_labels_without_superpixels_are_the_strokes(scene, picture):
    labels = training_labels(scene, _index(picture), 2, DescentSettings(superpixels=False))
    assert np.array_equal(labels, _marks(scene, picture).numpy())


@pytest.mark.parametrize("conflict", ["unlabeled", "majority"])
def test_labels_grow_to_superpixels_and_keep_the_strokes(scene, picture, conflict):
    settings = DescentSettings(pixels_per_superpixel=100, conflict=conflict)
    labels = training_labels(scene, _index(picture), 2, settings)
    marks = _marks(scene, picture).numpy()
    assert labels.shape == scene.half
    assert (labels < 2).sum() > 1.5 * (marks < 2).sum()
    assert np.array_equal(labels[marks < 2], marks[marks < 2])
    known = labels < 2
    assert (labels[known] == picture.truth[known]).mean() > 0.95  # tiny, so half size is full size


@pytest.mark.parametrize("norm", ["none", "batch", "group"])
@pytest.mark.parametrize("branch", ["gdc", "normal", "dilated", "deformable", "uniform"])
def test_descent_learns_the_strokes_with_every_branch(scene, picture, branch, norm):
    settings = DescentSettings(optimizer="adam", steps=15, lr=0.02)
    network = NetworkSettings(branch=branch, norm=norm, channels=8, hidden=8)
    net = _descend(scene, picture, settings, network)
    marks = _marks(scene, picture)
    with torch.no_grad():
        scores = net(scene.maps[:, :40], generator=_generator(1))[0]
    assert (scores.argmax(0) == marks)[marks < 2].float().mean() > 0.8


def test_descent_changes_every_parameter(scene, picture):
    start = _descend(scene, picture, DescentSettings(steps=0))
    end = _descend(scene, picture, DescentSettings(steps=3))
    for (name, a), b in zip(start.named_parameters(), end.parameters(), strict=True):
        assert not torch.equal(a, b), name


def test_descents_are_seeded(scene, picture):
    short = DescentSettings(steps=3)
    first = _descend(scene, picture, short, seed=1)
    assert _same(first, _descend(scene, picture, short, seed=1))
    assert not _same(first, _descend(scene, picture, short, seed=2))


def test_a_descent_works_where_the_caller_switched_gradients_off(scene, picture):
    with torch.no_grad():
        off = _descend(scene, picture, DescentSettings(steps=2))
    assert _same(off, _descend(scene, picture, DescentSettings(steps=2)))


def test_a_step_that_answers_no_ends_the_descent(scene, picture):
    told = []

    def stop(fraction):
        told.append(fraction)
        return len(told) < 3

    _descend(scene, picture, DescentSettings(steps=10), step=stop)
    assert told == pytest.approx([0.1, 0.2, 0.3])


def test_a_warm_descent_goes_on_with_the_network_it_is_given(scene, picture):
    network = NetworkSettings(norm="batch")
    first = _descend(scene, picture, DescentSettings(steps=3), network)
    before = first.out.weight.detach().clone()
    second = _descend(scene, picture, DescentSettings(steps=1, lr=1e-6), network, warm=first)
    assert second is first
    torch.testing.assert_close(second.out.weight, before, rtol=0, atol=1e-4)


def test_the_loss_is_that_of_the_network_on_the_whole_map(scene, picture):
    """Two steps of the fit against the same by the dense network, in which nothing is sampled."""
    settings = DescentSettings(steps=2, superpixels=False)
    network = NetworkSettings(branch="normal", norm="batch")
    fitted = _descend(scene, picture, settings, network)
    net = _descend(scene, picture, DescentSettings(steps=0), network)
    maps, marks = scene.maps[:, :40], _marks(scene, picture)
    y, x = (marks < 2).nonzero().T
    weight = class_weights(marks[y, x], 2, settings.class_weight)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    for _ in range(2):
        optimizer.zero_grad()
        scores = net(maps)[0][:, y, x].T
        torch.nn.functional.cross_entropy(scores, marks[y, x], weight).backward()
        optimizer.step()
    for (name, ours), theirs in zip(fitted.named_parameters(), net.parameters(), strict=True):
        gap = (ours - theirs).abs().max().item()
        assert gap < 2e-3, name
