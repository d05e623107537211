"""What readers of COCO, CVAT and Label Studio decide, and that they say it."""

import json

import numpy as np
import pytest

from saccade.annotations import read_any_strokes
from saccade.errors import InputError
from saccade.formats.masks import iter_annotations, read_annotation

H, W = 20, 30


def coco(*annotations, images=({"id": 1},), **document):
    common = {"image_id": 1, "category_id": 2, "bbox": [2, 3, 5, 6]}
    return {
        "images": [{"height": H, "width": W, "file_name": "a.png"} | image for image in images],
        "categories": [{"id": 2, "name": "cat"}, {"id": 5, "name": "dog"}],
        "annotations": [common | annotation for annotation in annotations],
    } | document


def saved(folder, document):
    path = folder / "a.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


IDS = [1, "1", 1.0, " 1 "]


@pytest.mark.parametrize("theirs", [*IDS, "x"])
@pytest.mark.parametrize("ours", [*IDS, "x"])
def test_ids_are_the_same_as_text_and_as_numbers(tmp_path, ours, theirs):
    same = (ours == "x") == (theirs == "x")
    for images in ([{"id": ours}], [{"id": ours}, {"id": 2}]):
        path = saved(tmp_path, coco({"image_id": theirs}, images=images))
        if same:
            first = next(iter_annotations(path))
            assert (first.labels == 2).sum() == 30
        else:
            with pytest.raises(
                InputError, match=r"1 annotation is of no image in the file \(image"
            ):
                list(iter_annotations(path))


@pytest.mark.parametrize(
    ("images", "annotation", "found"),
    [
        ([{}], {"image_id": 7}, True),
        ([{}], {"image_id": None}, True),
        ([{"id": 7}], {"image_id": None}, True),
        ([{"id": 7}], {"image_id": 1}, False),
        ([{"id": 7}, {"id": 1}], {"image_id": None}, False),
        ([{"id": 1}, {"id": "1"}], {}, False),
        ([{"id": 1}, {"id": 2}], {"image_id": 3}, False),
        ([{"id": 1}, {"id": 2}], {"image_id": True}, False),
        ([{"id": 1}, {"id": 2}], {"image_id": [1]}, False),
    ],
)
def test_an_annotation_without_an_image_is_an_error(tmp_path, images, annotation, found):
    path = saved(tmp_path, coco(annotation, images=images))
    if found:
        assert (read_annotation(path).labels == 2).sum() == 30
    else:
        with pytest.raises(InputError, match=r"a\.json: ") as error:
            list(iter_annotations(path))
        assert "id" in str(error.value)


@pytest.mark.parametrize(
    ("annotation", "line"),
    [
        ({}, "1 box without segmentation was filled"),
        ({"keypoints": [9, 9, 2]}, "the key points of 1 annotation were drawn as discs 10 px wide"),
        ({"iscrowd": 1}, "1 annotation of a crowd was drawn like the others"),
        (
            {"keypoints": [9, 9, 2], "segmentation": [[1, 1, 9, 1, 9, 9]]},
            "of 1 annotation with key points its segmentation was drawn alone",
        ),
        ({"segmentation": [[1, 1, 9, 1, 9, 9], [3]]}, "1 ring of a polygon was skipped"),
        ({"bbox": [90, 1, 5, 5]}, "1 shape covers no pixel of the image"),
    ],
)
def test_coco_says_what_was_drawn_differently(tmp_path, annotation, line):
    assert line in read_annotation(saved(tmp_path, coco(annotation))).remarks


@pytest.mark.parametrize("names", [None, ["cat", "dog"]])
def test_coco_categories_that_are_not_listed_are_no_classes(tmp_path, names):
    found = read_annotation(saved(tmp_path, coco({}, {"category_id": 9})), names=names)
    assert set(np.unique(found.labels)) == {0, 2} if names is None else {0}
    assert any("category 9, expected one of the file's" in line for line in found.remarks)


def test_a_class_that_is_covered_altogether_is_named(tmp_path):
    path = saved(tmp_path, coco({}, {"category_id": 5}))
    remark = "class 'cat' is covered by later shapes altogether"
    assert remark in read_annotation(path).remarks
    strokes = read_any_strokes(path)
    assert strokes.classes == (5,)
    assert remark in strokes.remarks


def test_coco_without_categories_keeps_ids_and_names_by_position(tmp_path):
    path = saved(tmp_path, coco({}, categories=[]))
    assert set(np.unique(read_annotation(path, names=["a", "b", "c"]).labels)) == {0, 2}
    path = saved(tmp_path, coco({"category_id": "2"}))
    assert set(np.unique(read_annotation(path).labels)) == {0, 2}


SIZE = {"original_width": W, "original_height": H}
BOX = SIZE | {"type": "rectanglelabels"}


def box(label, x=0, **more):
    place = {"x": x, "y": 0, "width": 20, "height": 50, "rectanglelabels": [label]}
    return BOX | {"value": place} | more


def tasks(*lists, key="annotations", **task):
    return [{"data": {"image": "a.png"}, key: list(lists)} | task]


