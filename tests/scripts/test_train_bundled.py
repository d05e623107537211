"""The training script runs from photographs to a file that the package can read."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file
from scipy import ndimage

from tests.helpers import run_python

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
            colors = np.array([[40, 90, 40], [200, 60, 50], [60, 60, 190]])[truth]
            picture = (colors + rng.integers(-20, 20, colors.shape)).clip(0, 255)
            Image.fromarray(picture.astype(np.uint8)).save(tmp_path / images / f"{stem}.png")
            Image.fromarray(truth).save(tmp_path / labels / f"{stem}.png")
    return tmp_path


def run(*arguments: object) -> None:
    run_python(SCRIPT, *arguments)


@pytest.mark.slow
def test_three_steps_make_a_bundle_that_the_package_reads(root: Path) -> None:
    common = ("--data", root, "--batch", 1, "--workers", 0, "--steps", 2, "--device", "cpu")
    fit, fusion, out = root / "fit.pt", root / "fusion.pt", root / "bundled.safetensors"
    run("fit", *common, "--out", fit)
    run("fusion", *common, "--start", fit, "--out", fusion)
    run("pack", "--data", root, "--start", fusion, "--second", fusion, "--out", out)
    from saccade.models import weights

    shipped = load_file(Path(weights.__file__).with_name("bundled.safetensors"))
    fresh = load_file(out)
    assert {k: v.shape for k, v in fresh.items()} == {k: v.shape for k, v in shipped.items()}
    assert any(np.any(fresh[k] != shipped[k]) for k in fresh)
    ensemble = weights.load_bundle(str(out)).ensemble
    leave = [member.fusion.leave.weight for member in ensemble]
    assert len(leave) == 3  # their mean, and both
    for other in leave[1:]:
        torch.testing.assert_close(leave[0], other)
    provenance = json.loads(out.with_suffix(".json").read_text())
    assert provenance["runs of the second member"] == provenance["runs"]
    assert provenance["runs"]["fit"]["steps"] == 2
    assert provenance["runs"]["fusion"]["steps"] == 2
    assert provenance["without"] == []


@pytest.mark.slow
def test_training_goes_on_without_a_fold_of_objects_and_averages_runs(root: Path) -> None:
    """It goes on from the packed weights without a fold of people's strokes; means of two runs."""
    iseg = root / "iseg"
    for name in ("images", "masks", "scribbles_thin", "scribbles_full", "scribbles_dense"):
        (iseg / name).mkdir(parents=True)
    for stem in ("x", "y", "z"):
        picture = Image.open(root / "bsds/train/images/a.png")
        picture.save(iseg / "images" / f"{stem}.png")
        mask = (np.asarray(Image.open(root / "bsds/train/segments/a.png")) == 1).astype(np.uint8)
        Image.fromarray(mask).save(iseg / "masks" / f"{stem}.png")
        strokes = np.full(mask.shape, 255, np.uint8)
        strokes[100:104, 110:200], strokes[20:24, 40:300] = 1, 0
        Image.fromarray(strokes).save(iseg / "scribbles_thin" / f"{stem}.png")
    from saccade.models import weights

    shipped = root / "older.safetensors"  # as if they had seen no strokes of people
    shipped.write_bytes(Path(weights.__file__).with_name("bundled.safetensors").read_bytes())
    shipped.with_suffix(".json").write_text(json.dumps({"runs": {"fit": {}, "fusion": {}}}))
    common = ("--data", root, "--batch", 1, "--workers", 0, "--steps", 1, "--device", "cpu")
    parts = []
    for seed in (0, 1):
        parts.append(root / f"part{seed}.pt")
        fold = ("--objects", 1, "--hold", "0/3", "--seed", seed, "--out", parts[-1])
        run("fusion", *common, "--start", shipped, *fold)
    out = root / "fold0.safetensors"
    run("pack", "--data", root, "--start", *parts, "--out", out)
    provenance = json.loads(out.with_suffix(".json").read_text())
    assert provenance["without"] == ["x"]
    first, second = provenance["runs"]["mean of"]
    assert [list(one.values())[-1]["seed"] for one in (first, second)] == [0, 1]
    mean, one, other = (
        load_file(out)["evidence.leave.weight"],
        *(torch.load(p)["fusion"]["fusion.leave.weight"].numpy() for p in parts),
    )
    np.testing.assert_allclose(mean, (one + other) / 2, atol=1e-3)


def test_repeated_objects_have_strokes_on_some(root: Path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPT))
    from instances import many_episode

    photos = sorted((root / "bsds/train/images").iterdir())
    found = [many_episode(np.random.default_rng(i), photos, (96, 128)) for i in range(12)]
    found = [one for one in found if one is not None]
    assert len(found) >= 6
    for image, truth, strokes in found:
        assert image.shape == (96, 128, 3)
        assert image.dtype == np.uint8
        drawn = strokes != 255
        assert np.array_equal(strokes[drawn], truth[drawn])
        assert set(np.unique(strokes)) == {0, 1, 255}
        assert ndimage.label(truth)[1] >= 4
    assert np.mean([_without_stroke(truth, strokes) > 0 for _, truth, strokes in found]) > 0.8


def _without_stroke(truth: np.ndarray, strokes: np.ndarray) -> int:
    """How many connected things have none."""
    parts, count = ndimage.label(truth)
    return count - len(np.unique(parts[strokes == 1]))


@pytest.mark.slow
def test_training_takes_a_share_of_repeated_objects(root: Path) -> None:
    common = ("--data", root, "--batch", 1, "--workers", 0, "--steps", 1, "--device", "cpu")
    fit, fusion = root / "fit.pt", root / "fusion.pt"
    run("fit", *common, "--out", fit)
    run("fusion", *common, "--start", fit, "--many", 1, "--out", fusion)
    assert torch.load(fusion)["runs"]["fusion"]["many"] == 1
