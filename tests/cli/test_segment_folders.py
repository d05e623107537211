"""`saccade segment` for folders: pairing, going on, resuming."""

import errno
import os

import numpy as np
import pytest
import tifffile
from PIL import Image
from typer.testing import CliRunner

import saccade.cli.segment_files
from saccade.cli.app import app
from saccade.cli.pairs import pair_up
from tests.cli import fake
from tests.cli.conftest import tree, write_pair


def test_every_pair_gets_a_mask(saccade_cli, folders, tmp_path):
    out = tmp_path / "out"
    result = saccade_cli("segment", *folders, "-o", out, "--no-overlay")
    assert result.exit_code == 0
    assert tree(out) == {"a.png", "b.png", "c.png"}
    assert result.stdout.startswith("3 masks in ")


def test_equal_assumptions_are_printed_once(saccade_cli, folders, tmp_path):
    result = saccade_cli("segment", *folders, "-o", tmp_path / "out")
    assert result.stderr.count("255 = unlabelled") == 1
    assert "all 3 files" in result.stderr


def test_different_assumptions_are_counted(saccade_cli, folders, tmp_path):
    labels = np.asarray(Image.open(folders[1] / "b.png")).copy()
    labels[11, 3:5] = 2
    Image.fromarray(labels).save(folders[1] / "b.png")
    result = saccade_cli("segment", *folders, "-o", tmp_path / "out")
    lines = result.stderr.splitlines()
    assert "strokes were not all read in the same way:" in lines
    assert lines[-2].startswith("  2 files: ")
    assert lines[-1].startswith("  1 files: ")


def test_many_assumptions_are_cut_short(saccade_cli, folders, tmp_path):
    images, strokes = folders
    for extra in range(7):
        write_pair(images / f"x{extra}.png", strokes / f"x{extra}.png")
        labels = np.asarray(Image.open(strokes / f"x{extra}.png")).copy()
        labels[11, 3:5] = 2 + extra
        Image.fromarray(labels).save(strokes / f"x{extra}.png")
    lines = saccade_cli("segment", *folders, "-o", tmp_path / "out").stderr.splitlines()
    assert len(lines) == 5 + 1 + 5 + 1
    assert lines[6].startswith("  3 files: ")
    assert lines[-1] == "  and 3 other ways"


def test_strokes_of_any_suffix_pair_with_images_of_any_suffix(saccade_cli, folders, tmp_path):
    images, strokes = folders
    Image.open(images / "a.png").save(images / "a.JPG", format="JPEG")
    (images / "a.png").unlink()
    np.save(strokes / "b.npy", np.asarray(Image.open(strokes / "b.png")))
    (strokes / "b.png").unlink()
    (images / ".a.png").write_bytes(b"hidden")
    (images / "notes.txt").write_text("no image")
    result = saccade_cli("segment", *folders, "-o", tmp_path / "out", "--no-overlay")
    assert result.exit_code == 0
    assert tree(tmp_path / "out") == {"a.png", "b.png", "c.png"}


def test_files_without_a_partner_are_named(saccade_cli, folders, tmp_path):
    images, strokes = folders
    (images / "b.png").unlink()
    (strokes / "c.png").unlink()
    result = saccade_cli("segment", *folders, "-o", tmp_path / "out", "--no-overlay")
    assert result.exit_code == 0
    assert "1 images without strokes: c.png" in result.stderr
    assert "1 strokes without an image: b.png" in result.stderr
    assert tree(tmp_path / "out") == {"a.png"}


def test_a_bad_file_does_not_stop_the_others(saccade_cli, folders, tmp_path):
    (folders[0] / "b.png").write_bytes(b"no image at all")
    result = saccade_cli("segment", *folders, "-o", tmp_path / "out", "--no-overlay")
    assert result.exit_code == 1
    assert tree(tmp_path / "out") == {"a.png", "c.png"}
    lines = result.stderr.splitlines()
    at = lines.index("error: 1 of 3 images failed")
    assert lines[at + 1].startswith("  b.png: ")
    assert at + 2 == len(lines)


def test_a_crash_in_one_image_is_one_line(saccade_cli, folders, tmp_path, monkeypatch):
    fit = fake.FakeSegmenter.fit

    def broken(self, *args, **kwargs):
        if len(fake.calls) == 1:
            fake.calls.append({})
            raise RuntimeError("out of\nmemory")
        return fit(self, *args, **kwargs)

    monkeypatch.setattr(fake.FakeSegmenter, "fit", broken)
    result = saccade_cli("segment", *folders, "-o", tmp_path / "out", "--no-overlay")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "  b.png: unexpected RuntimeError: out of memory"
    assert tree(tmp_path / "out") == {"a.png", "c.png"}


