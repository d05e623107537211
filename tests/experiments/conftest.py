"""Made-up data in the layouts that experiments read, and a segmenter that takes no time."""

from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

import saccade.interactive
from saccade.data.known import CAMVID
from saccade.experiments.engine.network_config import NetworkPlan
from saccade.training.config import DataConfig

SHAPE = (12, 16)


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array, np.uint8)).save(path)


def labels():
    """Truth: class 1 in the right half, two unknown columns between; strokes inside both."""
    truth = np.zeros(SHAPE, np.uint8)
    truth[:, 8:] = 1
    truth[:, 7:9] = 255
    strokes = np.full(SHAPE, 255, np.uint8)
    strokes[5, 1:5] = 0
    strokes[5, 11:15] = 1
    return truth, strokes


@pytest.fixture
def root(tmp_path):
    """Three object images with thin strokes, two CamVid frames with one of strokes each."""
    truth, strokes = labels()
    rng = np.random.default_rng(0)
    for stem in "abc":
        save(tmp_path / f"iseg/images/{stem}.png", rng.integers(0, 256, (*SHAPE, 3)))
        save(tmp_path / f"iseg/masks/{stem}.png", truth)
        save(tmp_path / f"iseg/scribbles_thin/{stem}.png", strokes)
    for stem in ("f1", "f2"):
        save(tmp_path / f"camvid/val/{stem}.png", rng.integers(0, 256, (*SHAPE, 3)))
        save(tmp_path / f"camvid/valannot/{stem}.png", np.where(truth == 255, 11, truth))
        save(tmp_path / f"camvid/val_scribbles/{stem}.png", strokes)
    return tmp_path


@dataclass
class FakeResult:
    labels: np.ndarray


@pytest.fixture
def fake_segment(monkeypatch):
    """Right everywhere but in as many columns from the left as the branch tells; counts calls."""
    calls = []
    wrong = {"gdc": 0, "normal": 2, "dilated": 1, "deformable": 3, "uniform": 4}

    def segment(image, strokes, *, preset, seed, device):
        calls.append((preset.network.branch, seed))
        guess = np.zeros(strokes.shape, np.int32)
        guess[:, 8:] = 1
        guess[:, : wrong[preset.network.branch]] = 1
        return FakeResult(guess)

    monkeypatch.setattr(saccade.interactive, "segment", segment, raising=False)
    return calls


@pytest.fixture(scope="session")
def camvid(tmp_path_factory):
    """Five photographs of stripes and boxes to train on, two to evaluate on."""
    root = tmp_path_factory.mktemp("shared") / "camvid"
    root.mkdir()
    generator = np.random.default_rng(0)
    for split, count in (("train", 5), ("val", 2)):
        for number in range(count):
            labels = np.repeat(np.arange(11, dtype=np.uint8), 10)[:, None].repeat(120, 1)
            labels[20:60, 30:60] = generator.integers(0, 11)
            labels[:3] = 11
            noise = generator.integers(-12, 12, (*labels.shape, 3))
            image = np.clip(CAMVID.colors[labels % 11] + noise, 0, 255).astype(np.uint8)
            for folder, array in ((split, image), (f"{split}annot", labels)):
                (root / folder).mkdir(exist_ok=True)
                Image.fromarray(array).save(root / folder / f"{split}{number}.png")
    return root


@pytest.fixture
def plan(camvid):
    """A run of seconds on the made-up CamVid."""
    return NetworkPlan(DataConfig("camvid", str(camvid)), "smoke", "mobilenet_v2", device="cpu")


def voc_tree(root, stems=("a", "b"), layout="voc"):
    """A tree of VOC 2012, or of PASCAL-Context, with ScribbleSup's strokes of it."""
    context = layout != "voc"
    base = root / ("VOC2010" if context else "VOC2012")
    masks = "SegmentationClassContext" if context else "SegmentationClass"
    lists = base / "ImageSets" / ("SegmentationContext" if context else "Segmentation")
    part = root / "scribble_annotation" / ("pascal_context" if context else "pascal_2012")
    for folder in (base / "JPEGImages", base / masks, lists, part):
        folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    labels = np.zeros((48, 64), np.uint8)
    labels[:, 32:] = 1
    for stem in stems:
        image = np.where(labels[..., None] == 1, 200, 60) + generator.integers(-9, 9, (48, 64, 3))
        Image.fromarray(image.astype(np.uint8)).save(base / f"JPEGImages/{stem}.jpg")
        Image.fromarray(labels + 1 if context else labels).save(base / f"{masks}/{stem}.png")
        write_scribbles(part / f"{stem}.xml", "bag" if context else "background", "plane")
    for split in ("train", "val"):
        (lists / f"{split}.txt").write_text("\n".join(stems))
    return base


def write_scribbles(path, left, right):
    line = (
        "<polygon><tag>{}</tag><point><X>{}</X><Y>20</Y></point>"
        "<point><X>{}</X><Y>20</Y></point></polygon>"
    )
    lines = line.format(left, 3, 20) + line.format(right, 40, 60)
    size = "<size><height>48</height><width>64</width></size>"
    path.write_text(f"<annotation>{size}{lines}</annotation>")
