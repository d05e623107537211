"""Faults that an audit put into the code, each of which has to make a test fail.

A copy of the package gets one change, and the tests named with it run on that copy.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import saccade

ROOT = Path(__file__).parents[2]
PACKAGE = Path(saccade.__file__).parent
RECIPES = "tests/experiments/test_recipes.py"


@dataclass(frozen=True)
class Mutation:
    """One change: `old` becomes `new` in a file of the package; `tests` must notice."""

    file: str
    old: str
    new: str
    tests: str


TABLES = "experiments/engine/network_tables.py"
MUTATIONS = {
    "offsets without absolute value": Mutation(
        "ops/offsets.py",
        "drawn.abs_().mul_(sigma)",
        "drawn.mul_(sigma)",
        "tests/ops/test_positions.py",
    ),
    "CGDS taken out of the head": Mutation(
        "models/dsnet.py",
        'sampled = self.sample(modified, context if self.guide == "aspp" else maps[5])',
        "sampled = modified",
        "tests/models/test_dsnet.py",
    ),
    "deep supervision without weight": Mutation(
        "training/loop.py",
        "loss + optim.auxiliary * second_loss",
        "loss + 0 * second_loss",
        "tests/training/test_deep_supervision.py",
    ),
    "weight of deep supervision 0 by default": Mutation(
        "training/optim_config.py", "auxiliary: float = 0.4", "auxiliary: float = 0.0", RECIPES
    ),
    "fusion without H0": Mutation(
        "weak/fusion.py",
        "return blocks[0] + torch.stack(blocks[1:]).mean(0)",
        "return torch.stack(blocks[1:]).mean(0)",
        "tests/weak/test_fusion.py",
    ),
    "rate of DSNet off by ten": Mutation(
        "experiments/dsnet/tables.py", '"lr": 0.01,', '"lr": 0.1,', RECIPES
    ),
    "rates of backbone and head changed over": Mutation(
        "experiments/dsnet/tables.py", '"head_lr": 0.1', '"head_lr": 10.0', RECIPES
    ),
    "epochs of DSNet off by ten": Mutation(
        "experiments/dsnet/tables.py", '"epochs": 80', '"epochs": 8', RECIPES
    ),
    "schedule of LargeFOV off by ten": Mutation(TABLES, '"lr": 0.001', '"lr": 0.01', RECIPES),
    "a second drop of the rate": Mutation(
        TABLES, '"drop_once": True', '"drop_once": False', RECIPES
    ),
    "train for trainaug": Mutation(TABLES, '"train": "trainaug"', '"train": "train"', RECIPES),
    "a scale less at test time": Mutation(
        "experiments/dsnet/tables.py", '"scales": (0.75, 1.0,', '"scales": (1.0,', RECIPES
    ),
    "online masks of the pseudo mask's classes": Mutation(
        "experiments/engine/network_config.py",
        'settings["labels"] = str(masks.with_name(IMAGE_LABELS))',
        "pass",
        RECIPES,
    ),
}


def copy_of_package(folder: Path, changed: Path | None = None) -> Path:
    """Links to the files of the package, but for the one that is changed."""
    for path in PACKAGE.rglob("*"):
        if path.is_dir() or path.suffix == ".pyc" or path == changed:
            continue
        place = folder / "saccade" / path.relative_to(PACKAGE)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(path)
    return folder


def run_tests(package: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    arguments = ("-q", "-x", "-p", "no:cacheprovider", "-m", "not slow", "--no-header")
    return subprocess.run(
        [sys.executable, "-m", "pytest", *arguments, *tests],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_copy_without_a_change_passes(tmp_path):
    named = sorted({mutation.tests for mutation in MUTATIONS.values()})
    done = run_tests(copy_of_package(tmp_path), *named)
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTATIONS)
def test_each_mutation_is_caught(tmp_path, name):
    mutation = MUTATIONS[name]
    original = PACKAGE / mutation.file
    text = original.read_text("utf-8")
    assert text.count(mutation.old) == 1, f"{mutation.file} has changed: {mutation.old}"
    package = copy_of_package(tmp_path, original)
    place = package / "saccade" / mutation.file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text.replace(mutation.old, mutation.new), "utf-8")
    done = run_tests(package, mutation.tests)
    # 1: a test failed; other numbers are faults of the mutation or of the call.
    assert done.returncode == 1, f"not caught by {mutation.tests}:\n{done.stdout[-1500:]}"
    assert "Error" in done.stdout


def test_every_mutation_is_of_text_that_is_there():
    for mutation in MUTATIONS.values():
        assert (PACKAGE / mutation.file).read_text("utf-8").count(mutation.old) == 1, mutation
        assert (ROOT / mutation.tests).is_file()
