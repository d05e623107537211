"""What annotators draw is drawn for the model as it is read from files."""

import numpy as np
import pytest

from saccade.errors import InputError
from saccade.serve.label_studio.strokes import UNLABELED, strokes_from_results
from tests.formats.pixels import H, W
from tests.formats.tool_files import ODD, STUDIO

STRIP = {"points": [[2, 2], [98, 2], [98, 8], [2, 8]]}


def results(value, pairs, label="cat"):
    """A region under a tag of its own, or two results with one id as under <Labels>."""
    if not isinstance(value, dict):
        return [{"id": "r1", "type": "rectangle", "value": value}]
    labels = {"id": "r1", "type": "labels", "value": {"labels": [label]}}
    if pairs:
        return [{"id": "r1", "type": "region", "value": value}, labels]
    return [{"id": "r1", "type": "region", "value": value | {"regionlabels": [label]}}]


@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("kind", STUDIO)
def test_every_shape_becomes_strokes(kind, pairs):
    value, truth = STUDIO[kind]
    strip = [r | {"id": "r2"} for r in results(STRIP, False, "BG")]
    drawn = strokes_from_results([*strip, *results(value, pairs)], (H, W))
    values = {name: value for value, name in drawn.names.items()}
    assert set(values) == {"background", "cat"}
    assert values["background"] == 0
    found = drawn.labels == values["cat"]
    assert (found & truth).sum() / (found | truth).sum() > 0.97
    assert set(np.unique(drawn.labels)) == {*values.values(), UNLABELED}


@pytest.mark.parametrize("kind", ODD["studio"])
def test_an_odd_shape_is_skipped_and_said(kind):
    good = [r | {"id": "r2"} for r in results(STRIP, False, "dog")]
    drawn = strokes_from_results([*results(ODD["studio"][kind], False), *good], (H, W))
    assert drawn.names == {1: "dog"}
    assert sum("1 shape of kind" in line for line in drawn.remarks) == 1
    with pytest.raises(InputError, match=r"the request: no shape is left to be drawn; 1 shape"):
        strokes_from_results(results(ODD["studio"][kind], False), (H, W))


def test_negative_key_points_are_background():
    place = {"x": 30, "y": 40, "width": 2, "keypointlabels": ["cat"]}
    point = {"type": "keypointlabels", "value": place}
    drawn = strokes_from_results(
        [point, point | {"is_positive": 0, "value": place | {"x": 60}}], (H, W)
    )
    assert drawn.names == {0: "background", 1: "cat"}
    assert drawn.remarks == ("2 key points were drawn as discs 5 px wide",)
