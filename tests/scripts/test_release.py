"""What is released: versions that agree, files that are whole, addresses when they are told."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import saccade
from scripts.release import building
from scripts.release.metadata import VARIABLE, addresses, with_absolute_links
from tests.helpers import one_thread_each

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_the_changelog_and_the_citation_are_of_this_version():
    heading = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    cited = re.search(r"^version: (\S+)", (ROOT / "CITATION.cff").read_text("utf-8"), re.MULTILINE)
    assert heading[1] == cited[1] == saccade.__version__


def test_lower_bounds_are_the_versions_that_are_tried():
    lines = (ROOT / "constraints-oldest.txt").read_text("utf-8").splitlines()
    tried = dict(line.split("==") for line in lines if not line.startswith("#"))
    bounds = dict(line.split(">=") for line in PROJECT["dependencies"])
    assert tried.keys() == bounds.keys()
    for name, bound in bounds.items():
        assert f"{tried[name]}.".startswith(f"{bound}."), name


def test_links_become_those_of_the_release():
    text = "![A](docs/a.jpg) [b](b.md#c) [d](https://e.f) [g](#h) `[i](j)`"
    assert with_absolute_links(text, "https://h/s", "v1") == (
        "![A](https://h/s/raw/v1/docs/a.jpg) [b](https://h/s/blob/v1/b.md#c) "
        "[d](https://e.f) [g](#h) `[i](https://h/s/blob/v1/j)`"
    )
    assert set(addresses("https://h/s")) == {"Homepage", "Documentation", "Changelog", "Issues"}


@pytest.mark.slow
def test_the_wheel_is_whole_and_knows_its_home(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, "https://example.org/saccade")
    wheel, archive = building.build(ROOT, tmp_path)
    building.check_wheel(wheel)
    building.check_archive(archive)
    with zipfile.ZipFile(wheel) as file:
        (about,) = [name for name in file.namelist() if name.endswith("/METADATA")]
        told = file.read(about).decode()
    assert "Project-URL: Homepage, https://example.org/saccade" in told
    assert f"https://example.org/saccade/raw/v{saccade.__version__}/docs/images/demo.jpg" in told


def test_a_wheel_that_lacks_the_weights_is_refused(tmp_path):
    wheel = tmp_path / "saccade-0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        for name in building.IN_WHEEL[:1] + building.IN_WHEEL[2:]:
            file.writestr(name, "")
    with pytest.raises(SystemExit, match=re.escape(building.IN_WHEEL[1])):
        building.check_wheel(wheel)


def test_a_python_that_is_not_there_ends_the_trial(tmp_path):
    command = [sys.executable, "-m", "scripts.release", "--out", str(tmp_path)]
    done = subprocess.run(
        [*command, "--python", "no-such-python", "--tests"],
        cwd=ROOT,
        env=one_thread_each(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: no-such-python")
