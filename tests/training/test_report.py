"""What a run leaves for people: curves, confusions, and a page with its best and worst."""

import re

import numpy as np
import pytest
from PIL import Image

from saccade.data.specs import LabelSpec
from saccade.training.curves import draw_curves, read_run
from saccade.training.loop import train
from saccade.training.report import painted, write_report

pytest.importorskip("matplotlib", reason="matplotlib is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def run(config, tmp_path):
    train(config, tmp_path / "run")
    return tmp_path / "run"


def test_a_page_says_what_was_learned(config, run):
    written = write_report(run, config, remarks=["two images are <odd>"])
    assert {"report.html", "curves.png", "confusion.png", "scores.csv"} <= {p.name for p in written}
    page = (run / "report.html").read_text()
    assert "two images are &lt;odd&gt;" in page
    assert all(name in page for name in ("ground", "red", "green", "mIoU"))
    assert len(re.findall("image, mask and prediction", page)) == 2  # of three: one worst, one best
    # Nothing is fetched from anywhere.
    assert "http" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", page)
    assert len(page) < 1_000_000
    with Image.open(run / "curves.png") as picture:
        assert picture.width > 800


def test_worst_and_best_are_told_apart(config, run):
    page = (write_report(run, config)[-1]).read_text()
    scores = [float(s) for s in re.findall(r"mIoU ([\d.]+) % of this image", page)]
    assert scores == sorted(scores)
    assert len(scores) == 2


def test_losses_go_on_where_a_run_goes_on(settings, config, tmp_path):
    from pathlib import Path

    from saccade.training.config import config_of
    from tests.training.helpers import changed

    train(config, tmp_path / "run")
    longer = config_of(changed(settings, optim={"epochs": 10}), Path("."))
    train(longer, tmp_path / "run")
    steps = [step for step, _, _ in read_run(tmp_path / "run").losses]
    assert steps == [4, 10, 20]


def test_a_run_without_held_out_images_has_curves_too(settings, tmp_path):
    from pathlib import Path

    from saccade.training.config import config_of
    from tests.training.helpers import changed

    config = config_of(changed(settings, data={"val": ""}), Path("."))
    train(config, tmp_path / "run")
    page = write_report(tmp_path / "run", config)[-1].read_text()
    assert "Worst predictions" not in page
    assert (tmp_path / "run/curves.png").is_file()


def test_curves_of_a_run_that_has_just_begun(tmp_path):
    assert draw_curves(tmp_path / "curves.png", read_run(tmp_path))


def test_pixels_without_a_class_are_grey():
    spec = LabelSpec(("sky", "sea"), ((0, 0, 255), (0, 255, 0)))
    image = np.full((1, 2, 3), (90, 0, 0), np.uint8)
    assert painted(image, np.array([[255, 1]], np.uint8), spec).tolist() == [
        [[30, 30, 30], [9, 187, 9]]
    ]