def test_a_full_disk_stops_the_batch(saccade_cli, folders, tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(saccade.cli.segment_files, "write", full)
    result = saccade_cli("segment", *folders, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert len(fake.calls) == 1
    assert "No space left" in result.stderr
    assert "error: 1 of 3 images failed, 2 were not tried" in result.stderr


def test_what_is_done_is_skipped(saccade_cli, folders, tmp_path):
    out = tmp_path / "out"
    saccade_cli("segment", *folders, "-o", out)
    (out / "b.png").unlink()
    write_pair(folders[0] / "d.png", folders[1] / "d.png", seed=4)
    before = (out / "a.png").stat().st_mtime_ns
    fake.calls.clear()
    result = saccade_cli("segment", *folders, "-o", out)
    assert result.exit_code == 0
    assert "2 already done" in result.stderr
    assert len(fake.calls) == 2
    assert (out / "a.png").stat().st_mtime_ns == before
    assert {"b.png", "d.png"} <= tree(out)


def test_masks_older_than_their_strokes_are_reported(saccade_cli, folders, tmp_path):
    out = tmp_path / "out"
    saccade_cli("segment", *folders, "-o", out)
    assert "older" not in saccade_cli("segment", *folders, "-o", out).stderr
    os.utime(out / "a.png", (1, 1))
    assert "1 of the masks there are older" in saccade_cli("segment", *folders, "-o", out).stderr


def labelme(*labels):
    shapes = [
        f'{{"label": "{name}", "shape_type": "linestrip", "points": [[1, {y}], [14, {y}]]}}'
        for y, name in zip((2, 8), labels, strict=True)
    ]
    return f'{{"shapes": [{", ".join(shapes)}], "imageHeight": 12, "imageWidth": 16}}'


@pytest.fixture
def named(folders):
    """Folders whose strokes name their classes, in each file other ones."""
    for stem, labels in {"a": ("cat", "dog"), "b": ("background", "dog")}.items():
        (folders[1] / f"{stem}.png").unlink()
        (folders[1] / f"{stem}.json").write_text(labelme(*labels))
    (folders[0] / "c.png").unlink()
    return folders


def test_names_that_change_their_value_between_files_are_refused(saccade_cli, named, tmp_path):
    (named[1] / "b.json").write_text(labelme("dog", "sheep"))
    result = saccade_cli("segment", *named, "-o", tmp_path / "out", "--no-overlay")
    assert result.exit_code == 1
    assert "'dog' is class 0 here and 1 in a.json" in result.stderr
    assert "--classes" in result.stderr
    assert tree(tmp_path / "out") == {"a.png"}


def test_a_value_that_changes_its_name_between_files_is_refused(saccade_cli, named, tmp_path):
    result = saccade_cli("segment", *named, "-o", tmp_path / "out", "--no-overlay")
    assert result.exit_code == 1
    assert "class 0 is 'background' here and 'cat' in a.json" in result.stderr


def test_names_make_values_the_same_in_every_file(saccade_cli, named, tmp_path):
    names = tmp_path / "classes.txt"
    names.write_text("background\ncat\ndog\n")
    out = tmp_path / "out"
    result = saccade_cli("segment", *named, "-o", out, "--no-overlay", "--classes", names)
    assert result.exit_code == 0
    assert set(np.unique(np.asarray(Image.open(out / "a.png")))) == {1, 2}
    assert set(np.unique(np.asarray(Image.open(out / "b.png")))) == {0, 2}


def test_strokes_of_the_page_belong_to_their_image(tmp_path):
    for name in ("a.jpg", "b.png", "b.json"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "a.strokes.json").write_text("{}")
    (tmp_path / "b.strokes.json").write_text("{}")
    found = pair_up(tmp_path, tmp_path)
    assert [(p.image.name, p.strokes.name) for p in found.pairs] == [
        ("a.jpg", "a.strokes.json"),
        ("b.png", "b.strokes.json"),
    ]
    strokes = tmp_path / "strokes"
    strokes.mkdir()
    (strokes / "a.strokes.json").write_text("{}")
    (strokes / "b.xml").write_text("<annotation/>")
    found = pair_up(tmp_path, strokes)
    assert [p.strokes.name for p in found.pairs] == ["a.strokes.json", "b.xml"]


@pytest.mark.slow
def test_processes_make_the_masks_of_one(folders, tmp_path):
    # With the true segmenter: other processes know nothing of a fake one.
    for jobs in (1, 2):
        options = ["-o", tmp_path / f"{jobs}", "--probabilities", "--device", "cpu", "--jobs", jobs]
        result = CliRunner().invoke(app, [str(a) for a in ("segment", *folders, *options)])
        assert result.exit_code == 0, result.stderr
        assert "the same holds for all 3 files" in result.stderr
    one, two = ({n: (tmp_path / j / n).read_bytes() for n in tree(tmp_path / j)} for j in "12")
    assert len(one) == 9
    assert one == two


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_images_that_only_tifffile_reads_are_segmented(saccade_cli, folders, tmp_path, dtype):
    values = np.asarray(Image.open(folders[0] / "a.png").convert("L"))
    scaled = values / 255 if np.issubdtype(dtype, np.floating) else values
    tifffile.imwrite(folders[0] / "a.tif", scaled.astype(dtype))
    (folders[0] / "a.png").unlink()
    result = saccade_cli("segment", *folders, "-o", tmp_path / "out", "--no-overlay")
    assert result.exit_code == 0, result.stderr
    assert tree(tmp_path / "out") == {"a.png", "b.png", "c.png"}


def test_all_failures_are_listed(saccade_cli, folders, tmp_path):
    for number in range(25):
        (folders[0] / f"bad{number}.png").write_bytes(b"no image")
        (folders[1] / f"bad{number}.png").write_bytes((folders[1] / "a.png").read_bytes())
    result = saccade_cli("segment", *folders, "-o", tmp_path / "out")
    assert all(f"  bad{number}.png: " in result.stderr for number in range(25))


@pytest.mark.parametrize(
    ("text", "message"),
    [("sky\n\nsea\n", "line 2 is empty"), ("sky\nsky\n", "stands there twice"), ("", "is empty")],
)
def test_class_names_are_one_a_line(saccade_cli, folders, tmp_path, text, message):
    names = tmp_path / "names.txt"
    names.write_text(text)
    result = saccade_cli("segment", *folders, "-o", tmp_path / "out", "--classes", names)
    assert result.exit_code == 1
    assert f"{names}: " in result.stderr
    assert message in result.stderr
