"""Every way of computing the light network gives the scores of the module."""

import pytest
import torch

from saccade.models.scribble_net import BRANCHES, ScoresAtPixels, ScoresOfDraws
from saccade.models.scribble_net.batched import batched_scores, weights_of
from saccade.models.scribble_net.joint import joint_scores, row_table
from saccade.ops import tap_directions
from tests.models.scribble_net.helpers import generator, random_features, stirred_net

NORMS = ("none", "batch", "group")
MAPS = {  # (H, W) and which pixels
    "one pixel": ((1, 1), None),
    "one row": ((1, 7), None),
    "one column": ((7, 1), None),
    "every pixel": ((5, 9), None),
    "borders": ((8, 11), [[0, 0], [7, 10], [0, 5], [3, 10], [3, 4], [3, 4]]),
}


def _without_spread(branch, *more):
    """A network that samples the same positions in every draw."""
    net = stirred_net(branch, *more, sigma=0.0)
    if branch == "uniform":
        net.dynamic.low = net.dynamic.high = 0.34  # some pixels
    return net


def _at(maps, pixels):
    """(B, K, H, W) at pixels (N, 2): (B, N, K)."""
    return maps[:, :, pixels[:, 0], pixels[:, 1]].mT


def at_pixels(branch, norm, classes, features, pixels):
    net = _without_spread(branch, norm, classes)
    scores = ScoresAtPixels(net, features[:1], pixels, generator=generator(8))(generator(4))
    return scores[None], _at(net(features[:1], generator=generator(3)), pixels)


def independent_draws(branch, norm, classes, features, pixels):
    net, stream = stirred_net(branch, norm, classes), generator(4)
    draws = ScoresOfDraws(net, features[:1]).independent(3, generator(4))
    expected = torch.cat([net(features[:1], generator=stream) for _ in range(3)])
    return _at(torch.cat(list(draws)), pixels), _at(expected, pixels)


def even_draws(branch, norm, classes, features, pixels):
    net = _without_spread(branch, norm, classes)
    draws = ScoresOfDraws(net, features[:1]).even(3, generator(4))
    expected = net(features[:1], generator=generator(3)).expand(3, -1, -1, -1)
    return _at(torch.cat(list(draws)), pixels), _at(expected, pixels)


def batched(branch, norm, classes, features, pixels):
    """Three images, each with weights and offsets of its own."""
    nets = [stirred_net(branch, norm, classes, seed=seed) for seed in range(3)]
    size = features.shape[2:]
    offsets = torch.randint(0, 4, (3, *size, 9, 2), generator=generator(2))
    # Each pixel reads nine neighbours; a neighbour outside is the border's pixel itself.
    windows = pixels[:, None] + tap_directions(3, dtype=torch.long)
    windows = windows.clamp_min(0).minimum(torch.tensor(size) - 1).flatten(0, 1)
    fused = [net.fused(image[None]) for net, image in zip(nets, features, strict=True)]
    alone = [weights_of(net) for net in nets]
    scores = batched_scores(
        {name: torch.cat([w[name] for w in alone]) for name in alone[0]},
        torch.cat(fused).flatten(2).mT,
        size,
        pixels.expand(3, -1, -1),
        offsets[:, windows[:, 0], windows[:, 1]],
    )
    grid = torch.stack(torch.meshgrid(*map(torch.arange, size), indexing="ij"), -1)
    positions = grid[:, :, None] + offsets * tap_directions(3)  # (B, H, W, 9, 2)
    positions = positions.permute(0, 3, 4, 1, 2)
    expected = [
        net.classify(torch.cat([net.local(x), net.dynamic(x, positions=at[None])], 1))
        for net, x, at in zip(nets, fused, positions, strict=True)
    ]
    return scores, _at(torch.cat(expected), pixels)


def joint(branch, norm, classes, features, pixels):
    """The pixels of three images of different sizes, by the same weights, in turns."""
    net = stirred_net(branch, norm, classes)
    fused = [
        net.fused(one[None, :, : h - n, : w - n // 2])
        for n, one in enumerate(features)
        for h, w in [features.shape[2:]]
        if h > n and w > n // 2
    ]
    table, weights = row_table(fused), weights_of(net)
    image = torch.arange(len(pixels)) % len(fused)
    inside = pixels.minimum(table.sizes[image] - 1)
    offsets = torch.randint(0, 4, (len(pixels), 9, 9, 2), generator=generator(2))
    scores = joint_scores(weights, table, image, inside, offsets.flatten(0, 1))
    expected = [
        batched_scores(
            weights, x.flatten(2).mT, x.shape[2:], inside[None, n : n + 1], offsets[n][None]
        )
        for n, x in enumerate(fused[i] for i in image)
    ]
    return scores[None], torch.cat(expected, 1)


CASES = [
    (path, branch, norm)
    for path in (at_pixels, independent_draws, even_draws)
    for branch in BRANCHES
    for norm in NORMS
] + [(path, "gdc", "none") for path in (batched, joint)]


@pytest.mark.parametrize("maps", MAPS)
@pytest.mark.parametrize("classes", [1, 2, 5])
@pytest.mark.parametrize(("path", "branch", "norm"), CASES)
@torch.no_grad()
def test_scores_are_those_of_the_module(path, branch, norm, classes, maps):
    size, pixels = MAPS[maps]
    every = torch.cartesian_prod(*map(torch.arange, size)).view(-1, 2)
    pixels = every if pixels is None else torch.tensor(pixels)
    features = random_features(size, batch=3)
    scores, expected = path(branch, norm, classes, features, pixels)
    torch.testing.assert_close(scores, expected, rtol=1e-3, atol=1e-4)
    assert scores.shape[1:] == (len(pixels), classes)
