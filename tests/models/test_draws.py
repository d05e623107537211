import pytest
import torch

from saccade.models.draws import Draws
from saccade.models.scribble_net import BRANCHES, RANDOM_BRANCHES, ScribbleNet

NORMS = ["none", "batch", "group"]


def _generator(seed=0):
    return torch.Generator().manual_seed(seed)


def _net(branch, norm="none", **options):
    net = ScribbleNet(
        5, 3, channels=8, hidden=6, branch=branch, norm=norm, generator=_generator(), **options
    )
    with torch.no_grad():
        for name, parameter in net.named_parameters():  # what starts at zero must be read too
            if parameter.ndim == 1 or "predictor" in name:
                parameter.add_(torch.randn(parameter.shape, generator=_generator(7)) * 0.3)
    return net


def _features(size):
    return torch.randn(1, 5, *size, generator=_generator(1))


@pytest.mark.parametrize("size", [(1, 1), (1, 6), (7, 9)])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("branch", BRANCHES)
def test_scores_equal_the_network_for_the_same_generator(branch, norm, size):
    net, features = _net(branch, norm), _features(size)
    draws, ours, theirs = Draws(net, features), _generator(4), _generator(4)
    for _ in range(3):
        with torch.no_grad():
            expected = net(features, generator=theirs)
        torch.testing.assert_close(draws.scores(ours), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("branch", BRANCHES)
def test_even_draws_without_a_spread_equal_the_network(branch, norm):
    net, features = _net(branch, norm, sigma=0.0), _features((6, 10))
    if branch == "uniform":
        net.dynamic.low = net.dynamic.high = 0.34  # two pixels
    with torch.no_grad():
        expected = net(features, generator=_generator())
    found = list(Draws(net, features).even(3, _generator(1)))
    assert len(found) == 3
    for scores in found:
        torch.testing.assert_close(scores, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("branch", RANDOM_BRANCHES)
def test_an_even_draw_has_the_distribution_of_any_draw(branch):
    net, features = _net(branch), _features((9, 8))
    draws, stream = Draws(net, features), _generator(5)
    any_draw = torch.cat([draws.scores(stream) for _ in range(200)])
    triples = [list(draws.even(3, stream)) for _ in range(200)]
    for place in (0, 2):  # the first and the last of three
        even = torch.cat([triple[place] for triple in triples])
        error = (any_draw.mean(0) - even.mean(0)).abs() / (any_draw.std(0) * (2 / 200) ** 0.5)
        assert error.max() < 5
        ratio = even.var(0).mean() / any_draw.var(0).mean()  # over 72 pixels and 3 classes
        assert 0.9 < ratio.item() < 1.1


@pytest.mark.parametrize("branch", RANDOM_BRANCHES)
def test_averages_of_even_draws_vary_less(branch):
    net, features = _net(branch), _features((16, 12))
    draws, stream = Draws(net, features), _generator(6)
    single = torch.cat([draws.scores(stream).softmax(1) for _ in range(60)]).var(0).mean()
    means = [sum(s.softmax(1) for s in draws.even(16, stream)) / 16 for _ in range(20)]
    assert torch.cat(means).var(0).mean() < single / 16 / 1.3


def test_even_draws_are_seeded_and_differ():
    draws = Draws(_net("gdc"), _features((5, 9)))
    first, second = (list(draws.even(4, _generator(2))) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not torch.equal(first[0], first[1])


def test_draws_need_no_gradient_and_leave_none():
    draws = Draws(_net("gdc", "batch"), _features((4, 4)))
    assert not draws.scores(_generator()).requires_grad
    for scores in draws.even(2, _generator()):
        assert not scores.requires_grad
        assert torch.is_grad_enabled()  # the caller's own work between draws is not touched
