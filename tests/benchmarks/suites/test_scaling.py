import json
import math

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from benchmarks.harness import timing
from benchmarks.harness.datasets import Pair, load_pairs
from benchmarks.peers.methods import Method
from benchmarks.suites.scaling import __main__ as scaling
from benchmarks.suites.scaling import scaling_fit
from benchmarks.suites.scaling.scaling_fit import Point


@pytest.fixture
def clock(monkeypatch):
    """Time that moves only when a method says so."""
    now = [0.0]
    monkeypatch.setattr(timing.time, "process_time", lambda: now[0])
    return now


def costing(clock, seconds_per_pixel, name="m", **options):
    def run(image, strokes, seed):
        clock[0] += seconds_per_pixel * strokes.size
        return np.where(strokes == 255, 0, strokes)

    return Method(name, run, **options)


def curve(method, axis, *seconds):
    return [Point(axis, 2.0**i, method, s, (0.5, 0.7)) for i, s in enumerate(seconds)]


def test_exponent_by_hand():
    assert scaling_fit.exponent(curve("m", "classes", 1, 2, 4)) == pytest.approx(1)
    assert scaling_fit.exponent(curve("m", "classes", 3, 12, 48)) == pytest.approx(2)
    assert math.isnan(scaling_fit.exponent(curve("m", "classes", 3)))


def test_only_our_exponent_is_bound():
    points = [
        *curve("ours", scaling_fit.PIXELS, 1, 1.5, 2),
        *curve("theirs", scaling_fit.PIXELS, 1, 3, 9),
        *curve("ours", scaling_fit.CLASSES, 1, 3, 9),
    ]
    found = scaling_fit.checks(points, "ours")
    assert [c.verdict for c in found] == ["pass", "", "FAIL"]
    assert found[0].name == "exponent of ours, 1 to 4 megapixels"


def test_over_pixels_resizes_and_stops_a_slow_method(clock, picture):
    pair = Pair("x", *picture)
    methods = [costing(clock, 1e-6, "quick"), costing(clock, 1e-3, "slow", two_classes=True)]
    points = scaling_fit.over_pixels([pair], methods, (0.004, 0.001, 0.016), 5.0)
    quick, slow = (scaling_fit.of_method(points, scaling_fit.PIXELS, m) for m in ("quick", "slow"))
    assert [p.size for p in quick] == [0.001, 0.004, 0.016]
    assert [p.size for p in slow] == [0.001, 0.004]  # 0.016 would take 16 s
    assert [p.seconds for p in slow] == pytest.approx([1, 4], rel=0.03)
    assert scaling_fit.exponent(quick) == pytest.approx(1, abs=0.02)


def test_over_classes_leaves_out_who_knows_two_only(clock, picture):
    methods = [costing(clock, 1e-6, "two", two_classes=True), costing(clock, 1e-6, "any")]
    points = scaling_fit.over_classes([Pair("x", *picture)], methods, (2, 5), 5.0)
    assert [(p.method, p.size) for p in points] == [("two", 2), ("any", 2), ("any", 5)]


@pytest.mark.parametrize("count", [2, 11, 60])
def test_every_region_has_a_stroke_of_its_own(picture, count):
    image = np.zeros((150, 211, 3), np.uint8)
    pair = scaling_fit.in_regions(Pair("x", image, *np.zeros((2, 150, 211), np.uint8)), count)
    assert set(np.unique(pair.truth)) == set(range(count))
    assert set(np.unique(pair.strokes)) == {*range(count), 255}
    drawn = pair.strokes != 255
    np.testing.assert_array_equal(pair.strokes[drawn], pair.truth[drawn])
    assert all(ndimage.label(pair.truth == k)[1] == 1 for k in range(count))
    assert scaling_fit.in_regions(pair, count).truth.tobytes() == pair.truth.tobytes()


def test_score_is_the_mean_over_classes(clock, picture):
    pair = Pair("x", *picture)
    known = pair.truth != 255

    def perfect(image, strokes, seed):
        return np.where(known, pair.truth, 0)

    (point,) = scaling_fit.over_pixels([pair], [Method("m", perfect)], (40 * 52 / 1e6,), 5.0)
    assert point.scores == (1.0,)


def test_score_table_by_hand():
    points = [*curve("a", scaling_fit.PIXELS, 1, 2), *curve("b", scaling_fit.PIXELS, 1)]
    lines = scaling_fit.score_table(points, scaling_fit.PIXELS).splitlines()
    assert [line.split() for line in lines] == [
        ["mIoU", "at", "MP", "1", "2"],
        ["a", "0.600", "0.600"],
        ["b", "0.600", "-"],
    ]


def test_end_to_end_and_drawn_again(root, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    options = ("--megapixels", "0.001,0.002", "--classes", "2,3", "--methods", "geodesic,grabcut")
    out, plot = tmp_path / "results", tmp_path / "plot.png"
    arguments = [str(root), *options, "--images", "2", "--out", str(out), "--plot", str(plot)]
    assert scaling.main(arguments) == 0
    assert "exponent of geodesic, 2 to 3 classes" in capsys.readouterr().out
    (file,) = out.glob("*/scaling.json")
    content = json.loads(file.read_text())
    assert content["run"]["images"] == [p.stem for p in load_pairs(root, "thin")]
    assert len(content["points"]) == 2 * 2 + 2 + 1
    again = tmp_path / "again.png"
    assert scaling.main(["--draw", str(file), "--plot", str(again)]) == 0
    with Image.open(plot) as first, Image.open(again) as second:
        assert first.size == second.size
        assert first.size[0] > 1000


def test_needs_a_root(capsys):
    assert scaling.main([]) == 1
    assert "ROOT is needed" in capsys.readouterr().err
    assert scaling.main(["/nowhere"]) == 1
