"""Starts in turns: what is written, and what is refused."""

import json
from pathlib import Path

import pytest

from benchmarks.suites import starts


@pytest.mark.slow
def test_a_round_times_both_checkouts_and_compares_their_masks(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(starts, "IMPORTS", {"python alone": ""})
    root = str(Path(__file__).parents[3])
    command = ["--rounds", "1", "--against", root, "--out", str(tmp_path)]
    assert starts.main(command) == 0
    [file] = tmp_path.glob("*/starts.json")
    table = json.loads(file.read_text(encoding="utf-8"))["table"]
    assert [row["name"] for row in table] == [
        "saccade segment",
        "saccade segment, other checkout",
        "python alone",
    ]
    assert table[2]["processor"] < table[0]["processor"] <= table[0]["wall"] * 1.5
    assert "python alone" in capsys.readouterr().out


def test_no_checkout_is_one_line(tmp_path, capsys):
    assert starts.main(["--against", str(tmp_path), "--out", str(tmp_path)]) == 1
    assert "no src/saccade there" in capsys.readouterr().err


def test_ratios_are_those_of_the_same_round():
    rows = starts.as_rows({"a": [(1.0, 1.0), (4.0, 2.0), (2.0, 1.0)], "b": [(2.0, 1.0)] * 3})
    assert rows[1]["wall_ratio"] == pytest.approx(1.0)
    assert rows[0]["wall_least"] == 1.0
