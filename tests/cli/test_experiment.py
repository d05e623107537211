import numpy as np
import pytest
from PIL import Image

from saccade.errors import InputError
from saccade.experiments.engine.rows import Row
from saccade.experiments.gdc import measure as measuring
from saccade.experiments.names import EXPERIMENTS
from tests.helpers import run_python


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

    def measure(task, preset, features):
        tasks.append(task)
        return Row(task.key, np.array([[9, 1], [0, 10]], np.int32), 0.5)

    monkeypatch.setattr(measuring, "measure", measure)
    return tasks


def check(result, *parts):
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    for part in parts:
        assert part in line


def test_list_names_every_experiment_with_its_kind(saccade_cli):
    result = saccade_cli("experiment", "list")
    assert result.exit_code == 0
    listed = [tuple(line.split()[:2]) for line in result.stdout.splitlines()]
    assert listed == [(name, one.kind) for name, one in EXPERIMENTS.items()]


def test_the_old_list_still_works_and_names_the_new(saccade_cli):
    result = saccade_cli("experiment", "--list")
    assert result.stdout == saccade_cli("experiment", "list").stdout
    assert "saccade experiment list" in result.stderr


def test_the_old_form_still_works_and_names_the_new(saccade_cli, data, measured, tmp_path):
    options = ("--data", data, "--sets", "thin", "-o", tmp_path / "out")
    for arguments in (("gdc-table4", *options), (*options, "gdc-table4")):
        result = saccade_cli("experiment", *arguments)
        assert result.exit_code == 0
        assert "saccade experiment table gdc-table4" in result.stderr
    assert (tmp_path / "out/gdc-table4.md").is_file()


def test_the_old_seeds_of_a_figure_still_work(saccade_cli, data, tmp_path):
    pytest.importorskip("matplotlib")
    options = ("--image", data / "iseg/images/a.png", "-o", tmp_path / "out", "--seeds", "3")
    result = saccade_cli("experiment", "gdc-figure10", *options)
    assert "--seeds is now --seed" in result.stderr
    assert '"seed": 3' in (tmp_path / "out/gdc-figure10.json").read_text()


def test_an_unknown_name_tells_near_ones(saccade_cli, tmp_path):
    for form in (("gdc-table9",), ("table", "gdc-table9")):
        result = saccade_cli("experiment", *form, "-o", tmp_path / "out")
        check(result, "'gdc-table9' is unknown", "gdc-table7", "saccade experiment list")
        assert not (tmp_path / "out").exists()


def test_a_name_of_another_kind_is_refused(saccade_cli, tmp_path):
    result = saccade_cli("experiment", "figure", "gdc-table1", "-o", tmp_path / "out")
    check(result, "gdc-table1 is run by: saccade experiment table gdc-table1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("table", "gdc-table1", "--schedule", "smoke"), "only to gdc-figure7, gdc-figure8"),
        (("figure", "gdc-figure10", "--limit", "2"), "only to gdc-figure11"),
        (("figure", "mdc-figure5", "--image=x.png"), "only to gdc-figure10, gdc-figure11"),
        (("network", "gdc-table5", "--cityscapes", "c"), "only to gdc-table6"),
        (("network", "dsnet-table1", "--jobs", "2"), "--jobs does not apply to dsnet-table1"),
        (("network", "mdc-table1", "--scribbles", "s"), "only to gdc-table2"),
        (("gdc-figure10", "--jobs", "2"), "--jobs does not apply to gdc-figure10"),
    ],
)
def test_an_option_without_use_is_refused(saccade_cli, tmp_path, arguments, message):
    result = saccade_cli("experiment", *arguments, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert message in result.stderr.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_common_options_apply_to_all_in_their_long_form(saccade_cli, data, measured, tmp_path):
    options = ("--data", data, "--sets", "thin", "--quiet", "--output", tmp_path / "out")
    assert saccade_cli("experiment", "table", "gdc-table1", *options).exit_code == 0
    assert saccade_cli("experiment", "table", "gdc-table1", "--help").exit_code == 0
    assert saccade_cli("experiment", "table", "gdc-table1", "--no-such", "1").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("table", "gdc-table1", "--data", "d", "--voc", "v"), "give --data, or --voc"),
        (("table", "gdc-table1", "--voc", "v", "--sets", "thin"), "--sets goes with --data"),
        (("table", "gdc-table1", "--data", "d", "--scribbles", "s"), "--scribbles goes with"),
        (("figure", "gdc-figure11", "--data", "d", "--truth", "t"), "go with --image"),
        (("figure", "gdc-figure10", "--data", "d", "--image", "i"), "without --data"),
        (("network", "gdc-table5", "--data", "d", "--voc", "v"), "give --data or --voc"),
        (("network", "mdc-table1", "--data", "d", "--saliency", "s"), "--saliency goes with --voc"),
        (("network", "gdc-table2", "--data", "d", "--scribbles", "s"), "--scribbles goes with"),
    ],
)
def test_options_that_exclude_each_other_are_refused(saccade_cli, tmp_path, arguments, message):
    check(saccade_cli("experiment", *arguments, "-o", tmp_path / "out"), message)
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
def test_missing_data_is_reported_before_any_work(saccade_cli, tmp_path, options, message):
    check(
        saccade_cli("experiment", "table", "gdc-table1", "-o", tmp_path / "out", *options), message
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--seeds", "0,x"), "'0,x' is no list"),
        (("--seeds", "1,1"), "'1,1' is no list"),
        (("--limit", "0"), "--limit"),
        (("--jobs", "-1"), "--jobs"),
    ],
)
def test_bad_usage_is_code_2(saccade_cli, tmp_path, options, message):
    result = saccade_cli("experiment", "table", "gdc-table1", "-o", tmp_path, *options)
    assert result.exit_code == 2
    assert message in result.stderr


