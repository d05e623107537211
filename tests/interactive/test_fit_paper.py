import numpy as np
import pytest
import torch

from saccade.interactive.fit_paper import class_weights, fit_paper
from saccade.interactive.presets import NetworkSettings, PaperFitSettings
from saccade.interactive.stroke_maps import paper_labels
from saccade.scribbles.shrink import shrink_strokes

NET = NetworkSettings()


def _strokes(prepared, picture):
    return torch.from_numpy(shrink_strokes(picture.strokes, 2, prepared.half_size))


def _labels(prepared, picture, settings):
    size = prepared.half_size
    return torch.from_numpy(paper_labels(prepared.working_rgb, picture.strokes, 2, size, settings))


def _go_on(_fraction):
    return True


def _generator(seed=0):
    return torch.Generator().manual_seed(seed)


def _fit(prepared, picture, settings, network=NET, step=_go_on, warm_start=None, seed=0):
    return fit_paper(
        prepared.features,
        _labels(prepared, picture, settings),
        2,
        settings,
        network,
        generator=_generator(seed),
        step=step,
        warm_start=warm_start,
    )


def _same(first, second):
    return all(
        torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True)
    )


def test_class_weights_equal_those_by_hand():
    targets = torch.tensor([0, 0, 0, 1, 3, 3, 3, 3])
    expected = {
        "paper": [3 / 8, 1 / 8, 0.0, 4 / 8],  # equation 6 as printed
        "none": [1.0, 1.0, 1.0, 1.0],
        "inverse": [8 / (4 * 3), 8 / 4, 8 / 4, 8 / (4 * 4)],
    }
    for rule, weights in expected.items():
        torch.testing.assert_close(class_weights(targets, 4, rule), torch.tensor(weights))


def test_inverse_weights_give_each_class_the_same_weight():
    targets = torch.tensor([0] * 90 + [1] * 10)
    weights = class_weights(targets, 2, "inverse")
    torch.testing.assert_close(weights[targets][:90].sum(), weights[targets][90:].sum())


def test_labels_without_superpixels_are_the_strokes(prepared, picture):
    labels = _labels(prepared, picture, PaperFitSettings(superpixels=False))
    assert torch.equal(labels, _strokes(prepared, picture))


@pytest.mark.parametrize("conflict", ["unlabeled", "majority"])
def test_labels_grow_to_superpixels_and_keep_the_strokes(prepared, picture, conflict):
    settings = PaperFitSettings(pixels_per_superpixel=100, conflict=conflict)
    labels = _labels(prepared, picture, settings).numpy()
    strokes = _strokes(prepared, picture).numpy()
    assert labels.shape == prepared.half_size
    assert (labels < 2).sum() > 1.5 * (strokes < 2).sum()
    assert np.array_equal(labels[strokes < 2], strokes[strokes < 2])
    known = labels < 2
    assert (labels[known] == picture.truth[known]).mean() > 0.95  # tiny, so half size is full size


@pytest.mark.parametrize("norm", ["none", "batch", "group"])
@pytest.mark.parametrize("branch", ["gdc", "normal", "dilated", "deformable", "uniform"])
def test_the_fit_learns_the_strokes_with_every_branch(prepared, picture, branch, norm):
    settings = PaperFitSettings(optimizer="adam", steps=15, lr=0.02)
    network = NetworkSettings(branch=branch, norm=norm, channels=8, hidden=8)
    net = _fit(prepared, picture, settings, network)
    strokes = _strokes(prepared, picture)
    with torch.no_grad():
        scores = net(prepared.features, generator=_generator(1))[0]
    assert (scores.argmax(0) == strokes)[strokes < 2].float().mean() > 0.8


def test_the_fit_changes_every_parameter(prepared, picture):
    start = _fit(prepared, picture, PaperFitSettings(steps=0))
    end = _fit(prepared, picture, PaperFitSettings(steps=3))
    for (name, a), b in zip(start.named_parameters(), end.parameters(), strict=True):
        assert not torch.equal(a, b), name


def test_fits_are_seeded(prepared, picture):
    short = PaperFitSettings(steps=3)
    first = _fit(prepared, picture, short, seed=1)
    assert _same(first, _fit(prepared, picture, short, seed=1))
    assert not _same(first, _fit(prepared, picture, short, seed=2))


def test_a_fit_works_where_the_caller_switched_gradients_off(prepared, picture):
    with torch.no_grad():
        off = _fit(prepared, picture, PaperFitSettings(steps=2))
    assert _same(off, _fit(prepared, picture, PaperFitSettings(steps=2)))


def test_a_step_that_answers_no_ends_the_fit(prepared, picture):
    fractions = []

    def stop(fraction):
        fractions.append(fraction)
        return len(fractions) < 3

    _fit(prepared, picture, PaperFitSettings(steps=10), step=stop)
    assert fractions == pytest.approx([0.1, 0.2, 0.3])


def test_a_warm_fit_goes_on_with_the_network_it_is_given(prepared, picture):
    network = NetworkSettings(norm="batch")
    first = _fit(prepared, picture, PaperFitSettings(steps=3), network)
    before = first.out.weight.detach().clone()
    second = _fit(prepared, picture, PaperFitSettings(steps=1, lr=1e-6), network, warm_start=first)
    assert second is first
    torch.testing.assert_close(second.out.weight, before, rtol=0, atol=1e-4)


def test_the_loss_is_that_of_the_network_on_the_whole_map(prepared, picture):
    """Two steps of the fit against the same by the dense network, in which nothing is sampled."""
    settings = PaperFitSettings(steps=2, superpixels=False)
    network = NetworkSettings(branch="normal", norm="batch")
    fitted = _fit(prepared, picture, settings, network)
    net = _fit(prepared, picture, PaperFitSettings(steps=0), network)
    features, strokes = prepared.features, _strokes(prepared, picture)
    y, x = (strokes < 2).nonzero().T
    weight = class_weights(strokes[y, x], 2, settings.class_weight)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    for _ in range(2):
        optimizer.zero_grad()
        scores = net(features)[0][:, y, x].T
        torch.nn.functional.cross_entropy(scores, strokes[y, x], weight).backward()
        optimizer.step()
    for (name, ours), theirs in zip(fitted.named_parameters(), net.parameters(), strict=True):
        gap = (ours - theirs).abs().max().item()
        assert gap < 2e-3, name
