"""All faults of data against check-data, train and evaluate: refused or explained, and before work.

Each fault is put into both splits; what the training says stands before its first step.
"""

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from saccade.cli.app import app
from saccade.data.specs import LabelSpec
from saccade.models.checkpoint import save_checkpoint
from saccade.models.segmentation import SegmentationConfig, SegmentationNet
from tests.test_json import strict
from tests.training.helpers import toml

pytestmark = pytest.mark.filterwarnings("ignore")

VERBS = ("check-data", "train", "evaluate")


def _each(data, kind="masks"):
    return [p for split in ("train", "val") for p in sorted((data / kind / split).iterdir())]


def _remap(data, *pairs, only="", mode=None):
    for path in _each(data):
        with Image.open(path) as mask:
            values = np.array(mask)
        changed = values.copy()
        for old, new in pairs:
            changed[values == old] = new
        if path.stem in (only, path.stem if not only else ""):
            Image.fromarray(changed).convert(mode or "L").save(path)


def _save(folder, name, pixels, orientation=None):
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    for split in ("train", "val"):
        Image.fromarray(pixels).save(folder / split / name, exif=exif)


def turned_image(data, orientation=6):
    image = Image.open(data / "images/train/0.png")
    for split in ("train", "val"):
        (data / f"images/{split}/0.png").unlink()
    _save(data / "images", "0.jpg", np.array(image), orientation)


def turned_mask(data, orientation=8):
    _save(data / "masks", "0.png", np.array(Image.open(data / "masks/train/0.png")), orientation)


def twice(kind, first, second):
    def change(data):
        for split in ("train", "val"):
            folder = data / kind / split
            Image.open(folder / first).convert("L").save(folder / second)

    return change


def damaged(kind):
    def change(data):
        for path in (data / kind / "train/1.png", data / kind / "val/1.png"):
            path.write_bytes(path.read_bytes()[:60])

    return change


def missing(data):
    for split in ("train", "val"):
        (data / f"masks/{split}/1.png").unlink()


def larger(data):
    _save(data / "masks", "2.png", np.ones((50, 64), np.uint8))


def on_its_side(data):
    _save(data / "masks", "2.png", np.array(Image.open(data / "masks/train/2.png")).T)


def one_class_colors(data):
    _remap(data, (1, 255), (2, 255), mode="RGB")


REFUSED = {
    "an image in two formats": (
        twice("images", "0.png", "0.jpg"),
        ["0.jpg and 0.png", "two files"],
    ),
    "an image in two cases": (twice("images", "0.png", "0.PNG"), ["0.PNG and 0.png"]),
    "a mask in two formats": (twice("masks", "0.png", "0.tif"), ["0.png and 0.tif"]),
    "a mask and its preview": (twice("masks", "0.png", "0.jpg"), ["0.jpg and 0.png"]),
    "half an image": (damaged("images"), ["1.png: damaged or truncated"]),
    "half a mask": (damaged("masks"), ["1.png: damaged or truncated"]),
    "no mask": (missing, ["1.png: no mask 1.png"]),
    "a larger mask": (larger, ["2.png: 64 x 50 pixels (width x height), its image has 64 x 48"]),
    "a mask on its side": (on_its_side, ["2.png: 48 x 64", "lies on its side"]),
    "a turned image": (turned_image, ["0.png: 64 x 48", "EXIF turns the image (orientation 6)"]),
    "a turned mask": (turned_mask, ["0.png: 48 x 64", "EXIF turns the mask (orientation 8)"]),
    "a value": (lambda d: _remap(d, (2, 7)), ["value 7 at", "belongs to no class", "0 to 2"]),
    "values": (lambda d: _remap(d, (2, 7), (1, 9)), ["(and 1 more value)"]),
    "a value once": (lambda d: _remap(d, (2, 7), only="1"), ["1.png: value 7 at"]),
    "no class at all": (lambda d: _remap(d, (0, 255), (1, 255), (2, 255)), ["no pixel", "masks"]),
}
LEARNT_FROM = {
    "0 and 255": (lambda d: _remap(d, (1, 255), (2, 255)), ["'ground'", "`255 green`"]),
    "black and white": (one_class_colors, ["'ground'", "`green 255 255 255`"]),
    "one class": (lambda d: _remap(d, (1, 0), (2, 0), (255, 0)), ["'ground'", "two classes"]),
}
SAID = {
    "a class that never occurs": (lambda d: _remap(d, (2, 1)), ["the class green"]),
    "255 in place of a class": (lambda d: _remap(d, (2, 255)), ["the class green", "`255 green`"]),
    "some masks without any class": (
        lambda d: _remap(d, (0, 255), (1, 255), (2, 255), only="1"),
        ["1 for one, have no pixel with a class"],
    ),
    "an image upside down": (lambda d: turned_image(d, 3), ["0 for one, have an EXIF orientation"]),
    "a mask upside down": (lambda d: turned_mask(d, 2), ["a mask with an EXIF orientation"]),
    "a mask without image": (
        lambda d: _save(d / "masks", "x.png", np.ones((4, 4), np.uint8)),
        ["1 masks have no image, x.png for one"],
    ),
    "a file of another kind": (
        lambda d: [(d / f"images/{s}/x.txt").write_text("x") for s in ("train", "val")],
        ["1 file left out: .txt"],
    ),
}


