import csv
import json

import numpy as np
import pytest
import torch
from PIL import Image

from saccade.evaluation import confusion_matrix, iou_per_class, mean_iou, overall_accuracy
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
