"""Small recipes for the training of the bundled weights."""

from pathlib import Path

from scripts.train_bundled.digests import digest_of_folder

FOLDERS = {
    "bsds": ("bsds/train/images", "bsds/train/segments"),
    "camvid": ("camvid/train", "camvid/trainannot"),
    "iseg": (
        "iseg/images",
        "iseg/masks",
        "iseg/scribbles_thin",
        "iseg/scribbles_full",
        "iseg/scribbles_dense",
    ),
    "objects": ("objects/images", "objects/masks"),
    "nuclei-fluo": ("fields/nuclei-fluo/images", "fields/nuclei-fluo/masks"),
}
FIT_AND_FUSION = """
[[stage]]
name = "fit"
kind = "fit"
seed = 0
steps = 3
batch = 1
learning_rate = 0.003
reuse = 2
pool = 2
shares = { binary = 1.0 }

[[stage]]
name = "fusion"
kind = "fusion"
start = ["fit"]
seed = 4
steps = 4
batch = 1
learning_rate = 0.003
average = 0.9
freeze_norm = 0.5
reuse = 2
pool = 2
shares = { binary = 1.0 }
"""
OBJECT = """
[[stage]]
name = "object"
kind = "object"
seed = 1
steps = 2
batch = 1
learning_rate = 0.001
average = 0.9
shares = { things = 1.0 }
options = { encoder = 0.5 }
"""
CLICKS = """
[[stage]]
name = "fusion"
kind = "fusion"
start = ["fit", "object"]
seed = 4
steps = 2
batch = 1
learning_rate = 0.003
shares = { clicks = 0.5, whole = 0.5 }
"""
ONE_OBJECT = """
[[file]]
name = "object.safetensors"
members = [["object"]]
"""
ONE_FILE = """
[[file]]
name = "bundled.safetensors"
members = [["fusion"]]
"""


def write_recipe(path: Path, root: Path, stages: str, *, digests: dict[str, str] | None = None):
    """A recipe with the digests of the data that are there."""
    lines = []
    for name, folders in FOLDERS.items():
        there = [folder for folder in folders if (root / folder).is_dir()]
        if not there:
            continue
        lines += [f"[data.{name}]", f'what = "{name} for tests"', 'terms = "made for tests"']
        lines += [f"[data.{name}.folders]"]
        for folder in there:
            digest = (digests or {}).get(folder) or digest_of_folder(root / folder)
            lines.append(f'"{folder}" = "{digest}"')
    path.write_text("\n".join(lines) + "\n" + stages)
    return path
