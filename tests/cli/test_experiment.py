import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from saccade.experiments import measure as measuring
from saccade.experiments.names import EXPERIMENTS
from saccade.experiments.rows import Row


@pytest.fixture
def data(tmp_path):
    """A root with the set thin: two images."""
    truth = np.zeros((12, 16), np.uint8)
    truth[:, 8:] = 1
    strokes = np.full(truth.shape, 255, np.uint8)
    strokes[5, 1:5], strokes[5, 11:15] = 0, 1
    for folder, array in (("images", truth), ("masks", truth), ("scribbles_thin", strokes)):
        (tmp_path / "iseg" / folder).mkdir(parents=True)
        for stem in "ab":
            Image.fromarray(array).save(tmp_path / "iseg" / folder / f"{stem}.png")
    return tmp_path


@pytest.fixture
def measured(monkeypatch):
    """Measurements that take no time; the tasks that were done."""
    tasks = []

    def run_task(task):
        tasks.append(task)
        return Row(task.key, np.array([[9, 1], [0, 10]], np.int32), 0.5)

    monkeypatch.setattr(measuring, "run_task", run_task)
    return tasks


def check(result, *parts):
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    for part in parts:
        assert part in line


def test_list(saccade_cli):
    result = saccade_cli("experiment", "--list")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(EXPERIMENTS)


def test_unknown_name(saccade_cli, tmp_path):
    result = saccade_cli("experiment", "gdc-table9", "-o", tmp_path / "out")
    check(result, "'gdc-table9' is unknown", *EXPERIMENTS)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "give --data, or --voc or --context with --scribbles"),
        (("--voc", "v"), "--voc needs --scribbles"),
        (("--context", "c"), "--context needs --scribbles"),
        (("--voc", "v", "--scribbles", "s"), "v: no folder JPEGImages"),
        (("--data", "nowhere"), "set 'thin': no folder"),
        (("--data", "nowhere", "--sets", "thick"), "set 'thick' is unknown"),
    ],
)
def test_missing_data_is_told_before_any_work(saccade_cli, tmp_path, options, message):
    check(saccade_cli("experiment", "gdc-table1", "-o", tmp_path / "out", *options), message)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--seeds", "0,x"), "'0,x' is no list"),
        (("--seeds", "1,1"), "'1,1' is no list"),
        (("--limit", "0"), "--limit"),
        (("--jobs", "0"), "--jobs"),
    ],
)
def test_bad_usage_is_code_2(saccade_cli, tmp_path, options, message):
    result = saccade_cli("experiment", "gdc-table1", "-o", tmp_path, *options)
    assert result.exit_code == 2
    assert message in result.stderr


def test_output_is_a_file(saccade_cli, data, tmp_path):
    (tmp_path / "out").write_text("in the way")
    options = ("--data", data, "--sets", "thin", "-o", tmp_path / "out")
    check(saccade_cli("experiment", "gdc-table4", *options), "is a file")


def test_table(saccade_cli, data, measured, tmp_path):
    options = ("--data", data, "--sets", "thin", "--seeds", "0,1", "-o", tmp_path / "out")
    result = saccade_cli("experiment", "gdc-table4", *options)
    assert result.exit_code == 0
    assert len(measured) == 2 * 3 * 2
    assert "| gdc sigma 0.3 |" in result.stdout
    for suffix in ("csv", "json", "md"):
        assert (tmp_path / f"out/gdc-table4.{suffix}").is_file()
    saccade_cli("experiment", "gdc-table4", *options)
    assert len(measured) == 12  # all was there


def test_interrupted(saccade_cli, data, monkeypatch, tmp_path):
    def stop(task):
        raise KeyboardInterrupt

    monkeypatch.setattr(measuring, "run_task", stop)
    options = ("--data", data, "--sets", "thin", "-o", tmp_path / "out")
    result = saccade_cli("experiment", "gdc-table1", *options)
    assert result.exit_code == 130
    assert "the same command goes on" in result.stderr
    assert "No image is finished" in result.stdout


def test_an_image_that_fails_gives_code_1(saccade_cli, data, monkeypatch, tmp_path):
    monkeypatch.setattr(measuring, "run_task", lambda task: f"{task.sample.stem}: broken")
    options = ("--data", data, "--sets", "thin", "--limit", "1", "-o", tmp_path / "out")
    result = saccade_cli("experiment", "gdc-table1", *options)
    assert result.exit_code == 1
    assert "a: broken" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "needs --data, or --image"),
        (("--image", "x.png"), "needs --strokes and --truth"),
        (("--image", "x.png", "--strokes", "s", "--truth", "t"), "x.png: no such file"),
    ],
)
def test_figure_without_input(saccade_cli, tmp_path, options, message):
    check(saccade_cli("experiment", "gdc-figure11", "-o", tmp_path / "out", *options), message)


def test_figure_without_matplotlib(saccade_cli, tmp_path, monkeypatch):
    monkeypatch.setattr("saccade.cli.experiment.find_spec", lambda name: None)
    result = saccade_cli("experiment", "gdc-figure10", "-o", tmp_path / "out")
    check(result, "matplotlib is not installed", "saccade[experiments]")


def test_figure10(saccade_cli, data, tmp_path):
    pytest.importorskip("matplotlib")
    options = ("--image", data / "iseg/images/a.png", "-o", tmp_path / "out")
    result = saccade_cli("experiment", "gdc-figure10", *options)
    assert result.exit_code == 0
    assert (tmp_path / "out/gdc-figure10.png").is_file()


def test_refusing_imports_no_pytorch():
    code = (
        "import sys; from typer.testing import CliRunner; from saccade.cli.app import app; "
        "CliRunner().invoke(app, ['experiment', 'gdc-table1', '-o', 'x', '--data', 'nowhere']); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
