"""The suite of stacks: what it measures, and a run on small ones."""

import json

import numpy as np
import pytest
from PIL import Image

from benchmarks.suites import stacks as suite


def test_made_stacks_are_found_by_who_knows_them():
    stack = suite.made_stack(8, 64)
    assert stack.values.dtype == np.uint16
    assert 0.02 < stack.truth.mean() < 0.9
    assert len(stack.strokes) == 3
    assert set(stack.strokes).isdisjoint(stack.scored)
    assert len(stack.strokes) + len(stack.scored) == 8
    for k, strokes in stack.strokes.items():
        drawn = strokes != suite.UNKNOWN
        assert (strokes == stack.truth[k])[drawn].all()


def test_only_scored_slices_count(monkeypatch):
    stack = suite.made_stack(6, 64)

    def perfect(given, preset, seed):
        masks = given.truth.astype(np.int32)
        for k in given.strokes:
            masks[k] = 1 - masks[k]
        return masks

    monkeypatch.setattr(suite, "segment_stack", perfect)
    found = suite.measured(stack, "stack", "fast", 0, 1)
    assert found["iou"] == 1
    assert found["peak_mb"] > 50
    monkeypatch.setattr(suite, "segment_stack", lambda given, *_: 1 - perfect(given, 0, 0))
    assert suite.measured(stack, "stack", "fast", 0, 1)["iou"] == 0


@pytest.mark.slow
def test_a_run_prints_and_writes_both_stacks(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("benchmarks.suites.kinds.data.seen_by_weights", lambda *_: frozenset())
    made = suite.made_stack(5, 64)
    for name, planes in (("images", made.values // 16), ("masks", made.truth)):
        folder = tmp_path / "fields" / "membranes" / name
        folder.mkdir(parents=True)
        for k, plane in enumerate(planes):
            Image.fromarray(plane.astype(np.uint8)).save(folder / f"{k}.png")
    (folder.parent / "scribbles").mkdir()
    for k in list(made.strokes)[:2]:
        Image.fromarray(made.strokes[k]).save(folder.parent / "scribbles" / f"{k}.png")
    arguments = [str(tmp_path), "--slices", "5", "--side", "64", "--out", str(tmp_path / "out")]
    assert suite.main(arguments) == 0
    assert capsys.readouterr().out.count("stack ") >= 2
    (path,) = (tmp_path / "out").glob("*/stacks.json")
    rows = json.loads(path.read_text())["rows"]
    assert [(row["stack"], row["method"]) for row in rows] == [
        (stack, method) for stack in suite.STACKS for method in suite.METHODS
    ]
    assert all(0 <= row["iou"] <= 1 and row["seconds_a_slice"] > 0 for row in rows)


def test_a_method_that_is_none_is_one_line(tmp_path, capsys):
    assert suite.main([str(tmp_path), "--methods", "magic"]) == 1
    assert capsys.readouterr().err == "error: magic: expected stack, model\n"
