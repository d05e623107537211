"""What other systems have otherwise: calls that are missing, encodings, separators of paths."""

import ast
from pathlib import Path

import pytest

from tests.helpers import run_python

SOURCES = sorted((Path(__file__).parents[1] / "src").rglob("*.py"))

# Windows has none of these.
MISSING = """
import os, signal, sys
for module in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[module] = None
for name in ("sched_getaffinity", "fork", "getuid", "geteuid", "killpg", "setsid", "chown"):
    delattr(os, name)
for name in ("pthread_sigmask", "SIGKILL", "SIGHUP", "SIGUSR1", "SIGQUIT", "SIGALRM"):
    delattr(signal, name)
"""

EVERY_MODULE = """
import importlib, pkgutil, saccade
for found in pkgutil.walk_packages(saccade.__path__, "saccade."):
    if not found.name.endswith("__main__"):
        try:
            importlib.import_module(found.name)
        except ModuleNotFoundError as error:
            assert "saccade" not in str(error) and str(error.name) not in POSIX, (found, error)
print("all imported")
"""

SEGMENTED = """
import numpy as np
from PIL import Image
from saccade.cli.app import app
image, strokes = np.zeros((40, 60, 3), np.uint8), np.full((40, 60), 255, np.uint8)
image[10:30, 20:40] = 200
strokes[2, 5:50], strokes[20, 24:36] = 0, 1
for folder, array in (("photos", image), ("strokes", strokes)):
    os.mkdir(folder)
    for name in "ab":
        Image.fromarray(array).save(f"{folder}/{name}.png")
app(["segment", "photos", "strokes", "-o", "out"], standalone_mode=False)
print(*sorted(os.listdir("out")))
"""


def test_every_module_is_imported_without_what_posix_alone_has():
    posix = f"POSIX = {('fcntl', 'resource', 'pwd', 'grp', 'termios')}"
    done = run_python("-W", "ignore", "-c", "\n".join([MISSING, posix, EVERY_MODULE]))
    assert done.stdout.split("\n")[-2] == "all imported"


def test_a_folder_is_segmented_without_what_posix_alone_has(tmp_path):
    done = run_python("-W", "ignore", "-c", MISSING + SEGMENTED, cwd=tmp_path)
    assert {"a.png", "b.png"} <= set(done.stdout.split())


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_text_files_have_an_encoding(path):
    """The usual one differs: Windows wrote names that no other system could read."""
    assert [node.lineno for node in ast.walk(ast.parse(path.read_bytes())) if _lacks(node)] == []


def _lacks(node: ast.AST) -> bool:
    """Whether a call reads or writes text in whatever encoding the system has."""
    if not isinstance(node, ast.Call) or any(k.arg == "encoding" for k in node.keywords):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    if name in ("read_text", "write_text"):
        return len(node.args) < (1 if name == "read_text" else 2)
    mode = node.args[-1] if name == "open" and node.args else None
    return isinstance(mode, ast.Constant) and mode.value in ("r", "w", "a", "x", "r+", "w+")


@pytest.mark.parametrize(
    "code", ["open(p, 'w')", "p.open('a')", "p.read_text()", "p.write_text(t)"]
)
def test_what_lacks_an_encoding_is_found(code):
    assert any(_lacks(node) for node in ast.walk(ast.parse(code)))
