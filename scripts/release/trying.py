"""The wheel tried as a stranger would: an empty environment, no repository, no compiler."""

import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TOLD = ("torch", "numpy", "pillow", "scikit-image", "scipy", "tifffile", "safetensors", "typer")
"""Packages whose versions are printed."""

TEST_PACKAGES = (
    "hypothesis",
    "opencv-contrib-python-headless",
    "psutil",
    "pytest>=9",
    "pytest-benchmark",
    "pytest-timeout",
    "scikit-learn",
    "torchvision",
)

_EXAMPLE = """
import numpy as np
image = np.zeros((64, 96, 3), np.uint8)
image[16:48, 30:66] = 200
strokes = np.full((64, 96), 255)
strokes[5, 10:80], strokes[32, 40:56] = 0, 1
{example}
assert (r.labels[20:44, 34:62] == 1).all() and (r.labels[:8] == 0).all()
assert "site-packages" in saccade.__file__, saccade.__file__
"""

_VERSIONS = """
import importlib.metadata, platform, sys
named = [f"{name} {importlib.metadata.version(name)}" for name in sys.argv[1:]]
print("Python", ", ".join([platform.python_version(), *named]))
"""


@dataclass(frozen=True)
class Trial:
    """An environment to try a wheel in.

    Attributes:
        folder: holds it and all that is written; removed afterwards.
        base: the Python that it is made from.
    """

    folder: Path
    base: str

    @property
    def programs(self) -> Path:
        """Where its Python and ``saccade`` are."""
        return self.folder / "env" / ("Scripts" if os.name == "nt" else "bin")

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.programs / "python")

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables of everything run in it: no repository, no compiler."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTHON", "SACCADE", "VIRTUAL_ENV"))
        }
        return {**kept, "CC": "no-compiler", "CXX": "no-compiler", "OMP_NUM_THREADS": "1"}


def install(trial: Trial, wheel: Path, constraints: Path | None) -> str:
    """Make the environment and install the wheel from it; the versions that were chosen."""
    _run(trial, [trial.base, "-m", "venv", str(trial.folder / "env")])
    pip = [trial.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    pip += ["--only-binary", ":all:"]
    if constraints is not None:
        pip += ["--constraint", str(constraints.resolve())]
    _run(trial, [*pip, str(wheel.resolve())])
    return _run(trial, [trial.python, "-c", _VERSIONS, *TOLD]).strip()


def list_packages(trial: Trial, wheel: Path) -> str:
    """Write what the environment holds, now that nothing but the wheel was asked for."""
    path = wheel.with_suffix(".cdx.json")
    command = [sys.executable, "-m", "cyclonedx_py", "environment", trial.python]
    command += ["--output-reproducible", "--output-format", "JSON", "--output-file", str(path)]
    _run(trial, command)
    components = json.loads(path.read_text("utf-8"))["components"]
    return f"{path.name}: {len(components)} packages"


def try_command(trial: Trial, archive: Path) -> str:
    """``saccade --version``, and a mistake that costs one line."""
    program = str(trial.programs / "saccade")
    version = _run(trial, [program, "--version"]).strip()
    named = archive.name.removeprefix("saccade-").removesuffix(".tar.gz")
    if version != f"saccade {named}":
        sys.exit(f"error: saccade --version says {version!r}, the archive is {named}")
    _run(trial, [program, "segment", "missing.jpg", "missing.png", "-o", "out"], code=1)
    return version


def try_examples(trial: Trial, archive: Path) -> str:
    """The README's Python example and the demo."""
    source = _unpacked(trial, archive)
    readme = (source / "README.md").read_text("utf-8")
    example = re.search(r"```python\n(import saccade\n.*?)```", readme, re.DOTALL)
    if example is None:
        sys.exit("error: README.md has no Python example that begins with import saccade")
    code = trial.folder / "example.py"
    code.write_text(_EXAMPLE.format(example=example[1]), "utf-8")
    _run(trial, [trial.python, str(code)])
    _run(trial, [trial.python, str(source / "examples" / "demo.py"), "--output", "demo"])
    masks = sorted(path.name for path in (trial.folder / "demo").glob("*.png"))
    if not masks:
        sys.exit("error: the demo wrote no mask")
    return f"README's example and demo: {', '.join(masks)}"


def try_tests(trial: Trial, archive: Path, tests: Sequence[str]) -> str:
    """Tests out of the source archive, against what is installed; pytest's last line."""
    source = _unpacked(trial, archive)
    away = source / "src"
    if away.exists():  # the tests must find what is installed
        away.rename(trial.folder / "src-not-to-be-imported")
    pip = [trial.python, "-m", "pip", "--disable-pip-version-check"]
    kept = trial.folder / "kept.txt"  # what is tried stays as it is
    kept.write_text(_run(trial, [*pip, "freeze", "--exclude", "saccade"]), "utf-8")
    _run(trial, [*pip, "install", "--quiet", "--constraint", str(kept), *TEST_PACKAGES])
    pytest = [trial.python, "-m", "pytest", "-q", "-m", "not slow", "-p", "no:cacheprovider"]
    # Packages of other years warn of other things.
    pytest += ["-o", "filterwarnings=default", "--disable-warnings"]
    pytest += [f"--ignore={path}" for path in _beyond(source)]
    pytest += tests
    return "tests: " + _run(trial, pytest, folder=source).strip().splitlines()[-1]


def _beyond(source: Path) -> list[str]:
    """Tests of what is in the repository alone: benchmarks and scripts."""
    beyond = re.compile(r"^(from|import) (benchmarks|scripts)\b", re.MULTILINE)
    tests = sorted((source / "tests").rglob("*.py"))
    return [str(path) for path in tests if beyond.search(path.read_text("utf-8"))]


def _unpacked(trial: Trial, archive: Path) -> Path:
    """The folder of the source archive, unpacked once."""
    folder = trial.folder / "source" / archive.name.removesuffix(".tar.gz")
    if not folder.is_dir():
        with tarfile.open(archive) as file:
            file.extractall(trial.folder / "source", filter="data")
    return folder


def _run(trial: Trial, command: Sequence[str], *, code: int = 0, folder: Path | None = None) -> str:
    """Run a program in the trial's folder; what it printed. Another exit code ends the trial."""
    done = subprocess.run(
        command,
        cwd=folder or trial.folder,
        env=trial.variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != code:
        shown = " ".join(Path(command[0]).name if n == 0 else c for n, c in enumerate(command))
        sys.exit(f"error: {shown[:200]}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout
