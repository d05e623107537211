"""Small trees that are laid out as the archives of VOC, SBD and PASCAL-Context unpack."""

import json

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from saccade.data.known import CONTEXT_CLASSES
from saccade.data.palette import voc_palette
from saccade.data.sets import open_set
from saccade.errors import InputError
from saccade.formats.rle import compress_counts, encode_mask
from tests.data.helpers import image, text

VOC_MASK = np.array([[0, 15, 255], [0, 255, 15]], np.uint8)
SBD_MASK = np.array([[0, 15, 15], [0, 15, 15]], np.uint8)


def palette_mask(path, values=VOC_MASK):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(values, "P")
    picture.putpalette(voc_palette(256).ravel().tolist())
    picture.save(path)


def make_voc2012(root):
    """v1 is for training, v2 for validation, t1 of the test archive, without a mask."""
    base = root / "VOCdevkit/VOC2012"
    for stem in ("v1", "v2", "s1", "s2", "t1"):
        image(base / f"JPEGImages/{stem}.jpg")
    for stem in ("v1", "v2"):
        palette_mask(base / f"SegmentationClass/{stem}.png")
    lists = base / "ImageSets/Segmentation"
    for split, stems in (("train", ["v1"]), ("val", ["v2"]), ("test", ["t1"])):
        text(lists / f"{split}.txt", "".join(f"{stem}\n" for stem in stems))
    text(lists / "trainval.txt", "v1\nv2\n")
    return base


def make_sbd(root):
    """SBD has masks of the images of VOC too, those of val among them."""
    base = root / "benchmark_RELEASE/dataset"
    (base / "cls").mkdir(parents=True)
    for stem in ("v1", "v2", "s1", "s2"):
        image(base / f"img/{stem}.jpg")
        cell = np.array([(SBD_MASK,)], dtype=[("Segmentation", object)])
        savemat(base / f"cls/{stem}.mat", {"GTcls": cell})
    text(base / "train.txt", "v1\nv2\ns1\n")
    text(base / "val.txt", "s2\n")


def stems(data):
    return [example.name for example in data.examples]


@pytest.mark.parametrize("below", ["", "VOCdevkit", "VOCdevkit/VOC2012"])
def test_voc_and_sbd_as_unpacked_are_joined(tmp_path, below):
    make_voc2012(tmp_path)
    make_sbd(tmp_path)
    found = open_set("voc-aug", tmp_path / below, "trainaug")
    assert stems(found) == ["s1", "s2", "v1"]
    assert found.remarks == ("2 masks of SBD and 1 of VOC, joined",)
    np.testing.assert_array_equal(found.labels(0), SBD_MASK)
    np.testing.assert_array_equal(found.labels(2), VOC_MASK)  # VOC's own has its border
    assert "JPEGImages" in str(found.examples[0].image)
    val = open_set("voc-aug", tmp_path / below, "val")
    assert stems(val) == ["v2"]
    np.testing.assert_array_equal(val.labels(0), VOC_MASK)
    assert stems(open_set("voc", tmp_path / below, "trainval")) == ["v1", "v2"]


def test_sbd_is_read_from_the_folder_it_was_unpacked_in(tmp_path):
    make_sbd(tmp_path)
    assert stems(open_set("sbd", tmp_path, "val")) == ["s2"]


def test_the_split_as_passed_on_comes_first_and_is_evaluated_with_the_border(tmp_path):
    base = make_voc2012(tmp_path)
    make_sbd(tmp_path)
    for stem in ("v1", "v2", "s1"):
        palette_mask(base / f"SegmentationClassAug/{stem}.png", SBD_MASK)
    lines = "/JPEGImages/{0}.jpg /SegmentationClassAug/{0}.png\n"
    lists = base / "ImageSets/Segmentation"
    text(lists / "trainaug.txt", lines.format("v1") + lines.format("s1"))
    text(lists / "val.txt", lines.format("v2"))
    found = open_set("voc-aug", base, "trainaug")
    assert stems(found) == ["v1", "s1"]
    np.testing.assert_array_equal(found.labels(0), SBD_MASK)
    np.testing.assert_array_equal(open_set("voc-aug", base, "val").labels(0), VOC_MASK)
    (remark,) = open_set("voc-aug", base, "train").remarks
    assert "1 images of VOC's list train; the augmented list is 'trainaug'" in remark


