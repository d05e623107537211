"""The page as somebody uses it who has never seen it: with a mouse, on a phone, by keys alone.

    python -m benchmarks.trials ROOT

Five single objects (of ecssd) to an IoU of .95, with strokes and seconds counted, and ten street
scenes (of camvid) with eight classes that are named on the page, all called done and exported in
one file. A real Chromium is driven through what is on the page; each stroke goes along the middle
of the largest error, as of somebody who sees it. Seconds are those of drawing and of waiting for
masks, without what a person needs to think and to move a hand.
"""

import argparse
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness import command_line

if TYPE_CHECKING:
    from benchmarks.trials.people import Person

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "web"))

WANTED = 0.95
MOST_STROKES = 20
"""On an object."""
SCENE_STROKES = 14
"""On a street scene."""
SCENE_ERROR = 0.02
"""A person goes on while a wrong region is at least this share of the scene."""
CLASSES = {
    "sky": 0,
    "building": 1,
    "road": 3,
    "pavement": 4,
    "tree": 5,
    "car": 8,
    "fence": 7,
    "pedestrian": 9,
}
"""What a person calls a class, and its value in the set; the others are left out."""


def objects(kind: type["Person"], browser: Any, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Objects one by one, each opened alone."""
    from conftest import serving

    from benchmarks.harness.datasets import load_masked
    from benchmarks.trials.placing import first_stroke, next_stroke

    found = []
    for one in load_masked(args.root, "ecssd", every=20, limit=args.objects):
        photo = args.root / "ecssd" / "images" / f"{one.stem}.jpg"
        with tempfile.TemporaryDirectory() as home, serving(Path(home), photo) as address:
            person = kind(browser, address)
            person.draw(first_stroke(one.truth, 1))
            while True:
                mask = person.mask(one.truth.shape)
                iou = ((mask == 1) & (one.truth == 1)).sum() / (
                    (mask == 1) | (one.truth == 1)
                ).sum()
                stroke = next_stroke(one.truth, mask)
                if iou >= WANTED or stroke is None or person.strokes >= MOST_STROKES:
                    break
                person.draw(stroke)
            picture(person, args, f"object-{one.stem}")
            found.append(
                {
                    "image": one.stem,
                    "strokes": person.strokes,
                    "seconds": round(person.seconds, 2),
                    "iou": round(float(iou), 4),
                    "reached": bool(iou >= WANTED),
                }
            )
            person.close()
        print(kind.name, found[-1], flush=True)
    return found


def streets(kind: type["Person"], browser: Any, args: argparse.Namespace) -> dict[str, Any]:
    """Street scenes in one folder, with classes that are named on the page."""
    from conftest import serving

    truths = scenes(args)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder) / "photos"
        photos.mkdir()
        for name in truths:
            shutil.copy(args.root / "camvid" / "val" / f"{name}.jpg", photos)
        try:
            with serving(Path(folder) / "home", photos) as address:
                found |= all_scenes(kind(browser, address), truths, Path(folder), args)
        except subprocess.TimeoutExpired:
            if not found:
                raise
            found["stopped"] = False  # the server did not stop in time; what was drawn counts
    return found


def all_scenes(
    person: "Person", truths: dict[str, Any], folder: Path, args: argparse.Namespace
) -> dict[str, Any]:
    """Name the classes, draw on each scene, call it done, and export all."""
    began = time.monotonic()
    picture(person, args, "first")
    for value, name in enumerate(CLASSES):
        person.name_class(value, name)
    each = []
    for name, truth in truths.items():
        person.until(f"document.title.startsWith('{name}')")
        each.append(one_scene(person, name, truth))
        print(person.name, each[-1], flush=True)
        if len(each) == len(truths) // 2:
            picture(person, args, "working")
        person.done()
    person.until(
        f"document.querySelector('[data-testid=queue-counts]').textContent"
        f".startsWith('{len(truths)} of')"
    )
    picture(person, args, "done")
    masks = exported(person.export_all(folder))
    whole = time.monotonic() - began
    person.close()
    return {
        "scenes": each,
        "strokes": sum(one["strokes"] for one in each),
        "seconds": round(sum(one["seconds"] for one in each), 1),
        "seconds_with_scoring": round(whole, 1),
        "exported": len(masks),
        **scored(truths, masks),
    }


def one_scene(person: "Person", name: str, truth: Any) -> dict[str, Any]:
    """Draw until no wrong region is large any more."""
    from benchmarks.trials.placing import next_stroke

    strokes, seconds = person.strokes, person.seconds
    while person.strokes - strokes < SCENE_STROKES:
        stroke = next_stroke(truth, person.mask(truth.shape), SCENE_ERROR)
        if stroke is None:
            break
        person.draw(stroke)
    known = truth != 255
    right = (person.mask(truth.shape) == truth)[known].mean()
    person.until("!saccade.unsaved")
    return {
        "image": name,
        "strokes": person.strokes - strokes,
        "seconds": round(person.seconds - seconds, 1),
        "right": round(float(right), 4),
    }


def scenes(args: argparse.Namespace) -> dict[str, Any]:
    """Truths (H, W) by name, with the values that the page gives the classes."""
    import numpy as np

    from benchmarks.harness.datasets import read_labels

    found = {}
    folder = args.root / "camvid"
    for path in sorted((folder / "val").glob("*.jpg"))[::10][: args.scenes]:
        read = read_labels(folder / "valannot" / f"{path.stem}.png")
        truth = np.full(read.shape, 255, np.int32)
        for value, own in enumerate(CLASSES.values()):
            truth[read == own] = value
        found[path.stem] = truth
    return found


def exported(path: Path) -> dict[str, Any]:
    """The masks of an export by the name of their image."""
    import numpy as np
    from PIL import Image

    with zipfile.ZipFile(path) as file:
        names = [name for name in file.namelist() if name.endswith(".png")]
        return {
            Path(name).stem: np.asarray(Image.open(io.BytesIO(file.read(name)))) for name in names
        }


def scored(truths: dict[str, Any], masks: dict[str, Any]) -> dict[str, Any]:
    """Mean IoU over the classes of all exported masks together, and the share that is right."""
    import numpy as np

    counts = np.zeros((len(CLASSES), 3))
    for name, truth in truths.items():
        mask, known = masks[name], truth != 255
        for value in range(len(CLASSES)):
            mine, theirs = (mask == value) & known, truth == value
            counts[value] += (mine & theirs).sum(), (mine | theirs).sum(), theirs.sum()
    there = counts[:, 2] > 0
    return {
        "classes": int(there.sum()),
        "miou": round(float((counts[there, 0] / counts[there, 1]).mean()), 4),
        "right": round(float(counts[:, 0].sum() / counts[:, 2].sum()), 4),
    }


def picture(person: "Person", args: argparse.Namespace, name: str) -> None:
    """What the page looks like, where somebody wants to see it."""
    if args.pictures is not None:
        args.pictures.mkdir(parents=True, exist_ok=True)
        person.page.screenshot(path=args.pictures / f"{person.name}-{name}.png")


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("trials", __doc__)
    command_line.add_root(parser, "ecssd and camvid")
    add = parser.add_argument
    add("--people", default="mouse,phone,keyboard", help="who, default %(default)s")
    add("--objects", type=command_line.positive, default=5, help="how many, default %(default)s")
    add("--scenes", type=command_line.positive, default=10, help="how many, default %(default)s")
    add("--parts", default="objects,streets", help="what is tried, default %(default)s")
    add("--pictures", type=Path, help="folder for pictures of the page")
    parser.set_defaults(threads=os.cpu_count())  # the server is one that anybody starts
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Try the page, print and write the results."""
    from conftest import ARGUMENTS, CHROMIUM
    from playwright.sync_api import sync_playwright

    from benchmarks.harness import results
    from benchmarks.trials.people import PEOPLE

    settings = results.machine(args.threads) | {"load_average_before": os.getloadavg()[0]}
    path = results.result_path(args, settings)
    found: dict[str, Any] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        settings["browser"] = browser.version
        for name in args.people.split(","):
            found[name] = {}
            for part, trial in (("objects", objects), ("streets", streets)):
                if part in args.parts.split(","):
                    found[name][part] = trial(PEOPLE[name], browser, args)
                    results.write_results(path, {"run": settings, **found})  # the rest is long
        browser.close()
    results.report_written(path, args)


if __name__ == "__main__":
    sys.exit(main())
