import json
import shutil

import numpy as np
import pytest
from PIL import Image

from tests.cli.networks import COLORS, check, run

pytestmark = pytest.mark.filterwarnings("ignore")


def test_training_again_reports_that_all_is_done(trained):
    check(run("train", trained / "train.toml", "-o", trained / "run"), "2 steps")


def test_a_class_that_no_mask_has_is_reported_in_quiet_too(trained, tmp_path):
    shutil.copytree(trained / "data", tmp_path / "data")
    with (tmp_path / "data/classes.txt").open("a") as file:
        file.write("\n3 blue 0 0 255")
    shutil.copy(trained / "train.toml", tmp_path)
    result = run("train", tmp_path / "train.toml", "-o", tmp_path / "run", "-q")
    check(result, "no training mask has the class blue")


def test_check_data_prints_and_draws(trained, tmp_path):
    result = run("check-data", trained / "data", "-o", tmp_path)
    check(result, "4 images with masks", "width 60 to 60, height 48 to 48", "ground")
    with Image.open(tmp_path / "train-sheet.png") as sheet:
        assert sheet.width == 1600


def test_check_data_lists_what_is_wrong(trained, tmp_path):
    import shutil

    shutil.copytree(trained / "data", tmp_path / "data")
    Image.fromarray(np.full((48, 60), 9, np.uint8)).save(tmp_path / "data/masks/train/0.png")
    (tmp_path / "data/masks/train/1.png").unlink()
    result = run("check-data", tmp_path / "data")
    check(result, "value 9 at 2880 pixels", "1.png: no mask 1.png", code=1)


def test_evaluate_prints_the_protocol_and_writes_the_scores(trained, tmp_path):
    checkpoint = trained / "run/last.safetensors"
    options = ("--scales", "0.5,1", "--flip", "--boundaries")
    result = run("evaluate", checkpoint, trained / "data", "-o", tmp_path, *options)
    check(result, "mIoU", "overall accuracy", "boundary F", "scales 0.5 1, flip, whole image")
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["images"] == 2
    assert (tmp_path / "confusion.png").exists()


def test_evaluate_refuses_a_checkpoint_of_other_classes(trained, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    for kind in ("images", "masks"):
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / kind / "a.png")
    (tmp_path / "classes.txt").write_text("sky\nsea\n")
    checkpoint = trained / "run/last.safetensors"
    result = run("evaluate", checkpoint, tmp_path, "-o", tmp_path / "out", "--split", "")
    check(result, "knows 3 classes,", "has 2; class 0 is 'ground' there and 'sky' in the", code=1)


def test_predict_writes_masks_in_the_colors_of_the_classes(trained, tmp_path):
    arguments = (trained / "run/best.safetensors", trained / "data/images/val", "-o", tmp_path)
    check(run("predict", *arguments), "2 masks")
    with Image.open(tmp_path / "0.png") as mask:
        assert mask.mode == "P"
        assert mask.getpalette()[:9] == COLORS.ravel().tolist()
    assert (tmp_path / "overlay/0.png").exists()
    before = (tmp_path / "0.png").stat().st_mtime_ns
    check(run("predict", *arguments), "0 masks", "2 already done")
    assert (tmp_path / "0.png").stat().st_mtime_ns == before


