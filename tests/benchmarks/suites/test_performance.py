import csv
import json
import math
import subprocess

import numpy as np
import pytest

from benchmarks.harness import checks
from benchmarks.harness.checks import Check
from benchmarks.harness.datasets import Pair, load_pairs, resized
from benchmarks.suites.performance import __main__ as performance
from benchmarks.suites.performance import classes, interleaved, processes
from benchmarks.suites.performance.interleaved import Call


def call(method, seconds, image="a", score=0.5, **stages):
    return Call(image, method, score, seconds, seconds / 2, stages)


def test_end_to_end_on_the_thin_strokes(root, tmp_path, capsys):
    out = tmp_path / "results"
    arguments = ["--limit", "1", "--presets", "fast", "--skip", "classes,memory,start,batch"]
    assert performance.main([str(root), *arguments, "--csv", "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert "update / GrabCut" in printed.out
    assert "[1/1] a: grabcut" in printed.err
    (json_file,) = out.glob("*/performance.json")
    content = json.loads(json_file.read_text())
    assert content["run"]["parts"] == ["time"]
    assert str(root) not in json_file.read_text()
    bounds = {c["name"]: c["bound"] for c in content["checks"]}
    assert bounds["fast / GrabCut"] == 0.5
    assert bounds["update / GrabCut"] == 0.2
    assert {"features", "fit", "draw", "refine", "other"} <= set(content["stages"]["fast"])
    with json_file.with_suffix(".csv").open() as file:
        lines = {line["method"]: line for line in csv.DictReader(file)}
    assert list(lines) == ["grabcut", "fast", "update"]
    fast = lines["fast"]
    calls = ("image", "method", "score", "seconds", "processor")
    stages = [float(v) for k, v in fast.items() if k not in calls]
    assert sum(stages) == pytest.approx(float(fast["seconds"]), abs=1e-4)
    assert float(lines["update"]["score"]) > 0.9


def test_a_bound_that_is_not_kept_says_so():
    ours = [
        Check("a", 1.0, 1.0),
        Check("b", 1.001, 1.0),
        Check("c", math.nan, 1.0),
        Check("d", 9.0),
    ]
    assert [c.verdict for c in ours] == ["pass", "FAIL", "FAIL", ""]
    assert [row["verdict"] for row in checks.as_rows(ours)] == ["pass", "FAIL", "FAIL", ""]


def test_table_by_hand():
    lines = checks.table([Check("memory", 1234.4, 400.0, "MB"), Check("t", 0.25)]).splitlines()
    assert [line.split() for line in lines] == [
        ["check", "measured", "at", "most"],
        ["-" * len(lines[1])],
        ["memory", "1,234", "MB", "400", "MB", "FAIL"],
        ["t", "0.25", "-"],
    ]


def test_ratios_are_of_medians():
    calls = [
        *(call("grabcut", s) for s in (1.0, 2.0, 9.0)),
        *(call("fast", s, score=q) for s, q in ((1.0, 0.2), (1.0, 0.4), (8.0, 0.6))),
        *(call("update", s, fit=s / 2) for s in (0.8, 0.4, 1.0)),
        call("paper", 8.0),
        call("best", 80.0),
    ]
    rows = interleaved.summary(calls)
    assert [(r["method"], r["images"]) for r in rows] == [
        ("grabcut", 3),
        ("fast", 3),
        ("update", 3),
        ("paper", 1),
        ("best", 1),
    ]
    assert rows[1]["score"] == pytest.approx(0.4)
    assert [r["to_grabcut"] for r in rows] == [1.0, 0.5, 0.4, 4.0, 40.0]
    grabcut, *ours = interleaved.checks(calls)
    assert (grabcut.value, grabcut.verdict) == (2.0, "")
    assert [c.verdict for c in ours[::2]] == ["pass", "FAIL", "pass", ""]
    assert [c.value for c in ours[1::2]] == [c.value for c in ours[::2]]  # processor time
    assert not any(c.verdict for c in ours[1::2])
    assert interleaved.stage_medians(calls) == {"update": {"fit": 0.4}}


def test_two_classes_are_those_with_most_strokes():
    strokes = np.full((4, 6), 255, np.uint8)
    strokes[0], strokes[1, :2], strokes[2, :4] = 7, 3, 5
    few = classes.two_most_stroked(strokes)
    assert np.unique(few).tolist() == [5, 7, 255]
    np.testing.assert_array_equal(few == 255, (strokes == 255) | (strokes == 3))


def test_ratios_of_many_classes_to_two_leave_out_images_with_two(monkeypatch):
    timed = []

    class Segmenter:
        def __init__(self, *_, **__):
            pass

        def prepare(self, _):
            return self

        def update(self, strokes):
            timed.append(("update", len(np.unique(strokes)) - 1))

    def segment(_, strokes, **__):
        timed.append(("fast", len(np.unique(strokes)) - 1))

    monkeypatch.setattr(classes, "ScribbleSegmenter", Segmenter)
    monkeypatch.setattr(classes, "segment", segment)
    image = np.zeros((4, 6, 3), np.uint8)
    strokes = np.full((4, 6), 255, np.uint8)
    strokes[0], strokes[1] = 0, 1
    more = strokes.copy()
    more[2, :3] = 2
    pairs = [Pair("two", image, strokes, strokes), Pair("three", image, more, more)]
    ratios = classes.time_ratios(pairs, rounds=1)
    assert {kind: len(of) for kind, of in ratios.items()} == {"fast": 1, "update": 1}
    assert timed == [("fast", 2), ("fast", 3)] * 2 + [("update", 2), ("update", 3)] * 2


def test_a_ratio_above_two_fails():
    found = classes.checks({"fast": np.array([1.0, 1.5, 9.0]), "update": np.array([2.5])})
    assert [(c.value, c.verdict) for c in found] == [(1.5, "pass"), (2.5, "FAIL")]
    assert classes.checks({"fast": np.array([])}) == []


def test_nothing_timed_gives_empty_tables():
    assert interleaved.summary([]) == []
    assert interleaved.stage_medians([]) == {}
    assert interleaved.csv_rows([]) == []


def test_the_stroke_taken_away_is_the_largest_that_leaves_its_class_another():
    strokes = np.full((9, 12), 255, np.uint8)
    strokes[4, 2:12] = 1  # the largest of all, and the only one of its class
    strokes[0, 0:3] = 0
    strokes[1, 3:6] = 0  # touches the former over a corner
    strokes[8, 0:5] = 0
    before = interleaved.without_one_stroke(strokes)
    expected = strokes.copy()
    expected[0:2] = 255
    np.testing.assert_array_equal(before, expected)
    assert strokes[0, 0] == 0  # the caller's array stays


def test_where_no_class_has_two_strokes_half_of_the_largest_goes():
    strokes = np.full((9, 3), 255, np.uint8)
    strokes[0:5, 0] = 1
    strokes[0:2, 2] = 0
    before = interleaved.without_one_stroke(strokes)
    assert (before[0:3, 0] == 1).all()
    assert (before[3:5, 0] == 255).all()
    assert (before[0:2, 2] == 0).all()


def test_starts_that_a_batch_pays(monkeypatch, root):
    """Single calls 3 s each, the start 2 s of them; a folder of five with one start takes 7 s."""
    commands = []

    def timed(command, folder, code=None):
        commands.append(command)
        image = command[command.index("segment") + 1]
        return 7.0 if image.endswith("images") else 2.0 if image.endswith("5.png") else 3.0

    monkeypatch.setattr(processes, "_timed", timed)
    found = {c.name: c for c in processes.batch(load_pairs(root, "thin"))}
    assert len(commands) == 5 + 2 + 1
    assert found["starts paid by the folder"].value == pytest.approx(1.0)
    assert found["starts paid by the folder"].verdict == "pass"


def test_start_up_asks_for_what_needs_no_network(monkeypatch):
    seen = []
    monkeypatch.setattr(processes, "ROUNDS", 3)
    monkeypatch.setattr(
        processes, "_timed", lambda command, folder: seen.append(command) or float(len(seen))
    )
    found = processes.start_up()
    assert [c.value for c in found] == [5, 6, 7, 8]  # each the middle of three turns
    assert all(c.bound == 0.3 for c in found)


def test_a_process_that_fails_is_an_error(tmp_path):
    with pytest.raises(subprocess.CalledProcessError):
        processes._timed(processes._saccade("segment", "no", "no", "-o", "o"), tmp_path, code=0)
    assert processes._timed(processes._saccade("--version"), tmp_path, code=0) > 0


def test_memory_is_asked_for_at_the_sizes_with_a_bound(monkeypatch, picture):
    seen = []

    def peaks(pair, preset, threads):
        seen.append((pair.image.shape, len(np.unique(pair.strokes)) - 1, preset))
        return int(3e8), int(8e8)

    monkeypatch.setattr(processes, "_peaks", peaks)
    found = processes.memory(Pair("x", *picture), 1)
    small, large = (375, 500, 3), (4000, 6000, 3)
    assert seen == [
        *((small, 2, preset) for preset in ("fast", "best", "paper")),
        (large, 2, "fast"),
        (large, 11, "fast"),
    ]
    assert [c.value for c in found] == [500, 500, 500, 800, 800]
    assert [c.verdict for c in found] == ["FAIL", "FAIL", "FAIL", "pass", ""]


def test_resized_by_two_makes_blocks_of_strokes_and_truth(picture):
    pair = resized(Pair("x", *picture), (80, 104))
    assert pair.image.shape == (80, 104, 3)
    for found, small in ((pair.strokes, picture[1]), (pair.truth, picture[2])):
        np.testing.assert_array_equal(found, np.kron(small, np.ones((2, 2), np.uint8)))


@pytest.mark.parametrize("arguments", [("--skip", "tea"), ("--limit", "0")])
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit):
        performance.main(["root", *arguments])
    assert (
        capsys.readouterr()
        .err.splitlines()[-1]
        .startswith("python -m benchmarks.performance: error: ")
    )


def test_a_missing_root_is_one_line(tmp_path, capsys):
    assert performance.main([str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
