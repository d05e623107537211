from pathlib import Path

import numpy as np

from benchmarks.suites.performance import __main__ as performance
from benchmarks.suites.performance import two_trees
from benchmarks.suites.performance.two_trees import Comparison

TREE = Path(__file__).parents[3]


def test_a_tree_against_itself_gives_the_same_masks(root, capsys):
    arguments = ["--against", str(TREE), "--presets", "fast", "--limit", "1", "--rounds", "1"]
    assert performance.main([str(root), *arguments]) == 0
    printed = capsys.readouterr().out
    assert "masks of fast are the same" in printed
    assert "masks of update are the same" in printed


def test_table_gives_median_interval_and_quartiles():
    ratios = np.array([0.9, 1.0, 1.0, 1.0, 1.2])
    clocks = {"seconds": ratios, "processor": ratios}
    lines = two_trees.table([Comparison("fast", clocks, ("a", "b"))]).splitlines()
    assert " ".join(lines[2].split()) == "fast seconds 5 1.000 0.900 .. 1.200 1.000 .. 1.000"
    assert lines[-1] == "masks of fast differ on a, b"


def test_what_is_no_checkout_is_an_error(root, tmp_path, capsys):
    arguments = [str(root), "--against", str(tmp_path), "--presets", "fast"]
    assert performance.main(arguments) == 1
    assert "no src/saccade there" in capsys.readouterr().err
