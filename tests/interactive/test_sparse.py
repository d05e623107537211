import pytest
import torch
from torch.nn import functional as F

from saccade.interactive.fitting import load_weights, weights_of
from saccade.interactive.sparse import (
    directions,
    gather_rows,
    initial_weights,
    loss_gradients,
    sparse_logits,
)
from saccade.models.scribble_net import ScribbleNet
from saccade.ops import tap_directions


def _generator(seed=0):
    return torch.Generator().manual_seed(seed)


def _net(seed=0):
    net = ScribbleNet(4, 3, channels=5, hidden=6, sigma=0.3, generator=_generator(seed))
    with torch.no_grad():
        for parameter in net.parameters():  # biases start at zero, and must be read too
            parameter.add_(torch.randn(parameter.shape, generator=_generator(seed + 9)) * 0.1)
    return net


def _rows(net, features):
    return net.fused(features).flatten(2).transpose(1, 2)


def _dense(net, features, offsets):
    """The network with given whole offsets (9, 2, H, W)."""
    height, width = features.shape[2:]
    grid = torch.stack(torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"))
    positions = grid + offsets * tap_directions(3).view(9, 2, 1, 1)
    fused = net.fused(features)
    dynamic = net.dynamic(fused, positions=positions[None])
    return net.classify(torch.cat([net.local(fused), dynamic], 1))


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (6, 5)])
@torch.no_grad()
def test_logits_are_those_of_the_network_for_the_same_offsets(size):
    net = _net()
    features = torch.randn(1, 4, *size, generator=_generator(1))
    offsets = torch.randint(0, 4, (9, 2, *size), generator=_generator(2))
    expected = _dense(net, features, offsets)[0].flatten(1).T
    pixels = torch.cartesian_prod(torch.arange(size[0]), torch.arange(size[1])).view(-1, 2)
    # Each pixel reads nine neighbours, a neighbour outside is the border pixel itself.
    limit = torch.tensor(size) - 1
    around = (pixels[:, None] + directions()).clamp_min(0).minimum(limit).flatten(0, 1)
    chosen = offsets[:, :, around[:, 0], around[:, 1]].permute(2, 0, 1)
    rows = _rows(net, features)
    found = sparse_logits(weights_of(net), rows, size, pixels[None], chosen[None])
    torch.testing.assert_close(found[0], expected, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_weights_written_and_read_are_the_same_and_the_network_too():
    first, second = _net(0), _net(1)
    weights = weights_of(first)
    load_weights(second, weights)
    again = weights_of(second)
    assert weights.keys() == again.keys()
    for name in weights:
        assert torch.equal(weights[name], again[name]), name
    second.fuse.load_state_dict(first.fuse.state_dict())
    features = torch.randn(1, 4, 6, 5, generator=_generator(1))
    expected = first(features, generator=_generator(3))
    torch.testing.assert_close(second(features, generator=_generator(3)), expected)


@torch.no_grad()
def test_a_batch_is_each_image_with_its_own_weights():
    nets = [_net(seed) for seed in (0, 1, 2)]
    features = torch.randn(3, 4, 6, 5, generator=_generator(1))
    rows = torch.cat([_rows(n, f[None]) for n, f in zip(nets, features, strict=True)])
    pixels = torch.randint(0, 5, (3, 4, 2), generator=_generator(2))
    offsets = torch.randint(0, 4, (3, 36, 9, 2), generator=_generator(3))
    alone = [weights_of(n) for n in nets]
    weights = {name: torch.cat([w[name] for w in alone]) for name in alone[0]}
    together = sparse_logits(weights, rows, (6, 5), pixels, offsets)
    for i in range(3):
        one = slice(i, i + 1)
        expected = sparse_logits(alone[i], rows[one], (6, 5), pixels[one], offsets[one])
        torch.testing.assert_close(together[one], expected, rtol=1e-4, atol=1e-5)


def test_rows_outside_of_the_map_are_those_of_its_border():
    rows = torch.arange(12.0).view(2, 6, 1)
    positions = torch.tensor([[[-3, 1], [0, 9], [1, 1]], [[5, 5], [0, -1], [1, 0]]])
    found = gather_rows(rows, (2, 3), positions)
    assert found[..., 0].tolist() == [[1, 2, 4], [11, 6, 9]]


def test_an_initial_start_is_seeded_scaled_and_shared_by_the_batch():
    weights = initial_weights(16, 3, hidden=8, batch=2, generator=_generator(5))
    again = initial_weights(16, 3, hidden=8, generator=_generator(5))
    for name, value in weights.items():
        assert torch.equal(value[0], value[1]), name
        assert torch.equal(value[0], again[name][0]), name
    assert weights["classifier"].std() == pytest.approx((9 * 16) ** -0.5, rel=0.05)
    assert weights["out"].shape == (2, 8, 3)
    load_weights(ScribbleNet(4, 3, channels=16, hidden=8, generator=_generator()), again)


@pytest.mark.parametrize("classes", [1, 2, 5])
def test_gradients_are_those_of_autograd(classes):
    generator = torch.Generator().manual_seed(0)
    weights = initial_weights(4, classes, hidden=3, batch=2, generator=generator)
    weights = {k: (v + 0.1).double().requires_grad_() for k, v in weights.items()}
    rows = torch.randn(2, 30, 4, generator=generator, dtype=torch.float64)
    pixels = torch.randint(0, 5, (2, 7, 2), generator=generator)
    offsets = torch.randint(0, 4, (2, 63, 9, 2), generator=generator)
    targets = torch.randint(0, classes, (2, 7), generator=generator)
    share = torch.rand(2, 7, generator=generator, dtype=torch.float64)
    share[0, 3] = 0
    scores = sparse_logits(weights, rows, (6, 5), pixels, offsets)
    loss = (F.cross_entropy(scores.mT, targets, reduction="none") * share).sum()
    expected = torch.autograd.grad(loss, list(weights.values()))
    found = loss_gradients(weights, rows, (6, 5), pixels, offsets, targets, share)
    assert found.keys() == weights.keys()
    for name, gradient in zip(weights, expected, strict=True):
        torch.testing.assert_close(found[name], gradient, msg=name)
