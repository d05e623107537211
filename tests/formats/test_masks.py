"""Every format reads back to exactly the labels that were written."""

import json

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from saccade.data.palette import voc_palette
from saccade.errors import InputError
from saccade.formats.masks import MASK_FORMATS, encode_mask, read_mask, write_mask
from saccade.formats.names import refuse_unfit

RNG = np.random.default_rng(0)
BLOBS = np.kron(RNG.integers(0, 5, (6, 8)), np.ones((7, 5))).astype(np.int32)
BLOBS[20:22, 10:12] = 0  # a hole


@pytest.mark.parametrize("fmt", MASK_FORMATS)
@pytest.mark.parametrize("named", [True, False])
def test_masks_survive_every_format(tmp_path, fmt, named):
    path = tmp_path / f"mask{MASK_FORMATS[fmt].suffix}"
    write_mask(path, BLOBS, fmt, names={1: "cat"}, classes=range(9), image_path="dir/a.jpg")
    labels = read_mask(path, fmt if named else None)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, BLOBS)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("fmt", MASK_FORMATS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    labels=hnp.arrays(
        np.int32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=9),
        elements=st.sampled_from([0, 1, 2, 15, 255]),
    )
)
def test_any_labels_survive_every_format(tmp_path, fmt, labels):
    path = tmp_path / f"mask{MASK_FORMATS[fmt].suffix}"
    write_mask(path, labels, fmt)
    np.testing.assert_array_equal(read_mask(path), labels)


@pytest.mark.parametrize("fmt", [f for f in MASK_FORMATS if f != "png"])
def test_labels_above_255_survive_where_the_format_allows(tmp_path, fmt):
    labels = np.array([[0, 256, 65535], [7, 7, 256]])
    path = tmp_path / f"mask{MASK_FORMATS[fmt].suffix}"
    write_mask(path, labels, fmt)
    np.testing.assert_array_equal(read_mask(path), labels)


def test_png_opens_in_voc_colors_elsewhere(tmp_path):
    write_mask(tmp_path / "m.png", BLOBS, "png")
    with Image.open(tmp_path / "m.png") as image:
        assert image.mode == "P"
        np.testing.assert_array_equal(np.asarray(image), BLOBS)
    seen = cv2.imread(str(tmp_path / "m.png"))[..., ::-1]
    np.testing.assert_array_equal(seen, voc_palette()[BLOBS])


def test_tiff_is_one_16_bit_page_for_others(tmp_path):
    write_mask(tmp_path / "m.tif", BLOBS, "tiff")
    with tifffile.TiffFile(tmp_path / "m.tif") as tiff:
        assert len(tiff.pages) == 1
        assert tiff.pages[0].dtype == np.uint16
        assert tiff.pages[0].compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        np.testing.assert_array_equal(tiff.asarray(), BLOBS)


def test_png_names_tiff_for_labels_above_255(tmp_path):
    with pytest.raises(InputError, match=r"label 256 does not fit a palette PNG.*tiff"):
        write_mask(tmp_path / "m.png", np.array([[256]]), "png")
    with pytest.raises(InputError, match="label 65536 does not fit a 16-bit TIFF"):
        write_mask(tmp_path / "m.tif", np.array([[65536]]), "tiff")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fmt", MASK_FORMATS)
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros((2, 3, 4), int), "shape"),
        (np.zeros((0, 3), int), "shape"),
        (np.array([[-1, 2]]), "-1..2"),
        (np.array([[2**40]]), "0 and above"),
        (np.array([[0.0, 1.0]]), "integers"),
    ],
)
def test_arrays_that_are_no_label_image_are_refused(tmp_path, fmt, labels, message):
    with pytest.raises(InputError, match=message):
        write_mask(tmp_path / "m", labels, fmt)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fmt", MASK_FORMATS)
def test_bool_masks_and_no_folder(tmp_path, fmt):
    mask = BLOBS > 2
    write_mask(tmp_path / "m", mask, fmt)
    np.testing.assert_array_equal(read_mask(tmp_path / "m"), mask)
    with pytest.raises(InputError, match="no folder"):
        write_mask(tmp_path / "gone" / "m", mask, fmt)


@pytest.mark.parametrize("fmt", MASK_FORMATS)
def test_failed_write_keeps_the_old_file(tmp_path, fmt, monkeypatch):
    write_mask(tmp_path / "m", BLOBS, fmt)

    def fail(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(KeyboardInterrupt):
        write_mask(tmp_path / "m", BLOBS + 1, fmt)
    np.testing.assert_array_equal(read_mask(tmp_path / "m"), BLOBS)
    assert [p.name for p in tmp_path.iterdir()] == ["m"]


def test_where_the_image_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    write_mask("out/m.json", BLOBS, "labelme", image_path="photos/a.jpg")
    assert json.loads((tmp_path / "out/m.json").read_text())["imagePath"] == "../photos/a.jpg"
    write_mask("out/m.json", BLOBS, "coco", image_path=tmp_path / "photos" / "a.jpg")
    assert json.loads((tmp_path / "out/m.json").read_text())["images"][0]["file_name"] == "a.jpg"


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(InputError, match="format 'gif': expected one of png, tiff, coco, coco-p"):
        write_mask(tmp_path / "m", BLOBS, "gif")
    (tmp_path / "m").write_text("x")
    with pytest.raises(InputError, match="format 'gif'"):
        read_mask(tmp_path / "m", "gif")


def test_gray_masks_are_read_too(tmp_path):
    for name, dtype in (("a.png", np.uint8), ("b.png", np.uint16), ("c.tif", np.int32)):
        Image.fromarray(BLOBS.astype(dtype)).save(tmp_path / name)
        np.testing.assert_array_equal(read_mask(tmp_path / name), BLOBS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"no image", "not an image"),
        (b"{", "malformed JSON"),
        (b'{"images": 3}', "not a COCO file"),
        (json.dumps({"shapes": 3}).encode(), "not a labelme file"),
    ],
)
def test_unreadable_files_are_named(tmp_path, content, message):
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_mask(tmp_path / "m")


def test_colored_image_is_no_mask(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "m.png")
    with pytest.raises(InputError, match="RGB image has colours"):
        read_mask(tmp_path / "m.png")


@pytest.mark.parametrize("fmt", MASK_FORMATS)
@pytest.mark.parametrize("label", [255, 256, 65535, 65536])
def test_what_does_not_fit_is_known_before_the_work(tmp_path, fmt, label):
    labels = np.array([[0, label]])
    fits = label <= {"png": 255, "tiff": 65535}.get(fmt, label)
    for write in (lambda: refuse_unfit([0, label], fmt), lambda: encode_mask(labels, fmt)):
        if fits:
            write()
        else:
            with pytest.raises(InputError, match=f"label {label} does not fit.*use the format"):
                write()
