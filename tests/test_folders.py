"""Many files are looked at folder by folder, with the answers of one question for each."""

import os
from pathlib import Path

import pytest

from saccade.folders import existing, real_paths


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Files, links to a file, to a folder, to nowhere and in a circle."""
    monkeypatch.chdir(tmp_path)
    Path("masks").mkdir()
    for name in ("a.png", "b.png"):
        Path("masks", name).write_text(name)
    Path("masks/link.png").symlink_to("a.png")
    Path("masks/nowhere.png").symlink_to("gone.png")
    Path("masks/circle.png").symlink_to("circle.png")
    Path("other").symlink_to("masks")
    return tmp_path


def test_real_paths_are_those_of_the_system(place):
    names = ["a.png", "link.png", "nowhere.png", "circle.png", "new.png", "..", ""]
    folders = ["masks", "other", "missing", "masks/a.png", str(place / "other"), "masks/../other"]
    paths = [os.path.join(folder, name) for folder in folders for name in names] + ["masks", "x"]
    assert list(real_paths(paths)) == [os.path.realpath(path) for path in paths]


def test_a_folder_is_asked_once_for_all_its_files(place, monkeypatch):
    asked, real = [], os.path.realpath
    monkeypatch.setattr(os.path, "realpath", lambda path: asked.append(path) or real(path))
    assert len(list(real_paths(f"masks/{number}.png" for number in range(100)))) == 100
    assert asked == ["masks"]


def test_existing_ones_are_those_of_the_system(place):
    names = ["a.png", "link.png", "nowhere.png", "new.png"]
    paths = [Path(folder, name) for folder in ("masks", "other", "missing", ".") for name in names]
    assert existing(paths) == {path for path in paths if path.exists()}
    assert existing([]) == set()
