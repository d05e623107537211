import pytest
import torch

from saccade.models.scribble_net import RANDOM_BRANCHES, ScoresOfDraws
from tests.models.scribble_net.helpers import generator, stirred_net


def _features(size):
    return torch.randn(1, 5, *size, generator=generator(1))


@pytest.mark.parametrize("branch", RANDOM_BRANCHES)
def test_an_even_draw_has_the_distribution_of_any_draw(branch):
    net, features = stirred_net(branch), _features((9, 8))
    draws, stream = ScoresOfDraws(net, features), generator(5)
    any_draw = torch.cat(list(draws.independent(200, stream)))
    triples = [list(draws.even(3, stream)) for _ in range(200)]
    for place in (0, 2):  # the first and the last of three
        even = torch.cat([triple[place] for triple in triples])
        error = (any_draw.mean(0) - even.mean(0)).abs() / (any_draw.std(0) * (2 / 200) ** 0.5)
        assert error.max() < 5
        ratio = even.var(0).mean() / any_draw.var(0).mean()  # over 72 pixels and 3 classes
        assert 0.9 < ratio.item() < 1.1


@pytest.mark.parametrize("branch", RANDOM_BRANCHES)
def test_averages_of_even_draws_vary_less(branch):
    net, features = stirred_net(branch), _features((16, 12))
    draws, stream = ScoresOfDraws(net, features), generator(6)
    single = torch.cat(list(draws.independent(60, stream))).softmax(1).var(0).mean()
    means = [sum(s.softmax(1) for s in draws.even(16, stream)) / 16 for _ in range(20)]
    assert torch.cat(means).var(0).mean() < single / 16 / 1.3


def test_even_draws_are_seeded_and_differ():
    draws = ScoresOfDraws(stirred_net("gdc"), _features((5, 9)))
    first, second = (list(draws.even(4, generator(2))) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not torch.equal(first[0], first[1])


def test_draws_need_no_gradient_and_leave_none():
    draws = ScoresOfDraws(stirred_net("gdc", "batch"), _features((4, 4)))
    for scores in (*draws.independent(1, generator()), *draws.even(1, generator())):
        assert not scores.requires_grad


@pytest.mark.parametrize("kind", ["independent", "even"])
def test_between_draws_the_callers_gradients_are_not_switched_off(kind):
    for _ in getattr(ScoresOfDraws(stirred_net("gdc"), _features((4, 4))), kind)(2, generator()):
        assert torch.is_grad_enabled()
