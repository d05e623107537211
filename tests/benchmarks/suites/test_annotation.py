import csv
import json

import numpy as np
import pytest

from benchmarks.harness.datasets import Pair
from benchmarks.suites.annotation import __main__ as annotation
from benchmarks.suites.annotation.annotator import (
    POLICIES,
    Round,
    State,
    annotate,
    anywhere,
    largest_error,
    one_stroke_a_class,
    without_unknown,
)
from benchmarks.suites.annotation.strokes_needed import (
    compare,
    mean_curve,
    paired_interval,
    strokes_needed,
    table,
)


class Fake:
    """Says what it is told to, without a network."""

    def __init__(self, labels):
        self.result = self
        self.labels = labels
        self.probabilities = np.stack([labels == 0, labels == 1]).astype(np.float32)
        self.uncertainty = np.zeros(labels.shape, np.float32)

    def suggest(self, n):
        return []


@pytest.fixture
def state():
    truth = np.zeros((20, 30), np.uint8)
    truth[5:15, 5:15] = 1
    truth[4] = 255
    labels = truth.copy()
    labels[6:13, 6:13] = 0  # 49 wrong
    labels[17:19, 20:28] = 1  # 16 wrong
    strokes = np.full(truth.shape, 255, np.uint8)
    strokes[0, :5] = 0
    return State(Fake(labels), strokes, truth)


def _rounds(*scores):
    return [Round("a", n, score, score - 0.05) for n, score in enumerate(scores)]


def test_the_oracle_goes_to_the_middle_of_the_largest_error(state):
    assert largest_error(state, np.random.default_rng(0)) == (9, 9)


def test_every_policy_names_a_pixel_without_a_stroke(state):
    for name in ("suggest", "random", "entropy", "uncertainty", "oracle"):
        for seed in range(5):
            y, x = POLICIES[name](state, np.random.default_rng(seed))
            assert isinstance(y, int)
            assert state.strokes[y, x] == 255, name


def test_entropy_goes_where_the_classes_are_level(state):
    state.segmenter.probabilities[:, 12, 21] = 0.5
    assert POLICIES["entropy"](state, np.random.default_rng(0)) == (12, 21)
    state.segmenter.uncertainty[3, 7] = 0.4
    assert POLICIES["uncertainty"](state, np.random.default_rng(0)) == (3, 7)


def test_random_places_cover_the_image_and_nothing_drawn(state):
    rng = np.random.default_rng(0)
    places = {anywhere(state, rng) for _ in range(6000)}
    assert len(places) > 560  # of 595
    assert not any(y == 0 and x < 5 for y, x in places)


def test_one_stroke_a_class_keeps_the_longest(picture):
    image, strokes, truth = picture
    strokes[20, 2:4] = 0
    pair = one_stroke_a_class(Pair("a", image, strokes, truth))
    assert (pair.strokes == 0).sum() == 2 * 42
    assert (pair.strokes == 1).sum() == (strokes == 1).sum()
    assert (strokes == 0).sum() > 2 * 42  # what it was made from is as before


def test_unknown_pixels_get_the_nearest_class():
    truth = np.array([[0, 255, 255, 255, 1]], np.uint8)
    filled = without_unknown(truth)
    assert filled[0, [0, 1, 3, 4]].tolist() == [0, 0, 1, 1]


def test_the_annotator_draws_true_strokes_until_it_is_enough(picture):
    image, strokes, truth = picture
    pair = Pair("a", image, strokes, truth)
    steps = annotate(pair, anywhere, rounds=2, enough=1.1, seed=0)
    assert [s.strokes for s in steps] == [0, 1, 2]
    assert steps[0].place is None
    assert all(0 <= s.mean_iou <= 1 for s in steps)
    again = annotate(pair, anywhere, rounds=2, enough=1.1, seed=0)
    assert [s.place for s in again] == [s.place for s in steps]
    assert (pair.strokes == strokes).all()
    assert len(annotate(pair, anywhere, rounds=2, enough=0.0, seed=0)) == 1


