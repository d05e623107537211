import json
import os
import time

import pytest

from saccade.batch.records import read_record, record_path, recorded, write_record


@pytest.fixture
def made(tmp_path):
    """An input, and a result with its record."""
    source, result = tmp_path / "photo.jpg", tmp_path / "out/photo.png"
    record_path(result).parent.mkdir(parents=True)
    source.write_text("photo")
    result.write_text("mask")
    write_record(result, {"pixels": 12})
    return source, result


def test_a_record_is_read_as_it_was_written(made):
    source, result = made
    assert record_path(result) == result.parent / "records/photo.json"
    assert read_record(result, [source]) == {"pixels": 12}


def test_a_result_that_is_gone_has_no_record(made):
    source, result = made
    result.unlink()
    assert read_record(result, [source]) is None


def test_a_record_that_is_gone_or_damaged_counts_for_nothing(made):
    source, result = made
    for content in ("{ damaged", "[1]"):
        record_path(result).write_text(content)
        assert read_record(result, [source]) is None
    record_path(result).unlink()
    assert read_record(result, [source]) is None


def test_an_input_that_changed_since_outdates_a_record(made):
    source, result = made
    later = time.time() + 5
    os.utime(source, (later, later))
    assert read_record(result, [source]) is None


@pytest.mark.parametrize("replaced", [False, True])
def test_a_result_that_is_killed_half_way_has_no_false_record(tmp_path, replaced):
    result = tmp_path / "mask.png"
    if replaced:
        result.write_text("old")
        with recorded(result, {"seed": 0}):
            result.write_text("old")
    killed = recorded(result, {"seed": 1})
    killed.__enter__()  # and never left
    known = json.loads(record_path(result).read_text())
    assert known == {"seed": 0 if replaced else 1}
    assert result.exists() == replaced
    with recorded(result, {"seed": 1}):
        result.write_text("new")
    assert read_record(result, []) == {"seed": 1}
