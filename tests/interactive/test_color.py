import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from saccade.interactive.color import Mixtures, fit_colors, fit_mixtures


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def odds_of(colors, labels, classes, drawn, **options):
    return fit_colors([(colors, labels)], classes, generator=drawn).log_odds(colors, **options)


def blobs(centres, count: int = 400, spread: float = 0.1) -> torch.Tensor:
    centres = torch.tensor(centres)
    noise = torch.randn(len(centres), count, centres.shape[1], generator=generator(1))
    return (centres[:, None] + spread * noise).flatten(0, 1)


def test_one_component_is_the_sample_gaussian():
    samples = blobs([[0.3, -0.2, 0.5]], spread=0.2)
    model = fit_mixtures(samples[None], components=1, generator=generator())
    points = torch.randn(20, 3, generator=generator(2))
    covariance = np.cov(samples.T.numpy(), bias=True) + 1.6e-3 * np.eye(3)
    expected = multivariate_normal(samples.mean(0).numpy(), covariance).logpdf(points.numpy())
    constant = 1.5 * np.log(2 * np.pi)  # left out, it cancels in every ratio
    actual = model.log_densities(points).logsumexp(1)[0].numpy()
    np.testing.assert_allclose(actual - constant, expected, rtol=1e-3, atol=1e-3)


def test_densities_are_those_of_the_whitened_offsets():
    samples = torch.stack([blobs([[0.1, 0.5, -0.9]]), blobs([[1.0, -1.0, 0.3]], spread=0.3)])
    model = fit_mixtures(samples, components=4, generator=generator())
    colors = torch.randn(30, 3, generator=generator(2))
    offsets = colors[None, None] - model.means.unsqueeze(2)
    squares = (offsets @ model.whiten.mT).square().sum(3)
    expected = model.log_weights.unsqueeze(2) - 0.5 * squares
    torch.testing.assert_close(model.log_densities(colors), expected, rtol=1e-4, atol=1e-3)


def test_components_find_the_clusters():
    centres = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    model = fit_mixtures(blobs(centres)[None], components=6, generator=generator())
    distance = torch.cdist(torch.tensor(centres), model.means[0])
    assert distance.amin(1).max() < 0.1


def test_classes_side_by_side_equal_each_alone():
    samples = torch.stack([blobs([[0.0, 0.0, 0.0]]), blobs([[1.0, 1.0, 0.0]])])
    both = fit_mixtures(samples, components=1, generator=generator())
    for k in range(2):
        alone = fit_mixtures(samples[k : k + 1], components=1, generator=generator())
        torch.testing.assert_close(both.means[k], alone.means[0])
        torch.testing.assert_close(both.whiten[k], alone.whiten[0])


def test_equal_colors_do_not_break_the_covariance():
    model = fit_mixtures(torch.zeros(2, 50, 3), generator=generator())
    assert isinstance(model, Mixtures)
    assert model.log_densities(torch.zeros(4, 3)).isfinite().all()


@pytest.mark.parametrize("classes", [2, 3])
def test_odds_follow_the_colors(classes):
    truth = torch.arange(classes).repeat_interleave(10)[None].expand(12, -1)
    colors = torch.nn.functional.one_hot(truth, 3).movedim(2, 0).float()
    labels = torch.full_like(truth, classes)
    labels[5] = truth[5]
    odds = odds_of(colors, labels, classes, generator())
    assert odds.shape == (classes, 12, 10 * classes)
    assert torch.equal(odds.argmax(0), truth)
    assert odds.abs().max() <= 8.0


@pytest.mark.parametrize("classes", [2, 4])
def test_odds_are_against_the_mean_of_the_others(classes):
    colors = torch.rand(3, 9, 12, generator=generator())
    labels = torch.full((9, 12), classes)
    labels[::2, ::3] = torch.randint(0, classes, (5, 4), generator=generator(1))
    odds = odds_of(colors, labels, classes, generator(), limit=4.0)
    draws, flat = generator(), colors.flatten(1).T
    samples = []
    for k in range(classes):
        mine = flat[(labels == k).flatten()]
        samples.append(mine[torch.randint(len(mine), (800,), generator=draws)])
    density = fit_mixtures(torch.stack(samples), generator=draws).log_densities(flat)
    density = density.double().exp().sum(1)
    for k in range(classes):
        others = (density.sum(0) - density[k]) / (classes - 1)
        expected = (density[k] / others).log().clamp(-4, 4).float()
        torch.testing.assert_close(odds[k].flatten(), expected, rtol=1e-3, atol=1e-3)


def test_one_class_alone_has_no_odds():
    labels = torch.zeros(4, 5, dtype=torch.long)
    odds = odds_of(torch.rand(3, 4, 5), labels, 1, generator())
    assert torch.equal(odds, torch.zeros(1, 4, 5))


def test_a_class_without_labels_has_no_odds():
    colors = torch.rand(3, 6, 6, generator=generator())
    labels = torch.full((6, 6), 3)
    labels[0, :3], labels[5, 3:] = 0, 2
    odds = odds_of(colors, labels, 3, generator())
    assert odds[1].abs().max() == 0
    torch.testing.assert_close(odds[0], -odds[2])  # with two present, each is against the other


def test_same_seed_same_odds():
    colors = torch.rand(3, 8, 8, generator=generator())
    labels = torch.full((8, 8), 2)
    labels[0], labels[7] = 0, 1
    one, two = (odds_of(colors, labels, 2, generator(5)) for _ in range(2))
    assert torch.equal(one, two)


def test_every_image_has_its_share_of_the_samples():
    labels = torch.zeros(8, 8, dtype=torch.long)
    large, small = torch.full((3, 8, 8), 0.2), torch.full((3, 8, 8), 0.8)
    few = torch.full((8, 8), 2)
    few[0, 0] = 0
    other = torch.full((8, 8), 2)
    other[0] = 1
    model = fit_colors(
        [(large, labels), (small, few), (torch.zeros(3, 8, 8), other)], 2, generator=generator()
    )
    at_large, at_small = (
        model.mixtures.log_densities(x[:, 0, :1].T).logsumexp(1)[0] for x in (large, small)
    )
    torch.testing.assert_close(at_large, at_small, atol=0.5, rtol=0)
