"""What is pinned: kept in the stroke file, obeyed by masks, probabilities and later strokes."""

import json
from dataclasses import replace

import numpy as np
import pytest

from saccade.errors import InputError
from saccade.scribbles.document import Line, Patch, Pin, StrokeClass, StrokeDocument, rasterize
from saccade.serve.documents import from_document, same_strokes, to_document
from saccade.serve.pin_file import PINS_KEY, pins_from_json, pins_to_json
from saccade.serve.pinning import finished, only_connected
from saccade.serve.results import DisplayedMask
from saccade.serve.settings import Limits

SHAPE = (20, 30)
CLASSES = (StrokeClass(0, "background"), StrokeClass(1, "object"), StrokeClass(2, "other"))
BELOW = Line("a", 1, 3.0, ((2.0, 2.0), (25.0, 2.0)))
ABOVE = Line("b", 0, 1.0, ((5.0, 8.0), (5.0, 12.0)))
PATCH = Patch("p", 2, 4, 1, np.ones((10, 3), bool))
DOCUMENT = StrokeDocument(CLASSES, (BELOW, ABOVE), (Pin(PATCH, 1),))


def test_pins_travel_and_are_kept_in_their_order():
    back = to_document(from_document(DOCUMENT), SHAPE, Limits())
    assert same_strokes(back, DOCUMENT)
    assert [item.pinned for item in from_document(DOCUMENT).items] == [False, True, False]
    kept = json.loads(json.dumps(pins_to_json(DOCUMENT)))
    again = replace(DOCUMENT, pins=pins_from_json(kept, SHAPE))
    assert same_strokes(again, DOCUMENT)
    assert not same_strokes(replace(DOCUMENT, pins=()), DOCUMENT)
    assert pins_to_json(replace(DOCUMENT, pins=())) == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"above": -1}, "greater than or equal to 0"),
        ({"item": {"kind": "line"}}, "item"),
        ({"x": 28}, "outside of the image"),
        ({"png": "AAAA"}, "png"),
    ],
)
def test_damaged_pins_are_refused(change, said):
    kept = pins_to_json(DOCUMENT)
    place = kept[PINS_KEY][0]
    (place if set(change) & {"above", "item"} else place["item"]).update(change)
    with pytest.raises(InputError, match=rf"(?i){said}"):
        pins_from_json(kept, SHAPE)


def test_masks_obey_pins_but_for_later_strokes():
    strokes = rasterize(DOCUMENT, SHAPE)
    assert strokes.classes == (0, 1)  # a pin is no stroke
    labels = np.zeros(SHAPE, np.uint8)
    half = np.full((2, *SHAPE), 0.5, np.float16)
    mask = DisplayedMask(1, labels, (0, 1), uncertainty=half[0], probabilities=half)
    found = finished(mask, DOCUMENT, strokes, connected=False)
    expected = np.zeros(SHAPE, np.uint8)
    expected[1:11, 4:7] = 2
    expected[8:11, 5] = 0  # the stroke above
    np.testing.assert_array_equal(found.labels, expected)
    assert found.classes == (0, 1, 2)
    np.testing.assert_array_equal(found.probabilities[2], expected == 2)
    np.testing.assert_array_equal(found.probabilities.sum(0), 1)
    np.testing.assert_array_equal(found.uncertainty == 0, expected == 2)
    without = replace(DOCUMENT, pins=())
    assert finished(mask, without, strokes, connected=False) is mask


def test_what_no_stroke_touches_goes_to_what_is_nearest():
    labels = np.zeros((6, 12), np.int32)
    labels[1:3, 1:4], labels[1:3, 6:9], labels[4, 10] = 1, 1, 2
    drawn = np.full_like(labels, -1)
    drawn[1, 2], drawn[5, 0] = 1, 0
    found = only_connected(labels, drawn)
    assert found[1:3, 1:4].all()
    assert not found[1:3, 6:9].any()
    assert found[4, 10] == 2  # nobody drew that class
