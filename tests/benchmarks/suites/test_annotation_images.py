"""A folder, an annotator who draws where a model says, and one who draws anywhere."""

import json

import pytest

from benchmarks.suites.annotation_images import Round, compare, main
from tests.benchmarks.suites.test_kinds import roads


@pytest.fixture
def root(tmp_path, monkeypatch):
    return roads(tmp_path, monkeypatch, images=4, stroked=(0, 1))


def test_a_session_draws_one_stroke_a_round_on_images_without_any(root, tmp_path):
    out = tmp_path / "out"
    command = f"{root} --kinds roads --rounds 2 --policies suggest,random --csv --out {out}"
    assert main(command.split()) == 0
    [path] = out.rglob("annotation_images.json")
    [lines] = out.rglob("annotation_images.csv")
    rounds = lines.read_text("utf-8").splitlines()[1:]
    assert len(rounds) == 2 * 3
    images = [line.split(",")[4] for line in rounds]
    assert sorted(images[1:3]) == ["2", "3"]
    written = json.loads(path.read_text("utf-8"))
    assert [row["policy"] for row in written["table"]] == ["suggest", "random"]
    assert 0.5 < written["enough"]["roads"] <= 1


def session(policy, kind, scores):
    return [Round(kind, policy, 0, n, "x", score) for n, score in enumerate(scores)]


def test_strokes_are_counted_until_the_score_is_enough():
    done = session("suggest", "a", [0.1, 0.6, 0.7]) + session("random", "a", [0.1, 0.2, 0.6])
    done += session("suggest", "b", [0.1, 0.2, 0.6]) + session("random", "b", [0.1, 0.2, 0.3])
    suggest, random = compare(done, {"a": 0.6, "b": 0.6}, 2)
    assert (suggest.strokes, suggest.reached) == (1.5, 1.0)
    assert (random.strokes, random.reached) == (2.5, 0.5)  # never: one more than the rounds
    assert suggest.fewer[0] == 1.0
    assert suggest.last[0] == pytest.approx(0.2)
    assert suggest.fewer[1] <= 1.0 <= suggest.fewer[2]