def test_an_output_that_is_a_file_is_refused(saccade_cli, data, tmp_path):
    (tmp_path / "out").write_text("in the way")
    options = ("--data", data, "--sets", "thin", "-o", tmp_path / "out")
    check(saccade_cli("experiment", "table", "gdc-table4", *options), "is a file")


def test_a_table_is_measured_once_and_written_in_every_format(
    saccade_cli, data, measured, tmp_path
):
    options = ("--data", data, "--sets", "thin", "--seeds", "0,1", "-o", tmp_path / "out")
    result = saccade_cli("experiment", "table", "gdc-table4", *options)
    assert result.exit_code == 0
    assert len(measured) == 2 * 3 * 2
    assert "| gdc sigma 0.3 |" in result.stdout
    for suffix in ("csv", "json", "md"):
        assert (tmp_path / f"out/gdc-table4.{suffix}").is_file()
    saccade_cli("experiment", "table", "gdc-table4", *options)
    assert len(measured) == 12  # all was there


def test_an_interrupted_table_says_how_to_go_on(saccade_cli, data, monkeypatch, tmp_path):
    def stop(task, preset, features):
        raise KeyboardInterrupt

    monkeypatch.setattr(measuring, "measure", stop)
    options = ("--data", data, "--sets", "thin", "-o", tmp_path / "out")
    result = saccade_cli("experiment", "table", "gdc-table1", *options)
    assert result.exit_code == 130
    assert "interrupted: 0 of 12 done; the same command goes on" in result.stderr
    assert "No image is finished" in result.stdout


def test_an_image_that_fails_gives_code_1(saccade_cli, data, monkeypatch, tmp_path):
    def fail(task, preset, features):
        raise InputError(f"{task.sample.stem}: broken")

    monkeypatch.setattr(measuring, "measure", fail)
    options = ("--data", data, "--sets", "thin", "--limit", "1", "-o", tmp_path / "out")
    result = saccade_cli("experiment", "table", "gdc-table1", *options)
    assert result.exit_code == 1
    assert "a: broken" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "needs --data, or --image"),
        (("--image", "x.png"), "needs --strokes and --truth beside --image"),
        (("--image", "x.png", "--strokes", "s", "--truth", "t"), "x.png: no such file"),
    ],
)
def test_a_figure_without_input_is_refused(saccade_cli, tmp_path, options, message):
    check(
        saccade_cli("experiment", "figure", "gdc-figure11", "-o", tmp_path / "out", *options),
        message,
    )


def test_without_matplotlib_a_figure_names_it(saccade_cli, tmp_path, monkeypatch):
    monkeypatch.setattr("saccade.cli.experiment_data.find_spec", lambda name: None)
    result = saccade_cli("experiment", "figure", "gdc-figure10", "-o", tmp_path / "out")
    check(result, "matplotlib is not installed", "saccade[experiments]")


def test_figure10_is_drawn(saccade_cli, data, tmp_path):
    pytest.importorskip("matplotlib")
    options = ("--image", data / "iseg/images/a.png", "-o", tmp_path / "out")
    result = saccade_cli("experiment", "figure", "gdc-figure10", *options)
    assert result.exit_code == 0
    assert (tmp_path / "out/gdc-figure10.png").is_file()


def test_refusing_imports_no_pytorch():
    code = (
        "import sys; from typer.testing import CliRunner; from saccade.cli.app import app; "
        "command = 'experiment table gdc-table1 -o x --data nowhere'.split(); "
        "CliRunner().invoke(app, command); "
        "sys.exit('torch' in sys.modules)"
    )
    run_python("-c", code)
