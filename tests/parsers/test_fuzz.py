"""Damaged files of every format end in a result or an `InputError` of one short line."""

import os

import pytest

from tests.parsers.fuzz import fuzz, report

SECONDS = float(os.environ.get("FUZZ_SECONDS", "20"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
ONLY = os.environ.get("FUZZ_ONLY")


@pytest.mark.slow
def test_no_damaged_file_breaks_a_reader(tmp_path):
    figures = fuzz(SECONDS, SEED, tmp_path, int(ONLY) if ONLY else None)
    print("\n" + report(figures))
    assert not figures.faults, report(figures)
