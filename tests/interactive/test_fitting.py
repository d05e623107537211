import numpy as np
import pytest
import torch

from saccade.interactive.descent import class_weights, fit_descent, training_labels
from saccade.interactive.fitting import bundled_net, fit_learned
from saccade.interactive.presets import DescentSettings, LearnedSettings, NetworkSettings
from saccade.interactive.scene import describe, shrink_strokes

NET = NetworkSettings()
LEARNED = LearnedSettings(per_class=16, repeats=1)


@pytest.fixture
def scene(picture):
    return describe(
        picture.image,
        features="bundled",
        max_pixels=640_000,
        seed=0,
        device=torch.device("cpu"),
    )


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


def _learn(scene, picture, settings=LEARNED, step=_go_on, **more):
    return fit_learned(
        scene,
        _marks(scene, picture),
        2,
        settings,
        sigma=0.2,
        generator=_generator(more.pop("seed", 0)),
        step=step,
        **more,
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


def test_fits_are_seeded(scene, picture):
    short = DescentSettings(steps=3)
    for fit in (_learn, lambda *a, **k: _descend(*a, short, **k)):
        assert _same(fit(scene, picture, seed=1), fit(scene, picture, seed=1))
        assert not _same(fit(scene, picture, seed=1), fit(scene, picture, seed=2))


def test_fits_work_where_the_caller_switched_gradients_off(scene, picture):
    with torch.no_grad():
        off = _learn(scene, picture), _descend(scene, picture, DescentSettings(steps=2))
    on = _learn(scene, picture), _descend(scene, picture, DescentSettings(steps=2))
    assert _same(off[0], on[0])
    assert _same(off[1], on[1])


def test_a_step_that_answers_no_ends_the_fit(scene, picture):
    for run in (
        lambda step: _learn(scene, picture, step=step),
        lambda step: _descend(scene, picture, DescentSettings(steps=10), step=step),
    ):
        told = []

        def stop(fraction, told=told):
            told.append(fraction)
            return len(told) < 3

        run(stop)
        assert len(told) == 3
        assert told == sorted(told)
        assert 0 < told[-1] < 1


def test_steps_are_told_up_to_the_whole(scene, picture):
    told = []
    _learn(scene, picture, LearnedSettings(16, 2), step=lambda f: told.append(f) or True)
    assert told == sorted(told)
    assert told[-1] == 1
    assert len(told) == 2 * len(scene.bundle.rates["out"])


def test_the_bundled_network_prefers_no_class(scene):
    net = bundled_net(scene, 3, 0.2)
    with torch.no_grad():
        scores = net(scene.maps, generator=_generator())
    assert scores.shape == (1, 3, *scene.half)
    assert scores.abs().max() == 0


def test_learned_steps_start_from_the_bundle_and_leave_it_alone(scene, picture):
    before = {k: v.clone() for k, v in scene.bundle.start.items()}
    net = _learn(scene, picture)
    start = bundled_net(scene, 2, 0.2)
    assert torch.equal(net.fuse.weight, start.fuse.weight)
    assert not torch.equal(net.local.weight, start.local.weight)
    assert all(torch.equal(v, scene.bundle.start[k]) for k, v in before.items())
