import numpy as np
import pytest

from saccade.interactive.suggestions import suggest_regions


def _uncertainty(size, *blobs):
    uncertainty = np.zeros(size, np.float32)
    for top, left, side, value in blobs:
        uncertainty[top : top + side, left : left + side] = value
    return uncertainty, np.zeros(size, bool)


def test_the_largest_uncertainty_comes_first_and_each_is_named_once():
    uncertainty, drawn = _uncertainty(
        (100, 120), (10, 80, 9, 1.0), (60, 20, 9, 0.5), (70, 90, 5, 0.6)
    )
    found = suggest_regions(uncertainty, drawn, 3)
    assert [(s.row, s.column) for s in found[:1]] == [(14, 84)]
    assert abs(found[1].row - 64) <= 2
    assert abs(found[1].column - 24) <= 2
    assert [s.score for s in found] == sorted((s.score for s in found), reverse=True)
    assert found[0].score == pytest.approx(81, rel=1e-3)  # 81 unsure pixels
    assert found[2].score == pytest.approx(15, rel=1e-3)


@pytest.mark.parametrize("size", [(3, 3), (5, 40), (64, 90), (600, 530), (1030, 1100)])
def test_places_are_inside_undrawn_and_sorted(size):
    rng = np.random.default_rng(0)
    uncertainty = rng.random(size).astype(np.float32)
    drawn = np.zeros(size, bool)
    drawn[1::2] = drawn[:, 1::2] = True  # a comb: every other pixel is a stroke
    uncertainty[drawn] = 0
    found = suggest_regions(uncertainty, drawn, 5)
    assert found
    for place in found:
        top, left, bottom, right = place.box
        assert 0 <= top <= place.row < bottom <= size[0]
        assert 0 <= left <= place.column < right <= size[1]
        assert not drawn[place.row, place.column]
    scores = [place.score for place in found]
    assert scores == sorted(scores, reverse=True)


def test_fewer_are_returned_where_little_is_in_uncertainty():
    uncertainty, drawn = _uncertainty((60, 60), (20, 20, 4, 1.0))
    assert len(suggest_regions(uncertainty, drawn, 4)) == 1
    assert suggest_regions(np.zeros((60, 60), np.float32), drawn, 3) == []
    assert suggest_regions(uncertainty, drawn, 0) == []


def test_drawn_pixels_are_not_in_uncertainty():
    uncertainty, drawn = _uncertainty((60, 60), (20, 20, 6, 1.0))
    drawn[20:26, 20:26] = True
    assert suggest_regions(uncertainty, drawn, 3) == []


def test_the_place_is_deep_inside_the_uncertain_part():
    uncertainty = np.zeros((100, 100), np.float32)
    uncertainty[50, 30:39] = 1.0  # a thin line beside a block
    uncertainty[52:59, 32:39] = 1.0
    place = suggest_regions(uncertainty, np.zeros((100, 100), bool), 1)[0]
    assert 54 <= place.row <= 56
    assert 34 <= place.column <= 36


def test_the_score_counts_pixels_of_large_images_too():
    uncertainty, drawn = _uncertainty((1024, 1024), (400, 400, 80, 1.0))
    assert suggest_regions(uncertainty, drawn, 1)[0].score == pytest.approx(6400, rel=0.1)


def test_a_thin_uncertain_band_gives_way_to_a_patch():
    uncertainty = np.zeros((200, 300), np.float32)
    uncertainty[:, 50:52] = 1.0  # 80 pixels of it in a window of 41
    uncertainty[90:110, 200:220] = 0.3  # 120
    place = suggest_regions(uncertainty, np.zeros((200, 300), bool), 1)[0]
    assert 95 <= place.row <= 104
    assert 205 <= place.column <= 214


def test_a_single_uncertain_pixel_is_not_the_place():
    uncertainty = np.zeros((200, 300), np.float32)
    uncertainty[100, 140] = 1.0
    uncertainty[105:115, 155:165] = 0.8
    place = suggest_regions(uncertainty, np.zeros((200, 300), bool), 1)[0]
    assert 107 <= place.row <= 112
    assert 157 <= place.column <= 162


def test_the_place_is_not_on_a_stroke_that_runs_through_the_uncertainty():
    uncertainty, drawn = _uncertainty((200, 200), (90, 90, 21, 1.0))
    drawn[100, 80:120] = True
    place = suggest_regions(uncertainty, drawn, 1)[0]
    assert not drawn[place.row, place.column]
    assert 90 <= place.row < 111
