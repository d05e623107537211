"""Files appear whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from saccade.errors import InputError
from saccade.files import atomic_write, check_readable, remove_parts


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_writes_file_and_leaves_nothing_else(tmp_path):
    with atomic_write(tmp_path / "mask.png") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".png"
        temporary.write_text("new")
        assert not (tmp_path / "mask.png").exists()
    assert (tmp_path / "mask.png").read_text() == "new"
    assert names(tmp_path) == ["mask.png"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_failure_keeps_the_old_file(tmp_path, error):
    target = tmp_path / "mask.png"
    target.write_text("old")

    def fail() -> None:
        with atomic_write(target) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert target.read_text() == "old"
    assert names(tmp_path) == ["mask.png"]


def test_symbolic_link_is_written_through(tmp_path):
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("old")
    link.symlink_to(real)
    with atomic_write(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_the_longest_possible_name_is_written(tmp_path):
    target = tmp_path / ("a" * 251 + ".png")
    with atomic_write(target) as temporary:
        temporary.write_text("x")
    assert target.exists()


def test_permissions_follow_the_umask(tmp_path):
    plain, atomic = tmp_path / "plain", tmp_path / "atomic"
    plain.write_text("x")
    with atomic_write(atomic) as temporary:
        temporary.write_text("x")
    assert atomic.stat().st_mode == plain.stat().st_mode


def test_a_writer_of_its_own_permissions_does_not_decide(tmp_path):
    plain, atomic = tmp_path / "plain", tmp_path / "atomic"
    plain.write_text("x")
    with atomic_write(atomic) as temporary:
        temporary.unlink()
        os.close(os.open(temporary, os.O_CREAT | os.O_WRONLY, 0o600))
    assert atomic.stat().st_mode == plain.stat().st_mode


def test_a_failed_write_names_the_file_and_the_reason(tmp_path, small_files):
    path = tmp_path / "big.bin"
    with pytest.raises(OSError, match="too large") as caught, atomic_write(path) as temporary:
        temporary.write_bytes(bytes(10**6))
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(path))
    assert names(tmp_path) == []


def test_errors_of_other_files_in_the_block_keep_their_name(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, atomic_write(tmp_path / "a"):
        (tmp_path / "other").read_text()
    assert caught.value.filename == str(tmp_path / "other")


def test_what_killed_writers_left_is_removed(tmp_path):
    for name in (".0123456789abcdef.part.pt", ".0123456789abcdef.part", ".tmpAb3xYz"):
        (tmp_path / name).touch()
    for name in ("state.pt", ".hidden", ".tmpfolder.txt", "part.pt"):
        (tmp_path / name).touch()
    remove_parts(tmp_path)
    assert names(tmp_path) == [".hidden", ".tmpfolder.txt", "part.pt", "state.pt"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(InputError, match="no folder"), atomic_write(tmp_path / "no" / "x.png"):
        pytest.fail("the block must not run")


def test_a_folder_as_target_is_refused(tmp_path):
    with pytest.raises(InputError, match="is a folder"), atomic_write(tmp_path):
        pytest.fail("the block must not run")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.png", "no such file"),
        (".", "is a folder"),
        ("empty.png", "is empty"),
        ("x" * 300, "cannot be read|no such file"),
        ("nul\0.png", "cannot be read|no such file"),
    ],
)
def test_unreadable_paths_are_refused(tmp_path, name, message):
    (tmp_path / "empty.png").touch()
    with pytest.raises(InputError, match=message) as caught:
        check_readable(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_readable_path_is_returned(tmp_path):
    (tmp_path / "a").write_text("x")
    assert check_readable(str(tmp_path / "a")) == tmp_path / "a"