def test_strokes_needed_and_what_is_never_reached():
    steps = _rounds(0.5, 0.91, 0.85, 0.96)
    assert strokes_needed(steps, "mean_iou", 0.9, 3) == 1  # the first time counts
    assert strokes_needed(steps, "object_iou", 0.9, 3) == 3
    assert strokes_needed(steps, "mean_iou", 0.99, 3) == 4
    assert strokes_needed(steps, "mean_iou", 0.4, 3) == 0


def test_interval_holds_the_mean_and_narrows_with_images():
    rng = np.random.default_rng(0)
    few, many = rng.normal(1, 2, 20), rng.normal(1, 2, 500)
    low, high = paired_interval(few)
    assert low < few.mean() < high
    error = few.std(ddof=1) / np.sqrt(20)
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.12)
    assert np.subtract(*paired_interval(many)[::-1]) < 0.3 * (high - low)
    assert paired_interval(np.full(5, 2.0)) == (2.0, 2.0)
    assert np.isnan(paired_interval(np.array([1.0]))).all()


def test_comparison_is_paired_by_image():
    random = [[_rounds(0.1, 0.5, 0.96)], [_rounds(0.1, 0.1, 0.1)], [_rounds(0.1, 0.96)]]
    ours = [[_rounds(0.1, 0.96)], [_rounds(0.1, 0.1, 0.96)], [_rounds(0.96)]]
    rows = compare("thin", {"suggest": ours, "random": random}, thresholds=[0.95], limit=2)
    row = next(r for r in rows if (r.policy, r.score) == ("suggest", "mean_iou"))
    assert (row.strokes, row.reached, row.images) == (1.0, 1.0, 3)
    assert row.fewer == row.low == row.high == 1.0  # one stroke fewer on each image
    other = next(r for r in rows if (r.policy, r.score) == ("random", "mean_iou"))
    assert other.strokes == 2.0
    assert other.reached == pytest.approx(2 / 3)
    assert "+1.00 .. +1.00" in table(rows)
    alone = compare("thin", {"suggest": ours}, thresholds=[0.95], limit=2)
    assert np.isnan(alone[0].fewer)
    assert " - " in table(alone) or table(alone).rstrip().endswith("-")


def test_a_mask_that_was_good_enough_stays_in_the_curve():
    runs = [[_rounds(0.5, 0.97)], [_rounds(0.1, 0.3, 0.5)]]
    np.testing.assert_allclose(mean_curve(runs, "mean_iou", 2), [0.3, 0.635, 0.735])


def test_the_command_writes_every_round_and_the_table(root, tmp_path, capsys):
    out, chart = tmp_path / "out", tmp_path / "out" / "curve.png"
    options = ["--rounds", "1", "--policies", "suggest,random", "--limit", "1"]
    pytest.importorskip("matplotlib")
    assert (
        annotation.main([str(root), *options, "--csv", "--out", str(out), "--chart", str(chart)])
        == 0
    )
    assert "fewer than random" in capsys.readouterr().out
    (table_file,) = out.glob("*/annotation.json")
    content = json.loads(table_file.read_text())
    assert {row["policy"] for row in content["table"]} == {"suggest", "random"}
    assert content["run"]["rounds"] == 1
    with next(out.glob("*/annotation.csv")).open() as file:
        lines = list(csv.DictReader(file))
    assert {line["image"] for line in lines} == {"a"}
    assert chart.stat().st_size > 1000


def test_a_missing_root_is_one_line(tmp_path, capsys):
    assert annotation.main([str(tmp_path / "nothing")]) == 1
    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.parametrize("option", [["--policies", "luck"], ["--rounds", "0"], ["--sets", ""]])
def test_unknown_options_are_refused(option, tmp_path):
    with pytest.raises(SystemExit):
        annotation.main([str(tmp_path), *option])
