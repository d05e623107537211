import numpy as np
import pytest

from saccade.errors import InputError
from saccade.formats.heat import render_heat
from saccade.formats.sheet import lettered


def test_heat_grows_lighter_with_the_value():
    image = np.full((4, 9, 3), 128, np.uint8)
    values = np.linspace(0, 1, 9, dtype=np.float32)[None].repeat(4, 0)
    picture = render_heat(image, values, opacity=1.0).astype(int)
    light = picture[0] @ (30, 59, 11)
    assert (np.diff(light) > 0).all()
    assert picture[0, 0].tolist() == [68, 1, 84]
    assert picture[0, -1].tolist() == [253, 231, 37]
    nothing = render_heat(image, np.full((4, 9), np.nan, np.float32), opacity=0.0)
    assert (nothing == 128).all()
    with pytest.raises(InputError, match="map is"):
        render_heat(image, values[:2])


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
