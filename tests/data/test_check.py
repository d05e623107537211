import numpy as np
import pytest
from PIL import Image

from saccade.data.check import inspect, require_sound
from saccade.data.sets import open_set
from saccade.errors import InputError
from tests.data.helpers import image, make_cityscapes, make_folder, make_voc, mask, text


def test_check_goes_on_where_listed_files_are_missing(tmp_path):
    make_voc(tmp_path)
    text(tmp_path / "ImageSets/Segmentation/val.txt", "a\nb\nc\n")
    image(tmp_path / "JPEGImages/c.jpg")
    found = open_set("voc", tmp_path, "val", allow_missing=True)
    assert [e.name for e in found.examples] == ["a"]
    assert [m.split(":")[0].rsplit("/", 1)[1] for m in found.missing] == ["b.jpg", "b.png", "c.png"]
    make_cityscapes(tmp_path)
    image(tmp_path / "leftImg8bit/val/x/y_leftImg8bit.png")
    with pytest.raises(InputError, match=r"y_gtFine_labelIds\.png: no such file, the mask of y_"):
        open_set("cityscapes", tmp_path, "val")
    assert len(open_set("cityscapes", tmp_path, "val", allow_missing=True).missing) == 1


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_half_an_image_is_found(tmp_path, suffix):
    make_folder(tmp_path)
    path = tmp_path / f"images/val/b.{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    Image.fromarray(noise).save(path)
    mask(tmp_path / "masks/val/b.png", np.zeros((60, 80), np.uint8))
    assert inspect(open_set("folder", tmp_path, "val")).problems == ()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (problem,) = inspect(open_set("folder", tmp_path, "val")).problems
    assert f"b.{suffix}: damaged or truncated image" in problem


def test_an_image_that_is_turned_has_the_size_of_its_mask(tmp_path):
    make_folder(tmp_path)
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (90, 60)).save(tmp_path / "images/val/b.jpg", exif=turned)
    mask(tmp_path / "masks/val/b.png", np.zeros((90, 60), np.uint8))
    assert inspect(open_set("folder", tmp_path, "val")).problems == ()


def test_check_finds_what_is_wrong_and_counts_the_rest(tmp_path):
    make_folder(tmp_path)
    for stem in "bcd":
        image(tmp_path / f"images/val/{stem}.jpg")
    mask(tmp_path / "masks/val/b.png", np.full((2, 3), 9, np.uint8))
    mask(tmp_path / "masks/val/c.png", np.zeros((3, 3), np.uint8))
    mask(tmp_path / "masks/val/d.png")
    (tmp_path / "images/val/d.jpg").write_bytes(b"no image")
    findings = inspect(open_set("folder", tmp_path, "val"))
    assert [p.split(":")[0].rsplit("/", 1)[1] for p in findings.problems] == [
        "b.png",
        "c.png",
        "d.jpg",
    ]
    assert "value 9 at 6 pixels" in findings.problems[0]
    assert findings.pixels.tolist() == [1 + 9, 3, 1]
    assert (findings.images.tolist(), findings.ignored) == ([2, 1, 1], 1)
    assert findings.sizes.tolist() == [[2, 3]] * 3
    with pytest.raises(InputError, match=r"b\.png: value 9 .*and 2 more files"):
        require_sound(findings)
