"""Damaged files of every format end in a result or an `InputError` of one short line."""

import os

import pytest

from tests.parsers.fuzz import fuzz, report
from tests.parsers.readers import READERS, outcome_of
from tests.parsers.samples import whole_files

SECONDS = float(os.environ.get("FUZZ_SECONDS", "20"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
ONLY = os.environ.get("FUZZ_ONLY")


INCOMPLETE = {"load_checkpoint", "load_localizer"}
"""Whole files of megabytes would take long to damage; the headers are whole."""


def test_every_reader_is_given_a_whole_file_that_it_reads(tmp_path):
    read = set()
    for name, (data, readers) in whole_files(tmp_path).items():
        path = tmp_path / f"whole-{name}"
        path.write_bytes(data)
        for reader in readers:
            outcome = outcome_of(reader, path)
            assert not outcome.fault
            read |= set() if outcome.message else {reader}
    assert read == set(READERS) - INCOMPLETE


@pytest.mark.slow
def test_no_damaged_file_breaks_a_reader(tmp_path):
    figures = fuzz(SECONDS, SEED, tmp_path, int(ONLY) if ONLY else None)
    print("\n" + report(figures))
    assert not figures.faults, report(figures)
