"""Previews, progress, cancelling and errors leave the last good result."""

import numpy as np
import pytest

from saccade.interactive import ScribbleSegmenter
from tests.interactive.helpers import OWN, QUICK, check, equal, tiny


@pytest.mark.parametrize("preset", ["fast", "paper"])
def test_previews_are_whole_masks_that_change_nothing(picture, preset):
    seen = []
    watched = ScribbleSegmenter(preset).fit(picture.image, picture.strokes, preview=seen.append)
    assert seen
    for labels in seen:
        assert labels.shape == picture.truth.shape
        assert labels.dtype == np.int32
        assert set(np.unique(labels)) <= {0, 1}
    assert equal(
        watched.result, ScribbleSegmenter(preset).fit(picture.image, picture.strokes).result
    )
    if preset == "fast":
        assert (seen[-1] == watched.result.labels).mean() > 0.95


def test_a_cancelled_fit_shows_no_more_previews(picture):
    seen = []
    ScribbleSegmenter("paper").fit(
        picture.image, picture.strokes, cancel=lambda: True, preview=seen.append
    )
    assert not seen


def _with_one_more(strokes):
    """Other strokes: the same ones give the mask that is there already."""
    more = strokes.copy()
    y, x = np.argwhere(strokes == 255)[0]
    more[y, x] = strokes[strokes != 255][0]
    return more


@pytest.mark.parametrize("preset", OWN)
def test_progress_never_falls_and_ends_at_one(picture, preset):
    segmenter = ScribbleSegmenter(OWN[preset])
    for run in (
        lambda tell: segmenter.fit(picture.image, picture.strokes, progress=tell),
        lambda tell: segmenter.update(_with_one_more(picture.strokes), progress=tell),
    ):
        reported = []
        run(lambda fraction, stage, reported=reported: reported.append((fraction, stage)))
        fractions = [fraction for fraction, _ in reported]
        assert fractions == sorted(fractions)
        assert fractions[0] >= 0
        assert fractions[-1] == 1.0
        assert {stage for _, stage in reported} >= {"fit", "draw", "refine"}
        assert len(reported) > 8


@pytest.mark.parametrize("preset", OWN)
def test_a_fit_cancelled_at_once_gives_a_valid_mask(picture, preset):
    asked = []
    segmenter = ScribbleSegmenter(OWN[preset])
    segmenter.fit(picture.image, picture.strokes, cancel=lambda: asked.append(1) or True)
    check(segmenter.result, picture.strokes, (0, 1))
    assert len(asked) <= 2  # one step of the fit, one draw


@pytest.mark.parametrize("asked_before", [0, 1, 4])
@pytest.mark.parametrize("preset", OWN)
def test_a_cancelled_update_changes_nothing(picture, preset, asked_before):
    more = picture.strokes.copy()
    more[40:44, 52:60] = 0
    segmenter = ScribbleSegmenter(OWN[preset]).fit(picture.image, picture.strokes)
    before = segmenter.result
    asked = []

    def cancel():
        asked.append(1)
        return len(asked) > asked_before

    segmenter.update(more, cancel=cancel)
    assert segmenter.result is before
    # The fitted network is as it was: the next update is that of one never disturbed.
    calm = ScribbleSegmenter(OWN[preset]).fit(picture.image, picture.strokes)
    assert equal(segmenter.update(more).result, calm.update(more).result)


@pytest.mark.parametrize("moment", ["features", "fit", "draw", "refine"])
def test_an_error_in_the_middle_keeps_the_last_good_result(picture, moment):
    segmenter = ScribbleSegmenter(QUICK).fit(picture.image, picture.strokes)
    before = segmenter.result

    def fail(_fraction, stage):
        if stage == moment:
            raise KeyboardInterrupt

    image, strokes = tiny((9, 11))
    with pytest.raises(KeyboardInterrupt):
        segmenter.fit(image, strokes, progress=fail)
    assert segmenter.result is before
    calm = ScribbleSegmenter(QUICK).fit(picture.image, picture.strokes)
    assert equal(segmenter.update(picture.strokes).result, calm.update(picture.strokes).result)
