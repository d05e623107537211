"""Regression on rich features: beside scikit-learn's, and the fast way of its maps."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from saccade.interactive import regression
from saccade.interactive.prepared import prepare_image
from saccade.interactive.regression import fit_regression, log_odds_of, rich_maps
from tests.interactive.test_shared import picture


@pytest.fixture(scope="module")
def image():
    return prepare_image(picture(0, (150, 202))[0])


def labels_like(image, classes):
    """(h / 2, w / 2): a few lines of each class, by brightness and place."""
    labels = torch.full(image.half_size, classes)
    for value in range(classes):
        labels[5 + 9 * value, 4:80] = value
        labels[60 - 5 * value, 10:30] = value
    return labels


@pytest.mark.parametrize("classes", [3, 4])
def test_it_is_scikit_learns_logistic_regression(image, classes):
    labels = labels_like(image, classes)
    stroked = torch.arange(classes)
    fitted = fit_regression([(image.rich, labels)], stroked, generator=torch.Generator())
    places = [(labels == value).nonzero() for value in range(classes)]
    x = np.concatenate([image.rich.at(one).double().numpy() for one in places])
    y = np.repeat(np.arange(classes), [len(one) for one in places])
    weight = np.concatenate([np.full(len(one), 1 / (classes * len(one))) for one in places])
    peer = LogisticRegression(C=1 / regression._PENALTY, tol=1e-8, max_iter=1000)
    peer.fit(x, y, sample_weight=weight)
    ours, theirs = fitted.weights.numpy(), peer.coef_
    scale = np.abs(ours).max() / np.abs(theirs).max()  # how sure it is is fitted apart
    assert scale > 1
    np.testing.assert_allclose(ours / scale, theirs, atol=2e-3 * np.abs(theirs).max())


def test_maps_of_all_places_are_features_times_weights(image):
    rich = image.rich
    height, width = rich.size
    size = sum(len(one) for one in rich.levels)
    weights = torch.randn(2, size, generator=torch.Generator().manual_seed(0))
    places = torch.tensor([[0, 0], [height - 1, width - 1], [30, 41], [31, 7]])
    expected = rich.at(places) @ weights.T
    found = rich.project(weights)[:, places[:, 0], places[:, 1]].T
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)


def test_brightness_and_contrast_of_an_image_do_not_count(image):
    rgb = picture(0, (150, 202))[0]
    darker = prepare_image((rgb.astype(float) * 0.7 + 10).round().astype(np.uint8))
    labels = labels_like(image, 2)
    fitted = fit_regression([(image.rich, labels)], torch.arange(2), generator=torch.Generator())
    same = (fitted.log_odds(image.rich)[0] > 0) == (fitted.log_odds(darker.rich)[0] > 0)
    assert same.float().mean() > 0.95


def test_weights_without_an_encoder_have_features_and_colors_alone(image):
    maps = rich_maps(image.inputs, image.working_rgb, None)
    assert len(maps.levels) == 1
    assert maps.size == image.half_size


def test_one_class_alone_is_as_likely_as_nothing():
    assert log_odds_of(torch.tensor([[3.0, -2.0]])).tolist() == [[3.0, -2.0]]


def test_many_labels_are_drawn_by_the_generator(image, monkeypatch):
    monkeypatch.setattr(regression, "_MOST", 20)
    seeds = [(image.rich, labels_like(image, 2))]

    def weights(seed):
        generator = torch.Generator().manual_seed(seed)
        return fit_regression(seeds, torch.arange(2), generator=generator).weights

    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))
