import json

import pytest

from benchmarks.harness.folds import read_folds, unseen
from saccade.errors import InputError
from saccade.interactive.presets import preset_named


def fold(folder, name, *stems, weights=True):
    (folder / f"{name}.json").write_text(json.dumps({"without": stems}))
    if weights:
        (folder / f"{name}.safetensors").write_bytes(b"")


def test_each_image_has_the_weights_that_have_not_seen_it(tmp_path):
    fold(tmp_path, "fold0", "a", "b")
    fold(tmp_path, "fold1", "c")
    folds = read_folds(tmp_path)
    assert folds == {
        "a": str(tmp_path / "fold0.safetensors"),
        "b": str(tmp_path / "fold0.safetensors"),
        "c": str(tmp_path / "fold1.safetensors"),
    }
    fast = preset_named("fast")
    assert unseen(fast, "c", folds).weights == folds["c"]
    assert unseen(fast, "elsewhere", folds) == fast
    assert read_folds(tmp_path / "nothing") == {}


def test_folds_that_cannot_be(tmp_path):
    fold(tmp_path, "fold0", "a", weights=False)
    with pytest.raises(InputError, match=r"fold0\.safetensors: no such file"):
        read_folds(tmp_path)
    fold(tmp_path, "fold0", "a")
    fold(tmp_path, "fold1", "b", "a")
    with pytest.raises(InputError, match="a is in another fold too"):
        read_folds(tmp_path)
