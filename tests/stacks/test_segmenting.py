import numpy as np
import pytest
import torch

from saccade.errors import InputError
from saccade.images import Image
from saccade.interactive.refinement import refine_half, refine_stack
from saccade.stacks import segment_stack
from saccade.stacks.result import UNFINISHED
from tests.stacks.conftest import SHAPE, iou


@pytest.fixture(scope="module")
def whole(quick):
    """What is found in a stack at once; tests compare with it."""
    kept = {}

    def found(stack, strokes):
        if "result" not in kept:
            kept["result"] = segment_stack(stack, strokes, axes="ZYX", preset=quick)
        return kept["result"]

    return found


def test_strokes_on_two_slices_give_masks_of_all(stack, strokes, ball, whole):
    result = whole(stack, strokes)
    assert result.labels.shape == result.uncertainty.shape == SHAPE
    assert (result.axes, result.classes, result.finished) == ("ZYX", (0, 1), True)
    assert iou(result.labels, ball) > 0.93
    assert iou(result.labels[6], ball[6]) > 0.85  # nobody drew there
    drawn = strokes < 255
    assert np.array_equal(result.labels[drawn], strokes[drawn])


def test_a_mapping_of_slices_and_an_image_say_the_same(stack, strokes, quick, whole):
    of_slices = {z: strokes[z] for z in (2, 4)}
    image = Image(stack[:, None], "ZCYX")
    result = segment_stack(image, of_slices, preset=quick)
    assert result.axes == "ZYX"
    assert np.array_equal(result.labels, whole(stack, strokes).labels)


def test_axes_in_another_order_come_back_in_that_order(stack, strokes, quick, whole):
    result = segment_stack(
        stack.transpose(1, 2, 0), strokes.transpose(1, 2, 0), axes="YXZ", preset=quick
    )
    assert result.axes == "YXZ"
    assert np.array_equal(result.labels.transpose(2, 0, 1), whole(stack, strokes).labels)


def test_times_are_joined_where_there_are_no_slices(stack, strokes, quick, whole):
    result = segment_stack(stack, strokes, axes="TYX", preset=quick)
    assert result.axes == "TYX"
    assert np.array_equal(result.labels, whole(stack, strokes).labels)


def test_each_time_of_stacks_is_a_stack_and_all_share_one_fit(stack, strokes, ball, quick):
    times = np.stack([stack[:4], stack[4:][::-1]])
    drawn = {(0, 2): strokes[2]}
    result = segment_stack(times, drawn, axes="TZYX", preset=quick)
    assert result.labels.shape == times.shape
    assert result.done.shape == (2, 4)
    assert iou(result.labels[1, 1:], ball[4:][::-1][1:]) > 0.85


def test_a_thing_that_one_of_five_channels_shows_is_found(stack, strokes, ball, quick):
    others = np.random.default_rng(1).normal(100, 8, (4, *SHAPE)).astype(np.uint16)
    channels = np.stack([*others[:3], stack, others[3]], axis=1)
    result = segment_stack(channels, strokes, axes="ZCYX", preset=quick)
    assert iou(result.labels, ball) > 0.9
    assert any("5 channels" in remark for remark in result.remarks)


def test_a_slice_of_noise_takes_after_its_neighbors(stack, strokes, ball, quick):
    shown = stack.copy()
    shown[3] = np.random.default_rng(2).normal(130, 30, SHAPE[1:])
    result = segment_stack(shown, strokes, axes="ZYX", preset=quick)
    assert iou(result.labels[3], ball[3]) > 0.6


def test_progress_rises_to_one(stack, strokes, quick):
    told = []
    segment_stack(stack, strokes, axes="ZYX", preset=quick, progress=lambda f, _: told.append(f))
    assert told == sorted(told)
    assert told[0] == 0
    assert told[-1] == pytest.approx(1)
    assert len(told) > 2 * SHAPE[0]


def test_a_cancelled_run_keeps_its_finished_slices(stack, strokes, quick, whole, monkeypatch):
    monkeypatch.setattr("saccade.stacks.work.slab_length", lambda *sizes: 3)
    finished = []
    result = segment_stack(
        stack,
        strokes,
        axes="ZYX",
        preset=quick,
        finished=lambda place, found: finished.append(place),
        cancel=lambda: len(finished) >= 2,
    )
    assert finished == [(0, 0), (0, 1)]
    assert result.done.tolist() == [[True] * 2 + [False] * 6]
    assert (result.labels[2:] == UNFINISHED).all()
    assert "2 of 8 planes" in result.remarks[-1]
    assert (result.labels[:2] == whole(stack, strokes).labels[:2]).mean() > 0.99


def test_known_slabs_are_not_segmented_again(stack, strokes, quick, monkeypatch):
    monkeypatch.setattr("saccade.stacks.work.slab_length", lambda *sizes: 3)
    plane = np.full(SHAPE[1:], 7, np.int32), np.full(SHAPE[1:], 0.5)
    known = {(0, z): plane for z in range(4)}
    finished = []
    result = segment_stack(
        stack,
        strokes,
        axes="ZYX",
        preset=quick,
        skip=known,
        finished=lambda place, found: finished.append(place),
    )
    assert [z for _, z in finished] == [3, 4, 5, 6, 7]
    assert (result.labels[:3] == 7).all()
    assert (result.uncertainty[:3] == 0.5).all()
    assert result.finished


def test_slabs_change_next_to_nothing(stack, strokes, quick, whole, monkeypatch):
    monkeypatch.setattr("saccade.stacks.work.slab_length", lambda *sizes: 2)
    parts = segment_stack(stack, strokes, axes="ZYX", preset=quick)
    assert (parts.labels != whole(stack, strokes).labels).mean() < 0.002


def test_a_stack_of_one_slice_is_refined_as_an_image():
    generator = torch.Generator().manual_seed(0)
    probabilities = torch.rand(2, 12, 16, generator=generator).softmax(0)
    strokes, guide = torch.full((12, 16), 2), torch.rand(3, 12, 16, generator=generator)
    from saccade.interactive.presets import PottsSettings

    settings = PottsSettings(iterations=600)
    plain = refine_half(probabilities, strokes, guide, settings)
    found = refine_stack(probabilities[:, None], strokes[None], guide[:, None], settings)
    torch.testing.assert_close(found[:, 0], plain, rtol=0, atol=0.02)


@pytest.mark.parametrize(
    ("image", "options", "said"),
    [
        (np.zeros((48, 64)), {}, "one plane"),
        (np.zeros(SHAPE), {"axes": "ZYQ"}, "axes ZYQ"),
        (np.zeros(SHAPE), {"preset": "paper"}, "fast or best"),
        (np.zeros(SHAPE), {"channels": [1]}, "channel 1, expected 0, the only one"),
    ],
)
def test_what_cannot_be_segmented_is_one_line(strokes, image, options, said):
    with pytest.raises(InputError, match=said):
        segment_stack(image, strokes, **options)
