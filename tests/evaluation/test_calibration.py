import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from saccade.errors import InputError
from saccade.evaluation.calibration import (
    calibration_error,
    error_auroc,
    reliability_counts,
    reliability_curve,
    sparsification_error,
)


@pytest.fixture
def sample():
    """Confidences on a coarse grid, so that there are ties, and what is right."""
    rng = np.random.default_rng(0)
    confidence = np.round(rng.uniform(0.5, 1, (30, 40)), 2)
    return confidence, rng.random((30, 40)) < confidence


def test_counts_of_a_sum_of_images_are_the_sum_of_counts(sample):
    confidence, correct = sample
    both = sum(
        reliability_counts(confidence[rows], correct[rows], 7) for rows in (slice(9), slice(9, 30))
    )
    np.testing.assert_allclose(both, reliability_counts(confidence, correct, 7))


def test_curve_and_error_equal_those_by_hand():
    counts = reliability_counts(
        np.array([0.0, 0.2, 0.6, 0.8, 1.0]), np.array([0, 1, 1, 0, 1], bool), bins=3
    )
    confidence, accuracy, share = reliability_curve(counts)
    np.testing.assert_allclose(confidence, [0.1, 0.6, 0.9])
    np.testing.assert_allclose(accuracy, [0.5, 1.0, 0.5])
    np.testing.assert_allclose(share, [0.4, 0.2, 0.4])
    assert calibration_error(counts) == pytest.approx(0.4 * 0.4 + 0.2 * 0.4 + 0.4 * 0.4)


def test_empty_bins_have_no_accuracy_and_cost_nothing():
    counts = reliability_counts(np.full(4, 0.75), np.array([1, 1, 1, 0], bool), bins=10)
    confidence, accuracy, share = reliability_curve(counts)
    assert np.isnan(confidence).sum() == np.isnan(accuracy).sum() == 9
    assert share.sum() == pytest.approx(1)
    assert calibration_error(counts) == pytest.approx(0)


def test_true_confidence_is_calibrated_and_overconfidence_is_not(sample):
    confidence, correct = sample
    assert calibration_error(reliability_counts(confidence, correct)) < 0.06
    assert calibration_error(reliability_counts(np.ones((30, 40)), correct)) == pytest.approx(
        1 - correct.mean()
    )


def test_auroc_against_scikit_learn(sample):
    confidence, correct = sample
    ours = error_auroc(1 - confidence, ~correct)
    assert ours == pytest.approx(roc_auc_score(~correct.ravel(), 1 - confidence.ravel()), abs=1e-12)
    assert error_auroc(confidence, ~correct) == pytest.approx(1 - ours)
    assert error_auroc(np.zeros((30, 40)), ~correct) == pytest.approx(0.5)


def test_sparsification_against_removing_pixel_by_pixel():
    rng = np.random.default_rng(1)
    wrong = rng.random(400) < 0.3
    uncertainty = rng.permutation(400) + 150.0 * wrong  # no ties
    order = np.argsort(-uncertainty)
    shares, areas = [wrong[order], np.sort(wrong)[::-1]], []
    for removed in shares:
        rates = [removed[i:].mean() for i in range(400)]
        areas.append(np.mean(rates))
    assert sparsification_error(uncertainty, wrong) == pytest.approx(areas[0] - areas[1], abs=2e-3)


def test_sparsification_of_perfect_useless_and_constant_uncertainty():
    wrong = np.arange(1000) % 4 == 0
    rng = np.random.default_rng(0)
    assert sparsification_error(wrong.astype(float), wrong) == pytest.approx(0, abs=1e-3)
    constant = sparsification_error(np.zeros(1000), wrong)
    random = np.mean([sparsification_error(rng.random(1000), wrong) for _ in range(20)])
    assert constant == pytest.approx(random, abs=0.02)
    assert sparsification_error(-wrong.astype(float), wrong) > constant


def test_undefined_measures_are_nan():
    assert np.isnan(error_auroc(np.arange(3), np.zeros(3, bool)))
    assert np.isnan(error_auroc(np.arange(3), np.ones(3, bool)))
    assert np.isnan(sparsification_error(np.zeros(0), np.zeros(0, bool)))
    assert np.isnan(calibration_error(reliability_counts(np.zeros(0), np.zeros(0, bool))))
    assert sparsification_error(np.zeros(1), np.ones(1, bool)) == pytest.approx(0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: reliability_counts(np.ones(3), np.ones(2, bool)), "shape"),
        (lambda: reliability_counts(np.array([1.1]), np.ones(1, bool)), r"\[0, 1\]"),
        (lambda: reliability_counts(np.array([np.nan]), np.ones(1, bool)), r"\[0, 1\]"),
        (lambda: reliability_counts(np.ones(1), np.ones(1, bool), 0), "at least 1"),
        (lambda: error_auroc(np.array([np.nan]), np.ones(1, bool)), "finite"),
        (lambda: sparsification_error(np.zeros((2, 2)), np.ones(4, bool)), "shape"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call()
