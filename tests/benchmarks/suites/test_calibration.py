import csv
import json

import numpy as np
import pytest

from benchmarks.harness.datasets import Pair
from benchmarks.suites.calibration import __main__ as calibration
from benchmarks.suites.calibration.uncertainty_metrics import (
    TEMPERATURES,
    Measured,
    as_lines,
    diagram,
    measure,
    measures,
    summarize,
    table,
)
from saccade.evaluation.calibration import reliability_counts
from saccade.interactive.presets import preset_named
from saccade.interactive.segmenter import ScribbleSegmenter


def _measured(name, auroc, margin):
    counts = reliability_counts(np.array([0.6, 0.9, 0.9]), np.array([0, 1, 1], bool))
    counts = np.stack([counts] * len(TEMPERATURES))
    return Measured(
        name, 0.1, counts, {"spread": auroc, "margin": margin}, {"spread": 0.1, "margin": 0.2}
    )


@pytest.fixture(scope="module")
def segmenter():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (40, 52, 3)).astype(np.uint8)
    image[:, 26:] //= 3
    strokes = np.full((40, 52), 255, np.uint8)
    strokes[10:30, 8], strokes[10:30, 44], strokes[5, 20:30] = 0, 1, 2
    return ScribbleSegmenter(seed=0).fit(image, strokes)


def test_measures_are_maps_that_are_zero_where_all_is_sure(segmenter):
    found = measures(segmenter)
    assert set(found) == {"uncertainty", "entropy", "margin", "both", "spread", "network"}
    for name, values in found.items():
        assert values.shape == (40, 52), name
        assert np.isfinite(values).all(), name
        assert values.min() >= 0, name
        assert values.max() > values.min(), name
    assert found["margin"].max() <= 1
    drawn = np.s_[12:28, 8]
    assert found["entropy"][drawn].max() < 1e-5
    assert found["margin"][drawn].max() < 1e-5


def test_margin_is_between_the_two_best_classes(segmenter):
    p = np.sort(segmenter.predict_proba(), 0)
    np.testing.assert_allclose(measures(segmenter)["margin"], 1 - (p[-1] - p[-2]), atol=1e-6)


def test_the_temperatures_start_at_the_result_and_at_what_was_before():
    assert TEMPERATURES[0] == 1
    assert TEMPERATURES[1] * preset_named("fast").temperature == pytest.approx(1)


def test_strokes_and_unknown_pixels_are_not_measured(picture):
    image, strokes, truth = picture
    measured = measure(Pair("a", image, strokes, truth), seed=0)
    counts = measured.reliability[0]
    assert counts[0].sum() == ((strokes == 255) & (truth != 255)).sum()
    assert 1 - counts[2].sum() / counts[0].sum() == pytest.approx(measured.wrong)


def test_the_table_is_paired_and_leaves_out_images_without_an_error():
    rows = summarize(
        "thin", [_measured("a", 0.9, 0.7), _measured("b", 0.7, 0.5), _measured("c", np.nan, np.nan)]
    )
    spread = rows[0]
    assert (spread.measure, spread.images) == ("spread", 2)
    assert spread.auroc == pytest.approx(0.8)
    assert spread.against == pytest.approx(0.2)
    assert spread.against_error == pytest.approx(0)
    assert "+0.200 (0.000)" in table(rows)
    assert as_lines("thin", _measured("a", 0.9, 0.7))[0]["auroc"] == 0.9


def test_the_diagram_counts_pixels_and_skips_empty_bins():
    found = diagram([_measured("a", 0.9, 0.7), _measured("b", 0.9, 0.7)])
    np.testing.assert_allclose(found.points, [(0.6, 0.0), (0.9, 1.0)])
    np.testing.assert_allclose(found.shares, [1 / 3, 2 / 3])
    assert found.errors[0] == pytest.approx(0.6 / 3 + 0.1 * 2 / 3)


def test_the_command_writes_tables_and_diagram(root, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    out, chart = tmp_path / "out", tmp_path / "chart.png"
    options = [
        "--sets",
        "thin,camvid",
        "--limit",
        "1",
        "--csv",
        "--out",
        str(out),
        "--chart",
        str(chart),
    ]
    assert calibration.main([str(root), *options]) == 0
    assert "expected calibration error" in capsys.readouterr().out
    (result,) = out.glob("*/calibration.json")
    content = json.loads(result.read_text())
    assert set(content["calibration"]) == {"thin", "camvid"}
    with next(out.glob("*/calibration.csv")).open() as file:
        assert {line["set"] for line in csv.DictReader(file)} == {"thin", "camvid"}
    assert chart.stat().st_size > 1000


def test_a_missing_root_is_one_line(tmp_path, capsys):
    assert calibration.main([str(tmp_path / "nothing")]) == 1
    assert capsys.readouterr().err.startswith("error: ")
