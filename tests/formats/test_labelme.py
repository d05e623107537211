"""labelme documents of masks: regions, holes, names, and what labelme itself expects."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from saccade.errors import InputError
from saccade.formats.labelme import labelme_document
from saccade.formats.masks import read_mask, write_mask

LABELS = np.zeros((12, 15), dtype=np.int32)
LABELS[1:8, 2:9] = 3
LABELS[3:5, 4:6] = 0  # a hole
LABELS[4, 4] = 2  # another class in the hole
LABELS[9:11, 12:15] = 3


def as_labelme_reads(document) -> np.ndarray:
    """`shapes_to_label` of labelme, for masks."""
    labels = np.zeros((document["imageHeight"], document["imageWidth"]), dtype=int)
    values = {name: value for value, name in document["saccade_classes"]}
    for shape in document["shapes"]:
        mask = np.array(Image.open(io.BytesIO(base64.b64decode(shape["mask"])))).astype(bool)
        (x1, y1), (x2, y2) = np.asarray(shape["points"]).astype(int)
        labels[y1 : y2 + 1, x1 : x2 + 1][mask] = values[shape["label"]]
    return labels


def test_the_document_is_as_labelme_reads_it():
    document = labelme_document(LABELS, names={3: "cat"}, image_path="a.jpg")
    assert [s["label"] for s in document["shapes"]] == ["cat", "class 2", "cat"]
    assert document["shapes"][0]["points"] == [[2.0, 1.0], [8.0, 7.0]]
    assert {s["shape_type"] for s in document["shapes"]} == {"mask"}
    assert (document["imagePath"], document["imageData"]) == ("a.jpg", None)
    assert (document["imageHeight"], document["imageWidth"]) == (12, 15)
    np.testing.assert_array_equal(as_labelme_reads(document), LABELS)
    json.dumps(document)  # no numpy numbers left


def test_diagonal_neighbors_are_one_region():
    assert len(labelme_document(np.eye(5, dtype=int))["shapes"]) == 1
    assert len(labelme_document(np.diag([1, 2, 1, 2]))["shapes"]) == 4


def test_unused_classes_are_written_too(tmp_path):
    write_mask(tmp_path / "a.json", LABELS, "labelme", classes=range(5))
    classes = json.loads((tmp_path / "a.json").read_text())["saccade_classes"]
    assert [value for value, _ in classes] == [0, 1, 2, 3, 4]


def test_masks_without_class_0_or_with_nothing_else_survive(tmp_path):
    for labels in (LABELS + 1, LABELS * 0):
        write_mask(tmp_path / "a.json", labels, "labelme")
        np.testing.assert_array_equal(read_mask(tmp_path / "a.json", "labelme"), labels)


def test_without_our_key_labels_are_numbered(tmp_path):
    document = labelme_document(
        np.array([[1, 2], [0, 3]]), names=["", "dog", "cat", "_background_"]
    )
    del document["saccade_classes"]
    (tmp_path / "a.json").write_text(json.dumps(document))
    assert read_mask(tmp_path / "a.json", "labelme").tolist() == [[2, 1], [0, 0]]


def test_equal_names_are_refused():
    with pytest.raises(InputError, match="different one for each class"):
        labelme_document(LABELS, names={2: "cat", 3: "cat"})


def broken(**changes):
    document = labelme_document(LABELS)
    document["shapes"] = [document["shapes"][0] | changes]
    return document


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "not a labelme file"),
        ({"shapes": []}, "not a labelme file"),
        (labelme_document(LABELS) | {"imageHeight": 10**7, "imageWidth": 10**7}, "megapixels"),
        (labelme_document(LABELS) | {"saccade_classes": [[0, "a"]]}, "not in saccade_classes"),
        (
            labelme_document(LABELS) | {"saccade_classes": [[-2, "class 3"], [1, "class 2"]]},
            "below 0",
        ),
        (labelme_document(LABELS) | {"saccade_classes": 3}, "not a labelme file"),
        (broken(shape_type="polygon"), "kind 'polygon' was skipped .*with 2 points"),
        (broken(shape_type=None), "kind 'polygon' was skipped .*with 2 points"),
        (broken(mask="!"), "cannot be read"),
        (broken(mask=None), "cannot be read"),
        (broken(mask=base64.b64encode(b"x").decode()), "cannot be read"),
        (broken(points=[[1, 2]]), "with 1 points"),
        (broken(points=[[10, 1], [16, 7]]), "outside the image"),
        (broken(points=[[-1, 1], [5, 7]]), "outside the image"),
        (broken(points=[[2, 1], [7, 7]]), "expected 6 x 7"),
    ],
)
def test_wrong_files_are_refused(tmp_path, document, message):
    (tmp_path / "a.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match=f"a.json: .*{message}") as caught:
        read_mask(tmp_path / "a.json", "labelme")
    assert "\n" not in str(caught.value)


def test_colored_mask_is_refused(tmp_path):
    buffer = io.BytesIO()
    Image.new("RGB", (7, 7)).save(buffer, format="PNG")
    document = broken(mask=base64.b64encode(buffer.getvalue()).decode())
    (tmp_path / "a.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="has colours"):
        read_mask(tmp_path / "a.json", "labelme")
