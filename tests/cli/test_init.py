"""``saccade init``: from a folder as people have it to a network, in a few commands."""

import json
import tomllib

import numpy as np
import pytest
import tifffile
from PIL import Image

from tests.cli.networks import COLORS, check, run

pytest.importorskip("lightning", reason="the extra train is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")


def photos(folder, count=10, size=(4, 5)):
    """A flat folder of noisy blocks, with masks in the colors of `COLORS` under own names."""
    folder.mkdir()
    generator = np.random.default_rng(0)
    for number in range(count):
        labels = generator.integers(0, 3, size).astype(np.uint8).repeat(16, 0).repeat(16, 1)
        picture = COLORS[labels] + generator.integers(-9, 9, (*labels.shape, 3))
        Image.fromarray(picture.astype(np.uint8)).save(folder / f"Our bay {number}.jpg")
        Image.fromarray(COLORS[labels]).save(folder / f"Our bay {number} painted.png")
    return folder


def test_a_folder_of_own_names_becomes_a_network_and_scores(tmp_path):
    folder, out = photos(tmp_path / "bay"), tmp_path / "training"
    before = sorted(folder.iterdir())
    result = run("init", folder, "-o", out)
    check(result, "10 images with masks: one name of each pair ends in ' painted'", "next: ")
    assert sorted(folder.iterdir()) == before
    config = tomllib.loads((out / "train.toml").read_text())
    assert config["data"]["layout"] == "lists"
    lines = [(out / f"{name}.txt").read_text().splitlines() for name in ("train", "val")]
    assert [len(part) for part in lines] == [8, 2]
    assert lines[0][0] == "../bay/Our bay 0.jpg\t../bay/Our bay 0 painted.png"
    text = (out / "train.toml").read_text()
    (out / "train.toml").write_text(
        text.replace(f"epochs = {config['optim']['epochs']} ", "epochs = 1 ")
    )
    check(run("check-data", out, "--layout", "lists"), "bay train: 8 images with masks")
    check(
        run("train", out / "train.toml", "-o", tmp_path / "run"),
        "2 steps",
        "epoch 1: mIoU",
        "report: ",
    )
    page = (tmp_path / "run/report.html").read_text()
    assert "Worst predictions" in page
    assert "<h1>bay</h1>" in page
    best = tmp_path / "run/best.safetensors"
    scores = ("evaluate", best, out, "--layout", "lists", "-o", tmp_path / "scores")
    check(run(*scores), "mIoU", "2 images")


def test_the_same_seed_holds_out_the_same_images(tmp_path):
    folder = photos(tmp_path / "bay")

    def held_out(name, *options):
        check(run("init", folder, "-o", tmp_path / name, *options))
        return (tmp_path / name / "val.txt").read_text()

    assert held_out("a") == held_out("b") != held_out("c", "--seed", 1)
    assert len(held_out("d", "--hold-out", 0.5).splitlines()) == 5


def test_what_is_there_is_kept(tmp_path):
    folder = photos(tmp_path / "bay", 4)
    check(run("init", folder, "-o", tmp_path / "out"))
    (tmp_path / "out/train.toml").write_text("mine")
    check(run("init", folder, "-o", tmp_path / "out"), "is there already; --overwrite", code=1)
    assert (tmp_path / "out/train.toml").read_text() == "mine"
    check(run("init", folder, "-o", tmp_path / "out", "--overwrite"))
    assert (tmp_path / "out/train.toml").read_text() != "mine"


def test_a_known_layout_is_used_as_it_is(trained, tmp_path):
    check(run("init", trained / "data", "-o", tmp_path / "out"), "the layout is 'folder'")
    config = tomllib.loads((tmp_path / "out/train.toml").read_text())
    assert config["data"]["layout"] == "folder"
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["train.toml"]


def test_masks_of_numbered_objects_are_converted(tmp_path):
    folder = tmp_path / "cells"
    folder.mkdir()
    for number in range(4):
        Image.new("RGB", (40, 32)).save(folder / f"{number}.jpg")
        objects = np.zeros((32, 40), np.uint16)
        for k in range(10 + number):
            objects[2 : 3 + k, 3 * k : 3 * k + 2] = k + 1
        Image.fromarray(objects[:, :40]).save(folder / f"{number}_label.tif")
    result = run("init", folder, "-o", tmp_path / "out")
    check(result, "masks number their objects", "classes: background, object")
    mask = np.asarray(Image.open(tmp_path / "out/masks/2.png"))
    assert np.array_equal(mask > 0, np.asarray(Image.open(folder / "2_label.tif")) > 0)


def bands(folder, channels, kind=np.uint16, count=4):
    """A flat folder of stacks of channels, and masks of what is bright in the first."""
    folder.mkdir()
    generator = np.random.default_rng(0)
    for number in range(count):
        labels = generator.integers(0, 2, (3, 4)).astype(np.uint8).repeat(12, 0).repeat(12, 1)
        values = generator.integers(0, 300, (channels, *labels.shape))
        values[0] += 2000 * labels.astype(int)
        planes = values.astype(kind) if channels > 1 else values[0].astype(kind)
        axes = {"axes": "CYX" if channels > 1 else "YX"}
        tifffile.imwrite(folder / f"{number}.tif", planes, metadata=axes, imagej=True)
        Image.fromarray(labels).save(folder / f"{number}_mask.png")
    return folder


