"""The COCO document, and pycocotools reading it."""

import json

import numpy as np
import pytest

from saccade.errors import InputError
from saccade.formats.coco import coco_document
from saccade.formats.masks import read_mask

LABELS = np.array([[0, 0, 3, 3], [0, 7, 7, 3], [0, 0, 0, 3]], dtype=np.int32)


def test_the_document_has_image_categories_and_regions():
    document = coco_document(LABELS, classes=[5], names={3: "cat"}, file_name="a.jpg")
    assert document["images"] == [{"id": 1, "file_name": "a.jpg", "height": 3, "width": 4}]
    assert [(c["id"], c["name"]) for c in document["categories"]] == [
        (0, "background"),
        (3, "cat"),
        (5, "class 5"),
        (7, "class 7"),
    ]
    assert [a["category_id"] for a in document["annotations"]] == [0, 3, 7]
    seven = document["annotations"][2]
    assert seven["area"] == 2
    assert seven["bbox"] == [1, 1, 2, 1]
    assert seven["segmentation"]["size"] == [3, 4]
    json.dumps(document)  # no numpy numbers left


def test_names_may_be_a_list():
    document = coco_document(LABELS, names=["sky", "b", "c", "cat"])
    assert [c["name"] for c in document["categories"]] == ["sky", "cat", "class 7"]


@pytest.mark.parametrize("compressed", [True, False])
def test_masks_survive_the_file(tmp_path, compressed):
    document = coco_document(LABELS, compressed=compressed)
    (tmp_path / "a.json").write_text(json.dumps(document))
    counts = json.loads((tmp_path / "a.json").read_text())["annotations"][0]["segmentation"]
    assert isinstance(counts["counts"], str if compressed else list)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.json", "coco"), LABELS)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # theirs
@pytest.mark.parametrize("compressed", [True, False])
def test_pycocotools_reads_the_same_masks(tmp_path, capsys, compressed):
    coco = pytest.importorskip("pycocotools.coco")
    document = coco_document(LABELS, compressed=compressed)
    (tmp_path / "a.json").write_text(json.dumps(document))
    data = coco.COCO(str(tmp_path / "a.json"))
    capsys.readouterr()
    labels = np.full(LABELS.shape, -1)
    for annotation in data.loadAnns(data.getAnnIds(imgIds=[1])):
        mask = data.annToMask(annotation).astype(bool)
        assert mask.sum() == annotation["area"]
        labels[mask] = annotation["category_id"]
    np.testing.assert_array_equal(labels, LABELS)


def broken(**changes):
    document = coco_document(LABELS)
    document["annotations"] = [document["annotations"][1] | changes]
    return document


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "not a COCO file"),
        ({}, "not a COCO file"),
        (coco_document(LABELS) | {"images": []}, "not a COCO file of one image"),
        (coco_document(LABELS) | {"images": [{"height": 3}]}, "not a COCO file"),
        (coco_document(LABELS) | {"images": [{"height": 10**6, "width": 10**6}]}, "megapixels"),
        (coco_document(LABELS) | {"annotations": [3]}, "no annotation"),
        (broken(segmentation=[[1, 2, 3, 4]]), "fewer than 3 points"),
        (broken(segmentation=7), "without run lengths"),
        (broken(segmentation={"size": [4, 3], "counts": [12]}), r"size \[4, 3\]"),
        (broken(segmentation={"size": [3, 4], "counts": [11]}), "RLE counts"),
        (broken(category_id=-1), "category -1"),
        (broken(category_id="x"), "category x"),
    ],
)
def test_wrong_files_are_refused(tmp_path, document, message):
    (tmp_path / "a.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match=f"a.json: .*{message}") as caught:
        read_mask(tmp_path / "a.json", "coco")
    assert "\n" not in str(caught.value)
