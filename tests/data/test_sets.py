import numpy as np
import pytest
from scipy.io import savemat

from saccade.data.check import inspect
from saccade.data.known import CONTEXT_CLASSES
from saccade.data.sets import LAYOUTS, open_set
from saccade.errors import InputError
from tests.data.helpers import LABELS, image, make_cityscapes, make_folder, make_voc, mask, text


def make_camvid(root):
    image(root / "val/a.png")
    mask(root / "valannot/a.png", np.where(LABELS == 255, 11, LABELS).astype(np.uint8))


def make_voc_aug(root):
    make_voc(root, "SegmentationClassAug")
    listed = "/JPEGImages/a.jpg /SegmentationClassAug/a.png\n"
    text(root / "ImageSets/Segmentation/val.txt", listed)


def make_sbd(root):
    image(root / "dataset/img/a.jpg")
    (root / "dataset/cls").mkdir()
    cell = np.array([(LABELS,)], dtype=[("Segmentation", object)])
    savemat(root / "dataset/cls/a.mat", {"GTcls": cell})
    text(root / "dataset/val.txt", "a\n")


def make_context(root, *, mat=False):
    image(root / "JPEGImages/a.jpg")
    text(root / "ImageSets/SegmentationContext/val.txt", "a\n")
    if not mat:
        mask(root / "SegmentationClassContext/a.png", (LABELS + 1).astype(np.uint8))  # 255 -> 0
        return
    names = [f"thing{i}" for i in range(400)] + list(CONTEXT_CLASSES)
    text(root / "labels.txt", "".join(f"{i + 1}: {n}\n" for i, n in enumerate(names)))
    (root / "context").mkdir()
    savemat(root / "context/a.mat", {"LabelMap": np.array([[401, 402, 403], [402, 402, 5]])})


def make_ade(root):
    image(root / "images/validation/a.jpg")
    mask(root / "annotations/validation/a.png", (LABELS + 1).astype(np.uint8))


def make_lists(root):
    make_folder(root / "elsewhere")
    text(root / "classes.txt", (root / "elsewhere/classes.txt").read_text())
    text(root / "val.txt", "elsewhere/images/val/a.jpg\telsewhere/masks/val/a.png\n")


MAKERS = {
    "folder": make_folder,
    "lists": make_lists,
    "camvid": make_camvid,
    "voc": make_voc,
    "voc-aug": make_voc_aug,
    "sbd": make_sbd,
    "context59": make_context,
    "ade20k": make_ade,
    "cityscapes": make_cityscapes,
}


def test_every_layout_is_tried_here():
    assert {*MAKERS, "context60"} == set(LAYOUTS)


@pytest.mark.parametrize("layout", MAKERS)
def test_layouts_give_the_same_labels(tmp_path, layout):
    MAKERS[layout](tmp_path)
    found = open_set(layout, tmp_path, "val")
    assert len(found.examples) == 1
    np.testing.assert_array_equal(found.labels(0), LABELS)
    assert inspect(found).problems == ()


def test_context_with_everything_else_as_a_class(tmp_path):
    make_context(tmp_path)
    expected = (LABELS + 1).astype(np.uint8)
    np.testing.assert_array_equal(open_set("context60", tmp_path, "val").labels(0), expected)


def test_context_labels_of_mat_files_go_by_name(tmp_path):
    make_context(tmp_path, mat=True)
    np.testing.assert_array_equal(open_set("context59", tmp_path, "val").labels(0), LABELS)
    sixty = open_set("context60", tmp_path, "val").labels(0)
    np.testing.assert_array_equal(sixty, (LABELS + 1).astype(np.uint8))


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        open_set("folder", tmp_path / "nowhere", "val")
    with pytest.raises(InputError, match="layout 'coco', expected one of"):
        open_set("coco", tmp_path, "val")
    make_folder(tmp_path)
    image(tmp_path / "images/val/b.jpg")
    image(tmp_path / "images/val/c.jpg")
    mask(tmp_path / "masks/val/z.png")
    with pytest.raises(InputError, match=r"b\.jpg: no mask b\.png .*and 1 more"):
        open_set("folder", tmp_path, "val")
    found = open_set("folder", tmp_path, "val", allow_missing=True)
    assert (len(found.examples), len(found.missing)) == (1, 2)
    assert found.remarks == ("1 masks have no image, z.png for one",)
    (tmp_path / "images/empty").mkdir()
    (tmp_path / "masks/empty").mkdir()
    with pytest.raises(InputError, match="split 'empty' has no images"):
        open_set("folder", tmp_path, "empty")


def test_a_listed_file_that_is_not_there(tmp_path):
    make_voc(tmp_path)
    text(tmp_path / "ImageSets/Segmentation/val.txt", "a\nb\n")
    with pytest.raises(InputError, match=r"b\.jpg: no such file, but val\.txt lists it"):
        open_set("voc", tmp_path, "val")


def test_a_damaged_mat_file_is_named(tmp_path):
    make_sbd(tmp_path)
    (tmp_path / "dataset/cls/a.mat").write_bytes(b"x" * 200)
    with pytest.raises(InputError, match=r"expected a \.mat file"):
        open_set("sbd", tmp_path, "val").labels(0)
