"""Networks of images of more than 8 bits: what is black and white goes with the network."""

import json

import numpy as np
import pytest
import tifffile
from PIL import Image

from saccade.models.checkpoint import load_checkpoint
from tests.cli.networks import check, run
from tests.fitted.test_model import strokes
from tests.fitted.test_reading import stains
from tests.training.conftest import write_set

pytestmark = pytest.mark.filterwarnings("ignore")

CONFIG = (
    '[network]\nwidth = 8\npyramid = "none"\n[optim]\nepochs = 1\nbatch = 2\nlr = 0.01\n'
    '[augmentation]\ncrop = [32, 40]\n[run]\ndevice = "cpu"\n'
)
DATA = '[data]\nlayout = "folder"\nroot = "data"\n'


def labels(path):
    return np.asarray(Image.open(path))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The same images of 8 bits, and of 12 in TIFF; a network each of one epoch."""
    folders = {}
    for bits in (8, 12):
        root = tmp_path_factory.mktemp(f"bits-{bits}")
        write_set(root / "data")
        if bits == 12:
            for path in (root / "data/images").glob("*/*.png"):
                wide = np.asarray(Image.open(path)).astype(np.uint16) * 16
                tifffile.imwrite(path.with_suffix(".tif"), wide)
                path.unlink()
        wanted = "intensities = [0, 4080]\n" if bits == 12 else ""
        (root / "train.toml").write_text(DATA + wanted + CONFIG)
        check(run("train", root / "train.toml", "-o", root / "run"), "mIoU")
        folders[bits] = root
    return folders


def test_training_on_12_bits_is_training_on_8(trained):
    networks = [load_checkpoint(root / "run/last.safetensors") for root in trained.values()]
    states = [one.net.state_dict() for one in networks]
    assert all((states[0][name] == states[1][name]).all() for name in states[0])
    assert [one.reading.window for one in networks] == [None, (0.0, 4080.0)]


def test_predict_and_evaluate_read_as_the_network_was_trained(trained, tmp_path):
    narrow, wide = trained[8], trained[12]
    for root, more, name in (
        (narrow, (), "narrow"),
        (wide, (), "wide"),
        (wide, ("--intensities", "0,400"), "told"),
    ):
        images = root / "data/images/val"
        network = root / "run/last.safetensors"
        result = run("predict", network, images, "-o", tmp_path / name, "--no-overlay", *more)
        check(result, "3 masks")
        scored = run("evaluate", network, root / "data", "-o", tmp_path / f"{name}-scores", *more)
        check(scored, "mIoU")
    masks = {n: [labels(tmp_path / n / f"{i}.png") for i in range(3)] for n in ("narrow", "wide")}
    np.testing.assert_array_equal(masks["narrow"], masks["wide"])
    scores = {
        n: json.loads((tmp_path / f"{n}-scores/scores.json").read_text())
        for n in ("narrow", "wide", "told")
    }
    assert scores["narrow"]["miou"] == scores["wide"]["miou"]
    assert "intensities 0,400" in scores["told"]["protocol"]


def test_label_takes_channels_and_intensities(tmp_path):
    for number in range(3):
        plane, truth = stains(number)
        for kind in ("images", "strokes"):
            (tmp_path / kind).mkdir(exist_ok=True)
        tifffile.imwrite(tmp_path / f"images/{number}.tif", np.moveaxis(plane, 2, 0),
                         metadata={"axes": "CYX"}, imagej=True)  # fmt: skip
        Image.fromarray(strokes(truth)).save(tmp_path / f"strokes/{number}.png")
    (tmp_path / "classes.txt").write_text("ground\ncell\n")
    (tmp_path / "train.toml").write_text(CONFIG)
    command = ["label", tmp_path / "images", tmp_path / "strokes", "-o", tmp_path / "out"]
    command += ["--classes", tmp_path / "classes.txt", "--config", tmp_path / "train.toml"]
    command += ["--jobs", 1, "--window", "0,4095", "--confidence", 0]
    check(run(*command, "--channels", "1,4,5"), "mIoU")
    for number in range(3):
        mask = labels(tmp_path / f"out/masks/{number}.png")
        assert (mask == stains(number)[1]).mean() > 0.95
    reading = load_checkpoint(tmp_path / "out/run/last.safetensors").reading
    assert (reading.channels, reading.window) == (("1", "4", "5"), (0.0, 4095.0))
    record = json.loads((tmp_path / "out/masks/records/0.json").read_text())
    assert record["settings"]["channels"] == ["1", "4", "5"]
    again = run(*command, "--channels", "1,4,5")
    check(again, "mIoU")
    assert "0.json" in {p.name for p in (tmp_path / "out/masks/records").iterdir()}
    others = run(*command, "--channels", "1,7,5")
    check(others, "channel 7, expected 1 to 5", code=1)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("intensities = [5]", "data: intensities is [5.0], must be [low, high]"),
        ("intensities = [5, 5]", "data: intensities: window 5,5: expected"),
        ('channels = ["1", "1"]', "channels ['1', '1'], expected some, each once"),
        ("channels = [1]", "data: channels[0] is 1, must be of type str"),
        ('channels = ["9"]', "0.png: channel 9, expected 1 to 3"),
    ],
)
def test_what_no_network_can_see_is_one_line(tmp_path, line, message):
    write_set(tmp_path / "data", train=2, val=1)
    (tmp_path / "train.toml").write_text(DATA + line + "\n" + CONFIG)
    result = run("train", tmp_path / "train.toml", "-o", tmp_path / "run")
    check(result, message, code=1)
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "run/last.safetensors").exists()


def test_pseudo_labels_of_12_bits_are_those_of_8(tmp_path):
    (tmp_path / "strokes").mkdir()
    drawn = np.full((48, 64), 255, np.uint8)
    drawn[4, 4:60], drawn[20:24, 24:40] = 0, 1
    Image.fromarray(drawn).save(tmp_path / "strokes/a.png")
    (tmp_path / "classes.txt").write_text("ground\nthing\n")
    image = np.random.default_rng(0).normal(60, 5, (48, 64))
    image[12:34, 18:46] += 90
    for name, kind, times in (("narrow", np.uint8, 1), ("wide", np.uint16, 16)):
        (tmp_path / name).mkdir()
        values = image.astype(np.uint8).astype(kind) * kind(times)
        tifffile.imwrite(tmp_path / name / "a.tif", values)
        where = (tmp_path / name, tmp_path / "strokes", "-o", tmp_path / f"{name}-out")
        more = ("--window", "0,4080") if name == "wide" else ()
        options = ("--classes", tmp_path / "classes.txt", "--jobs", 1, *more)
        check(run("pseudo-label", *where, *options), "1 masks")
    masks = [labels(tmp_path / f"{name}-out/a.png") for name in ("narrow", "wide")]
    assert np.array_equal(*masks)
    assert (masks[0][14:32, 20:44] == 1).all()
    result = run("pseudo-label", *where[:2], "-o", tmp_path / "c", *options, "--channels", "4")
    check(result, "channel 4, expected 1, the only one", code=1)
