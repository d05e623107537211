"""A trained network, and the command line in this process."""

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from saccade.cli.app import app

COLORS = np.array([[60, 60, 60], [200, 40, 40], [40, 180, 60]], np.uint8)


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


def check(result, *parts, code=0):
    assert result.exit_code == code, result.output + result.stderr
    for part in parts:
        assert part in result.output + result.stderr, result.output + result.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A data set in the layout "folder" and the checkpoint of one epoch on it."""
    root = tmp_path_factory.mktemp("networks")
    generator = np.random.default_rng(0)
    for split, count in (("train", 4), ("val", 2)):
        for number in range(count):
            labels = generator.integers(0, 3, (4, 5)).astype(np.uint8).repeat(12, 0).repeat(12, 1)
            for kind, array in (("images", COLORS[labels]), ("masks", labels)):
                folder = root / "data" / kind / split
                folder.mkdir(parents=True, exist_ok=True)
                Image.fromarray(array).save(folder / f"{number}.png")
    colors = [" ".join(map(str, c)) for c in COLORS.tolist()]
    names = ("ground", "red", "green")
    lines = [
        f"{k} {name} {color}" for k, (name, color) in enumerate(zip(names, colors, strict=True))
    ]
    (root / "data/classes.txt").write_text("\n".join(lines))
    (root / "train.toml").write_text(
        '[data]\nlayout = "folder"\nroot = "data"\n[network]\nwidth = 8\n'
        "[optim]\nepochs = 1\nbatch = 2\nlr = 0.01\n[augmentation]\ncrop = [32, 32]\n"
        '[run]\ndevice = "cpu"\n'
    )
    result = run("train", root / "train.toml", "-o", root / "run")
    check(result, "2 steps", "epoch 1: mIoU")
    return root
