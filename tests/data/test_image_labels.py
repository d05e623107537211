from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade.data.image_labels import (
    as_table,
    labels_in_masks,
    read_image_labels,
    read_label_file,
    voc_image_labels,
    write_image_labels,
)
from saccade.data.sets import Example, LabeledSet
from saccade.data.specs import LabelSpec
from saccade.errors import InputError

SPEC = LabelSpec(("background", "cat", "wide dog"))


def test_labels_survive_their_file(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("# name, classes\nb, wide dog, cat\na.jpg,cat\n\nother,cat\n")
    found = read_image_labels(path, ["a", "b"], SPEC)
    assert found == {"a": (1,), "b": (1, 2)}
    table = as_table(found, ["a", "b"], 3)
    assert table.tolist() == [[False, True, False], [False, True, True]]
    write_image_labels(path, found, SPEC)
    assert read_image_labels(path, ["a", "b"], SPEC) == found


def test_a_label_a_line_and_names_with_dots(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("a.v1.jpg,cat\na.v1,wide dog\nb,cat\na.v1.jpg,cat\n")
    found = read_label_file(path, ["a.v1", "b"], SPEC)
    assert found.classes == {"a.v1": (1, 2), "b": (1,)}
    (remark,) = found.remarks
    assert "1 images have several lines, whose labels were joined; 'a.v1' for one" in remark


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,cat\nb,cow\n", "line 2 has the label 'cow', which no class has; there are background"),
        ("a,cat\n", "image 'b' has no label, expected at least one"),
        ("a,cat\nb\n", "image 'b' has no label"),
        ("a,background\nb,background\n", r"image 'a' has no label \(and 1 more images\)"),
    ],
)
def test_wrong_labels_are_named(tmp_path, text, message):
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_image_labels(path, ["a", "b"], SPEC)


def annotation(*names):
    objects = "".join(f"<object><name>{n}</name><difficult>1</difficult></object>" for n in names)
    return f"<annotation><filename>x.jpg</filename>{objects}</annotation>"


def test_labels_are_read_from_vocs_annotations(tmp_path):
    folder = tmp_path / "Annotations"
    folder.mkdir()
    (folder / "a.xml").write_text(annotation("cat", "cat"))
    (folder / "b.xml").write_text(annotation("wide dog", "cat"))
    assert voc_image_labels(tmp_path, ["a", "b"], SPEC) == {"a": (1,), "b": (1, 2)}
    (folder / "b.xml").write_text(annotation("cow"))
    with pytest.raises(InputError, match=r"b\.xml: object 'cow' is no class"):
        voc_image_labels(tmp_path, ["a", "b"], SPEC)
    (folder / "b.xml").write_text("<annotation>")
    with pytest.raises(InputError, match=r"b\.xml: no XML"):
        voc_image_labels(tmp_path, ["b"], SPEC)
    with pytest.raises(InputError, match="no such file"):
        voc_image_labels(tmp_path, ["c"], SPEC)


def test_labels_are_the_classes_in_the_masks(tmp_path):
    examples = []
    for name, values in (("a", [0, 2, 255]), ("b", [1, 1, 0])):
        Image.fromarray(np.array([values], np.uint8)).save(tmp_path / f"{name}.png")
        examples.append(Example(name, Path("x.jpg"), tmp_path / f"{name}.png"))
    found = LabeledSet("made up", tuple(examples), SPEC)
    assert labels_in_masks(found) == {"a": (0, 2), "b": (0, 1)}
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / "b.png")
    with pytest.raises(InputError, match="image 'b' has no label"):
        labels_in_masks(found)
