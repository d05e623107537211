import csv
import json

import numpy as np
import pytest
import torch
from PIL import Image

from saccade.errors import InputError
from saccade.evaluation import confusion_matrix, iou_per_class, mean_iou, overall_accuracy
from saccade.evaluation.boundary import boundary_counts
from saccade.evaluation.report import as_table, plot_confusion, score_rows, summary, write_scores

GENERATOR = np.random.default_rng(0)
TARGET = GENERATOR.integers(0, 4, (3, 40, 50))
PREDICTION = np.where(GENERATOR.random(TARGET.shape) < 0.6, TARGET, (TARGET + 1) % 4)
TARGET[GENERATOR.random(TARGET.shape) < 0.1] = 255


def test_scores_agree_with_torchmetrics():
    metrics = pytest.importorskip("torchmetrics.classification")
    matrix = sum(confusion_matrix(t, p, 4) for t, p in zip(TARGET, PREDICTION, strict=True))
    tensors = torch.from_numpy(PREDICTION), torch.from_numpy(TARGET)
    theirs = metrics.MulticlassJaccardIndex(4, ignore_index=255, average="none")(*tensors)
    np.testing.assert_allclose(iou_per_class(matrix), theirs.numpy(), rtol=1e-5)
    assert mean_iou(matrix) == pytest.approx(float(theirs.mean()), rel=1e-5)
    accuracy = metrics.MulticlassAccuracy(4, ignore_index=255, average="micro")(*tensors)
    assert overall_accuracy(matrix) == pytest.approx(float(accuracy), rel=1e-5)


def square(top, left, side=10, size=(40, 60)):
    labels = np.zeros(size, np.int64)
    labels[top : top + side, left : left + side] = 1
    return labels


def test_boundaries_that_match_within_the_tolerance():
    target = square(10, 10)
    assert boundary_counts(target, target, 2).f_scores().tolist() == [1, 1]
    near = boundary_counts(target, square(11, 10), 2, tolerance=1 / 72)
    assert near.f_scores()[1] == 1
    far = boundary_counts(target, square(10, 40), 2, tolerance=1 / 72)
    assert far.f_scores().tolist() == [0, 0]


def test_boundary_counts_against_every_pair_of_pixels():
    target, prediction = square(10, 10), square(13, 12)
    found = boundary_counts(target, prediction, 2, tolerance=2 / np.hypot(40, 60))

    def contour(labels):
        inside = np.argwhere(labels == 1)
        return [
            (y, x)
            for y, x in inside
            if any(labels[y + a, x + b] != 1 for a, b in ((0, 1), (1, 0), (0, -1), (-1, 0)))
        ]

    true, seen = contour(target), contour(prediction)
    near = [min(np.hypot(y - v, x - u) for v, u in seen) <= 2 for y, x in true]
    assert (found.truth[1], found.matched_truth[1]) == (36, sum(near))
    assert found.prediction[1] == len(seen) == 36


def test_ignored_pixels_make_no_boundary():
    target = square(10, 10)
    target[:, 30:] = 255
    prediction = target.copy()
    prediction[:, 30:] = 1
    assert boundary_counts(target, prediction, 2).f_scores().tolist() == [1, 1]
    with pytest.raises(InputError, match="same"):
        boundary_counts(target, prediction[:5], 2)


def test_counts_of_images_add_up():
    one = boundary_counts(square(10, 10), square(13, 12), 2)
    both = one + one
    np.testing.assert_allclose(both.f_scores(), one.f_scores())
    assert (both.truth == 2 * one.truth).all()


def test_the_report_has_every_class_absent_ones_too(tmp_path):
    matrix = np.array([[8, 2, 0], [1, 9, 0], [0, 0, 0]])
    names, edges = ("sky", "road", "car"), np.array([0.5, 0.25, np.nan])
    rows = score_rows(matrix, names, edges)
    assert rows[0]["iou"] == pytest.approx(8 / 11)
    assert (rows[2]["iou"], rows[2]["recall"], rows[2]["boundary_f"]) == (None, None, None)
    total = summary(matrix, edges)
    assert total["accuracy"] == pytest.approx(0.85)
    assert total["boundary_f"] == pytest.approx(0.375)
    text = as_table(rows, total)
    assert "mIoU 73.86 %" in text
    assert text.splitlines()[3].split() == ["car", "0.00", "-", "-", "-", "-"]
    paths = write_scores(tmp_path, matrix, names, edges, {"protocol": "whole image"})
    assert [p.name for p in paths] == ["scores.csv", "scores.json", "confusion.csv"]
    assert json.loads(paths[1].read_text())["protocol"] == "whole image"
    with paths[2].open() as file:
        assert list(csv.reader(file))[1] == ["sky", "8", "2", "0"]
    assert plot_confusion(tmp_path / "confusion.png", matrix, names)
    with Image.open(tmp_path / "confusion.png") as picture:
        assert picture.size[0] > 300
