"""What holds for every suite."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import suite_names, summary

ROOT = Path(__file__).parents[3]
RESULTS = ROOT / "benchmarks" / "results"


@pytest.mark.parametrize("name", suite_names())
def test_every_suite_answers_help(name):
    command = [sys.executable, "-m", f"benchmarks.{name}", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"usage: python -m benchmarks.{name} " in done.stdout
    assert summary(name) in done.stdout
    for option in ("--threads", "--out", "--name", "--csv"):
        assert option in done.stdout


def test_the_list_names_every_suite():
    command = [sys.executable, "-m", "benchmarks"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [line.split()[2] for line in listed.splitlines()] == [
        f"benchmarks.{name}" for name in suite_names()
    ]


def test_the_index_lists_exactly_the_result_files():
    listed = re.findall(r"^\| `([^`]+)`", (RESULTS / "INDEX.md").read_text(), re.MULTILINE)
    files = [p for p in RESULTS.rglob("*") if p.is_file() and p.name != "INDEX.md"]
    assert sorted(listed) == sorted(str(p.relative_to(RESULTS)) for p in files)
