"""Small whole files of everything that is read beside images: settings, weights, lists, records."""

import io
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from scipy.io import savemat

from saccade.data.specs import LabelSpec
from saccade.models.checkpoint import save_checkpoint
from saccade.models.mdc import LocalizerConfig
from saccade.models.segmentation import SegmentationConfig
from saccade.training.state import STATE, State, save_state
from saccade.weak.stroke_masks import Record

CONFIG = b"""[data]
root = "voc"
layout = "voc"
[network]
backbone = "mobilenet_v2"
rates = [6, 12]
[optim]
lr = 0.01
epochs = 3
[run]
seed = 1
"""


WEAK_CONFIG = b"""[data]
root = "data"
layout = "folder"
every = 2
[network]
network = "dsnet"
auxiliary = true
start = "a.safetensors"
[optim]
batch = 8
accumulate = 2
class_weights = "log"
[augmentation]
crop = [320, 320]
scale = [0.5, 2.0]
[supervision]
masks = "strokes"
online = 1.0
crf = 0.1
[run]
device = "cpu"
precision = "bf16-mixed"
"""

LOCALIZER_CONFIG = b"""[data]
root = "voc"
layout = "voc"
[network]
backbone = "vgg16"
dilations = [1, 3, 6, 9]
weights = "none"
[optim]
lr = 0.001
drop = 0.4
[augmentation]
crop = [321, 321]
[run]
seed = 1
"""

CLASSES = b"""# value name color
0 background 0 0 0
1 cat 128 0 0
7 wide dog 0 128 0
ignore 9
"""

VOC_LABELS = b"""<annotation><filename>a.jpg</filename><object><name>cat</name></object>
<object><name>dog</name><difficult>1</difficult></object></annotation>"""

WEIGHTS = {
    "features.0.0.weight": torch.ones(2, 3, 3, 3),
    "features.0.1.weight": torch.ones(2),
    "features.0.1.bias": torch.ones(2),
    "features.0.1.running_mean": torch.ones(2),
    "features.0.1.running_var": torch.ones(2),
}
FOLDED = {"features.0.0.weight": np.ones((2, 3, 3, 3)), "features.0.0.bias": np.ones(2)}


def whole_settings(folder: Path) -> dict[str, tuple[bytes, list[str]]]:
    """File name -> its bytes and the readers that may be given it."""
    configs = ["read_config", "read_config_data", "localizer_config"]
    files = {
        "train.toml": (CONFIG, configs),
        "weak.toml": (WEAK_CONFIG, configs),
        "localizer.toml": (LOCALIZER_CONFIG, configs),
        "classes.txt": (CLASSES, ["read_classes", "read_names"]),
        "labels.csv": (b'# name, classes\na.jpg,cat,dog\nb.v1,"cat"\n', ["image_labels"]),
        "voc.xml": (VOC_LABELS, ["voc_labels"]),
        "list.txt": (b"a\n/JPEGImages/b.jpg /SegmentationClass/b.png\n", ["image_list"]),
        "label.toml": (CONFIG[CONFIG.index(b"[network]") :], configs),
    }
    return files | _weights(folder) | _state(folder) | _stored()


def _weights(folder: Path) -> dict[str, tuple[bytes, list[str]]]:
    """Checkpoints have too few weights: whole ones would be of megabytes."""
    spec = LabelSpec(("a", "b"), ((0, 0, 0), (1, 1, 1)), ((0, 0), (1, 1)), (255,))
    few, path = {"classifier.bias": torch.zeros(2)}, folder / "a.safetensors"
    save_checkpoint(path, SegmentationConfig(2), few, spec, {})
    header = {
        "version": 1,
        "network": asdict(LocalizerConfig(2, "mobilenet_v2")),
        "classes": asdict(spec),
        "info": {},
    }
    wrapped, plain, folded = (io.BytesIO() for _ in range(3))
    torch.save({"model": {f"module.{n}": t for n, t in WEIGHTS.items()}, "epoch": 3}, wrapped)
    torch.save(WEIGHTS, plain)
    np.savez_compressed(folded, **FOLDED)
    cell = np.array([(np.ones((4, 5), np.uint8),)], dtype=[("Segmentation", object)])
    mats = {}
    for name, content in (("sbd", {"GTcls": cell}), ("context", {"LabelMap": np.ones((4, 5))})):
        for packed in (False, True):
            savemat(mat := io.BytesIO(), content, do_compression=packed)
            mats[f"{name}{'-packed' * packed}.mat"] = mat.getvalue(), ["read_values"]
    return {
        "a.safetensors": (path.read_bytes(), ["load_checkpoint"]),
        "classifier.safetensors": (
            save(few, {"saccade-localiser": json.dumps(header)}),
            ["load_localizer"],
        ),
        "wrapped.pth": (wrapped.getvalue(), ["pretrained"]),
        "weights.pth": (plain.getvalue(), ["pretrained"]),
        "weights.safetensors": (save(WEIGHTS), ["pretrained"]),
        "folded.npz": (folded.getvalue(), ["pretrained"]),
    } | mats


def _state(folder: Path) -> dict[str, tuple[bytes, list[str]]]:
    moments = {"state": {0: {"momentum_buffer": torch.ones(2)}}, "param_groups": [{"lr": 0.1}]}
    history = [{"epoch": 1, "step": 2, "miou": 0.5}]
    save_state(folder, State(2, WEIGHTS, moments, WEIGHTS, {}, 0.5, history), {"lr": 0.1})
    return {"state.pt": ((folder / STATE).read_bytes(), ["load_state"])}


def _stored() -> dict[str, tuple[bytes, list[str]]]:
    settings = {"preset": "fast", "seed": 0, "confidence": 0.9, "names": ["background"]}
    record = asdict(Record("a", 0.5, 2000, 10, 0.9, {0: 900, 1: 100}, {0: 9, 1: 8}))
    row = {"key": ["val", "a", "fast", 0], "seconds": 0.5, "classes": 3, "counts": [[0], [1], [5]]}
    return {
        "record.json": (json.dumps({**record, "settings": settings}).encode(), ["record"]),
        "map-record.json": (b'{"name": "a", "pixels": 12, "ignored": 3}', ["record"]),
        "rows.jsonl": (
            f'{{"settings": {{"seed": "0"}}}}\n{json.dumps(row)}\n'.encode(),
            ["rows", "stored_json"],
        ),
        "settings.json": (b'{"seed": 0, "data": null}', ["made_with", "stored_json"]),
    }
