import numpy as np
import torch

from saccade.interactive.fitting import bundled_net, fit_learned
from saccade.interactive.presets import LearnedSettings
from saccade.interactive.scene import shrink_strokes

LEARNED = LearnedSettings(per_class=16, repeats=1)


def _index(picture):
    return np.where(picture.strokes == 255, -1, picture.strokes).astype(np.int64)


def _marks(scene, picture):
    return torch.from_numpy(shrink_strokes(_index(picture), 2, scene.half))


def _go_on(_fraction):
    return True


def _generator(seed=0):
    return torch.Generator().manual_seed(seed)


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


def test_fits_are_seeded(scene, picture):
    first = _learn(scene, picture, seed=1)
    assert _same(first, _learn(scene, picture, seed=1))
    assert not _same(first, _learn(scene, picture, seed=2))


def test_fits_work_where_the_caller_switched_gradients_off(scene, picture):
    with torch.no_grad():
        off = _learn(scene, picture)
    assert _same(off, _learn(scene, picture))


def test_a_step_that_answers_no_ends_the_fit(scene, picture):
    told = []

    def stop(fraction):
        told.append(fraction)
        return len(told) < 3

    _learn(scene, picture, step=stop)
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
