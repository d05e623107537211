"""What Saccade computes stays what it is: hashes of results before and after a refactoring.

Only the public face and the command line are asked, so this file survives any move of code. On
the kind of machine where `golden.json` was written every bit must be equal. Another processor sums
in another order, so elsewhere samples of the numbers must agree to `TOLERANCE`.

A change that is meant to alter results writes the file anew and says so in its commit:
`SACCADE_GOLDEN=write pytest tests/test_golden.py`.
"""

import hashlib
import json
import os
import platform
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file
from skimage.data import astronaut
from typer.testing import CliRunner

import saccade
from saccade.cli.app import app

GOLDEN = Path(__file__).with_name("golden.json")
WRITE = os.environ.get("SACCADE_GOLDEN") == "write"
TOLERANCE = 2e-2
SAMPLES = 32
# Choices, not numbers: the last bit of a float may tip them, so elsewhere their shape alone counts.
CHOSEN = ("suggested", "confusion")
COLORS = np.array([[60, 60, 60], [200, 40, 40], [40, 180, 60]], np.uint8)

pytestmark = pytest.mark.filterwarnings("ignore")


def machine() -> str:
    """What decides the order in which floats are added up."""
    model = platform.processor()
    if Path("/proc/cpuinfo").is_file():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), model)
    return f"{model}, {torch.backends.cpu.get_cpu_capability()}, torch {torch.__version__}"


def fingerprint(array: np.ndarray) -> dict:
    """Shape, hash and evenly spread samples of an array."""
    array = np.ascontiguousarray(array)
    flat = array.ravel()
    places = np.linspace(0, flat.size - 1, min(SAMPLES, flat.size)).round().astype(int)
    return {
        "shape": list(array.shape),
        "sha256": hashlib.sha256(array.tobytes()).hexdigest()[:16],
        "samples": [round(float(v), 5) for v in flat[places]],
        "mean": round(float(flat.mean(dtype=np.float64)), 6),
    }


@pytest.fixture(scope="module")
def known():
    """The recorded fingerprints; written back where new ones are wanted."""
    stored = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    yield stored
    if WRITE:
        stored["machine"] = machine()
        GOLDEN.write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n")


def check(known: dict, name: str, **arrays: np.ndarray) -> None:
    """Compare with what was recorded under a name."""
    for part, array in arrays.items():
        key, found = f"{name}/{part}", fingerprint(np.asarray(array))
        if WRITE:
            known[key] = found
            continue
        expected = known[key]
        assert found["shape"] == expected["shape"], key
        if known["machine"] == machine():
            assert found["sha256"] == expected["sha256"], f"{key} is not what it was"
        if part in CHOSEN:
            continue
        scale = max(1.0, *(abs(v) for v in expected["samples"]))
        near = np.isclose(found["samples"], expected["samples"], atol=TOLERANCE * scale)
        assert near.mean() >= 0.9, key
        assert abs(found["mean"] - expected["mean"]) <= TOLERANCE * scale, key


def photograph() -> np.ndarray:
    """(96, 128, 3): part of a photograph that scikit-image carries."""
    return np.array(Image.fromarray(astronaut()[:384]).resize((128, 96), Image.Resampling.BOX))


