"""The command line as a process: start-up, Ctrl-C, and one real segmentation."""

import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image

import saccade
from saccade.cli.app import app
from saccade.formats.masks import read_mask
from tests.cli.conftest import tree, write_pair

ROOT = Path(__file__).parents[2]

QUICK = [
    pytest.param([], 0, "Usage: saccade", id="nothing"),
    pytest.param(["--help"], 0, "segment", id="help"),
    pytest.param(["--version"], 0, saccade.__version__, id="version"),
    pytest.param(["segment", "a"], 2, "STROKES", id="wrong arguments"),
    pytest.param(["segment", "a", "b", "-o", "c"], 1, "error: a: no such file", id="missing file"),
]

# Reports what is imported when the command ends, whichever way it ends.
REPORT = """
import atexit, sys
heavy = ("torch", "torchvision", "numpy", "PIL", "skimage", "cv2", "rich")
atexit.register(lambda: print("imported:", *[name for name in heavy if name in sys.modules]))
from saccade.cli import main
main()
"""

# A segmenter that takes a fifth of a second and needs no PyTorch.
SLOW = f"""
import sys
import saccade.interactive
sys.path.insert(0, {str(Path(__file__).parent)!r})
import fake
fake.DELAY = 0.2
saccade.interactive.ScribbleSegmenter = fake.FakeSegmenter
from saccade.cli import main
main()
"""


def python(*arguments, cwd):
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def every_help(command, words=()):
    """The help of every verb there is, verbs of verbs too."""
    for name, inner in getattr(command, "commands", {}).items():
        here = (*words, name)
        yield pytest.param([*here, "--help"], 0, " ".join(here), id=" ".join(here))
        yield from every_help(inner, here)


@pytest.mark.parametrize(
    ("arguments", "code", "text"), [*QUICK, *every_help(typer.main.get_command(app))]
)
def test_quick_answers_import_nothing_heavy(tmp_path, arguments, code, text):
    process = python("-c", REPORT, *arguments, cwd=tmp_path)
    assert process.returncode == code
    assert text in process.stdout + process.stderr
    assert "Traceback" not in process.stderr
    assert process.stdout.splitlines()[-1] == "imported:"


def test_quick_answers_take_little_time(tmp_path):
    def cpu_seconds():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    seconds = []
    for _ in range(4):  # processor time, the best of some: others may be using the machine
        start = cpu_seconds()
        python("-m", "saccade.cli", "segment", "--help", cwd=tmp_path)
        seconds.append(cpu_seconds() - start)
    assert min(seconds) < 0.3


def test_ctrl_c_keeps_whole_files_and_the_next_run_goes_on(tmp_path):
    images, strokes, out = (tmp_path / name for name in ("images", "strokes", "out"))
    images.mkdir()
    strokes.mkdir()
    for i in range(12):
        write_pair(images / f"{i:02}.png", strokes / f"{i:02}.png", seed=i)
    command = [sys.executable, "-c", SLOW, "segment", images, strokes, "-o", out]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests in the background hands down that SIGINT is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not (out / "02.png").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    masks = sorted(out.glob("*.png"))
    assert process.returncode == 130
    assert f"interrupted: {len(masks)} of 12 done" in errors
    assert "Traceback" not in errors
    assert 3 <= len(masks) < 12
    for path in tree(out):
        assert not Path(path).name.startswith(".")
        Image.open(out / path).load()
    rest = python(*command[1:], cwd=ROOT)
    assert rest.returncode == 0
    assert f"{len(masks)} already done" in rest.stderr
    assert len(list(out.glob("*.png"))) == 12


def test_demo_segments_a_photograph(tmp_path, examples):
    process = python(examples / "demo.py", "cat", "--output", "out", cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    assert len(process.stderr.splitlines()) == 1, process.stderr  # what 255 was taken to mean
    found = tree(tmp_path / "out")
    assert found == {"cat.png", "photo/cat.png", "overlay/cat.png", "uncertainty/cat.png"}
    for name in found - {"photo/cat.png"}:
        assert str(Path("out", name)) in process.stdout
    mask = read_mask(tmp_path / "out" / "cat.png") == 1
    truth = read_mask(examples / "cat_truth.png") == 1
    iou = np.count_nonzero(mask & truth) / np.count_nonzero(mask | truth)
    assert iou > 0.85
