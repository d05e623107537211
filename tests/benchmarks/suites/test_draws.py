import json

import pytest

from benchmarks.harness.datasets import Pair
from benchmarks.suites import draws
from benchmarks.suites.draws import Line


def test_an_image_is_measured_at_each_count(picture):
    lines = draws.measure(Pair("disc", *picture), (2, 8), singles=8, repeats=4)
    assert [(line.image, line.draws) for line in lines] == [("disc", 2), ("disc", 8)]
    for line in lines:
        assert line.variance > 0
        assert line.equals == pytest.approx(line.independent / line.variance)
    assert lines[1].variance < lines[0].variance


def test_the_summary_has_the_mean_the_least_and_the_most():
    lines = [
        Line("a", 24, 0.1, 5.0, 50.0, 0.0, 7.0, 20.0),
        Line("b", 24, 0.1, 7.0, 70.0, 0.0, 9.0, 22.0),
    ]
    text = draws.summary(lines)
    assert "60.0    50.0    70.0        8.0" in text
    assert "21.0 ms" in text


def test_results_are_written(root, tmp_path, capsys):
    arguments = [str(root), "--counts", "2", "--singles", "3", "--repeats", "2"]
    assert draws.main([*arguments, "--out", str(tmp_path / "out")]) == 0
    assert "written" in capsys.readouterr().out
    (found,) = (tmp_path / "out").glob("*/draws.json")
    assert len(json.loads(found.read_text())["table"]) == 1


@pytest.mark.parametrize("counts", ["", "x"])
def test_wrong_counts_are_refused(root, counts):
    with pytest.raises(SystemExit):
        draws.main([str(root), "--counts", counts])