def drawn(classes: int, more: bool = False) -> np.ndarray:
    """Short strokes of so many classes on a grid, (96, 128) int, 255 where nobody drew."""
    strokes = np.full((96, 128), 255, np.uint8)
    for k in range(classes):
        row, column = 8 + 28 * (k // 4), 6 + 31 * (k % 4)
        strokes[row : row + 3, column : column + 16] = k
    if more:
        strokes[80:83, 20:60] = 1
    return strokes


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("classes", [2, 11])
@pytest.mark.parametrize("preset", ["fast", "best", "paper"])
def test_segment(known, preset, classes, seed):
    found = saccade.segment(photograph(), drawn(classes), preset=preset, seed=seed)
    parts = {p: getattr(found, p) for p in ("labels", "probabilities", "uncertainty")}
    check(known, f"segment-{preset}-{classes}-{seed}", **parts)


@pytest.mark.parametrize("preset", ["fast", "best", "paper"])
def test_update_and_suggest(known, preset):
    segmenter = saccade.ScribbleSegmenter(preset, seed=0)
    segmenter.prepare(photograph())
    segmenter.update(drawn(2))
    first = segmenter.result.probabilities
    segmenter.update(drawn(2, more=True))
    places = [(s.row, s.column, *s.box, round(s.score, 2)) for s in segmenter.suggest(3)]
    check(
        known,
        f"update-{preset}",
        first=first,
        second=segmenter.predict_proba(),
        labels=segmenter.predict(),
        suggested=np.array(places, np.float64),
    )


def test_segment_of_a_large_and_a_tiny_image(known):
    """The working size is below the image's, and above it."""
    large = np.asarray(Image.fromarray(photograph()).resize((800, 600), Image.Resampling.BICUBIC))
    strokes = drawn(3).repeat(6, 0).repeat(6, 1)[:600]
    strokes = np.asarray(Image.fromarray(strokes).resize((800, 600), Image.Resampling.NEAREST))
    found = saccade.segment(large, strokes)
    check(known, "large", labels=found.labels, probabilities=found.probabilities)


def test_segment_of_a_tiny_image(known):
    tiny = np.asarray(Image.fromarray(photograph()).resize((32, 24), Image.Resampling.BOX))
    strokes = np.full((24, 32), 255, np.uint8)
    strokes[3:5, 4:12], strokes[16:18, 14:26] = 0, 1
    found = saccade.segment(tiny, strokes, classes=[0, 1, 5])
    check(known, "tiny", labels=found.labels, probabilities=found.probabilities)


def run(*arguments: object) -> None:
    found = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert found.exit_code == 0, found.output + found.stderr


def png(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A data set in the layout "folder", four images of rectangles, with strokes beside it."""
    folder = tmp_path_factory.mktemp("golden")
    generator = np.random.default_rng(0)
    for number in range(4):
        labels = np.zeros((60, 80), np.uint8)
        strokes = np.full((60, 80), 255, np.uint8)
        strokes[2:4, 5:70] = 0
        for k, left in ((1, 6), (2, 46)):
            y, x = generator.integers(8, 28), left + generator.integers(0, 8)
            labels[y : y + 24, x : x + 24] = k
            strokes[y + 11 : y + 13, x + 5 : x + 19] = k
        noise = generator.integers(-20, 20, (60, 80, 3))
        image = np.clip(COLORS[labels].astype(int) + noise, 0, 255).astype(np.uint8)
        arrays = {"images/train": image, "masks/train": labels, "strokes": strokes}
        for place, array in arrays.items():
            (folder / place).mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(folder / place / f"{number}.png")
    (folder / "classes.txt").write_text("ground\nred\ngreen\n")
    return folder


@pytest.fixture(autouse=True)
def one_thread():
    """Sums over threads depend on how many there are."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


NETWORKS = {
    "gdpp": '[network]\nwidth = 8\npyramid = "gdpp"\nauxiliary = false\n',
    "dsnet": '[network]\nnetwork = "dsnet"\nwidth = 8\nauxiliary = true\n',
    "crf": '[network]\nwidth = 8\npyramid = "aspp"\n[supervision]\nmasks = "strokes"\ncrf = 0.1\n',
}


@pytest.mark.parametrize("network", NETWORKS)
def test_steps_of_training_and_an_evaluation(known, root, tmp_path, network):
    config = root / f"{network}.toml"
    config.write_text(
        '[data]\nlayout = "folder"\nroot = "."\nval = ""\n'
        f"{NETWORKS[network]}[optim]\nepochs = 12\nbatch = 4\nlr = 0.05\n"
        '[augmentation]\ncrop = [32, 40]\n[run]\ndevice = "cpu"\n'
    )
    run("train", config, "-o", tmp_path / "run", "-q")
    tensors = load_file(tmp_path / "run/last.safetensors")
    floats = [tensors[n].ravel() for n in sorted(tensors) if tensors[n].dtype == np.float32]
    run(
        *("evaluate", tmp_path / "run/last.safetensors", root, "-o", tmp_path / "scores"),
        *("--split", "train", "--scales", "0.5,1", "--flip", "--device", "cpu", "-q"),
    )
    rows = (tmp_path / "scores/confusion.csv").read_text().splitlines()
    numbers = [float(v) for row in rows for v in row.split(",") if v.replace(".", "").isdecimal()]
    check(known, f"train-{network}", weights=np.concatenate(floats), confusion=np.array(numbers))


def test_localization_maps_and_the_masks_of_them(known, root, tmp_path):
    run(
        *("localize", root, "-o", tmp_path / "out", "--backbone", "mobilenet_v2"),
        *("--weights", "none", "--epochs", 1, "--batch", 2, "--crop", 48),
        *("--dilations", "1,2", "--rows", 3, "--device", "cpu", "-q"),
    )
    maps = np.load(tmp_path / "out/maps/0.npz")
    largest = max((maps[name] for name in maps.files), key=lambda array: array.size)
    run(
        *("pseudo-label", root / "images/train", tmp_path / "out/maps", "-o", tmp_path / "masks"),
        *("--conflicts", "strongest", "-q"),
    )
    check(known, "localize", maps=largest, mask=png(tmp_path / "masks/0.png"))


def test_pseudo_masks_from_strokes(known, root, tmp_path):
    run(
        *("pseudo-label", root / "images/train", root / "strokes", "-o", tmp_path / "masks"),
        *("--classes", root / "classes.txt", "--processes", 1, "--device", "cpu", "-q"),
    )
    check(known, "pseudo-label", mask=np.stack([png(tmp_path / f"masks/{n}.png") for n in "0123"]))
