"""Files appear whole or not at all."""

from pathlib import Path

import pytest

from saccade.data.files import atomic_write, check_readable
from saccade.errors import InputError


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


def test_longest_possible_name(tmp_path):
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


def test_no_such_folder(tmp_path):
    with pytest.raises(InputError, match="no folder"), atomic_write(tmp_path / "no" / "x.png"):
        pytest.fail("the block must not run")


def test_folder_as_target(tmp_path):
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
def test_check_readable_refuses(tmp_path, name, message):
    (tmp_path / "empty.png").touch()
    with pytest.raises(InputError, match=message) as caught:
        check_readable(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_check_readable_returns_a_path(tmp_path):
    (tmp_path / "a").write_text("x")
    assert check_readable(str(tmp_path / "a")) == tmp_path / "a"
