"""The verbs for cheap labels, on a made-up data set."""

import shutil

import numpy as np
import pytest
from PIL import Image

from saccade.weak.localization import LocalizationMaps, write_maps
from tests.cli.networks import check, run
from tests.weak.helpers import SPEC, photograph

pytestmark = pytest.mark.filterwarnings("ignore")

CONFIG = (
    '[network]\nwidth = 8\npyramid = "none"\n[optim]\nepochs = 1\nbatch = 2\nlr = 0.01\n'
    '[augmentation]\ncrop = [32, 40]\n[run]\ndevice = "cpu"\n'
)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Layout "folder" with strokes beside it."""
    folder = tmp_path_factory.mktemp("weak")
    generator = np.random.default_rng(0)
    for number in range(4):
        arrays = dict(zip(("images", "masks", "strokes"), photograph(generator), strict=True))
        for kind, array in arrays.items():
            place = folder / kind / ("" if kind == "strokes" else "train")
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(place / f"{number}.png")
    (folder / "classes.txt").write_text("\n".join(SPEC.names))
    (folder / "train.toml").write_text(CONFIG)
    return folder


def test_label_from_strokes_to_report(root, tmp_path):
    arguments = (root / "images/train", root / "strokes", "-o", tmp_path / "out")
    # Masks to evaluate on have values of their own, and one that has no class.
    lines = [f"{100 * value} {name}" for value, name in enumerate(SPEC.names)]
    (tmp_path / "classes.txt").write_text("\n".join([*lines, "ignore 9"]))
    (tmp_path / "val").mkdir()
    for path in (root / "masks/train").iterdir():
        values = 100 * np.asarray(Image.open(path))
        values[:4] = 9
        Image.fromarray(values).save(tmp_path / "val" / path.name)
    options = ("--classes", tmp_path / "classes.txt", "--config", root / "train.toml")
    val = ("--val-images", root / "images/train", "--val-masks", tmp_path / "val")
    result = run("label", *arguments, *options, *val, "--jobs", 1)
    check(result, "report: ", "% against ground truth")
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"masks", "run", "report.html"}
    check(
        run(
            "predict",
            tmp_path / "out/run/last.safetensors",
            root / "images/train",
            "-o",
            tmp_path / "predicted",
        )
    )
    assert len(list((tmp_path / "predicted").glob("*.png"))) == 4


def test_localize_then_pseudo_label(root, tmp_path):
    small = ("--backbone", "mobilenet_v2", "--weights", "none", "--epochs", 1, "--batch", 2)
    options = (*small, "--crop", 48, "--dilations", "1,2", "--rows", 3)
    result = run("localize", root, "-o", tmp_path / "out", *options, "--device", "cpu")
    check(result, "4 images; written to")
    assert {p.name for p in (tmp_path / "out").iterdir()} >= {
        "classifier.safetensors",
        "maps",
        "labels.csv",
        "sheet.jpg",
    }
    assert (tmp_path / "out/labels.csv").read_text().splitlines()[0] == "0,ground,red,green"
    maps = tmp_path / "out/maps"
    before = (maps / "0.npz").stat().st_mtime_ns
    run("localize", root, "-o", tmp_path / "out", *options, "--device", "cpu")
    assert (maps / "0.npz").stat().st_mtime_ns == before  # the same classifier, the same maps
    result = run(
        "pseudo-label",
        root / "images/train",
        maps,
        "-o",
        tmp_path / "masks",
        "--conflicts",
        "strongest",
    )
    check(result, "4 masks in")
    mask = np.asarray(Image.open(tmp_path / "masks/0.png"))
    assert mask.shape == (60, 80)
    assert set(np.unique(mask)) <= {0, 1, 2, 255}
    check(
        run("localize", root, "-o", tmp_path / "out", *options, "--device", "cpu", "--seed", 1),
        "another seed",
        code=1,
    )


LOCALIZE = """
[data]
layout = "folder"
root = "data"
[network]
backbone = "mobilenet_v2"
weights = "none"
dilations = [1, 2]
[optim]
epochs = 1
batch = 2
[augmentation]
crop = [48, 48]
[run]
device = "cpu"
"""


def test_localize_reads_a_file_and_options_override_it(root, tmp_path):
    shutil.copytree(root, tmp_path / "data")
    (tmp_path / "localize.toml").write_text(LOCALIZE)
    options = ("--config", tmp_path / "localize.toml", "--rows", 3)
    check(run("localize", "-o", tmp_path / "one", *options), "4 images; written to")
    given = ("--backbone", "mobilenet_v2", "--weights", "none", "--epochs", 1, "--batch", 2)
    given = (*given, "--crop", 48, "--dilations", "1,2", "--device", "cpu", "--rows", 3)
    run("localize", tmp_path / "data", "-o", tmp_path / "two", *given)
    both = [(tmp_path / n / "classifier.safetensors").read_bytes() for n in ("one", "two")]
    assert both[0] == both[1]
    run("localize", "-o", tmp_path / "three", *options, "--seed", 1)
    assert (tmp_path / "three/classifier.safetensors").read_bytes() != both[0]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[data]\n", "ROOT is missing"),
        ("[optim]\nema = 0.9\n", "optim: 'ema' is no setting of a classifier"),
        ("[run]\nprecision = '16-mixed'\n", "run: 'precision' is no setting of a classifier"),
        ("[supervision]\n", r"[supervision] is no table here"),
        ("[network]\nwidth = 1.5\n", "network: width is 1.5, must be of type int"),
        ("[network\n", "no TOML"),
    ],
)
def test_a_wrong_setting_of_localize_is_named(root, tmp_path, line, message):
    path = tmp_path / "localize.toml"
    path.write_text(line)
    folder = () if line == "[data]\n" else (root,)
    check(run("localize", *folder, "-o", tmp_path / "out", "--config", path), message, code=1)
    assert not (tmp_path / "out").exists()


def test_localize_leaves_nothing_where_a_class_is_in_no_image(root, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("".join(f"{name},ground,red\n" for name in "0123"))
    arguments = ("localize", root, "--labels", labels)
    result = run(*arguments, "-o", tmp_path / "out", "--weights", "none")
    check(result, "class 'green' is in no image", code=1)
    assert not (tmp_path / "out").exists()
    before = labels.read_text().replace("0,ground,red", "0,ground,red,green")
    labels.write_text(before)
    check(run(*arguments, "-o", tmp_path), "is an input and would be replaced", code=1)
    assert labels.read_text() == before


def test_remarks_are_printed_without_a_bar_too(root, tmp_path):
    shutil.copytree(root / "strokes", tmp_path / "strokes")
    (tmp_path / "strokes/3.png").unlink()
    arguments = (root / "images/train", tmp_path / "strokes", "-o", tmp_path / "out", "-q")
    options = ("--classes", root / "classes.txt", "--jobs", 1)
    check(run("pseudo-label", *arguments, *options), "1 images without strokes: 3.png")
    options = (*options, "--config", root / "train.toml")
    check(run("label", *arguments, *options), "1 images without strokes: 3.png")
    assert "1 images without strokes: 3.png" in (tmp_path / "out/report.html").read_text()


def test_pseudo_label_from_strokes_says_how_sure(root, tmp_path):
    arguments = (root / "images/train", root / "strokes", "-o", tmp_path / "out")
    result = run("pseudo-label", *arguments, "--classes", root / "classes.txt", "--jobs", 1)
    check(result, "4 masks in", "% of the pixels without a class", "s per image")
    (root / "more").mkdir(exist_ok=True)
    Image.fromarray(np.full((60, 80), 255, np.uint8)).save(root / "more/0.png")
    arguments = (root / "images/train", root / "more", "-o", tmp_path / "bad")
    result = run("pseudo-label", *arguments, "--classes", root / "classes.txt")
    check(result, "0.png: ", "error: 1 of 1 images failed", "images without strokes", code=1)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def write_some_maps(folder, names="0123", classes=(1, 2)):
    """Maps in which both classes are in the middle, where they are in conflict."""
    folder.mkdir(parents=True)
    maps = np.zeros((1, len(classes), 6, 8), np.float32)
    maps[:, :, 2:4, 2:6] = 1
    for name in names:
        write_maps(folder / f"{name}.npz", LocalizationMaps(maps, classes, (1,), (60, 80)))


@pytest.mark.parametrize(
    ("verb", "source", "output", "victim"),
    [
        ("pseudo-label", "strokes", "strokes", "strokes"),
        ("pseudo-label", "strokes", "images/train", "images/train"),
        ("pseudo-label", "loc/maps", "images/train", "images/train"),
        ("label", "ow/masks", "ow", "ow/masks"),
    ],
)
def test_inputs_are_never_replaced(root, tmp_path, verb, source, output, victim):
    base = tmp_path / "data"
    shutil.copytree(root, base)
    shutil.copytree(base / "strokes", base / "ow/masks")
    write_some_maps(base / "loc/maps")
    before = contents(base / victim)
    arguments = (base / "images/train", base / source, "-o", base / output)
    options = ("--classes", base / "classes.txt", "--jobs", 1)
    result = run(verb, *arguments, *options)
    check(result, "0.png: is an input and would be replaced; give -o another folder", code=1)
    assert contents(base / victim) == before


def test_a_saliency_map_is_never_replaced(root, tmp_path):
    write_some_maps(tmp_path / "maps")
    (tmp_path / "saliency").mkdir()
    for name in "0123":
        Image.fromarray(np.eye(60, 80, dtype=np.uint8)).save(tmp_path / f"saliency/{name}.png")
    (tmp_path / "classes.txt").write_text("background\nred\ngreen\n")
    before = contents(tmp_path / "saliency")
    options = ("--classes", tmp_path / "classes.txt", "--saliency", tmp_path / "saliency")
    arguments = (root / "images/train", tmp_path / "maps", "-o", tmp_path / "saliency")
    check(run("pseudo-label", *arguments, *options), "is an input and would be replaced", code=1)
    assert contents(tmp_path / "saliency") == before


def test_pseudo_label_from_maps_says_what_is_left_out_and_uncertain(root, tmp_path):
    write_some_maps(tmp_path / "maps", "0129")
    arguments = (root / "images/train", tmp_path / "maps", "-o", tmp_path / "out")
    options = ("--classes", root / "classes.txt")
    result = run("pseudo-label", *arguments, *options)
    check(result, "1 images without a map: 3.png", "1 maps without an image: 9.npz")
    check(
        result, "3 masks in", "100.0 % of the pixels without a class, 255", "--conflicts strongest"
    )
    result = run("pseudo-label", *arguments, *options, "--conflicts", "strongest")
    assert "100.0 %" not in result.output
    few = tmp_path / "few.txt"
    few.write_text("ground\nred\n")
    result = run("pseudo-label", *arguments, "--classes", few)
    check(result, "has a map of class 2, but there are only 2 class names", code=1)
    result = run("pseudo-label", *arguments, *options, "--saliency", "typo")
    check(result, "--saliency is 'typo': no such folder", code=1)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("label images/train strokes -o out", "--classes is missing"),
        ("label images/train nowhere -o out --classes classes.txt", "nowhere"),
        (
            "label images/train strokes -o out --classes classes.txt --val-images images/train",
            "--val-images and --val-masks belong together",
        ),
        (
            "label images/train strokes -o out --classes classes.txt --config data.toml",
            "[data] is decided by the command line",
        ),
        ("pseudo-label images/train nowhere -o out", "no such folder"),
        (
            "pseudo-label images/train strokes -o out --classes classes.txt --confidence 1.5",
            "confidence is 1.5",
        ),
        ("localize . -o out --dilations 1,x", "--dilations is '1,x'"),
        ("localize . -o out --lr 0", "--lr is 0.0"),
        ("localize . -o out --labels nothing.csv", "nothing.csv: no such file"),
        ("localize . -o out --backbone vgg19", "backbone"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(root, monkeypatch, line, message):
    monkeypatch.chdir(root)
    (root / "data.toml").write_text('[data]\nlayout = "folder"\nroot = "."\n')
    result = run(*line.split())
    check(result, message, code=1)
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (root / "out/run").exists()
    assert not (root / "out/classifier.safetensors").exists()
