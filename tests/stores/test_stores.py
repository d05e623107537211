"""Results that go to a store: whole or not at all, the same bytes, gone on with."""

import os
import signal

import pytest

from saccade.errors import InputError
from saccade.files import atomic_write
from saccade.folders import existing
from saccade.stores import (
    check_writable,
    is_remote,
    local_path_of,
    make_folders,
    modified,
    names_in,
    path_of,
    putting,
)
from tests.cli.networks import trained  # noqa: F401
from tests.helpers import one_thread_each, run_python, start_python, wait_for
from tests.stores.conftest import content, run

pytest.importorskip("upath")


def test_a_path_of_this_machine_is_one_as_before(tmp_path):
    assert path_of("a/b") == local_path_of("a/b") != path_of("a/c")
    assert path_of(f"file://{tmp_path}") == tmp_path
    assert not is_remote(path_of("a/b"))


@pytest.mark.parametrize("text", ["nosuch://a/b", "abfs://a/b"])
def test_a_store_that_cannot_be_used_is_one_line(text):
    with pytest.raises(InputError, match=rf"^{text}: cannot be used \([^\n]+\)$"):
        path_of(text)


def test_a_store_is_refused_where_only_this_machine_will_do():
    with pytest.raises(InputError, match="memory://a: expected a file or folder of this machine"):
        local_path_of("memory://a")


def test_a_file_is_put_whole_or_not_at_all(store):
    target = store / "masks/a.png"
    with atomic_write(target) as temporary:
        assert temporary.suffix == ".png"
        temporary.write_bytes(b"first")
        assert not target.exists()
    assert target.read_bytes() == b"first"
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error):
            _stopped(target, error)
    assert target.read_bytes() == b"first"
    assert names_in(store / "masks") == ["a.png"]


def _stopped(target, error):
    with atomic_write(target) as temporary:
        temporary.write_bytes(b"half")
        raise error


def test_what_is_there_is_found_by_one_look_at_each_folder(store, monkeypatch):
    make_folders(store)
    for name in ("a.png", "b.png"):
        with putting(store / name) as temporary:
            temporary.write_text(name)
    paths = [store / f"{letter}.png" for letter in "abcdef"]
    assert existing(paths) == set(paths[:2])
    assert modified(store / "a.png") <= modified(store / "b.png")
    assert names_in(store / "missing") == []
    asked = []
    monkeypatch.setattr(type(store), "exists", lambda path: asked.append(path.name) or True)
    existing(paths)
    assert asked == ["a.png", "b.png"]


def test_a_store_is_tried_before_work(store, monkeypatch):
    check_writable(store)
    assert names_in(store) == []

    def refused(*args, **options):
        raise PermissionError("no such key")

    monkeypatch.setattr(type(store.fs), "pipe_file", refused)
    with pytest.raises(InputError, match=r"bucket/out: cannot be reached or written \(no such key"):
        check_writable(store)


@pytest.mark.parametrize(
    "command",
    [
        ("segment", "photos", "strokes", "--instances", "--format", "png", "--format", "labelme"),
        ("pseudo-label", "photos", "strokes", "--classes", "classes.txt", "--jobs", "1"),
    ],
)
def test_results_in_a_store_are_those_of_a_folder(folders, store, capsys, command):
    assert run(*command, "-o", "out") == run(*command, "-o", str(store)) == 0
    here, there = content(folders / "out"), content(store)
    assert here.keys() == there.keys()
    for name in here:
        # Records of pseudo-label have the seconds, and labelme's the way to the image.
        if name.endswith(".png") or (command[0] == "segment" and name.count("/") > 1):
            assert here[name] == there[name], name
    (store / "1.png").unlink()
    before = {name: modified(store / name) for name in ("0.png", "2.png")}
    assert run(*command, "-o", str(store)) == 0
    assert {name: modified(store / name) for name in before} == before
    assert (store / "1.png").read_bytes() == here["/1.png"]


def test_what_a_store_cannot_have_is_one_line(folders, capsys):
    (folders / "cells.tif").touch()
    assert run("train", "a.toml", "-o", "memory://run") == 2
    assert "expected a file or folder of this machine" in capsys.readouterr().err.replace("\n", " ")
    assert not (folders / "memory:").exists()


@pytest.mark.slow
def test_a_batch_in_s3_that_is_killed_is_gone_on_with(folders, s3):
    keys = s3()
    run_python("-c", "import s3fs; s3fs.S3FileSystem().mkdir('bucket')", **keys)
    segment = ("-m", "saccade.cli", "segment", "photos", "strokes", "--no-overlay", "-q")
    run_python(*segment, "-o", "out", cwd=folders)
    order = (*segment, "--jobs", "2", "-o", "s3://bucket/out")
    script = "import s3fs; print(*s3fs.S3FileSystem().find('bucket'), sep='\\n')"

    def stored():
        return run_python("-c", script, **keys).stdout.split()

    begun = start_python(*order, cwd=folders, env=one_thread_each(**keys))
    wait_for(lambda: "bucket/out/0.png" in stored() or "bucket/out/1.png" in stored(), begun)
    os.kill(begun.pid, signal.SIGKILL)
    begun.communicate()
    run_python(*order, cwd=folders, **keys)
    script = (
        "import s3fs, sys; fs = s3fs.S3FileSystem(); "
        "[print(n.removeprefix('bucket'), fs.cat_file(n).hex()) for n in fs.find('bucket/out')]"
    )
    lines = run_python("-c", script, **keys).stdout.splitlines()
    there = {name: bytes.fromhex(content) for name, content in map(str.split, lines)}
    assert there == {f"/out{name}": data for name, data in content(folders / "out").items()}
    assert len(there) == 6


@pytest.mark.slow
def test_a_store_that_refuses_or_is_not_there_is_one_line(folders, s3):
    keys = s3(INITIAL_NO_AUTH_ACTION_COUNT="0")  # whoever comes must be known
    segment = ("-m", "saccade.cli", "segment", "photos", "strokes", "-o", "s3://bucket/out")
    for environment, why in (
        (keys, "does not exist"),
        (keys | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "Could not connect"),
    ):
        said = run_python(*segment, code=1, cwd=folders, **environment).stderr
        assert said.startswith("error: s3://bucket/out: cannot be reached or written (")
        assert why in said
        assert len(said.splitlines()) == 1


@pytest.mark.parametrize("many", [("--jobs", "2"), ("--jobs", "0"), ("--engine", "ray")])
def test_memory_is_that_of_one_process(folders, store, capsys, many):
    assert run("segment", "photos", "strokes", "-o", str(store), *many) == 1
    assert "is the memory of one process" in " ".join(capsys.readouterr().err.split())
    assert not list(store.glob("*"))


def test_masks_of_a_network_are_put_in_a_store(trained, store, tmp_path):  # noqa: F811
    photos = trained / "data/images/val"
    command = "predict", str(trained / "run/best.safetensors"), str(photos), "--jobs", "1"
    assert run(*command, "-o", str(tmp_path / "out")) == run(*command, "-o", str(store)) == 0
    here, there = content(tmp_path / "out"), content(store)
    assert here.keys() == there.keys()
    assert {name for name in here if here[name] != there[name] and name.endswith(".png")} == set()
    assert {"/0.png", "/1.png"} <= here.keys()
