import numpy as np
import pytest

from saccade.evaluation.jackknife import estimate_miou, jackknife_error, mean_accuracy
from saccade.evaluation.metrics import mean_iou


@pytest.fixture
def matrices():
    return np.random.default_rng(0).integers(1, 50, (2, 5, 3, 3)).astype(np.int32)


def test_pooled_against_the_definition(matrices):
    found = estimate_miou(matrices, pooled=True)
    assert found.value == pytest.approx(np.mean([mean_iou(run.sum(0)) for run in matrices]))
    for i in range(5):
        left = np.delete(matrices, i, axis=1)
        expected = np.mean([mean_iou(run.sum(0)) for run in left])
        assert found.leave_one_out[i] == pytest.approx(expected)


def test_averaged_has_the_usual_standard_error(matrices):
    one = matrices[:1]
    scores = np.array([mean_iou(m) for m in one[0]])
    found = estimate_miou(one, pooled=False)
    assert found.value == pytest.approx(scores.mean())
    assert found.error == pytest.approx(scores.std(ddof=1) / np.sqrt(5))


def test_a_paired_difference_is_of_the_pairs(matrices):
    other = matrices[::-1, :, ::-1]
    gap = estimate_miou(matrices[:1], pooled=False).minus(estimate_miou(other[:1], pooled=False))
    pairs = [mean_iou(a) - mean_iou(b) for a, b in zip(matrices[0], other[0], strict=True)]
    assert gap.value == pytest.approx(np.mean(pairs))
    assert gap.error == pytest.approx(np.std(pairs, ddof=1) / np.sqrt(5))


@pytest.mark.parametrize("pooled", [False, True])
def test_one_image_has_no_error(matrices, pooled):
    assert np.isnan(estimate_miou(matrices[:, :1], pooled=pooled).error)
    assert np.isnan(jackknife_error(np.array([0.5])))


def test_a_class_that_never_occurs_does_not_count():
    matrix = np.array([[6, 2, 0], [0, 4, 0], [0, 0, 0]], np.int32)
    score = estimate_miou(matrix[None, None], pooled=False)
    assert score.value == pytest.approx((6 / 8 + 4 / 6) / 2)
    assert mean_accuracy(matrix[None, None]) == pytest.approx(10 / 12)