@pytest.mark.parametrize(
    ("document", "labels", "line"),
    [
        (
            tasks({"result": [box("cat")]}, {"result": [box("dog")]}),
            {"cat"},
            "the first annotation was used, 1 other was not",
        ),
        (
            tasks({"result": [box("cat")], "was_cancelled": True}, {"result": [box("dog")]}),
            {"dog"},
            "1 cancelled annotation was skipped",
        ),
        (
            tasks({"result": [box("cat")]}, predictions=[{"result": [box("dog")]}]),
            {"cat"},
            "the first annotation was used, 1 other was not",
        ),
        (
            tasks({"result": [box("dog")]}, key="predictions", annotations=[]),
            {"dog"},
            "a prediction was used, as there is no annotation with regions",
        ),
        (
            tasks({"result": [box("cat"), BOX | {"type": "choices", "value": {"choices": ["x"]}}]}),
            {"cat"},
            "1 answer of kind 'choices' is not used",
        ),
        (
            tasks({"result": [box("cat"), box("dog", 50, item_index=1)]}),
            {"cat"},
            "1 shape of kind 'rectanglelabels' was skipped (on another page of its task)",
        ),
        (
            tasks({"result": [box("cat"), box("dog", 50, original_width=77)]}),
            {"cat"},
            "1 shape of kind 'rectanglelabels' was skipped (of another size of image)",
        ),
        (
            tasks(
                {"result": [BOX | {"value": box("a")["value"] | {"rectanglelabels": ["cat", "b"]}}]}
            ),
            {"cat"},
            "1 region has several labels, of which the first is used",
        ),
        (
            tasks({"result": [BOX | {"value": {"x": 9, "y": 9, "width": 1, "labels": ["cat"]}}]}),
            {"cat"},
            "1 key point was drawn as a disc 2 px wide",
        ),
    ],
)
def test_label_studio_says_what_was_used(tmp_path, document, labels, line):
    image = read_annotation(saved(tmp_path, document))
    present = {image.names[value] for value in np.unique(image.labels).tolist() if value}
    assert present == labels
    assert line in image.remarks


def test_an_image_that_was_rotated_in_label_studio_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"a.json: an image that was rotated .*90 degrees"):
        read_annotation(saved(tmp_path, tasks({"result": [box("cat", image_rotation=90)]})))


def test_the_size_of_a_known_image_is_not_needed(tmp_path):
    place = {"value": box("cat")["value"]}
    path = saved(tmp_path, tasks({"result": [place]}))
    assert (read_annotation(path, shape=(H, W)).labels == 1).sum() == 60
    with pytest.raises(InputError, match="without original_width"):
        read_annotation(path)


@pytest.mark.parametrize(
    ("shape", "line"),
    [
        ('<tag label="sunny"/>', "1 tag of the whole image is not used"),
        ('<points label="b" points="3,3;9,9"/>', "2 points were drawn as discs 10 px wide"),
        ('<polyline label="b" points="3,3;9,9"/>', "1 polyline was drawn 10 px wide"),
        (
            '<polygon label="b" points="3,3;9,9;9,3" rotation="9"/>',
            "1 rotation of a polygon was not",
        ),
        (
            '<skeleton label="b"><points label="c" points="1,1"/></skeleton>',
            "1 shape of kind 'skel",
        ),
        ('<box label="b" xtl="90" ytl="0" xbr="99" ybr="9"/>', "1 shape covers no pixel"),
    ],
)
def test_cvat_says_what_was_drawn_differently(tmp_path, shape, line):
    box = '<box label="a" xtl="0" ytl="0" xbr="5" ybr="5"/>'
    image = f'<image name="a.png" width="{W}" height="{H}">{box}{shape}</image>'
    found = read_annotation(saved(tmp_path, f"<annotations>{image}</annotations>"))
    assert any(remark.startswith(line) for remark in found.remarks)


def test_a_class_may_have_the_value_that_usually_means_no_stroke(tmp_path):
    far = {"category_id": 65535, "bbox": [20, 3, 5, 6]}
    categories = [{"id": 2, "name": "cat"}, {"id": 65535, "name": "far"}]
    path = saved(tmp_path, coco({}, far, categories=categories))
    assert (read_annotation(path).labels == 65535).sum() == 30
    assert _is_drawn_or_named(path)


def _is_drawn_or_named(path):
    """Whether 65535 is a class of the strokes, or the error speaks of it."""
    try:
        strokes = read_any_strokes(path)
    except InputError as error:
        return "65535" in str(error)
    return (strokes.labels == 65535).sum() == 30 and strokes.unlabeled != 65535


def test_remarks_are_short_lines_whatever_a_file_calls_its_classes(tmp_path):
    name = "é\n" * 2000
    categories = [{"id": 2, "name": name}, {"id": 5, "name": "dog"}]
    path = saved(tmp_path, coco({}, {"category_id": 5}, categories=categories))
    remarks = read_annotation(path).remarks
    assert len(remarks) == 2
    assert all(len(line) <= 250 and "\n" not in line for line in remarks)