@pytest.mark.parametrize(
    ("channels", "kind", "said"), [(5, np.uint16, "5 channels"), (1, np.float32, "1 channel")]
)
def test_other_numbers_than_those_of_photographs_are_measured(tmp_path, channels, kind, said):
    result = run("init", bands(tmp_path / "plates", channels, kind), "-o", tmp_path / "out")
    check(result, f"{said}; black and white are measured on the training images")
    text = (tmp_path / "out/train.toml").read_text()
    config = tomllib.loads(text)
    assert config["data"]["intensities"] == "measured"
    assert config["augmentation"]["jitter"] == (0.2 if channels == 1 else 0)
    epochs = f"epochs = {config['optim']['epochs']} "
    (tmp_path / "out/train.toml").write_text(text.replace(epochs, "epochs = 1 "))
    check(run("train", tmp_path / "out/train.toml", "-o", tmp_path / "run"), "1 steps")
    images = tmp_path / "plates/0.tif"
    best = tmp_path / "run/best.safetensors"
    check(run("predict", best, images, "-o", tmp_path / "masks"), "1 masks")


def test_images_of_different_channels_are_said(tmp_path):
    folder = photos(tmp_path / "bay", 6, size=(3, 4))
    for path in sorted(folder.glob("*.jpg"))[:3]:
        planes = np.zeros((5, 48, 64), np.uint8)
        tifffile.imwrite(path.with_suffix(".tif"), planes, metadata={"axes": "CYX"}, imagej=True)
        path.unlink()
    result = run("init", folder, "-o", tmp_path / "out")
    check(result, "channels and", "a network takes one kind, choose channels in [data]")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere",), "no such folder"),
        (("empty",), "no image with a mask"),
        (("few",), "2 images with masks, expected at least 3"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    photos(tmp_path / "few", 2)
    result = run("init", *arguments)
    check(result, words, code=1)
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "training").exists()


def shapes(folder, count=4):
    """Images of a bright square; returns what was drawn on each: a label and its corners."""
    folder.mkdir()
    drawn = []
    for number in range(count):
        picture = np.zeros((32, 40, 3), np.uint8)
        x = 4 + 3 * number
        picture[8:20, x : x + 10] = 250
        Image.fromarray(picture).save(folder / f"house {number}.jpg")
        drawn.append(("roof" if number % 2 else "yard", x))
    return drawn


def outline(x):
    return [x, 8, x + 10, 8, x + 10, 20, x, 20]


def test_shapes_of_labelme_become_masks(tmp_path):
    for number, (label, x) in enumerate(shapes(tmp_path / "town")):
        corners = [[x, 8], [x + 9, 8], [x + 9, 19], [x, 19]]
        shape = {"label": label, "points": corners, "shape_type": "polygon", "group_id": None}
        document = {
            "version": "5.0",
            "flags": {},
            "imagePath": f"house {number}.jpg",
            "shapes": [{**shape, "flags": {}}],
            "imageHeight": 32,
            "imageWidth": 40,
        }
        (tmp_path / f"town/house {number}.json").write_text(json.dumps(document))
    result = run("init", tmp_path / "town", "-o", tmp_path / "out")
    check(result, "4 images with shapes of labelme", "classes: background, yard, roof")
    mask = np.asarray(Image.open(tmp_path / "out/masks/house 1.png"))
    assert mask[12, 12] == 2
    assert mask[2, 2] == 0
    assert (mask > 0).sum() == pytest.approx(120, abs=25)


def test_shapes_of_coco_become_masks_and_splits(tmp_path):
    drawn = shapes(tmp_path / "town", 6)
    categories = [{"id": 7, "name": "yard"}, {"id": 3, "name": "roof"}]
    for split, numbers in (("train", range(4)), ("val", (4, 5))):
        images = [
            {"id": n, "file_name": f"house {n}.jpg", "height": 32, "width": 40} for n in numbers
        ]
        annotations = [
            {
                "id": n,
                "image_id": n,
                "category_id": {"yard": 7, "roof": 3}[drawn[n][0]],
                "bbox": [drawn[n][1], 8, 10, 12],
                "area": 120,
                "iscrowd": 0,
                "segmentation": [outline(drawn[n][1])],
            }
            for n in numbers
            if n != 3
        ]
        document = {"images": images, "annotations": annotations, "categories": categories}
        (tmp_path / f"town/instances_{split}.json").write_text(json.dumps(document))
    result = run("init", tmp_path / "town", "-o", tmp_path / "out")
    check(result, "shapes of COCO", "nothing is drawn on house 3.jpg", "3 images to train on, 2 to")
    classes = [line.split()[1] for line in (tmp_path / "out/classes.txt").read_text().splitlines()]
    masks = [np.asarray(Image.open(tmp_path / f"out/masks/house {n}.png")) for n in (0, 1)]
    assert [classes[mask.max()] for mask in masks] == ["yard", "roof"]
    assert [(mask > 0).sum() for mask in masks] == [120, 120]