def test_without_sbd_it_is_said_where_it_was_looked_for(tmp_path):
    make_voc2012(tmp_path)
    with pytest.raises(InputError, match=r"no split 'trainaug': expected .* benchmark_RELEASE/"):
        open_set("voc-aug", tmp_path, "trainaug")


@pytest.mark.parametrize("with_train", [True, False])
def test_voc_test_has_no_masks(tmp_path, with_train):
    base = make_voc2012(tmp_path)
    if not with_train:
        (base / "SegmentationClass").rename(base / "elsewhere")
    with pytest.raises(InputError, match="no masks of its test images, expected another split"):
        open_set("voc", tmp_path, "test")


def make_voc2010(root):
    base = root / "VOCdevkit/VOC2010"
    for stem in ("a", "b", "c"):
        image(base / f"JPEGImages/{stem}.jpg")
    text(base / "ImageSets/Main/train.txt", "a\nc\n")
    text(base / "ImageSets/Main/val.txt", "b\n")
    text(base / "ImageSets/Main/dog_train.txt", "a -1\nc  1\n")
    return base


def named_values():
    """Values of the 459 in another order than that of the 59, as in labels.txt."""
    names = [f"thing {i}" for i in range(400)] + list(reversed(CONTEXT_CLASSES))
    return dict(enumerate(names, 1))


def value_of(name):
    return next(value for value, other in named_values().items() if other == name)


def context_values():
    return np.array(
        [[value_of("aeroplane"), value_of("wood"), 7], [value_of("aeroplane"), value_of("wood"), 0]]
    )


def check_context(root):
    last = CONTEXT_CLASSES.index("wood")
    expected = np.array([[0, last, 255]] * 2)
    train = open_set("context59", root, "train")
    assert stems(train) == ["a"]
    np.testing.assert_array_equal(train.labels(0), expected)
    sixty = open_set("context60", root, "val")
    assert stems(sixty) == ["b"]
    np.testing.assert_array_equal(sixty.labels(0), (expected + 1).astype(np.uint8))


@pytest.mark.parametrize("place", ["", "VOCdevkit", "VOCdevkit/VOC2010"])
def test_context_as_its_archive_unpacks(tmp_path, place):
    base = make_voc2010(tmp_path)
    (tmp_path / place / "trainval").mkdir()
    for stem in ("a", "b"):  # c has none
        savemat(tmp_path / place / f"trainval/{stem}.mat", {"LabelMap": context_values()})
    lines = "".join(f"{value}: {name}\n" for value, name in named_values().items())
    text(tmp_path / place / "labels.txt", lines)
    check_context(tmp_path if place == "" else base)
    (remark,) = open_set("context59", base, "train").remarks
    assert remark == "1 of 2 images of train.txt have no mask and are left"
    (tmp_path / place / "labels.txt").unlink()
    with pytest.raises(InputError, match=r"no labels\.txt, which names the 459 values of trainval"):
        open_set("context59", base, "train")


def merged():
    values = context_values()
    pieces = [
        {
            "image_id": number,
            "category_id": int(value),
            "segmentation": {
                "size": [2, 3],
                "counts": compress_counts(encode_mask(values == value)),
            },
        }
        for number in (1, 2)
        for value in np.unique(values)
        if value
    ]
    images = [
        {"image_id": n, "file_name": f"{stem}.jpg", "phase": phase, "height": 2, "width": 3}
        for n, stem, phase in ((1, "a", "train"), (2, "b", "val"))
    ]
    categories = [{"category_id": value, "name": name} for value, name in named_values().items()]
    return {"images": images, "annos_segmentation": pieces, "categories": categories}


def test_the_merged_file_of_context_is_unpacked_once(tmp_path):
    base = make_voc2010(tmp_path)
    (base / "trainval_merged.json").write_text(json.dumps(merged()))
    check_context(base)
    mask = base / "SegmentationClassContext/a.png"
    assert mask.is_file()
    assert open_set("context59", base, "train").remarks == ()  # nothing was done again
    assert not list(base.glob(".*"))


def test_a_damaged_merged_file_leaves_nothing(tmp_path):
    base = make_voc2010(tmp_path)
    content = merged()
    content["annos_segmentation"][0]["segmentation"]["counts"] = "0"
    (base / "trainval_merged.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"trainval_merged\.json: the pieces of a\.jpg cannot be"):
        open_set("context59", base, "train")
    assert sorted(path.name for path in base.iterdir()) == [
        "ImageSets",
        "JPEGImages",
        "trainval_merged.json",
    ]
    assert not (base / "ImageSets/SegmentationContext").exists()
