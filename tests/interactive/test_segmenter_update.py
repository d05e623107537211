"""Updates with other strokes, and where to draw next."""

import numpy as np
import pytest

from saccade.errors import InputError
from saccade.interactive import ScribbleSegmenter, segment
from tests.interactive.helpers import OWN, QUICK, check, equal, tiny


def test_an_update_corrects_the_mask_that_is_there(picture):
    more = picture.strokes.copy()
    more[44:46, 50:60] = 0
    updated = ScribbleSegmenter(QUICK).fit(picture.image, picture.strokes).update(more).result
    # The mask before is a cue, so it is not what a new fit gives, but nearly.
    anew = segment(picture.image, more, preset=QUICK)
    assert (updated.labels == anew.labels).mean() > 0.98
    assert updated.timings.keys() == {"superpixels", "fit", "draw", "refine", "total"}


@pytest.mark.parametrize("preset", OWN)
def test_updates_are_deterministic_too(picture, preset):
    more = picture.strokes.copy()
    more[44:46, 50:60] = 0
    results = []
    for _ in range(2):
        segmenter = ScribbleSegmenter(OWN[preset]).fit(picture.image, picture.strokes)
        results.append(segmenter.update(more).update(more).result)
    assert equal(*results)


@pytest.mark.parametrize("preset", OWN)
def test_strokes_may_be_added_and_removed(picture, preset):
    segmenter = ScribbleSegmenter(OWN[preset]).fit(picture.image, picture.strokes)
    more = picture.strokes.copy()
    more[40:44, 52:60] = 0
    assert segmenter.update(more) is segmenter
    check(segmenter.result, more, (0, 1))
    fewer = picture.strokes.copy()
    fewer[20:40, 5:7] = 255
    check(segmenter.update(fewer).result, fewer, (0, 1))
    assert "features" not in segmenter.result.timings  # they are not computed again
    assert np.array_equal(segmenter.predict(), segmenter.result.labels)
    assert np.array_equal(segmenter.predict_proba(), segmenter.result.probabilities)


@pytest.mark.parametrize("preset", OWN)
def test_an_update_may_bring_or_take_a_class(picture, preset):
    segmenter = ScribbleSegmenter(OWN[preset]).fit(picture.image, picture.strokes)
    third = picture.strokes.copy()
    third[44:47, 50:64] = 9
    check(segmenter.update(third).result, third, (0, 1, 9))
    check(segmenter.update(picture.strokes).result, picture.strokes, (0, 1))
    fresh = segment(picture.image, picture.strokes, preset=OWN[preset])
    assert equal(segmenter.result, fresh)  # as other classes start anew


def test_an_update_sees_the_image_as_it_was_fitted(picture):
    image = picture.image.copy()
    segmenter = ScribbleSegmenter(QUICK).fit(image, picture.strokes)
    image[:] = 0
    expected = ScribbleSegmenter(QUICK).fit(picture.image, picture.strokes)
    assert equal(segmenter.update(picture.strokes).result, expected.update(picture.strokes).result)


@pytest.mark.parametrize("preset", ["fast", "paper"])
def test_an_update_of_a_prepared_image_is_a_fit(picture, preset):
    prepared = ScribbleSegmenter(preset).prepare(picture.image)
    with pytest.raises(InputError, match="nothing is fitted yet"):
        _ = prepared.result
    prepared.update(picture.strokes)
    assert equal(
        prepared.result, ScribbleSegmenter(preset).fit(picture.image, picture.strokes).result
    )


@pytest.mark.parametrize("n", [0, 1, 3])
def test_suggestions_lie_in_the_image_away_from_strokes_best_first(n):
    image, strokes = tiny((60, 90))
    strokes[10:12, 10:40] = 0
    segmenter = ScribbleSegmenter(QUICK).fit(image, strokes)
    found = segmenter.suggest(n)
    assert len(found) == n  # noise leaves every place unsure
    for place in found:
        assert strokes[place.row, place.column] == 255
        top, left, bottom, right = place.box
        assert 0 <= top <= place.row < bottom <= 60
        assert 0 <= left <= place.column < right <= 90
    assert [s.score for s in found] == sorted((s.score for s in found), reverse=True)
