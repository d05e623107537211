"""The command line as a process: start-up, Ctrl-C, and one real segmentation."""

import signal
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image

import saccade
from saccade.cli.app import app
from saccade.formats.masks import read_mask
from tests.cli.conftest import tree, write_pair
from tests.helpers import one_thread_each, run_python, start_python, wait_for

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

# What a first mask of one image does not need, and takes long to import.
UNNEEDED = """
import atexit, sys
unneeded = (
    "cv2", "fsspec", "lightning", "matplotlib", "onnxruntime", "pandas", "ray", "scipy.optimize",
    "scipy.stats", "sklearn", "sympy", "timm", "torch._dynamo", "torch._inductor",
    "torch.fx.experimental.symbolic_shapes", "torchvision", "upath", "zarr",
)
atexit.register(lambda: print("imported:", *[name for name in unneeded if name in sys.modules]))
"""

# A segmenter that needs no PyTorch.
FAKE = f"""
import sys
import saccade.interactive
sys.path.insert(0, {str(Path(__file__).parent)!r})
import fake
saccade.interactive.ScribbleSegmenter = fake.FakeSegmenter
from saccade.cli import main
main()
"""


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
    process = run_python("-c", REPORT, *arguments, code=code, cwd=tmp_path)
    assert text in process.stdout + process.stderr
    assert "Traceback" not in process.stderr
    assert process.stdout.splitlines()[-1] == "imported:"


def test_help_imports_few_modules(tmp_path):
    # Measures start-up in a way that other load does not change; 321 take 0.13 s.
    counted = 'import atexit, sys; atexit.register(lambda: print("modules:", len(sys.modules)))'
    code = f"{counted}; from saccade.cli import main; main()"
    help_text = run_python("-c", code, "segment", "--help", cwd=tmp_path).stdout
    assert int(help_text.split()[-1]) < 400


def test_a_first_mask_imports_little_besides_pytorch(tmp_path):
    write_pair(tmp_path / "image.png", tmp_path / "strokes.png")
    code = f"{UNNEEDED}\nfrom saccade.cli import main; main()"
    command = ("-c", code, "segment", "image.png", "strokes.png", "-o", "out")
    found = run_python(*command, cwd=tmp_path).stdout.splitlines()[-1]
    assert (tmp_path / "out/image.png").is_file()
    by_pytorch = run_python("-c", f"{UNNEEDED}\nimport torch").stdout.splitlines()[-1]
    assert set(found.split()) <= set(by_pytorch.split())


def test_ctrl_c_keeps_whole_files_and_the_next_run_goes_on(tmp_path):
    images, strokes, out = (tmp_path / name for name in ("images", "strokes", "out"))
    images.mkdir()
    strokes.mkdir()
    for i in range(12):
        write_pair(images / f"{i:02}.png", strokes / f"{i:02}.png", seed=i)
    command = ("-c", FAKE, "segment", images, strokes, "-o", out)
    blocked = tmp_path / "blocked"
    process = start_python(*command, cwd=ROOT, env=one_thread_each(FAKE_BLOCKED=str(blocked)))
    wait_for(blocked.exists, process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    masks = sorted(out.glob("*.png"))
    assert process.returncode == 130
    assert "interrupted: 4 of 12 done" in errors
    assert "Traceback" not in errors
    assert len(masks) == 4
    for path in tree(out):
        assert not Path(path).name.startswith(".")
        Image.open(out / path).load()
    rest = run_python(*command, cwd=ROOT)
    assert "4 already done" in rest.stderr
    assert len(list(out.glob("*.png"))) == 12


@pytest.mark.slow
def test_demo_segments_a_photograph(tmp_path, examples):
    process = run_python(examples / "demo.py", "cat", "--output", "out", cwd=tmp_path)
    assert len(process.stderr.splitlines()) == 1, process.stderr  # what 255 was taken to mean
    found = tree(tmp_path / "out")
    assert found == {"cat.png", "photo/cat.png", "overlay/cat.png", "uncertainty/cat.png"}
    for name in found - {"photo/cat.png"}:
        assert str(Path("out", name)) in process.stdout
    mask = read_mask(tmp_path / "out" / "cat.png") == 1
    truth = read_mask(examples / "cat_truth.png") == 1
    iou = np.count_nonzero(mask & truth) / np.count_nonzero(mask | truth)
    assert iou > 0.85
