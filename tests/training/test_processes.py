"""Several processes evaluate the network that the first of them saves."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade.evaluation.inference import Protocol
from saccade.models.checkpoint import load_checkpoint
from saccade.training.config import config_of
from saccade.training.evaluate import evaluate
from saccade.training.inputs import open_sets
from tests.helpers import run_python
from tests.training.helpers import SCRIPT, TWO_PROCESSES, changed, toml

pytestmark = pytest.mark.filterwarnings("ignore")


def _repaint(data):
    """The same three areas in all images, which a network finds in some steps."""
    labels = np.zeros((40, 48), np.uint8)
    labels[:, 16:], labels[20:, 24:] = 1, 2
    colors = np.stack([labels * 100, 255 - labels * 90, labels * 30], 2).astype(int)
    draw = np.random.default_rng(0)
    for path in sorted((data / "images").glob("*/*.png")):
        noisy = colors + draw.integers(0, 30, colors.shape)
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(path)
        Image.fromarray(labels).save(data / "masks" / path.parent.name / path.name)


@pytest.mark.slow
@pytest.mark.parametrize("ema", [0.0, 0.2])
def test_two_processes_report_the_scores_of_the_saved_checkpoint(settings, data, tmp_path, ema):
    _repaint(data)
    settings = changed(settings, network={"width": 16}, optim={"epochs": 4, "ema": ema})
    path = tmp_path / "train.toml"
    path.write_text(toml(settings))
    run_python(*TWO_PROCESSES, SCRIPT, path, tmp_path / "run")
    history = json.loads((tmp_path / "run/history.json").read_text())
    _, val = open_sets(config_of(settings, Path(".")).data)
    scores = {
        name: evaluate(load_checkpoint(tmp_path / f"run/{name}.safetensors").net, val, Protocol())
        for name in ("last", "best")
    }
    assert len({entry["miou"] for entry in history}) > 1
    assert scores["last"].miou == history[-1]["miou"]
    assert scores["last"].accuracy == history[-1]["accuracy"]
    assert scores["best"].miou == max(entry["miou"] for entry in history)
