"""Images of two, five and forty channels, and a thing that one of them alone shows."""

import numpy as np
import pytest

from saccade.images import read_any
from saccade.interactive import ScribbleSegmenter, segment
from saccade.interactive.prepared import prepare_image

SIZE = (64, 80)
THING = np.s_[18:46, 26:58]


def _stains(count, visible):
    values = np.random.default_rng(0).normal(1000, 40, (*SIZE, count))
    values[(*THING, visible)] += 200
    return np.rint(values).astype(np.uint16)


@pytest.fixture
def strokes():
    labels = np.full(SIZE, 255, np.uint8)
    labels[6, 8:70], labels[56, 8:70], labels[30:34, 34:50] = 0, 0, 1
    return labels


def _iou(labels):
    truth = np.zeros(SIZE, bool)
    truth[THING] = True
    found = labels == 1
    return (truth & found).sum() / (truth | found).sum()


@pytest.mark.parametrize(("count", "visible"), [(2, 1), (5, 3), (40, 17)])
def test_a_thing_that_one_channel_alone_shows_is_found(strokes, count, visible):
    found = segment(_stains(count, visible), strokes)
    assert _iou(found.labels) > 0.9
    assert any(f"{count} channels" in remark for remark in found.remarks)


def test_without_that_channel_nothing_is_to_be_seen(strokes):
    found = segment(_stains(5, 3), strokes, channels=[0, 1, 2, 4])
    assert _iou(found.labels) < 0.75


def test_the_order_of_channels_changes_less_than_one_percent(strokes):
    stains = _stains(5, 3)
    masks = [
        segment(stains[..., order], strokes).labels for order in ([0, 1, 2, 3, 4], [3, 1, 4, 0, 2])
    ]
    assert (masks[0] != masks[1]).mean() < 0.01


def test_updates_see_all_channels(strokes):
    segmenter = ScribbleSegmenter("fast").fit(_stains(5, 3), strokes)
    strokes[40, 8:20] = 0
    assert _iou(segmenter.update(strokes).predict()) > 0.9


def test_maps_of_components_have_the_sizes_of_lab():
    read = read_any(_stains(5, 3))
    prepared = prepare_image(read.pixels, components=read.components, max_pixels=3000)
    height, width = prepared.half_size
    assert prepared.components.shape == (5, *prepared.working_size)
    assert prepared.lab.shape == prepared.standardized_lab.shape == (5, height, width)
    assert prepared.inputs.shape == (1, 43, height, width)
    down = prepared.working_edges(1.0)[0]
    assert down.shape == (prepared.working_size[0] - 1, prepared.working_size[1])
