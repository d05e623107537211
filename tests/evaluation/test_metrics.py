import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saccade import evaluation
from saccade.errors import InputError
from saccade.evaluation import confusion_matrix, iou_per_class, mean_iou, overall_accuracy

TARGET = np.array([[0, 0, 1, 1], [2, 2, 255, 1]])
PREDICTION = np.array([[0, 1, 1, 1], [2, 0, 2, 0]])
MATRIX = [[1, 1, 0], [1, 2, 0], [1, 0, 1]]


def brute_force_iou(target, prediction, num_classes, ignore):
    """Straight from the definition, with sets of pixel positions."""
    known = {i for i, t in enumerate(target) if t != ignore}
    result = []
    for c in range(num_classes):
        truth = {i for i in known if target[i] == c}
        guess = {i for i in known if prediction[i] == c}
        union = truth | guess
        result.append(len(truth & guess) / len(union) if union else float("nan"))
    return result


def test_all_is_sorted_and_names_exist():
    assert evaluation.__all__ == sorted(evaluation.__all__)
    assert set(evaluation.__all__) <= set(dir(evaluation))


def test_confusion_matrix_equals_one_by_hand():
    matrix = confusion_matrix(TARGET, PREDICTION, 3)
    assert matrix.tolist() == MATRIX
    assert matrix.dtype == np.int64


def test_scores_equal_those_by_hand():
    matrix = np.array(MATRIX)
    np.testing.assert_allclose(iou_per_class(matrix), [1 / 4, 2 / 4, 1 / 2])
    assert mean_iou(matrix) == pytest.approx((1 / 4 + 1 / 2 + 1 / 2) / 3)
    assert overall_accuracy(matrix) == pytest.approx(4 / 7)


def test_rows_are_the_target():
    matrix = confusion_matrix(np.array([0, 0]), np.array([1, 1]), 2)
    assert matrix.tolist() == [[0, 2], [0, 0]]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 5).flatmap(
        lambda k: st.tuples(
            st.just(k),
            st.lists(
                st.tuples(st.sampled_from([*range(k), 255]), st.integers(0, k - 1)),
                min_size=1,
                max_size=40,
            ),
        )
    )
)
def test_scores_agree_with_the_definition(case):
    num_classes, pixels = case
    target, prediction = (np.array(column, np.uint8) for column in zip(*pixels, strict=True))
    matrix = confusion_matrix(target, prediction, num_classes)
    expected = brute_force_iou(target.tolist(), prediction.tolist(), num_classes, 255)
    np.testing.assert_allclose(iou_per_class(matrix), expected)
    known = target != 255
    assert matrix.sum() == known.sum()
    if known.any():
        assert mean_iou(matrix) == pytest.approx(np.nanmean(expected))
        right = np.mean(target[known] == prediction[known])
        assert overall_accuracy(matrix) == pytest.approx(right)
    else:
        assert np.isnan(mean_iou(matrix))
        assert np.isnan(overall_accuracy(matrix))


def test_scores_agree_with_torchmetrics():
    torch = pytest.importorskip("torch")
    classification = pytest.importorskip("torchmetrics").classification
    rng = np.random.default_rng(0)
    target = rng.choice([0, 1, 2, 255], (2, 30, 40))
    prediction = rng.integers(0, 3, target.shape)
    metric = classification.MulticlassJaccardIndex(3, ignore_index=255)
    expected = metric(torch.from_numpy(prediction), torch.from_numpy(target)).item()
    assert mean_iou(confusion_matrix(target, prediction, 3)) == pytest.approx(expected, abs=1e-6)


def test_matrices_add_up_over_images():
    rng = np.random.default_rng(0)
    target, prediction = rng.integers(0, 4, (2, 3, 20, 20))
    whole = confusion_matrix(target, prediction, 4)
    parts = sum(confusion_matrix(t, p, 4) for t, p in zip(target, prediction, strict=True))
    np.testing.assert_array_equal(whole, parts)


def test_class_that_never_occurs_stays_out_of_the_mean():
    matrix = confusion_matrix(np.array([0, 1, 1]), np.array([0, 1, 0]), 3)
    iou = iou_per_class(matrix)
    assert np.isnan(iou[2])
    assert mean_iou(matrix) == pytest.approx((1 / 2 + 1 / 2) / 2)


def test_class_only_in_the_prediction_counts_as_zero():
    matrix = confusion_matrix(np.array([0, 0]), np.array([0, 1]), 2)
    np.testing.assert_allclose(iou_per_class(matrix), [0.5, 0.0])


def test_prediction_under_ignored_pixels_is_free():
    matrix = confusion_matrix(np.array([0, 255]), np.array([0, 200]), 1)
    assert matrix.tolist() == [[1]]


def test_without_an_ignored_index_255_is_refused():
    with pytest.raises(InputError, match="255"):
        confusion_matrix(np.array([0, 255]), np.array([0, 0]), 2, ignore_index=None)
    assert confusion_matrix(np.array([0, 1]), np.array([1, 1]), 2, None).sum() == 2


def test_small_types_do_not_overflow():
    target = np.full(300, 20, np.uint8)
    matrix = confusion_matrix(target, target, 21)
    assert matrix[20, 20] == 300
    assert matrix.sum() == 300


@pytest.mark.parametrize(
    ("target", "prediction", "num_classes", "message"),
    [
        (np.zeros((2, 3), int), np.zeros((3, 2), int), 2, r"\(2, 3\).*\(3, 2\)"),
        (np.array([0, 7]), np.array([0, 0]), 2, "target holds class 7"),
        (np.array([0, 0]), np.array([0, 2]), 2, "prediction holds class 2"),
        (np.array([0, -1]), np.array([0, 0]), 2, "target holds class -1"),
        (np.array([0.0]), np.array([0]), 2, "target has dtype float64"),
        (np.array([0]), np.array([0]), 0, "num_classes is 0"),
    ],
)
def test_bad_input_is_named(target, prediction, num_classes, message):
    with pytest.raises(InputError, match=message):
        confusion_matrix(target, prediction, num_classes)


@pytest.mark.parametrize("score", [iou_per_class, mean_iou, overall_accuracy])
def test_matrix_must_be_square(score):
    with pytest.raises(InputError, match="square"):
        score(np.zeros((2, 3), int))
