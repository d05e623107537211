import shutil
import unicodedata

import pytest

from saccade.data.pairing import MASK_SUFFIXES
from saccade.data.sets import LAYOUTS, open_set
from saccade.errors import InputError
from saccade.suffixes import IMAGE_SUFFIXES
from tests.data.helpers import image, make_folder, make_voc, mask, text
from tests.data.test_sets import MAKERS

ENDINGS = {"cityscapes": ("_leftImg8bit", "_gtFine_labelIds")}


def _files(layout, root):
    """Image and mask of the only example."""
    (example,) = open_set(layout, root, "val").examples
    return example.image, example.mask


def _listed_by_name(layout, root):
    """The list of voc-aug names files; by name it is like that of voc."""
    if layout == "voc-aug":
        text(root / "ImageSets/Segmentation/val.txt", "a\n")


@pytest.mark.parametrize("which", ["image", "mask"])
# A line of "lists" names both files, whatever else lies there.
@pytest.mark.parametrize("layout", sorted(LAYOUTS.keys() - {"lists"}))
def test_two_files_of_one_name_are_refused_in_every_layout(tmp_path, layout, which):
    MAKERS[layout.replace("60", "59")](tmp_path)
    _listed_by_name(layout, tmp_path)
    path = _files(layout, tmp_path)[which == "mask"]
    for suffix in sorted({*IMAGE_SUFFIXES, ".JPG", ".Png"} if which == "image" else MASK_SUFFIXES):
        other = path.with_suffix(suffix)
        if other == path:
            continue
        shutil.copy(path, other)
        for allow_missing in (False, True):
            with pytest.raises(InputError, match="two files of one name") as caught:
                open_set(layout, tmp_path, "val", allow_missing=allow_missing)
            assert path.name in str(caught.value)
            assert other.name in str(caught.value)
        other.unlink()


def test_one_name_in_two_cities_or_folders_is_refused(tmp_path):
    MAKERS["cityscapes"](tmp_path)
    for kind in ("leftImg8bit", "gtFine"):
        shutil.copytree(tmp_path / kind / "val/ulm", tmp_path / kind / "val/bonn")
    with pytest.raises(InputError, match="two images of one name"):
        open_set("cityscapes", tmp_path, "val")


@pytest.mark.parametrize("lines", ["a\na\n", "a\n/JPEGImages/a.jpg /SegmentationClass/a.png\n"])
def test_a_list_with_an_image_twice_is_refused(tmp_path, lines):
    make_voc(tmp_path)
    text(tmp_path / "ImageSets/Segmentation/val.txt", lines)
    with pytest.raises(InputError, match=r"a\.jpg: listed twice"):
        open_set("voc", tmp_path, "val")


def test_what_a_list_does_not_name_may_be_there_twice(tmp_path):
    make_voc(tmp_path)
    image(tmp_path / "JPEGImages/b.jpg")
    image(tmp_path / "JPEGImages/b.png")
    assert len(open_set("voc", tmp_path, "val").examples) == 1


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_letters_in_two_ways_are_one_name(tmp_path, forms):
    make_folder(tmp_path)
    names = [unicodedata.normalize(form, "Tübingen") for form in forms]
    image(tmp_path / f"images/val/{names[0]}.jpg")
    mask(tmp_path / f"masks/val/{names[1]}.png")
    names = {example.name for example in open_set("folder", tmp_path, "val").examples}
    assert names == {"a", "Tübingen"}


def test_hidden_files_are_no_images(tmp_path):
    make_folder(tmp_path)
    text(tmp_path / "images/val/._a.jpg", "what macOS leaves on other disks")
    assert open_set("folder", tmp_path, "val").remarks == ()
