import numpy as np
import pytest

from saccade.errors import InputError
from saccade.formats.heat import render_heat


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
