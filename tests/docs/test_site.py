"""The site builds without a warning, and the command line's page has every verb."""

from pathlib import Path

import pytest

from tests.helpers import run_python

pytest.importorskip("mkdocs", reason="the extra docs is not installed")
pytest.importorskip("mkdocstrings", reason="the extra docs is not installed")

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_site_builds_without_a_warning(tmp_path):
    run_python("-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path / "site", cwd=ROOT)
    page = (tmp_path / "site/reference/command-line.html").read_text()
    for verb in ("segment", "serve", "label", "train", "experiment table"):
        assert f">saccade {verb}<" in page
    assert "&gt;&gt;&gt;" in (tmp_path / "site/reference/saccade.html").read_text()