def test_predict_goes_on_past_a_bad_file(trained, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    Image.fromarray(np.zeros((40, 50, 3), np.uint8)).save(images / "b.png")
    (images / "a.png").write_bytes(b"no image")
    out = tmp_path / "out"
    result = run("predict", trained / "run/best.safetensors", images, "-o", out)
    check(result, "1 masks", "error: 1 of 2 images failed", "  a.png: ", code=1)
    with Image.open(out / "b.png") as mask:
        assert mask.size == (50, 40)


@pytest.mark.slow
def test_export_writes_what_onnxruntime_agrees_with(trained, tmp_path):
    pytest.importorskip("onnxruntime")
    checkpoint = trained / "run/best.safetensors"
    result = run("export", checkpoint, "-o", tmp_path / "net.onnx", "--size", "64x96", "--fixed")
    check(result, "largest difference", "parameters", "multiply-adds")
    assert (tmp_path / "net.onnx").stat().st_size > 1e6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "nothing.toml", "-o", "out"), "nothing.toml: no such file"),
        (("predict", "nothing", ".", "-o", "out"), "no images there"),
        (("export", "net", "-o", "net.pt"), "ends in .onnx"),
        (("export", "net", "-o", "net.onnx", "--size", "3"), "--size is '3'"),
        (("evaluate", "net", ".", "-o", "out", "--scales", "a"), "--scales is 'a'"),
        (("evaluate", "net", ".", "-o", "out", "--scales", "1,nan"), "scales are (1.0, nan)"),
        (("evaluate", "net", ".", "-o", "out", "--scales", "inf"), "scales are (inf,)"),
        (
            ("evaluate", "net", ".", "-o", "out", "--device", "tpu"),
            "device 'tpu' cannot be used here",
        ),
        (("check-data", "nowhere"), "nowhere: no such folder"),
        (("experiment", "network", "gdc-table5", "-o", "out"), "needs --voc, or --data"),
        (
            ("experiment", "network", "gdc-table6", "-o", "out", "--schedule", "x"),
            "--schedule is 'x'",
        ),
    ],
)
def test_bad_input_is_one_line(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    check(result, message, code=1)
    assert result.stderr.strip().count("\n") == 0


SILLY = {
    "--window": ("1", "-1", "31"),
    "--resize": ("1", "-1", "31", "16385", "9" * 30),
    "--scales": ("0", "-1", "nan", "1e-9", "1e9", "", ",", "1,,2"),
}


@pytest.mark.parametrize("verb", ["evaluate", "predict"])
@pytest.mark.parametrize(("option", "value"), [(o, v) for o, vs in SILLY.items() for v in vs])
def test_silly_values_are_refused_in_one_line(verb, option, value, tmp_path):
    result = run(verb, "net", ".", "-o", tmp_path / "out", option, value)
    check(result, "expected" if option != "--scales" else "scales", code=1)
    assert result.stderr.strip().count("\n") == 0
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("verb", ["evaluate", "predict"])
@pytest.mark.parametrize("window", [32, 47, 10**30])
def test_windows_of_every_other_size_are_slid(trained, tmp_path, verb, window):
    data = trained / ("data" if verb == "evaluate" else "data/images/val")
    best = trained / "run/best.safetensors"
    check(run(verb, best, data, "-o", tmp_path, "--window", window), f"windows of {window}")


def test_a_dense_crf_is_chosen_by_name(trained, tmp_path):
    arguments = (trained / "run/best.safetensors", trained / "data", "-o", tmp_path)
    check(run("evaluate", *arguments, "--crf", "deeplab-largefov"), "dense CRF deeplab-largefov")
    check(
        run("evaluate", *arguments, "--crf", "sharp"), "--crf is 'sharp', expected default", code=1
    )
    found = trained / "data/images/val"
    for folder, more in (("plain", ()), ("refined", ("--crf", "default"))):
        out = tmp_path / folder
        check(run("predict", arguments[0], found, "-o", out, *more), "2 masks in")
        assert len(list(out.glob("*.png"))) == 2


def test_images_are_brought_to_the_size_of_the_training(trained, tmp_path):
    text = (trained / "train.toml").read_text().replace('root = "data"', f'root = "{trained}/data"')
    (tmp_path / "small.toml").write_text(text.replace("[32, 32]", "[32, 32]\nresize = 36"))
    check(run("train", tmp_path / "small.toml", "-o", tmp_path / "run"), "epoch 1")
    network, photos = tmp_path / "run/last.safetensors", trained / "data/images/val"
    masks = {}
    for name, asked in (("trained", ()), ("same", ("--resize", "36")), ("own", ("--resize", "0"))):
        result = run("predict", network, photos, "-o", tmp_path / name, "--jobs", "1", *asked)
        check(result, "2 masks")
        assert ("shorter side 36" in result.output) == (name != "own")
        masks[name] = (tmp_path / name / "0.png").read_bytes()
        record = (tmp_path / name / "records/0.json").read_text()
        assert ("resize=36" in record) == (name != "own")
    assert masks["trained"] == masks["same"]
    scored = run("evaluate", network, trained / "data", "-o", tmp_path / "scores")
    assert "shorter side 36" in scored.output + (tmp_path / "scores/scores.json").read_text()
