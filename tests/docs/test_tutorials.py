"""Every tutorial runs as printed: its bash and python blocks, in order, in an empty folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIALS = ROOT / "docs" / "tutorials"
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# What a tutorial must have printed or written, beyond coming to its end.
WRITES = {
    "first-mask": ("out/cat.png", "out/overlay/cat.png", "out/uncertainty/cat.png", "cut.png"),
    "a-folder": (
        "masks/cat.coco.json",
        "masks/coffee.png",
        "masks/rocket.png",
        "masks/overlay/cat.png",
    ),
    "in-python": (),
    "many-images": ("cells.saccade", "cells.csv", "masks/cells39.png", "masks/overlay/cells07.png"),
    "network-from-strokes": ("out/report.html", "out/run/best.safetensors", "found/right.png"),
    "your-own-masks": ("run/report.html", "run/curves.png", "masks/Boats 1.png"),
}
PRINTS = {
    "first-mask": r"7\d% of the pixels are cat",
    "a-folder": r"coffee: \d+\.\d% is the thing",
    "in-python": r"draw at row \d+, column \d+",
    "many-images": r"\d+ cells found of \d+, an image is wrong by 0\.\d",
    "network-from-strokes": r"(9|1\d) of 12 coins",
    "your-own-masks": r"40 images with masks: .* ' colored'",
}


def run_page(page: Path, folder: Path) -> str:
    """Run the page's blocks in ``folder``; python blocks share their names. Returns the output."""
    script = ["import subprocess"]
    for language, code in BLOCK.findall(page.read_text()):
        if language == "bash":
            code = f"subprocess.run(['bash', '-euc', {code!r}], check=True)\n"
        script.append(f"exec(compile({code!r}, {page.name!r}, 'exec'))")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    source = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-u", "-c", "\n".join(script)],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": source},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_tutorial_is_run():
    assert {page.stem for page in TUTORIALS.glob("*.md")} == set(WRITES) == set(PRINTS)


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITES)
def test_tutorial_runs_as_printed(name, tmp_path):
    if name in ("network-from-strokes", "your-own-masks"):
        pytest.importorskip("lightning", reason="the extra train is not installed")
    output = run_page(TUTORIALS / f"{name}.md", tmp_path)
    assert re.search(PRINTS[name], output), output
    assert [path for path in WRITES[name] if not (tmp_path / path).is_file()] == []
