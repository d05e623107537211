import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from saccade.cli.app import app
from saccade.data.known import CAMVID
from saccade.data.sets import Example, LabeledSet
from saccade.errors import InputError
from saccade.experiments.engine import network_config
from saccade.experiments.engine.labels import make_labels
from saccade.experiments.engine.network_config import NetworkPlan, run_config
from saccade.experiments.mdc import map_labels
from saccade.experiments.mdc.figure5 import run_figure5
from saccade.experiments.mdc.map_labels import MAP_LABELS, classifier_config
from saccade.experiments.mdc.tables import TABLE4
from saccade.training.config import DataConfig
from tests.experiments.conftest import voc_tree

pytestmark = pytest.mark.filterwarnings("ignore")


def run_network(*arguments):
    arguments = ["experiment", "network", *map(str, arguments)]
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def labels(plan, folder, kind="maps-fusion"):
    folder = folder / "labels"
    return make_labels([kind], [MAP_LABELS], plan, folder, lambda *_: None)[kind]


def test_the_papers_run_is_largefov_as_in_its_recipe(monkeypatch, tmp_path):
    found = LabeledSet("VOC", tuple(Example(str(i), None, None) for i in range(10582)), CAMVID)
    monkeypatch.setattr(network_config, "open_sets", lambda data: (found, found))
    table = TABLE4
    plan = NetworkPlan(DataConfig("voc-aug", "x"), "paper", weights="imagenet")
    for label, count in (("strong 500", 500), ("strong 1K", 1000), ("strong 1.4K", 1464)):
        config = run_config(table, table.rows[label], plan, 0, tmp_path)
        assert (config.supervision.strong, config.supervision.online) == (count, 1.0)
    assert (config.network.network, config.network.backbone) == ("largefov", "vgg16")
    optim = config.optim
    assert (optim.epochs, optim.batch, optim.lr, optim.bias_lr) == (15, 30, 0.001, 2.0)
    assert optim.drop * optim.epochs == pytest.approx(6)
    assert config.augmentation.crop == (321, 321)
    paper = classifier_config(plan, (1, 3, 6, 9))
    assert (paper.network.backbone, paper.optim.epochs, paper.optim.batch) == ("vgg16", 15, 30)


def test_saliency_maps_of_another_size_are_found_first(tmp_path, monkeypatch):
    base = voc_tree(tmp_path)
    (tmp_path / "saliency").mkdir()
    for stem, width in (("a", 64), ("b", 63)):
        Image.fromarray(np.zeros((48, width), np.uint8)).save(tmp_path / f"saliency/{stem}.png")
    monkeypatch.setattr(map_labels, "train_classifier", lambda *_, **__: pytest.fail("trained"))
    options = ("--schedule", "smoke", "--device", "cpu", "--weights", "none", "--subset", "two")
    given = ("--voc", base, "--saliency", tmp_path / "saliency")
    done = run_network("mdc-table1", *given, *options, "-o", tmp_path / "out")
    assert done.exit_code == 1
    assert "b.png: 63 x 48 pixels (width x height), its image has 64 x 48" in done.stderr


@pytest.mark.slow
def test_labels_made_with_other_settings_are_refused(plan, tmp_path):
    def figure(plan):
        return run_figure5(plan, tmp_path, progress=lambda *_: None, rows=3)

    assert json.loads(figure(plan).files[2].read_text())["settings"]["optim"]["epochs"] == 1
    for other, what in (
        (replace(plan, schedule="reduced"), r"another optim\.batch"),
        (replace(plan, weights="some.pth"), "another weights"),
    ):
        with pytest.raises(InputError, match=what):
            figure(other)
        with pytest.raises(InputError, match=what):
            labels(other, tmp_path)
    home = labels(plan, tmp_path)
    settings = json.loads((home / "settings.json").read_text())
    (home / "settings.json").write_text(json.dumps({**settings, "share": 0.5}))
    with pytest.raises(InputError, match=r"maps-fusion: was made with another share"):
        labels(plan, tmp_path)


@pytest.mark.slow
def test_results_without_recorded_settings_are_resumed(plan, tmp_path, monkeypatch):
    home = labels(plan, tmp_path)
    classifier = tmp_path / "labels/classifier-1-3-6-9"
    (classifier / "settings.json").unlink()
    (classifier / "maps/classifier.json").unlink()
    settings = json.loads((home / "settings.json").read_text())
    del settings["saliency_folder"]
    (home / "settings.json").write_text(json.dumps(settings))
    monkeypatch.setattr(map_labels, "train_classifier", lambda *_, **__: pytest.fail("trained"))
    monkeypatch.setattr(map_labels, "label_from_maps", lambda *_, **__: pytest.fail("made"))
    other = replace(plan, schedule="reduced")  # nobody can tell
    assert labels(other, tmp_path) == home
    with pytest.raises(InputError, match="another backbone"):
        labels(replace(plan, backbone="resnet50"), tmp_path)
