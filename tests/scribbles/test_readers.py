"""Formats are recognized by content, and every unreadable file says so in one line."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade.errors import InputError
from saccade.scribbles.readers import UNLABELED, read_strokes
from tests.helpers import run_python

LABELS = np.full((6, 8), 255, dtype=np.uint8)
LABELS[1, :3], LABELS[4, :3] = 0, 1
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32])
def test_npy_files_are_read(tmp_path, dtype):
    np.save(tmp_path / "s.npy", LABELS.astype(dtype))
    strokes = read_strokes(tmp_path / "s.npy", shape=(6, 8))
    np.testing.assert_array_equal(strokes.labels, LABELS)
    assert strokes.unlabeled == UNLABELED
    assert strokes.assumption.startswith("s.npy: array, 255 = unlabelled")
    strokes.labels[0, 0] = 1  # writable, not a view of the file


def test_minus_one_is_unlabeled_in_npy_files(tmp_path):
    np.save(tmp_path / "s.npy", np.where(LABELS == 255, -1, LABELS.astype(int)))
    np.testing.assert_array_equal(read_strokes(tmp_path / "s.npy").labels, LABELS)
    np.testing.assert_array_equal(read_strokes(tmp_path / "s.npy", unlabeled=-1).labels, LABELS)


def test_content_beats_the_suffix(tmp_path):
    Image.fromarray(LABELS).save(tmp_path / "s.json", format="PNG")
    np.save(tmp_path / "s.npy", LABELS)
    os.rename(tmp_path / "s.npy", tmp_path / "s.png")
    for name in ("s.json", "s.png"):
        np.testing.assert_array_equal(read_strokes(tmp_path / name).labels, LABELS)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.npy", b"garbage", "not a NumPy array"),
        ("a.npy", b"\x93NUMPY\x01\x00garbage", "not a NumPy array"),
        ("a.xml", b"garbage", "malformed XML"),
        ("a.json", b"garbage", "malformed JSON"),
        ("a.json", b"\xff\xfe{", "malformed JSON"),
        ("a.png", b"garbage", "not an image"),
        ("a.png", b"", "empty"),
        ("a.txt", b"1 2 3", "not an image"),
        ("a.png", b"<annotation><polygon>", "malformed XML"),
    ],
)
def test_unreadable_files_are_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name}: .*{message}") as caught:
        read_strokes(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_pickles_are_not_loaded(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="not a NumPy array"):
        read_strokes(tmp_path / "a.npy")


def test_header_that_promises_terabytes(tmp_path):
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**6)}
    with open(tmp_path / "a.npy", "wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        file.write(bytes(100))
    with pytest.raises(InputError, match="not a NumPy array"):
        read_strokes(tmp_path / "a.npy")


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_strokes(tmp_path / "gone.png")
    with pytest.raises(InputError, match="is a folder"):
        read_strokes(tmp_path)


def test_a_truncated_png_is_named(tmp_path):
    noise = np.random.default_rng(0).integers(0, 9, (64, 64), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:500])
    with pytest.raises(InputError, match="damaged or truncated"):
        read_strokes(tmp_path / "a.png")


def test_reading_starts_without_heavy_imports():
    code = (
        "import sys, saccade.scribbles.readers, saccade.formats.masks, saccade.formats.overlay;"
        "heavy = {'torch', 'scipy', 'skimage', 'tifffile', 'cv2', 'matplotlib'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert run_python("-c", code, PYTHONPATH=str(ROOT / "src")).stdout.strip() == "[]"


@pytest.mark.parametrize("kind", ["thin", "full", "dense"])
def test_strokes_of_the_data_sets_are_read_as_drawn(data_root, kind):
    paths = sorted((data_root / "iseg" / f"scribbles_{kind}").glob("*.png"))
    if not paths:
        pytest.skip(f"no strokes of objects in {data_root}")
    path = paths[0]
    strokes = read_strokes(path)
    assert strokes.classes == (0, 1)
    np.testing.assert_array_equal(strokes.labels, np.asarray(Image.open(path)))
