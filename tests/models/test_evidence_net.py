import pytest
import torch

from saccade.models.evidence import EvidenceNet


@pytest.fixture
def net() -> EvidenceNet:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return EvidenceNet(guide=5).eval()


def _evidence(net, batch, classes, *size):
    maps = net.enter[0].in_channels - net.guide.out_channels
    return _maps(batch, classes, maps, *size, seed=1)


def _maps(*size, seed=0):
    return torch.randn(size, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (1, 9), (7, 5), (16, 24)])
def test_scores_have_the_size_of_the_evidence(net, size):
    scores = net(_evidence(net, 2, 3, *size), _maps(2, 5, *size))
    assert scores.shape == (2, 3, *size)
    assert scores.isfinite().all()


def test_the_order_of_classes_does_not_matter(net):
    evidence, guide = _evidence(net, 1, 4, 12, 10), _maps(1, 5, 12, 10)
    order = torch.tensor([2, 0, 3, 1])
    found = net(evidence[:, order], guide)
    torch.testing.assert_close(found, net(evidence, guide)[:, order], rtol=1e-4, atol=1e-5)


def test_a_batch_is_each_image_alone(net):
    evidence, guide = _evidence(net, 3, 2, 9, 11), _maps(3, 5, 9, 11)
    together = net(evidence, guide)
    for i in range(3):
        alone = net(evidence[i : i + 1], guide[i : i + 1])
        torch.testing.assert_close(together[i : i + 1], alone, rtol=1e-4, atol=1e-5)


def test_log_odds_speak_for_their_class(net):
    # The gate is positive, so more evidence for a class at a pixel never lowers its score there.
    with torch.no_grad():
        net.enter[0].weight[:, 0].zero_()  # the odds reach the answer through the gate alone
    evidence, guide = _evidence(net, 1, 2, 8, 8), _maps(1, 5, 8, 8)
    more = evidence.clone()
    more[:, 0, 0] += 1
    change = net(more, guide) - net(evidence, guide)
    assert change[:, 0].min() > 0
    assert change[:, 1].abs().max() < 1e-5
