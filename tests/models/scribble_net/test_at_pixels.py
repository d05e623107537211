import pytest
import torch

from saccade.models.scribble_net import BRANCHES, RANDOM_BRANCHES
from saccade.models.scribble_net.at_pixels import ScoresAtPixels, points_around
from tests.models.scribble_net.helpers import generator, random_features, stirred_net

FIXED = [b for b in BRANCHES if b not in RANDOM_BRANCHES]
NORMS = ["none", "batch", "group"]


def _every_pixel(size):
    return torch.cartesian_prod(torch.arange(size[0]), torch.arange(size[1])).view(-1, 2)


def _scores_at(net, features, pixels, **more):
    return ScoresAtPixels(net, features, pixels, generator=generator(8), **more)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("branch", FIXED)
def test_with_a_sample_of_all_other_pixels_gradients_are_those_of_the_module(branch, norm):
    net, features = stirred_net(branch, norm).double(), random_features((8, 11)).double()
    pixels = torch.tensor([[0, 0], [3, 4], [3, 4], [7, 10]])
    upstream = torch.randn(4, 3, generator=generator(2), dtype=torch.double)
    dense = net(features)[0][:, pixels[:, 0], pixels[:, 1]].T
    found = _scores_at(net, features, pixels)()
    parameters = list(net.parameters())
    expected = torch.autograd.grad(dense, parameters, upstream)
    gradients = torch.autograd.grad(found, parameters, upstream)
    for ours, theirs in zip(gradients, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("norm", ["none", "batch"])
@pytest.mark.parametrize("branch", RANDOM_BRANCHES)
def test_random_scores_have_the_mean_and_the_spread_of_the_map(branch, norm):
    # The two consume the generator differently, so only their distributions can agree.
    net, features = stirred_net(branch, norm), random_features((12, 16))
    pixels = torch.tensor([[6, 8], [1, 14]])
    stream, some = generator(5), _scores_at(net, features, pixels)
    with torch.no_grad():
        maps = [net(features, generator=stream)[:, :, [6, 1], [8, 14]] for _ in range(150)]
        few = torch.stack([some(stream).T for _ in range(150)])
    maps = torch.cat(maps)
    error = (maps.mean(0) - few.mean(0)).abs() / (maps.std(0) * (2 / 150) ** 0.5)
    assert error.max() < 5
    ratio = few.std(0) / maps.std(0)
    assert ratio.min() > 0.7
    assert ratio.max() < 1.4


@pytest.mark.parametrize("branch", RANDOM_BRANCHES)
def test_without_a_generator_each_call_draws_anew(branch):
    some = _scores_at(stirred_net(branch), random_features((12, 16)), _every_pixel((12, 16)))
    assert not torch.equal(some(), some())


def test_scores_follow_the_parameters():
    net, features, pixels = (
        stirred_net("normal", "batch"),
        random_features((5, 9)),
        _every_pixel((5, 9)),
    )
    some = _scores_at(net, features, pixels)
    before = some()
    with torch.no_grad():
        net.fuse.weight.mul_(-1)
    assert not torch.allclose(some(), before)
    torch.testing.assert_close(some(), net(features)[0].flatten(1).T, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("branch", BRANCHES)
def test_every_parameter_gets_a_gradient(branch, norm):
    net, pixels = stirred_net(branch, norm), torch.tensor([[0, 0], [3, 4], [4, 8]])
    scores = _scores_at(net, random_features((5, 9)), pixels)(generator())
    torch.nn.functional.cross_entropy(scores, torch.tensor([0, 1, 2])).backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        # Adding a constant before a normalisation changes nothing, nor does one to group norm.
        if norm == "none" or not name.endswith("bias"):
            assert parameter.grad.abs().max() > 0, name


def test_points_are_the_windows_and_an_even_sample_of_the_rest():
    pixels = torch.tensor([[0, 0], [10, 10]])
    points = points_around(pixels, (40, 50), sample=200, generator=generator())
    near = {(y, x) for y in (0, 1) for x in (0, 1)}
    near |= {(y, x) for y in (9, 10, 11) for x in (9, 10, 11)}
    found = [tuple(p) for p in points.centres.tolist()]
    assert set(found[:13]) == near
    assert len(found) == len(set(found)) == 213
    torch.testing.assert_close(points.share.sum(), torch.tensor(1.0))
    torch.testing.assert_close(points.share[:13], torch.full((13,), 1 / 2000))
    rows = torch.bincount(points.centres[13:, 0], minlength=40)
    assert rows.min() >= 4  # five of each row, less those on a border between strides
    assert rows.max() <= 6


def test_every_other_pixel_is_equally_likely():
    counts = torch.zeros(6, 7)
    for seed in range(2000):
        points = points_around(torch.tensor([[0, 0]]), (6, 7), sample=5, generator=generator(seed))
        y, x = points.centres[4:].T
        counts[y, x] += 1
    assert counts[:2, :2].sum() == 0
    expected = 2000 * 5 / 38
    others = counts[counts > 0]
    assert len(others) == 38
    assert (others - expected).abs().max() < 5 * expected**0.5


def test_statistics_of_a_sample_are_near_those_of_the_map():
    net, features = stirred_net("normal", "batch"), random_features((60, 70))
    pixels = _every_pixel((60, 70))[100:160]
    exact = _scores_at(net, features, pixels, sample=60 * 70)()
    near = _scores_at(net, features, pixels, sample=800)()
    windows_only = _scores_at(net, features, pixels, sample=0)()
    assert (near - exact).abs().mean() < 0.15 * exact.std()
    assert (near - exact).abs().mean() < 0.7 * (windows_only - exact).abs().mean()


def test_a_map_that_is_all_windows_needs_no_sample():
    points = points_around(_every_pixel((3, 4)), (3, 4), sample=9, generator=generator())
    assert len(points.centres) == 12
    torch.testing.assert_close(points.share, torch.full((12,), 1 / 12))
