import torch

from saccade.interactive.fit_learned import bundled_net, fit_learned
from saccade.interactive.presets import LearnedFitSettings
from saccade.scribbles.shrink import shrink_strokes

LEARNED = LearnedFitSettings(per_class=16, repeats=1)


def _labels(prepared, picture):
    return torch.from_numpy(shrink_strokes(picture.strokes, 2, prepared.half_size))


def _go_on(_fraction):
    return True


def _generator(seed=0):
    return torch.Generator().manual_seed(seed)


def _learn(prepared, picture, settings=LEARNED, step=_go_on, **more):
    return fit_learned(
        prepared.fused_inputs,
        _labels(prepared, picture),
        2,
        prepared.bundle,
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


def test_fits_are_seeded(prepared, picture):
    first = _learn(prepared, picture, seed=1)
    assert _same(first, _learn(prepared, picture, seed=1))
    assert not _same(first, _learn(prepared, picture, seed=2))


def test_fits_work_where_the_caller_switched_gradients_off(prepared, picture):
    with torch.no_grad():
        off = _learn(prepared, picture)
    assert _same(off, _learn(prepared, picture))


def test_a_step_that_answers_no_ends_the_fit(prepared, picture):
    fractions = []

    def stop(fraction):
        fractions.append(fraction)
        return len(fractions) < 3

    _learn(prepared, picture, step=stop)
    assert len(fractions) == 3
    assert fractions == sorted(fractions)
    assert 0 < fractions[-1] < 1


def test_steps_are_fractions_up_to_the_whole(prepared, picture):
    fractions = []
    _learn(prepared, picture, LearnedFitSettings(16, 2), step=lambda f: fractions.append(f) or True)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert len(fractions) == 2 * len(prepared.bundle.rates["out"])


def test_the_bundled_network_prefers_no_class(prepared):
    net = bundled_net(prepared.bundle, 3, 0.2)
    with torch.no_grad():
        scores = net(prepared.inputs, generator=_generator())
    assert scores.shape == (1, 3, *prepared.half_size)
    assert scores.abs().max() == 0


def test_learned_steps_start_from_the_bundle_and_leave_it_alone(prepared, picture):
    before = {k: v.clone() for k, v in prepared.bundle.start.items()}
    net = _learn(prepared, picture)
    start = bundled_net(prepared.bundle, 2, 0.2)
    assert torch.equal(net.fuse.weight, start.fuse.weight)
    assert not torch.equal(net.local.weight, start.local.weight)
    assert all(torch.equal(v, prepared.bundle.start[k]) for k, v in before.items())
