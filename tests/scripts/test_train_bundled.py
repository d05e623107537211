"""The training script runs from photographs to a file that the package can read."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

SCRIPT = Path(__file__).parents[2] / "scripts" / "train_bundled"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two photographs of a coloured box, human segments, and two street scenes."""
    rng = np.random.default_rng(0)
    folders = {"bsds/train/images": "bsds/train/segments", "camvid/train": "camvid/trainannot"}
    for images, labels in folders.items():
        (tmp_path / images).mkdir(parents=True)
        (tmp_path / labels).mkdir(parents=True)
        for stem in ("a", "b"):
            truth = np.zeros((240, 330), np.uint8)
            truth[60:170, 90:230] = 1
            truth[:, 280:] = 2
            colours = np.array([[40, 90, 40], [200, 60, 50], [60, 60, 190]])[truth]
            picture = (colours + rng.integers(-20, 20, colours.shape)).clip(0, 255)
            Image.fromarray(picture.astype(np.uint8)).save(tmp_path / images / f"{stem}.png")
            Image.fromarray(truth).save(tmp_path / labels / f"{stem}.png")
    return tmp_path


def run(*arguments: object) -> None:
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr


def test_fit_evidence_pack(root: Path) -> None:
    common = ("--data", root, "--batch", 1, "--workers", 0, "--steps", 2, "--device", "cpu")
    fit, evidence, out = root / "fit.pt", root / "evidence.pt", root / "bundled.safetensors"
    run("fit", *common, "--out", fit)
    run("evidence", *common, "--start", fit, "--out", evidence)
    run("pack", "--data", root, "--start", evidence, "--out", out)
    from saccade.models import weights

    shipped = load_file(Path(weights.__file__).with_name("bundled.safetensors"))
    fresh = load_file(out)
    assert {k: v.shape for k, v in fresh.items()} == {k: v.shape for k, v in shipped.items()}
    assert any(np.any(fresh[k] != shipped[k]) for k in fresh)
    provenance = json.loads(out.with_suffix(".json").read_text())
    assert provenance["runs"]["fit"]["steps"] == 2
    assert provenance["runs"]["evidence"]["steps"] == 2
