"""Wheel and source archive, and what must be in them."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

IN_WHEEL = (
    "saccade/py.typed",
    "saccade/models/bundled.json",
    "saccade/models/bundled.safetensors",
    "saccade/napari/napari.yaml",
    "saccade/serve/page/index.html",
)
IN_ARCHIVE = (
    "LICENSE",
    "NOTICE",
    "README.md",
    "CHANGELOG.md",
    "tests/conftest.py",
    "examples/demo.py",
)
LARGEST_WHEEL = 12e6
"""Bytes. What is installed for a few strokes should come in a moment."""


def build(root: Path, out: Path) -> tuple[Path, Path]:
    """Build both from the repository at ``root``, the wheel from the source archive.

    Returns:
        The wheel and the source archive in ``out``, which holds nothing else of Saccade after it.
    """
    out.mkdir(parents=True, exist_ok=True)
    for old in [*out.glob("saccade-*.whl"), *out.glob("saccade-*.tar.gz")]:
        old.unlink()
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"error: the build failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    (wheel,), (archive,) = out.glob("saccade-*.whl"), out.glob("saccade-*.tar.gz")
    return wheel, archive


def check_wheel(wheel: Path) -> None:
    """Everything that works without the repository is in it, and nothing else."""
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
    missing = [name for name in IN_WHEEL if name not in names]
    foreign = [
        name
        for name in names
        if not name.startswith(("saccade/", "saccade-")) or "__pycache__" in name
    ]
    if missing or foreign:
        sys.exit(f"error: {wheel.name} lacks {missing} and should not have {foreign[:5]}")
    if wheel.stat().st_size > LARGEST_WHEEL:
        sys.exit(f"error: {wheel.name} has {wheel.stat().st_size / 1e6:.1f} MB, at most 12")


def check_archive(archive: Path) -> None:
    """What is needed to build and test it elsewhere is in it."""
    with tarfile.open(archive) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    missing = [name for name in IN_ARCHIVE if name not in names]
    if missing:
        sys.exit(f"error: {archive.name} lacks {missing}")
