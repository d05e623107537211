"""labelme JSON as strokes: shapes, label order, sizes, and what is refused."""

import json

import pytest

from saccade.errors import InputError
from saccade.scribbles.readers import read_strokes


def shape(label, points, kind="linestrip"):
    return {"label": label, "points": points, "shape_type": kind, "group_id": None, "flags": {}}


TWO = [shape("tree", [[20.0, 30.0], [40.0, 30.0]]), shape("sky", [[20.0, 8.0], [40.0, 8.0]])]


@pytest.fixture
def write(tmp_path):
    def _write(shapes, **changes):
        document = {
            "version": "5.5.0",
            "flags": {},
            "shapes": shapes,
            "imagePath": "a.jpg",
            "imageData": None,
            "imageHeight": 40,
            "imageWidth": 60,
        } | changes
        document = {k: v for k, v in document.items() if v != "absent"}
        path = tmp_path / "a.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    return _write


def test_line_strips_are_ten_pixels_wide(write):
    strokes = read_strokes(write(TWO), shape=(40, 60))
    assert strokes.names == {0: "sky", 1: "tree"}
    assert (strokes.labels[:, 30] == 1).sum() == 10
    assert strokes.labels[30, 30] == 1
    assert strokes.labels[8, 30] == 0
    assert strokes.assumption == ("a.json: labelme JSON, 10 px lines, classes 0 = sky, 1 = tree")


def test_lines_are_as_wide_as_asked(write):
    assert (read_strokes(write(TWO), width=4).labels[:, 30] == 1).sum() == 4


@pytest.mark.parametrize("label", ["background", "_background_", "Background"])
def test_background_is_class_0(write, label):
    shapes = [shape("apple", [[5, 5]], "point"), shape(label, [[30, 30]], "point")]
    assert read_strokes(write(shapes)).names == {0: label, 1: "apple"}


def test_given_names_give_the_values(write):
    strokes = read_strokes(write(TWO), names=["x", "tree", "y", "sky"])
    assert strokes.names == {1: "tree", 3: "sky"}
    with pytest.raises(InputError, match="unknown label 'sky', expected one of tree, x"):
        read_strokes(write(TWO), names=["tree", "x"])


@pytest.mark.parametrize(
    ("kind", "points", "inside", "outside"),
    [
        ("line", [[10, 10], [30, 10]], (10, 20), (20, 20)),
        ("linestrip", [[10, 10], [30, 10], [30, 30]], (20, 30), (20, 20)),
        ("point", [[10, 10]], (10, 10), (20, 20)),
        ("points", [[10, 10], [30, 10]], (10, 30), (10, 20)),
        ("polygon", [[10, 10], [30, 10], [30, 30]], (15, 25), (25, 12)),
        ("rectangle", [[10, 10], [30, 30]], (20, 20), (35, 20)),
        ("circle", [[20, 20], [20, 30]], (20, 28), (28, 28)),
        (None, [[10, 10], [30, 10], [30, 30]], (15, 25), (25, 12)),
    ],
)
def test_every_type_of_shape_is_drawn(write, kind, points, inside, outside):
    strokes = read_strokes(write([shape("a", points, kind), shape("b", [[50, 5]], "point")]))
    assert strokes.labels[inside] == 0
    assert strokes.labels[outside] == 255


def test_size_may_be_missing_when_the_image_is_known(write):
    path = write(TWO, imageHeight="absent")
    assert read_strokes(path, shape=(50, 70)).labels.shape == (50, 70)
    with pytest.raises(InputError, match="image size must be given"):
        read_strokes(path)


def test_a_byte_order_mark_and_accents_are_read(tmp_path, write):
    path = write([shape("forêt", [[5, 5]], "point"), shape("ciel", [[30, 30]], "point")])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_strokes(path).names == {0: "ciel", 1: "forêt"}


@pytest.mark.parametrize(
    ("shapes", "changes", "message"),
    [
        ([], {}, "no strokes"),
        ("x", {}, "list 'shapes'"),
        ([1], {}, "without a 'label'"),
        ([{"label": 3, "points": []}], {}, "without a 'label'"),
        ([{"label": "a"}], {}, "no list 'points'"),
        ([shape("a", [[1, 2, 3]])], {}, r"point \[1, 2, 3\]"),
        ([shape("a", [["x", 2]])], {}, "point"),
        ([shape("a", [7])], {}, "point 7"),
        ([shape("a", [[float("nan"), 2]])], {}, "point"),
        ([shape("a", [])], {}, "with 0 points"),
        ([shape("a", [[1, 2], [3, 4]], "polygon")], {}, "with 2 points"),
        ([shape("a", [[1, 2], [3, 4], [5, 6]], "rectangle")], {}, "with 3 points"),
        ([shape("a", [[1, 2], [3, 4]], "mask")], {}, "the mask of shape 'a' cannot be read"),
        (TWO, {"imageWidth": "wide"}, "two integers"),
        (TWO, {"imageWidth": 0}, "no pixels"),
        (TWO, {"imageWidth": 10**9}, "megapixels"),
    ],
)
def test_wrong_files_are_refused(write, shapes, changes, message):
    with pytest.raises(InputError, match=f"a.json.*{message}") as caught:
        read_strokes(write(shapes, **changes))
    assert "\n" not in str(caught.value)


def test_strokes_of_another_size_are_refused(write):
    with pytest.raises(InputError, match=r"60 x 40.*image is 61 x 40"):
        read_strokes(write(TWO), shape=(40, 61))


@pytest.mark.parametrize("text", ["{", "[1, 2]", '{"images": []}', "[" * 100_000])
def test_other_json_is_refused(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=r"a\.json.*(malformed|labelme)"):
        read_strokes(tmp_path / "a.json")
