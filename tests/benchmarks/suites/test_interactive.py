import csv
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.harness.datasets import load_pairs
from benchmarks.peers import methods
from benchmarks.peers.methods import Method
from benchmarks.suites.interactive import __main__ as interactive
from benchmarks.suites.interactive import summary
from benchmarks.suites.interactive.measure import measure
from saccade.errors import InputError

ROOT = Path(__file__).parents[3]


def run_script(*arguments):
    command = [sys.executable, "-W", "error", "-m", "benchmarks.interactive"]
    command += map(str, arguments)
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def constant(value, name="constant", **options):
    return Method(name, lambda image, strokes, seed: np.full(strokes.shape, value), **options)


def perfect(pairs):
    """A method that knows the truth of the pairs."""
    truths = {pair.image.tobytes(): pair.truth for pair in pairs}
    return Method(
        "perfect", lambda image, strokes, seed: np.where(truths[image.tobytes()] == 1, 1, 0)
    )


def test_end_to_end(root, tmp_path):
    out = tmp_path / "results"
    arguments = (
        "--sets",
        "thin,camvid",
        "--methods",
        "geodesic,nearest",
        "--out",
        out,
        "--csv",
        "--sheet",
    )
    done = run_script(root, *arguments)
    assert done.returncode == 0, done.stderr
    assert "[thin 2/2] b: geodesic" in done.stderr
    (csv_file,) = out.glob("*/interactive.csv")
    with csv_file.open() as file:
        lines = list(csv.DictReader(file))
    assert {(x["set"], x["image"], x["method"]) for x in lines} == {
        *(("thin", i, m) for i in "ab" for m in ("geodesic", "nearest")),
        *(("camvid", "f2", m) for m in ("geodesic", "nearest")),
    }
    content = json.loads(csv_file.with_suffix(".json").read_text())
    assert content["run"]["threads"] == 1
    assert content["run"]["cpu_count"] >= 1
    assert str(root) not in csv_file.with_suffix(".json").read_text()
    for row in content["table"]:
        if row["set"] == "thin":  # the table is the mean of the file
            scores = [
                float(x["score"])
                for x in lines
                if (x["set"], x["method"]) == ("thin", row["method"])
            ]
            assert row["score"] == pytest.approx(np.mean(scores), abs=1e-5)
            assert f"{row['score']:.3f}" in done.stdout
    sheets = sorted(out.glob("*/*.png"))
    assert [s.stem.rsplit("-", 1)[1] for s in sheets] == ["camvid", "thin"]
    with Image.open(sheets[1]) as sheet:
        assert sheet.size[0] > 5 * 300  # five columns
        assert sheet.size[1] > 2 * 230  # two rows


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--methods", "magic"), "method 'magic' is unknown"),
        (("--methods", "saccade:paper+magic"), "variant 'magic' is unknown"),
        (("--sets", "thick", "--methods", "nearest"), "set 'thick' is unknown"),
        (("--sets", "dense", "--methods", "nearest"), "scribbles_dense"),
    ],
)
def test_errors_are_one_line(root, capsys, arguments, message):
    assert interactive.main([str(root), *arguments]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1


def test_default_methods_are_known():
    names = interactive.build_parser().parse_args(["root"]).methods
    assert names[0] == "saccade:fast"
    assert [methods.resolve(n).name for n in names] == [n.split("@")[0] for n in names]


def test_first_call_is_not_counted(root):
    pairs = load_pairs(root, "thin")
    calls = []

    def run(image, strokes, seed):
        calls.append(seed)
        return np.zeros(strokes.shape, int)

    measured = measure("thin", pairs, [Method("m", run, seeded=True)], (4, 5), warm=set())
    assert calls == [4, 4, 5, 4, 5]
    assert [(r.image, r.seed) for r in measured.records] == [("a", 4), ("a", 5), ("b", 4), ("b", 5)]


def test_method_without_draws_runs_once_per_image(root):
    measured = measure("thin", load_pairs(root, "thin"), [constant(0)], (1, 2), warm={"constant"})
    assert len(measured.records) == 2


def test_failure_drops_the_method_and_keeps_the_rest(root):
    pairs = load_pairs(root, "thin")

    def breaks_on_b(image, strokes, seed):
        if (image == pairs[1].image).all():
            raise RuntimeError("boom")
        return np.zeros(strokes.shape, int)

    broken = Method("broken", breaks_on_b)
    measured = measure("thin", pairs, [broken, constant(0)], (0,), warm=set(), keep_labels=True)
    assert measured.failed
    assert measured.notes == ["thin: broken failed on b, RuntimeError: boom"]
    assert set(measured.matrices) == set(measured.labels) == {"constant"}
    assert {r.method for r in measured.records} == {"constant"}


def test_what_cannot_run_is_skipped_with_a_note(root):
    pairs = load_pairs(root, "camvid")
    two = constant(0, "two", two_classes=True)
    absent = constant(0, "absent", needs=("no_such_module_here",))
    measured = measure("camvid", pairs, [two, absent, constant(0)], (0,), warm=set())
    assert measured.notes == [
        "camvid: two skipped, two classes only",
        "camvid: absent skipped, no_such_module_here is not installed",
    ]
    assert list(measured.matrices) == ["constant"]
    assert not measured.failed


def test_result_outside_the_classes_is_a_failure(root):
    measured = measure("thin", load_pairs(root, "thin"), [constant(255)], (0,), warm=set())
    assert measured.failed
    assert "prediction holds class 255" in measured.notes[0]


def matrices(*scores):
    """Two-class matrices whose mean IoU is the given score: both classes have that IoU."""
    result = []
    for score in scores:
        wrong = round(1000 * (1 - score) / (1 + score))
        result.append(np.array([[1000 - wrong, wrong], [wrong, 1000 - wrong]]))
    return result


def test_rows_by_hand():
    ours, theirs = matrices(0.6, 0.8, 1.0), matrices(0.5, 0.6, 0.7)
    runs = {"ours": [ours], "grabcut": [theirs]}
    seconds = {"ours": [1.0, 2.0, 9.0], "grabcut": [4.0, 4.0, 5.0]}
    first, second = summary.summarize("thin", runs, seconds, "ours")
    assert first.score == pytest.approx(0.8, abs=1e-3)
    assert first.standard_error == pytest.approx(0.2 / np.sqrt(3), abs=1e-3)
    assert (first.difference, first.difference_error) == (0, 0)
    assert (first.seconds, first.to_grabcut) == (2.0, 0.5)
    assert math.isnan(first.seed_spread)
    assert second.difference == pytest.approx(-0.2, abs=1e-3)
    # paired: the differences are .1, .2, .3
    assert second.difference_error == pytest.approx(0.1 / np.sqrt(3), abs=1e-3)


def test_seeds_are_averaged_and_their_spread_reported():
    runs = {"ours": [matrices(0.6, 0.8), matrices(0.8, 1.0)]}
    (row,) = summary.summarize("thin", runs, {"ours": [1.0]}, "ours")
    assert row.score == pytest.approx(0.8, abs=1e-3)
    assert row.seed_spread == pytest.approx(np.std([0.7, 0.9], ddof=1), abs=1e-3)
    assert row.standard_error == pytest.approx(0.1, abs=1e-3)


def test_no_difference_where_the_first_method_did_not_run():
    runs = {"nearest": [matrices(0.5, 0.6)]}
    (row,) = summary.summarize("thin", runs, {"nearest": [1.0]}, "grabcut")
    assert math.isnan(row.difference)
    line = summary.table([row], "grabcut").splitlines()[2]
    assert line.split()[:4] == ["nearest", "thin", "2", "0.550"]
    assert "nan" not in line


def test_set_score_of_a_perfect_method(root):
    pairs = load_pairs(root, "thin")
    measured = measure("thin", pairs, [perfect(pairs)], (0,), warm=set())
    assert [r.score for r in measured.records] == [1.0, 1.0]


def test_a_method_can_be_kept_to_one_set():
    method = methods.resolve("saccade:paper+dilated6@thin")
    assert (method.name, method.only) == ("saccade:paper+dilated6", ("thin",))
    thin = measure("thin", [], [method, methods.resolve("nearest")], (0,), warm=set())
    full = measure("full", [], [method, methods.resolve("nearest")], (0,), warm=set())
    assert set(thin.matrices) == {"saccade:paper+dilated6", "nearest"}
    assert set(full.matrices) == {"nearest"}
    assert methods.resolve("nearest@thin/camvid").only == ("thin", "camvid")
    with pytest.raises(InputError, match="no set 'thick'"):
        methods.resolve("nearest@thin/thick")


def test_scores_of_an_earlier_run_stand_beside_the_new_ones(root, tmp_path):
    earlier = tmp_path / "earlier.json"
    earlier.write_text('{"table": [{"set": "thin", "method": "nearest", "score": 0.25}]}')
    out = tmp_path / "results"
    arguments = ("--sets", "thin", "--methods", "nearest,geodesic", "--out", out)
    done = run_script(root, *arguments, "--before", earlier)
    assert done.returncode == 0, done.stderr
    head, _, nearest, geodesic = (line.split() for line in done.stdout.splitlines()[:4])
    assert head[-2:] == ["before", "change"]
    assert nearest[-2] == "0.250"
    assert float(nearest[-1]) == pytest.approx(float(nearest[3]) - 0.25, abs=2e-3)
    assert geodesic[-2:] == ["-", "-"]


@pytest.mark.parametrize("text", ["", "[]", '{"table": [{}]}', '{"table": [{"set": 1}]}'])
def test_what_is_no_earlier_run_is_an_error(root, tmp_path, capsys, text):
    earlier = tmp_path / "earlier.json"
    earlier.write_text(text)
    arguments = ("--sets", "thin", "--methods", "nearest", "--before", str(earlier))
    assert interactive.main([str(root), *arguments, "--out", str(tmp_path)]) == 1
    assert "earlier.json: not the JSON file" in capsys.readouterr().err
