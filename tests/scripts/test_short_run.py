"""A short run on a few real photographs improves on the weights it starts with."""

import json
import re
import shutil
from pathlib import Path

import pytest

from saccade.models.weights import load_bundle
from scripts.train_bundled.__main__ import main
from tests.scripts.small_recipes import FOLDERS, write_recipe

STAGES = """
[[stage]]
name = "fit"
kind = "fit"
seed = 0
steps = 4000
batch = 4
learning_rate = 0.003
pool = 500
shares = { binary = 0.7, segments = 0.1, street = 0.2 }

[[stage]]
name = "fusion"
kind = "fusion"
start = ["fit"]
seed = 4
steps = 4000
batch = 4
learning_rate = 0.003
average = 0.998
freeze_norm = 0.7
pool = 500
shares = { binary = 0.4, thing = 0.1, street = 0.1, object = 0.3, many = 0.1 }
hold = "0/3"

[[file]]
name = "bundled.safetensors"
members = [["fusion"]]

[short]
steps = 24
batch = 2
reuse = 3
warm_up = 8
files = ["bundled.safetensors"]
photographs = 1
"""


@pytest.fixture
def few(data_root: Path, tmp_path: Path) -> Path:
    """Six photographs of each set."""
    for folders in FOLDERS.values():
        stems = sorted(path.stem for path in (data_root / folders[-1]).iterdir())[:6]
        if folders[0] == "iseg/images":  # of these, the ones with thin and full strokes
            thin = sorted(path.stem for path in (data_root / "iseg/scribbles_thin").iterdir())
            stems = [*thin[:5], stems[0]]
        for folder in folders:
            (tmp_path / folder).mkdir(parents=True)
            for stem in stems:
                for path in (data_root / folder).glob(f"{stem}.*"):
                    shutil.copy(path, tmp_path / folder)
    return tmp_path


@pytest.mark.slow
def test_short_run_ends_with_a_better_file_than_it_began(few: Path, tmp_path: Path, capsys) -> None:
    recipe, out = write_recipe(tmp_path / "recipe.toml", few, STAGES), tmp_path / "out"
    run = [str(recipe), "--data", str(few), "--out", str(out), "--short", "--jobs", "0"]
    assert main(run) == 0, capsys.readouterr().err
    said = capsys.readouterr().out.splitlines()[-1]
    before, after = (
        float(word) for word in said.replace(",", "").split() if re.fullmatch(r"\d\.\d+", word)
    )
    assert after < 0.8 * before
    path = out / "bundled.safetensors"
    assert len(load_bundle(str(path)).ensemble) == 1
    provenance = json.loads(path.with_suffix(".json").read_text())
    assert provenance["short"]
    fusion = provenance["stages"]["fusion"]
    assert fusion["loss_after"] < fusion["loss_before"]
    assert len(provenance["without"]) == 3  # of five with thin strokes two, of one with dense one
