"""The suite on large images: pictures beside themselves, and what is written of them."""

import json

import numpy as np

from benchmarks.suites.tiling import larger, main, repeated


def test_copies_lie_below_and_beside_each_other():
    image = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    tiled = repeated(image, 2, 3)
    assert tiled.shape == (4, 9, 3)
    assert (tiled[2:, 6:] == image).all()
    assert repeated(image[..., 0], 1, 2).shape == (2, 6)
    assert larger(image, 4).shape == (8, 12, 3)


def test_a_picture_keeps_its_score_beside_itself(tmp_path):
    out = tmp_path / "out"
    command = f"{tmp_path} --parts tiled --every 8 --tiles 1,3 --out {out}"
    assert main(command.split()) == 0
    [path] = out.rglob("tiling.json")
    rows = json.loads(path.read_text("utf-8"))["tiled"]
    assert len(rows) == 2
    assert all(row["x1"] > 0.9 and row["x3"] > row["x1"] - 0.02 for row in rows)
