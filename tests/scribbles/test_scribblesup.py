"""ScribbleSup XML: tags, sizes, coordinates, and what is refused."""

import numpy as np
import pytest

from saccade.errors import InputError
from saccade.scribbles.readers import read_strokes
from saccade.scribbles.scribblesup import SCRIBBLESUP_TAGS


def polygon(tag: str, *points: tuple[object, object]) -> str:
    body = "".join(f"<point><X>{x}</X><Y>{y}</Y></point>" for x, y in points)
    return f"<polygon><tag>{tag}</tag>{body}</polygon>"


SIZE = "<size><height>40</height><width>60</width></size>"
TWO = polygon("background", (5, 5), (50, 5)) + polygon("person", (20, 20), (20, 30))


@pytest.fixture
def write(tmp_path):
    def _write(body: str, size: str = SIZE) -> str:
        path = tmp_path / "2007_000032.xml"
        path.write_text(f"<annotation><filename>a.jpg</filename>{size}{body}</annotation>")
        return str(path)

    return _write


def test_tags_become_voc_classes(write):
    strokes = read_strokes(write(TWO), shape=(40, 60))
    assert strokes.classes == (0, 15)
    assert strokes.names == {0: "background", 15: "person"}
    assert strokes.labels[5, 30] == 0
    assert strokes.labels[25, 20] == 15
    assert strokes.unlabeled == 255
    assert strokes.assumption == (
        "2007_000032.xml: ScribbleSup XML, 3 px lines, VOC classes 0 = background, 15 = person"
    )


def test_lines_are_three_pixels_wide_by_default(write):
    assert (read_strokes(write(TWO)).labels[:, 30] == 0).sum() == 3
    assert (read_strokes(write(TWO), width=7).labels[:, 30] == 0).sum() == 7


def test_all_21_tags_are_read_in_vocs_spelling_too(write):
    body = "".join(polygon(tag, (2 * i, 10)) for i, tag in enumerate(SCRIBBLESUP_TAGS))
    assert read_strokes(write(body), width=1).classes == tuple(range(21))
    body = polygon("aeroplane", (1, 1)) + polygon("tvmonitor", (30, 30))
    assert read_strokes(write(body)).names == {1: "plane", 20: "monitor"}


def test_names_may_be_given_for_other_tags(write):
    body = polygon("sky", (5, 5)) + polygon("tree", (30, 30))
    with pytest.raises(InputError, match="unknown tag 'sky'"):
        read_strokes(write(body))
    strokes = read_strokes(write(body), names=["tree", "grass", "sky"])
    assert strokes.names == {0: "tree", 2: "sky"}
    assert strokes.labels[5, 5] == 2
    with pytest.raises(InputError, match="unknown tag 'tree'"):
        read_strokes(write(body), names=["sky"])


def test_class_255_stays_a_class(write):
    names = [f"c{i}" for i in range(300)]
    body = polygon("c255", (5, 5)) + polygon("c0", (30, 30))
    strokes = read_strokes(write(body), names=names)
    assert (strokes.classes, strokes.unlabeled) == ((0, 255), 65535)


def test_coordinates_are_0_based_and_clamped(write):
    body = polygon("cat", (0, 0)) + polygon("dog", (60, 40), (99, 99.6))
    labels = read_strokes(write(body), width=1).labels
    assert np.argwhere(labels == 8).tolist() == [[0, 0]]
    assert np.argwhere(labels == 12).tolist() == [[39, 59]]


def test_size_may_be_missing_when_the_image_is_known(write):
    assert read_strokes(write(TWO, size=""), shape=(44, 66)).labels.shape == (44, 66)
    with pytest.raises(InputError, match="has no <size>"):
        read_strokes(write(TWO, size=""))


def test_polygon_without_points_is_skipped(write):
    assert read_strokes(write(TWO + polygon("cat"))).classes == (0, 15)


@pytest.mark.parametrize(
    ("body", "size", "message"),
    [
        ("", SIZE, "without strokes"),
        (polygon("cat"), SIZE, "no strokes"),
        (polygon("cat", (5, "x")), SIZE, "point \\(5, x\\)"),
        (polygon("cat", (5, "nan")), SIZE, "point"),
        (polygon("cat", (5, "")), SIZE, "point"),
        (TWO, "<size><height>a</height><width>60</width></size>", "two integers"),
        (TWO, "<size><height>0</height><width>60</width></size>", "no pixels"),
        (TWO, f"<size><height>{10**9}</height><width>60</width></size>", "megapixels"),
        (TWO + "<polygon>", SIZE, "malformed XML"),
        ("<object><name>cat</name></object>", SIZE, "without strokes"),
    ],
)
def test_wrong_files_are_refused(write, body, size, message):
    with pytest.raises(InputError, match=f"2007_000032.xml.*{message}") as caught:
        read_strokes(write(body, size))
    assert "\n" not in str(caught.value)


def test_strokes_of_another_size_are_refused(write):
    with pytest.raises(InputError, match=r"60 x 40.*image is 50 x 40"):
        read_strokes(write(TWO), shape=(40, 50))


def test_entities_are_refused(tmp_path):
    path = tmp_path / "bomb.xml"
    path.write_text('<!DOCTYPE a [<!ENTITY x "y">]><annotation>&x;</annotation>')
    with pytest.raises(InputError, match="entities"):
        read_strokes(path)


def test_other_xml_is_refused(tmp_path):
    (tmp_path / "a.xml").write_text("<svg><path/></svg>")
    with pytest.raises(InputError, match="<svg>"):
        read_strokes(tmp_path / "a.xml")
