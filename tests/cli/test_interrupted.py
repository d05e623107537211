"""`saccade segment --model` on a folder, killed and gone on with."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

import saccade
from saccade.files import digest_of
from tests.fitted.test_model import PRESET, strokes
from tests.interactive.test_shared import picture

IMAGES = 8


@pytest.fixture
def folder(tmp_path):
    shown = [picture(seed) for seed in range(2)]
    model = saccade.fit(
        [rgb for rgb, _ in shown], [strokes(truth) for _, truth in shown], preset=PRESET
    )
    model.save(tmp_path / "cells.saccade")
    (tmp_path / "images").mkdir()
    for seed in range(IMAGES):
        Image.fromarray(picture(seed)[0]).save(tmp_path / "images" / f"{seed:02}.png")
    return tmp_path


def command(folder, out):
    return [
        *(sys.executable, "-m", "saccade.cli", "segment", str(folder / "images")),
        *("--model", str(folder / "cells.saccade"), "-o", str(folder / out)),
        *("--instances", "--table", str(folder / f"{out}.csv")),
    ]


def files(folder, out):
    found = [path for path in (folder / out).rglob("*") if path.is_file()]
    kept = [path for path in found if ".part" not in path.name]  # of a write that was killed
    names = {path.relative_to(folder / out).as_posix(): digest_of(path) for path in kept}
    return names | {"table.csv": digest_of(folder / f"{out}.csv")}


def test_killed_and_gone_on_with_it_gives_the_same_files(folder):
    subprocess.run(command(folder, "whole"), check=True, capture_output=True)
    process = subprocess.Popen(command(folder, "killed"), stderr=subprocess.DEVNULL)
    while process.poll() is None and len(list((folder / "killed").glob("[!.]*.png"))) < 3:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert 3 <= len(list((folder / "killed").glob("[!.]*.png"))) < IMAGES
    ended = subprocess.run(command(folder, "killed"), check=True, capture_output=True, text=True)
    assert "already done, skipped" in ended.stderr + ended.stdout
    expected = files(folder, "whole")
    assert sum(name.endswith(".png") for name in expected) == 3 * IMAGES  # of objects too
    assert files(folder, "killed") == expected
    masks = [np.asarray(Image.open(path)) for path in (folder / "killed").glob("[!.]*.png")]
    assert all(set(np.unique(mask)) <= {0, 1} for mask in masks)
