import pytest
import torch
from torch.nn import functional as F

from saccade.interactive.averaging import average_draws
from saccade.models.scribble_net import BRANCHES, ScribbleNet


def _generator(seed=0):
    return torch.Generator().manual_seed(seed)


def _net(branch="gdc"):
    net = ScribbleNet(6, 3, channels=8, hidden=8, branch=branch, generator=_generator())
    with torch.no_grad():
        net.out.weight.mul_(4)  # opinions, not shrugs
    return net


INPUTS = torch.randn(1, 6, 10, 12, generator=_generator(5))
ALL = torch.arange(3)


def _average(net, *, draws=4, average="softmax", stroked=ALL, step=lambda _: True, seed=1):
    return average_draws(
        net,
        INPUTS,
        stroked,
        draws=draws,
        average=average,
        generator=_generator(seed),
        step=step,
    )


@torch.no_grad()
def _scores(net, draws, seed=1):
    generator = _generator(seed)
    return torch.cat([net(INPUTS, generator=generator) for _ in range(draws)])


@pytest.mark.parametrize("average", ["softmax", "logits", "vote"])
def test_draws_are_averaged_as_asked(average):
    net = _net()
    scores = _scores(net, 4)
    expected = {
        "softmax": scores.softmax(1).mean(0),
        "logits": scores.mean(0).softmax(0),
        "vote": F.one_hot(scores.argmax(1), 3).movedim(3, 1).float().mean(0),
    }[average]
    torch.testing.assert_close(_average(net, average=average).mean, expected, rtol=1e-4, atol=1e-5)


def test_the_spread_is_the_standard_deviation_over_draws():
    net = _net()
    expected = _scores(net, 4).softmax(1).std(0, correction=0).mean(0)
    torch.testing.assert_close(_average(net).spread, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_branch_without_chance_is_run_once(branch):
    fractions = []
    averaged = _average(_net(branch), step=lambda f: fractions.append(f) or True)
    random = branch in ("gdc", "uniform")
    assert fractions == ([0.25, 0.5, 0.75, 1.0] if random else [1.0])
    assert (averaged.spread.max() > 0.01) == random


@pytest.mark.parametrize("average", ["softmax", "logits", "vote"])
def test_classes_without_a_stroke_get_nothing(average):
    mean = _average(_net(), average=average, stroked=torch.tensor([0, 2])).mean
    assert mean[1].max() == 0
    torch.testing.assert_close(mean.sum(0), torch.ones(10, 12))


def test_a_stop_keeps_the_draws_so_far():
    net = _net()
    averaged = _average(net, draws=4, step=lambda fraction: fraction < 0.5)
    torch.testing.assert_close(averaged.mean, _average(net, draws=2).mean)