@pytest.fixture
def ask(data, settings, tmp_path, monkeypatch):
    """Run a verb on the data; its exit status, all that it says, and whether it began."""
    settings["optim"]["epochs"] = 1
    (tmp_path / "t.toml").write_text(toml(settings))
    network = SegmentationConfig(3, width=8)
    weights, spec = SegmentationNet(network).state_dict(), LabelSpec(("ground", "red", "green"))
    save_checkpoint(tmp_path / "a.safetensors", network, weights, spec, {})
    arguments = {
        "check-data": ("check-data", data),
        "train": ("train", tmp_path / "t.toml", "-o", tmp_path / "run"),
        "evaluate": ("evaluate", tmp_path / "a.safetensors", data, "-o", tmp_path / "scores"),
    }

    def run(verb):
        done = CliRunner().invoke(app, [*map(str, arguments[verb]), "-q"])
        begun = (tmp_path / "run").exists() or (tmp_path / "scores").exists()
        return done.exit_code, done.output, begun

    return run


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("fault", REFUSED)
def test_what_cannot_be_used_is_refused_before_any_work(ask, data, fault, verb):
    change, words = REFUSED[fault]
    change(data)
    status, said, begun = ask(verb)
    assert (status, begun) == (1, False), said
    (line,) = [line for line in said.splitlines() if words[0] in line][:1]
    assert line.startswith("error: ")
    assert len(line) < 320
    assert [word for word in words if word not in line] == []


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("fault", LEARNT_FROM)
def test_masks_that_nothing_can_be_learned_from(ask, data, fault, verb):
    change, words = LEARNT_FROM[fault]
    change(data)
    status, said, begun = ask(verb)
    assert (status, begun) == ((0, True) if verb == "evaluate" else (1, False)), said
    words = (
        words if verb != "evaluate" else [w.replace("'ground'", "red, green") for w in words[:1]]
    )
    assert [word for word in words if word not in said] == []


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("fault", SAID)
def test_what_may_be_meant_otherwise_is_said(ask, data, fault, verb):
    change, words = SAID[fault]
    change(data)
    status, said, _ = ask(verb)
    assert status == 0, said
    assert [word for word in words if word not in said] == []


@pytest.mark.parametrize("verb", VERBS)
def test_of_sound_data_nothing_is_said(ask, verb):
    status, said, _ = ask(verb)
    assert status == 0
    assert "note" not in said
    assert "error" not in said


def test_the_history_of_a_class_that_never_occurs_is_strict_json(ask, data, tmp_path):
    (data / "classes.txt").write_text("ground\nred\ngreen\nghost\n")
    assert ask("train")[0] == 0
    history = strict((tmp_path / "run/history.json").read_text())
    assert set(history[0]["iou"]) == {"ground", "red", "green", "ghost"}


def test_the_line_that_is_named_makes_255_a_class(ask, data):
    LEARNT_FROM["0 and 255"][0](data)
    (data / "classes.txt").write_text("0 ground\n255 green\n")
    assert ask("check-data")[0] == ask("train")[0] == 0
