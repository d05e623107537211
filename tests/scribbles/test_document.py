"""Strokes as a document: what is written is read back, as a document and as pixels."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saccade.errors import InputError
from saccade.scribbles.document import (
    Line,
    Patch,
    StrokeClass,
    StrokeDocument,
    document_from_strokes,
    rasterize,
    write_document,
)
from saccade.scribbles.labelme import read_document
from saccade.scribbles.readers import Strokes, read_strokes

SHAPE = (30, 40)
CLASSES = (StrokeClass(0, "background", "#102030"), StrokeClass(3, "cat"), StrokeClass(9, "dög"))
VALUES = st.sampled_from([0, 3, 9])
POINTS = st.tuples(st.floats(-5, 45), st.floats(-5, 35))


@st.composite
def items(draw, number):
    if draw(st.booleans()):
        points = draw(st.lists(POINTS, min_size=1, max_size=5))
        return Line(f"s{number}", draw(VALUES), draw(st.floats(0.2, 12)), tuple(points))
    height, width = draw(st.integers(1, 8)), draw(st.integers(1, 8))
    bits = draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))
    mask = np.array(bits).reshape(height, width)
    mask[0, 0] = True
    return Patch(
        f"s{number}", draw(VALUES), draw(st.integers(0, 32)), draw(st.integers(0, 22)), mask
    )


@st.composite
def documents(draw):
    return StrokeDocument(
        CLASSES, tuple(draw(items(i + 1)) for i in range(draw(st.integers(0, 6))))
    )


@given(document=documents())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read_back(tmp_path, document):
    path = tmp_path / "a.strokes.json"
    write_document(path, document, SHAPE, "a.jpg")
    back = read_document(path, SHAPE)
    assert back.classes == document.classes
    drawn, again = rasterize(document, SHAPE), rasterize(back, SHAPE)
    np.testing.assert_array_equal(again.labels, drawn.labels)
    assert [type(i) for i in back.items] == [type(i) for i in document.items]
    if len(drawn.classes) > 1:
        read = read_strokes(path, shape=SHAPE)
        np.testing.assert_array_equal(read.labels, drawn.labels)
        assert set(read.names.items()) <= {(c.value, c.name) for c in CLASSES}


def test_labelme_can_open_it(tmp_path):
    line = Line("s1", 3, 4.0, ((1, 2), (3, 4)))
    patch = Patch("s2", 0, 5, 6, np.ones((2, 3), bool))
    write_document(tmp_path / "a.json", StrokeDocument(CLASSES, (line, patch)), SHAPE, "a.jpg")
    document = json.loads((tmp_path / "a.json").read_text())
    keys = {"version", "flags", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth"}
    assert keys <= set(document)
    assert [s["shape_type"] for s in document["shapes"]] == ["linestrip", "mask"]
    assert document["shapes"][1]["points"] == [[5.0, 6.0], [7.0, 7.0]]


def test_strokes_of_any_file_become_patches(tmp_path):
    labels = np.full(SHAPE, 255, np.uint8)
    labels[3:6, 4:20], labels[20:25, 5:9] = 1, 0
    np.save(tmp_path / "a.npy", labels)
    strokes = read_strokes(tmp_path / "a.npy", shape=SHAPE)
    known = (StrokeClass(0, "sky"), StrokeClass(7, "class 1"))
    document = document_from_strokes(strokes, known=known)
    assert [(c.value, c.name) for c in document.classes] == [
        (0, "sky"),
        (1, "class 1 2"),
        (7, "class 1"),
    ]
    np.testing.assert_array_equal(rasterize(document, SHAPE).labels, labels)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": -1}, "wide, expected pixels"),
        ({"width": True}, "wide, expected pixels"),
        ({"shape_type": "mask", "mask": "??"}, "cannot be read"),
        ({"points": [[1, None]]}, "two numbers"),
    ],
)
def test_damaged_files_are_refused(tmp_path, change, message):
    document = StrokeDocument(CLASSES, (Line("s1", 3, 4.0, ((1, 2), (3, 4))),))
    write_document(tmp_path / "a.json", document, SHAPE)
    found = json.loads((tmp_path / "a.json").read_text())
    found["shapes"][0] |= change
    (tmp_path / "a.json").write_text(json.dumps(found))
    with pytest.raises(InputError, match=message):
        read_document(tmp_path / "a.json", SHAPE)


def test_a_file_of_another_size_is_refused(tmp_path):
    write_document(tmp_path / "a.json", StrokeDocument(CLASSES), (10, 10))
    with pytest.raises(InputError, match="10 x 10"):
        read_document(tmp_path / "a.json", SHAPE)


def test_many_classes_all_over_a_large_image_are_refused():
    labels = np.broadcast_to(np.arange(8000, dtype=np.int32) % 250, (4000, 8000)).copy()
    with pytest.raises(InputError, match="250 classes that lie all over the image"):
        document_from_strokes(Strokes(labels))


def test_regions_of_a_document_are_drawn_in_their_boxes(tmp_path):
    shapes = [
        {"label": "a", "shape_type": "circle", "points": [[30, 20], [30, 26]]},
        {"label": "b", "shape_type": "polygon", "points": [[-9, 3], [20, 9], [4, 70]]},
        {"label": "b", "shape_type": "rectangle", "points": [[30, 3], [90, 9]]},
        {"label": "a", "shape_type": "circle", "points": [[900, 20], [900, 26]]},
    ]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"shapes": shapes}))
    document = read_document(path, SHAPE)
    assert len(document.items) == 3
    whole = read_strokes(path, shape=SHAPE)
    drawn = rasterize(document, SHAPE)
    np.testing.assert_array_equal(drawn.labels, whole.labels)
    odd = {"label": "a", "shape_type": "cuboid", "points": []}
    path.write_text(json.dumps({"shapes": [*shapes, odd]}))
    with pytest.raises(InputError, match=r"kind 'cuboid' was skipped .*would be lost"):
        read_document(path, SHAPE)
    assert len(read_document(path, SHAPE, skip_odd=True).items) == 3
