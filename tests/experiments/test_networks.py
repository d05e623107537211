"""One run of everything that trains, on a made-up CamVid."""

import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from saccade.cli.app import app
from saccade.errors import InputError
from saccade.experiments.engine.labels import make_labels
from saccade.experiments.engine.run_networks import count_runs, run_networks
from saccade.experiments.mdc.figure5 import run_figure5
from saccade.experiments.names import check_options
from saccade.experiments.networks import LABEL_SOURCES, NETWORK_TABLES, WEAK_LABELS

pytestmark = pytest.mark.filterwarnings("ignore")


def test_cited_rows_are_not_counted():
    assert count_runs(NETWORK_TABLES["gdc-table2"], [0, 1]) == 12  # four rows are cited


@pytest.mark.slow
def test_every_kind_of_labels_trains_a_network(plan, tmp_path):
    reported = []

    def run(table):
        return run_networks(
            table,
            plan,
            tmp_path,
            seeds=[0],
            progress=lambda n, text: reported.append(text),
            sources=LABEL_SOURCES,
        )

    done = run(WEAK_LABELS)
    assert not done.interruption
    assert not done.failed
    assert {p.name for p in (tmp_path / "labels").iterdir()} >= {
        "strokes",
        "pseudo-strokes",
        "maps-fusion",
        "classifier-1-3-6-9",
        "tiles",
    }
    rows = json.loads((tmp_path / "weak-labels.json").read_text())["rows"]
    assert [row["label"] for row in rows] == list(WEAK_LABELS.rows)
    assert "| image labels (MDC)" in done.text
    strokes = np.asarray(Image.open(tmp_path / "labels/strokes/train0.png"))
    pseudo = np.asarray(Image.open(tmp_path / "labels/pseudo-strokes/train0.png"))
    assert (strokes != 255).sum() < 0.5 * (pseudo != 255).sum()
    # The paper's table shares the network from image labels and evaluates it with a CRF.
    reported.clear()
    table1 = run(NETWORK_TABLES["mdc-table1"])
    assert not any("epoch" in text for text in reported)
    assert "| SEC (image labels)" in table1.text
    # And so does the figure, which needs the classifier alone.
    figure = run_figure5(plan, tmp_path, progress=lambda *_: None, rows=3)
    assert all(path.is_file() for path in figure.files)
    assert "| fusion" in figure.text


def test_unknown_labels_are_refused(plan, tmp_path):
    with pytest.raises(InputError, match="expected one of strokes"):
        make_labels(["dreams"], LABEL_SOURCES, plan, tmp_path, lambda *_: None)


def test_weights_that_are_no_file_are_refused_before_anything_begins(camvid, tmp_path):
    out = tmp_path / "out"
    done = run("network", "gdc-table5", "--data", camvid.parent, "--weights", "x.pth", "-o", out)
    assert done.exit_code == 1
    assert "x.pth: no such file" in done.output + done.stderr
    assert not out.exists()
    with pytest.raises(InputError, match="--features does not apply to gdc-table5, only to"):
        check_options("gdc-table5", ["features"])


def run(*arguments):
    arguments = ["experiment", *map(str, arguments)]
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


@pytest.mark.slow
def test_the_command_line_trains_and_draws(camvid, tmp_path):
    options = ("--data", camvid.parent, "--schedule", "smoke", "--device", "cpu")
    done = run("figure", "mdc-figure5", *options, "-o", tmp_path)
    assert done.exit_code == 0, done.output
    assert "mobilenet_v2, weights none, schedule `smoke`" in done.output
    assert (tmp_path / "mdc-figure5.jpg").is_file()
    done = run("network", "gdc-table2", "--voc", camvid, "-o", tmp_path / "x", "--device", "cpu")
    assert done.exit_code == 1
    assert "gdc-table2 needs --scribbles" in done.output + done.stderr
    done = run("network", "gdc-table3", "-o", tmp_path / "x")
    assert "gdc-table3 needs --context, or --data with camvid/ in it" in done.output + done.stderr
