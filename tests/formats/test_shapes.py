"""Every shape of every annotation tool: drawn where it is meant, named, and skipped where odd."""

import itertools

import numpy as np
import pytest

from saccade.annotations import read_any_strokes
from saccade.errors import InputError
from saccade.formats.masks import iter_annotations, read_annotation
from tests.formats.tool_files import KINDS, ODD, H, W, all_shapes, document

NAMES = ["background", "dog", "bird", "cat"]
SHAPES = [(fmt, kind) for fmt, kinds in KINDS.items() for kind in kinds]
ODDITIES = [(fmt, kind) for fmt, kinds in ODD.items() for kind in kinds]


def written(folder, fmt, *shapes):
    path = folder / ("a.xml" if fmt == "cvat" else "a.json")
    path.write_text(document(fmt, *shapes))
    return path


def shape_of(fmt, kind):
    """What is in the file, and the pixels that are meant."""
    return all_shapes(fmt)[list(KINDS[fmt]).index(kind)], KINDS[fmt][kind][-1]


def likeness(found, truth):
    return (found & truth).sum() / (found | truth).sum()


@pytest.mark.parametrize(("fmt", "kind"), SHAPES)
def test_every_shape_is_drawn_where_it_is_meant(tmp_path, fmt, kind):
    shape, truth = shape_of(fmt, kind)
    path = written(tmp_path, fmt, shape)
    image = read_annotation(path, uncovered=65535)
    values = {name: value for value, name in image.names.items()}
    assert likeness(image.labels == values["cat"], truth) > 0.97
    assert set(np.unique(image.labels)) == {*values.values(), 65535}
    (other,) = iter_annotations(path, uncovered=65535)
    np.testing.assert_array_equal(other.labels, image.labels)
    assert other.remarks == image.remarks

    strokes = read_any_strokes(path, shape=(H, W))
    numbers = {name: value for value, name in strokes.names.items()}
    assert set(numbers) == {"background", "cat", "dog"}
    # labelme's strokes are drawn as it draws them, sides included.
    assert likeness(strokes.labels == numbers["cat"], truth) > (0.8 if fmt == "labelme" else 0.97)


@pytest.mark.parametrize(("fmt", "kind"), SHAPES)
def test_names_give_the_values(tmp_path, fmt, kind):
    shape, truth = shape_of(fmt, kind)
    path = written(tmp_path, fmt, shape)
    image = read_annotation(path, uncovered=9, names=NAMES)
    strokes = read_any_strokes(path, shape=(H, W), names=NAMES)
    assert set(np.unique(image.labels)) == {0, 1, 3, 9}
    assert likeness(image.labels == 3, truth) > 0.97
    assert strokes.names == {0: "background", 1: "dog", 3: "cat"}
    assert strokes.classes == (0, 1, 3)
    for read in (read_annotation, read_any_strokes):
        with pytest.raises(InputError, match="unknown label 'cat', expected one of background, d"):
            read(path, names=["background", "dog", "Cat"])


@pytest.mark.parametrize(("fmt", "kind"), ODDITIES)
def test_one_odd_shape_refuses_no_file_and_is_counted(tmp_path, fmt, kind):
    good, truth = shape_of(fmt, next(iter(KINDS[fmt])))
    odd = ODD[fmt][kind]
    for number, read in itertools.product((1, 3), (read_annotation, read_any_strokes)):
        found = read(written(tmp_path, fmt, good, *[odd] * number), shape=(H, W))
        values = {name: value for value, name in found.names.items()}
        assert likeness(found.labels == values["cat"], truth) > 0.8
        lines = [line for line in found.remarks if "skipped" in line]
        assert len(lines) == 1
        assert lines[0].startswith(f"{number} shape{'s' * (number > 1)} of kind '")
        assert len(lines[0]) < 250


@pytest.mark.parametrize(("fmt", "kind"), ODDITIES)
def test_a_file_of_odd_shapes_alone_is_refused_and_says_why(tmp_path, fmt, kind):
    path = written(tmp_path, fmt, ODD[fmt][kind])
    path.write_text(_without_good_shapes(fmt, ODD[fmt][kind]))
    for read in (read_annotation, read_any_strokes):
        with pytest.raises(
            InputError, match=rf"{path.name}: .*1 shape of kind '.*' was skipped \("
        ):
            read(path, shape=(H, W))


def _without_good_shapes(fmt, odd):
    text = document(fmt, odd)
    if fmt == "cvat":
        start, end = text.index("<polygon"), text.rindex("<polygon")
        return text[:start] + text[text.index("/>", start) + 2 : end] + "</image></annotations>"
    import json

    whole = json.loads(text)
    if fmt in ("coco", "labelme"):
        key = "annotations" if fmt == "coco" else "shapes"
        whole[key] = whole[key][1:-1]
    elif fmt == "min":
        whole[0]["tag"] = whole[0]["tag"][1:-1]
    else:
        lists = whole[0].get("annotations") or whole[0]["predictions"]
        ends = 2 if fmt == "paired by id" else 1
        lists[0]["result"] = lists[0]["result"][ends:-ends]
    return json.dumps(whole)
