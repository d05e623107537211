"""Finished parts of long work are kept, and only those that fit it are used."""

import numpy as np
import pytest

from saccade.slides import Journal


def ones():
    return {"x": np.ones(3)}


def fail():
    raise AssertionError("computed although it is there")


def test_what_is_there_is_not_computed_again(tmp_path):
    Journal(tmp_path / "kept", {"a": 1}).recall("one", ones)
    found = Journal(tmp_path / "kept", {"a": 1}).recall("one", fail)
    assert found["x"].tolist() == [1, 1, 1]


def test_another_version_begins_anew(tmp_path):
    Journal(tmp_path / "kept", {"a": 1}).recall("one", ones)
    other = Journal(tmp_path / "kept", {"a": 2})
    assert other.count == 0
    with pytest.raises(AssertionError):
        other.recall("one", fail)


@pytest.mark.parametrize("damage", [b"", b"no archive", None])
def test_a_damaged_part_is_computed_again(tmp_path, damage):
    journal = Journal(tmp_path / "kept", {})
    journal.recall("one", ones)
    path = tmp_path / "kept" / "one.npz"
    path.write_bytes(path.read_bytes()[:-30] if damage is None else damage)
    assert journal.recall("one", ones)["x"].tolist() == [1, 1, 1]
    assert journal.recall("one", fail)["x"].tolist() == [1, 1, 1]


def test_damage_within_packed_numbers_is_computed_again(tmp_path):
    journal = Journal(tmp_path / "kept", {})
    noise = {"x": np.random.default_rng(0).integers(0, 9, 4000)}
    journal.recall("one", lambda: noise, small=True)
    path = tmp_path / "kept" / "one.npz"
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 255
    path.write_bytes(damaged)
    np.testing.assert_array_equal(journal.recall("one", lambda: noise)["x"], noise["x"])
    np.testing.assert_array_equal(journal.recall("one", fail)["x"], noise["x"])


def test_parts_of_another_version_that_stay_are_an_error(tmp_path, monkeypatch):
    Journal(tmp_path / "kept", {"a": 1}).recall("one", ones)

    def refused(folder):
        raise PermissionError(folder)

    monkeypatch.setattr("saccade.slides.journal.shutil.rmtree", refused)
    with pytest.raises(PermissionError):
        Journal(tmp_path / "kept", {"a": 2})


def test_an_interrupted_part_leaves_no_file(tmp_path):
    journal = Journal(tmp_path / "kept", {})

    def stopped():
        raise KeyboardInterrupt

    journal.recall("one", ones)
    with pytest.raises(KeyboardInterrupt):
        journal.recall("two", stopped)
    assert journal.count == 1
    journal.forget()
    assert not (tmp_path / "kept").exists()
