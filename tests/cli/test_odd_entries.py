"""Entries of folders that are no files: no verb waits for them, every verb names them."""

import os
import shutil
import signal
import socket

import pytest

from tests.cli.conftest import tree, write_pair

ODD = {
    "pipe.png": "a pipe",
    "socket.png": "a socket",
    "folder.png": "a folder",
    "lost.png": "a link to nowhere",
    "ring.png": "not readable (Too many levels of symbolic links)",
    "zero.png": "a device",
}
HIDDEN = (".DS_Store", "._a.png", "Thumbs.db", ".hidden.jpg", "desktop.ini")


def make_odd(folder):
    """One entry of each kind, and files of systems and of unknown suffixes."""
    os.mkfifo(folder / "pipe.png")
    here = os.getcwd()
    os.chdir(folder)  # the name of a socket is short
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("socket.png")
    os.chdir(here)
    (folder / "folder.png").mkdir()
    (folder / "lost.png").symlink_to("nowhere.png")
    (folder / "ring.png").symlink_to("ring.png")
    (folder / "zero.png").symlink_to("/dev/zero")
    for name in HIDDEN:
        (folder / name).write_bytes(b"no image")
    (folder / "notes.xyz").write_text("x")


@pytest.fixture(autouse=True)
def clock():
    """Whoever opens a pipe waits for ever."""

    def late(*_):
        raise AssertionError("a verb waits")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def odd_set(trained, tmp_path, monkeypatch):
    """A network, its data set and folders of images and strokes, each with all that is odd."""
    shutil.copytree(trained / "data", tmp_path / "data")
    shutil.copy(trained / "train.toml", tmp_path)
    shutil.copy(trained / "run" / "best.safetensors", tmp_path)
    (tmp_path / "classes.txt").write_text("background\nobject\n")
    for name in ("images", "strokes"):
        (tmp_path / name).mkdir()
    for number, stem in enumerate(("a", os.fsdecode(b"caf\xe9"))):
        write_pair(
            tmp_path / "images" / f"{stem}.png", tmp_path / "strokes" / f"{stem}.png", number
        )
    folders = [tmp_path / name for name in ("images", "strokes")]
    folders += [tmp_path / "data" / k / s for k in ("images", "masks") for s in ("train", "val")]
    for folder in folders:
        make_odd(folder)
    for split in ("train", "val"):
        for kind in ("images", "masks"):
            folder = tmp_path / "data" / kind / split
            (folder / "1.png").rename(folder / os.fsdecode(b"caf\xe9.png"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


VERBS = (
    "segment images strokes -o out",
    "segment images strokes -o out --format coco --format cvat --format labelme "
    "--format label-studio",
    "pseudo-label images strokes -o out --classes classes.txt --jobs 1",
    "predict best.safetensors images -o out --device cpu",
    "check-data data -o out",
    "evaluate best.safetensors data -o out --device cpu",
    "train train.toml -o out",
    "localize data -o out --weights none --backbone mobilenet_v2 --epochs 1 --batch 2 --crop 48 "
    "--device cpu",
)


@pytest.mark.parametrize("line", VERBS)
def test_verbs_go_on_past_what_is_no_file(saccade_cli, odd_set, line):
    result = saccade_cli(*line.split())
    assert result.exit_code == 0, result.output
    assert "6 entries are no files, skipped: folder.png (a folder)" in result.output
    assert "1 file left out: .xyz" in result.output
    assert "Thumbs" not in result.output
    result.output.encode()
    if line.split()[0] in ("segment", "pseudo-label", "predict"):
        assert {"a.png", os.fsdecode(b"caf\xe9.png")} <= tree(odd_set / "out") | (
            {"a.png", os.fsdecode(b"caf\xe9.png")} if "coco" in line else set()
        )


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize(
    "line",
    [
        "segment ODD strokes/a.png -o out",
        "segment images/a.png ODD -o out",
        "segment images ODD -o out",
        "segment images strokes -o out --classes ODD",
        "predict best.safetensors ODD -o out --device cpu",
        "predict ODD images -o out --device cpu",
        "evaluate ODD data -o out --device cpu",
        "train ODD -o out",
        "localize data -o out --labels ODD",
        "pseudo-label images ODD -o out --classes classes.txt",
        "pseudo-label images strokes -o out --classes ODD",
        "export ODD -o out/net.onnx",
        "experiment figure gdc-figure10 --image ODD -o out",
    ],
)
def test_what_is_no_file_is_refused_where_it_is_named(saccade_cli, odd_set, line, name):
    if name == "folder.png" and line.startswith(("segment images ODD", "predict best", "pseudo")):
        pytest.skip("a folder may be given there")
    result = saccade_cli(*line.replace("ODD", f"images/{name}").split())
    assert result.exit_code in (1, 2), result.output
    assert name in result.stderr
    assert len(result.stderr.strip().splitlines()) <= 3, result.stderr
    assert not (odd_set / "out").exists() or not tree(odd_set / "out")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("line", VERBS[:4])
def test_what_may_not_be_read_fails_alone(saccade_cli, odd_set, line):
    (odd_set / "images" / "a.png").chmod(0)
    result = saccade_cli(*line.split())
    assert result.exit_code == 1
    assert "a.png: may not be read (permission denied)" in result.stderr
