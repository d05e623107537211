import numpy as np
import pytest

from saccade.errors import InputError
from saccade.formats.sheet import contact_sheet, lettered, with_legend


def test_pictures_of_any_size_stand_in_rows():
    pictures = [np.full((20 + 10 * i, 40, 3), 10 * i, np.uint8) for i in range(5)]
    sheet = contact_sheet(pictures, columns=3, width=318)
    assert sheet.shape[1] == 318
    assert (sheet[0] == 255).all()
    assert set(np.unique(sheet)) >= {0, 10, 20, 30, 40, 255}


def test_a_legend_shows_each_color_and_breaks_its_rows():
    sheet = np.zeros((40, 300, 3), np.uint8)
    colors = np.array([[200, 10, 10], [10, 200, 10], [10, 10, 200]], np.uint8)
    found = with_legend(sheet, ("ground", "a long name of a class", "c"), colors)
    assert found.shape[1] == 300
    np.testing.assert_array_equal(found[:40], sheet)
    rows = [np.argwhere((found[40:] == color).all(2))[:, 0] for color in colors]
    assert all(len(row) > 300 for row in rows)
    assert rows[1].min() > rows[0].max()


def test_a_sheet_of_no_pictures_is_refused():
    with pytest.raises(InputError, match="at least one"):
        contact_sheet([])


def test_letters_are_in_the_lower_left_corner_and_readable():
    picture = np.full((60, 80, 3), 90, np.uint8)
    found = lettered(picture, "d = 3")
    assert found.shape == (240, 320, 3)
    changed = (found != 90).any(2)
    y, x = changed.nonzero()
    assert y.min() > 180
    assert x.max() < 160
    assert (found == 255).all(2).sum() > 50  # white letters
    assert lettered(np.zeros((300, 400, 3), np.uint8), "a").shape == (300, 400, 3)
