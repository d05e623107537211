import json
import math

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from benchmarks import growth, scaling
from benchmarks.datasets import Pair, load_pairs
from benchmarks.growth import Point
from benchmarks.methods import Method


@pytest.fixture
def clock(monkeypatch):
    """Time that moves only when a method says so."""
    now = [0.0]
    monkeypatch.setattr(growth.time, "process_time", lambda: now[0])
    return now


def costing(clock, seconds_per_pixel, name="m", **options):
    def run(image, strokes, seed):
        clock[0] += seconds_per_pixel * strokes.size
        return np.where(strokes == 255, 0, strokes)

    return Method(name, run, **options)


def curve(method, axis, *seconds):
    return [Point(axis, 2.0**i, method, s, (0.5, 0.7)) for i, s in enumerate(seconds)]


def test_exponent_by_hand():
    assert growth.exponent(curve("m", "classes", 1, 2, 4)) == pytest.approx(1)
    assert growth.exponent(curve("m", "classes", 3, 12, 48)) == pytest.approx(2)
    assert math.isnan(growth.exponent(curve("m", "classes", 3)))


def test_only_our_exponent_is_bound():
    points = [
        *curve("ours", growth.PIXELS, 1, 1.5, 2),
        *curve("theirs", growth.PIXELS, 1, 3, 9),
        *curve("ours", growth.CLASSES, 1, 3, 9),
    ]
    found = growth.checks(points, "ours")
    assert [c.verdict for c in found] == ["pass", "", "FAIL"]
    assert found[0].name == "exponent of ours, 1 to 4 megapixels"


def test_over_pixels_resizes_and_stops_a_slow_method(clock, picture):
    pair = Pair("x", *picture)
    methods = [costing(clock, 1e-6, "quick"), costing(clock, 1e-3, "slow", two_classes=True)]
    points = growth.over_pixels([pair], methods, (0.004, 0.001, 0.016), 5.0)
    quick, slow = (growth.of_method(points, growth.PIXELS, m) for m in ("quick", "slow"))
    assert [p.size for p in quick] == [0.001, 0.004, 0.016]
    assert [p.size for p in slow] == [0.001, 0.004]  # 0.016 would take 16 s
    assert [p.seconds for p in slow] == pytest.approx([1, 4], rel=0.03)
    assert growth.exponent(quick) == pytest.approx(1, abs=0.02)


def test_over_classes_leaves_out_who_knows_two_only(clock, picture):
    methods = [costing(clock, 1e-6, "two", two_classes=True), costing(clock, 1e-6, "any")]
    points = growth.over_classes([Pair("x", *picture)], methods, (2, 5), 5.0)
    assert [(p.method, p.size) for p in points] == [("two", 2), ("any", 2), ("any", 5)]


@pytest.mark.parametrize("count", [2, 11, 60])
def test_every_region_has_a_stroke_of_its_own(picture, count):
    image = np.zeros((150, 211, 3), np.uint8)
    pair = growth.in_regions(Pair("x", image, *np.zeros((2, 150, 211), np.uint8)), count)
    assert set(np.unique(pair.truth)) == set(range(count))
    assert set(np.unique(pair.strokes)) == {*range(count), 255}
    drawn = pair.strokes != 255
    np.testing.assert_array_equal(pair.strokes[drawn], pair.truth[drawn])
    assert all(ndimage.label(pair.truth == k)[1] == 1 for k in range(count))
    assert growth.in_regions(pair, count).truth.tobytes() == pair.truth.tobytes()


def test_score_is_the_mean_over_classes(clock, picture):
    pair = Pair("x", *picture)
    known = pair.truth != 255

    def perfect(image, strokes, seed):
        return np.where(known, pair.truth, 0)

    (point,) = growth.over_pixels([pair], [Method("m", perfect)], (40 * 52 / 1e6,), 5.0)
    assert point.scores == (1.0,)


def test_score_table_by_hand():
    points = [*curve("a", growth.PIXELS, 1, 2), *curve("b", growth.PIXELS, 1)]
    lines = growth.score_table(points, growth.PIXELS).splitlines()
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
    (file,) = out.glob("scaling-*.json")
    content = json.loads(file.read_text())
    assert content["run"]["images"] == [p.stem for p in load_pairs(root, "thin")]
    assert len(content["points"]) == 2 * 2 + 2 + 1
    again = tmp_path / "again.png"
    assert scaling.main(["--draw", str(file), "--plot", str(again)]) == 0
    with Image.open(plot) as first, Image.open(again) as second:
        assert first.size == second.size
        assert first.size[0] > 1000


def test_needs_a_root(capsys):
    with pytest.raises(SystemExit):
        scaling.main([])
    assert "ROOT is needed" in capsys.readouterr().err
    assert scaling.main(["/nowhere"]) == 1
