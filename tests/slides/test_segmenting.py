"""Hypothesis: a mask does not depend on whether the image was in memory, nor on interruptions."""

import numpy as np
import pytest

from saccade.errors import InputError
from saccade.images import Image
from saccade.interactive import segment
from saccade.scribbles.strokes import Strokes
from saccade.slides import Journal, segment_slide
from saccade.slides.reading import SlideImage
from tests.slides.conftest import SMALL


def strokes_of(labels):
    return Strokes(labels.astype(np.int32))


def labels_of(image, labels, folder, **options):
    journal = Journal(folder, {})
    options = {"preset": SMALL} | options
    return segment_slide(image, strokes_of(labels), journal, **options)


def iou(labels, truth):
    found = [
        ((labels == c) & (truth == c)).sum() / ((labels == c) | (truth == c)).sum() for c in (0, 1)
    ]
    return float(np.mean(found))


def test_windows_give_the_mask_of_the_image_in_memory(field, image, tmp_path):
    found = labels_of(image, field[1], tmp_path / "parts")
    whole = segment(field[0], field[1], preset=SMALL)
    assert "windows" in " ".join(found.remarks)
    assert found.remarks[-1:] == whole.remarks[-1:]
    assert (np.asarray(found.labels) != whole.labels).mean() < 1e-3
    unsure = np.asarray(found.uncertainty) / 255 - whole.uncertainty
    assert np.abs(unsure).mean() < 0.005


def test_so_does_one_large_thing_that_is_seen_at_once(field, tmp_path):
    y, x = np.mgrid[:720, :960]
    rgb, strokes = field[0].copy(), np.full(field[1].shape, 255, np.uint8)
    rgb[(y - 350) ** 2 + (x - 480) ** 2 < 250**2] //= 2
    strokes[20:60, 20:900], strokes[330:370, 400:600] = 0, 1
    found = labels_of(Image(rgb, "YXC", colors=True), strokes, tmp_path / "parts")
    whole = segment(rgb, strokes, preset=SMALL)
    assert "as a whole" in " ".join(found.remarks)
    assert (np.asarray(found.labels) != whole.labels).mean() < 0.005


def test_thin_strokes_in_one_place_say_what_is_everywhere(corner, image, tmp_path):
    found = labels_of(image, corner[1], tmp_path / "parts")
    assert "by strokes on some" in " ".join(found.remarks)
    assert iou(np.asarray(found.labels), corner[2]) > 0.9
    at_once = segment(corner[0], corner[1], preset=SMALL)
    assert iou(np.asarray(found.labels), corner[2]) > iou(at_once.labels, corner[2])


def test_no_part_of_the_image_is_read_as_a_whole(corner, image, tmp_path, monkeypatch):
    read = []
    plane = Image.plane

    def counted(self, **options):
        values = plane(self, **options)
        read.append(values.shape[0] * values.shape[1])
        return values

    monkeypatch.setattr(Image, "plane", counted)
    monkeypatch.setattr("saccade.slides.reading._READ", 100_000)
    monkeypatch.setattr("saccade.slides.strips.ROWS", 128)
    labels_of(image, corner[1], tmp_path / "parts")
    assert max(read) <= image.size[0] * image.size[1] / 2
    assert len(read) > 10


@pytest.mark.parametrize("strokes", ["all over", "in one corner"])
def test_stopped_anywhere_it_goes_on_to_the_same_mask(
    field, corner, image, tmp_path, monkeypatch, strokes
):
    drawn = field[1] if strokes == "all over" else corner[1]
    expected = np.asarray(labels_of(image, drawn, tmp_path / "whole").labels)
    stages = []

    class StopError(Exception):
        pass

    def stop_after(count):
        left = iter(range(count))

        def progress(done, text):
            stages.append(text)
            if next(left, None) is None:
                raise StopError

        return progress

    found = None
    for count in (2, 4, 5, 6, 8, 100):
        try:
            found = labels_of(image, drawn, tmp_path / "parts", progress=stop_after(count))
        except StopError:
            assert Journal(tmp_path / "parts", {}).count >= 1
    assert found is not None
    assert np.array_equal(np.asarray(found.labels), expected)


def test_what_is_finished_is_not_done_again(corner, image, tmp_path, monkeypatch):
    labels_of(image, corner[1], tmp_path / "parts")
    monkeypatch.setattr(SlideImage, "part", lambda *_: pytest.fail("a window was looked at"))
    labels_of(image, corner[1], tmp_path / "parts")


def test_one_class_alone_gets_a_provisional_ground(field, image, tmp_path):
    strokes = np.where(field[1] == 1, 1, 255).astype(np.uint8)
    found = labels_of(image, strokes, tmp_path / "parts")
    assert found.provisional == (0,)
    assert any("only class 1 has strokes" in remark for remark in found.remarks)


def test_the_overview_is_small_and_its_mask_fits(field, image, tmp_path):
    found = labels_of(image, field[1], tmp_path / "parts")
    small = found.small(found.labels)
    assert small.shape == found.overview.shape[:2]
    assert small.size <= SMALL.max_pixels * 1.01
    assert abs(float(small.mean()) - float(np.asarray(found.labels).mean())) < 0.01


def test_errors_come_before_work(field, image, tmp_path):
    with pytest.raises(InputError, match="strokes are 960 x 700 pixels"):
        labels_of(image, field[1][:700], tmp_path / "parts")
    stack = Image(np.zeros((2, 40, 60), np.uint8), "ZYX")
    with pytest.raises(InputError, match="several planes"):
        labels_of(stack, field[1][:40, :60], tmp_path / "parts")
    assert not (tmp_path / "parts").exists()
