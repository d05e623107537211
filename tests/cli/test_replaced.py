"""What predict, evaluate, check-data, train, export and localize may not replace or pass off."""

import json
import shutil

import pytest

from saccade.files import digest_of
from tests.cli.networks import check, run

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def folder(trained, tmp_path):
    """A copy of the data and the run that a test may spoil."""
    shutil.copytree(trained, tmp_path / "work")
    return tmp_path / "work"


@pytest.mark.parametrize(
    ("verb", "victim", "source"),
    [
        (("predict", "net", "X", "-o", "X"), "X/0.png", "image"),
        (("predict", "net", "X/overlay", "-o", "X"), "X/overlay/0.png", "image"),
        (("predict", "X/overlay/net.png", "img", "-o", "X"), "X/overlay/net.png", "checkpoint"),
        (("predict", "X/0.png", "data/images/val", "-o", "X"), "X/0.png", "checkpoint"),
        (("evaluate", "X/scores.json", "data", "-o", "X"), "X/scores.json", "checkpoint"),
        (("evaluate", "net", "data", "-o", "data/masks/val"), "data/masks/val/confusion.png", ""),
        (("evaluate", "net", "data", "-o", "data/images/val"), "data/masks/val/confusion.png", ""),
        (("check-data", "data", "-o", "data/masks/train"), "data/masks/train/train-sheet.png", ""),
        (
            ("check-data", "data", "-o", "data/images/train"),
            "data/images/train/train-sheet.png",
            "",
        ),
        (("export", "X/net.onnx", "-o", "X/net.onnx"), "X/net.onnx", "checkpoint"),
        (("train", "start.toml", "-o", "X"), "X/best.safetensors", "checkpoint"),
        (("train", "weights.toml", "-o", "X"), "X/last.safetensors", "checkpoint"),
        (("localize", "data", "-o", "X", "--labels", "X/labels.csv"), "X/labels.csv", "labels"),
        (
            ("localize", "data", "-o", "X", "--weights", "X/classifier.safetensors"),
            "X/classifier.safetensors",
            "checkpoint",
        ),
    ],
)
def test_no_verb_replaces_its_inputs(folder, monkeypatch, verb, victim, source):
    monkeypatch.chdir(folder)
    shutil.copy("run/best.safetensors", "net")
    (folder / "img").mkdir()
    shutil.copy("data/images/val/0.png", "img/net.png")
    text = (folder / "train.toml").read_text()
    start = '[network]\nstart = "X/best.safetensors"'
    (folder / "start.toml").write_text(text.replace("[network]", start))
    weights = '[network]\nweights = "X/last.safetensors"'
    (folder / "weights.toml").write_text(text.replace("[network]", weights))
    path = folder / victim
    path.parent.mkdir(parents=True, exist_ok=True)
    if source == "labels":
        path.write_text("".join(f"{k},ground,red,green\n" for k in range(4)))
    elif source:
        shutil.copy("net" if source == "checkpoint" else "data/images/val/0.png", path)
    else:
        for kind in ("images", "masks"):
            split = path.parent.name
            shutil.copy(f"data/{kind}/{split}/0.png", f"data/{kind}/{split}/{path.name}")
    before = digest_of(path)
    check(run(*verb), "is an input and would be replaced", code=1)
    assert digest_of(path) == before


@pytest.mark.parametrize("change", ["checkpoint", "options", "image", "nothing"])
def test_masks_are_made_anew_unless_this_network_made_them_so(folder, tmp_path, change):
    images, out = folder / "data/images/val", tmp_path / "out"
    checkpoint, options = folder / "run/best.safetensors", []
    check(run("predict", checkpoint, images, "-o", out), "2 masks")
    assert json.loads((out / "records/0.json").read_text())["checkpoint"] == digest_of(checkpoint)
    before = (out / "0.png").stat().st_mtime_ns
    if change == "checkpoint":
        text = (folder / "train.toml").read_text().replace("lr = 0.01", "lr = 0.02")
        (folder / "train.toml").write_text(text)
        check(run("train", folder / "train.toml", "-o", tmp_path / "other"))
        checkpoint = tmp_path / "other/best.safetensors"
    elif change == "options":
        options = ["--flip"]
    elif change == "image":
        for path in images.iterdir():
            shutil.copy(path, tmp_path / "copy.png")
            path.unlink()
            shutil.copy(tmp_path / "copy.png", path)
    result = run("predict", checkpoint, images, "-o", out, *options)
    if change == "nothing":
        check(result, "0 masks", "2 already done")
    else:
        check(result, "2 masks", "2 masks of another network, other options or images")
    assert ((out / "0.png").stat().st_mtime_ns == before) == (change == "nothing")


def test_a_mask_of_unknown_origin_stays_until_overwrite(folder, tmp_path):
    out = folder / "data/masks/val"
    before = digest_of(out / "0.png")
    arguments = (folder / "run/best.safetensors", folder / "data/images/val", "-o", out)
    check(run("predict", *arguments, "-q"), "nothing says which network made 2 of the masks")
    assert digest_of(out / "0.png") == before
    check(run("predict", *arguments, "--overwrite"), "2 masks")


@pytest.mark.parametrize(
    "options", [("--preset", "best"), ("--seed", 1), ("--unlabeled", 255), ("--classes", "names")]
)
def test_masks_of_other_options_are_kept_and_spoken_of(saccade_cli, folders, tmp_path, options):
    out = tmp_path / "out"
    (tmp_path / "names").write_text("0 ground\n1 thing\n")
    options = [str(tmp_path / "names") if o == "names" else str(o) for o in options]
    saccade_cli("segment", *folders, "-o", out, "--no-overlay")
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("*.png")}
    told = "3 of the masks there were made with another preset"
    result = saccade_cli("segment", *folders, "-o", out, "--no-overlay", "-q", *options)
    assert told in result.stderr
    assert {path.name: path.stat().st_mtime_ns for path in out.glob("*.png")} == before
    saccade_cli("segment", *folders, "-o", out, "--no-overlay", "--overwrite", *options)
    again = saccade_cli("segment", *folders, "-o", out, "--no-overlay", *options)
    assert "another preset" not in again.stderr
    assert "3 already done" in again.stderr
