from pathlib import Path

import numpy as np
import pytest

from saccade.errors import InputError
from saccade.images import Image
from saccade.images.planes import read_planes


def _dim(axes="ZYX", dtype=np.uint16):
    """Four planes of which the last alone has the brightest values."""
    values = np.full((4, 40, 60), 100, dtype)
    values[:3, :20], values[3, :20] = 200, 400
    return Image(values, axes)


@pytest.mark.parametrize("axes", ["ZYX", "TYX"])
@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
def test_all_planes_have_one_window(axes, dtype):
    planes = read_planes(_dim(axes, dtype))
    places = planes.places
    brightest = [int(planes.read(*place).pixels.max()) for place in places]
    assert brightest == [85, 85, 85, 255]
    assert "100 to 400" in planes.remarks[0]


def test_eight_bits_stay_as_they_are():
    planes = read_planes(Image(_dim().array.clip(0, 255).astype(np.uint8), "ZYX"))
    assert planes.read(0, 0).pixels.max() == 200
    assert planes.remarks == ()


def test_a_window_that_is_told_holds():
    image = _dim()
    assert read_planes(image, window=(0, 200)).read(0, 0).pixels.max() == 255
    said = Image(image.array, "ZYX", window=((0.0, 800.0),))
    assert read_planes(said).read(0, 3).pixels.max() == 127
    assert read_planes(said).remarks == ("values 0 to 800 are black and white, as the file says",)
    with pytest.raises(InputError, match="window"):
        read_planes(image, window=(3, 3))


def test_three_stains_have_windows_of_their_own_and_colors_one():
    values = np.stack([_dim().array * factor for factor in (1, 10, 50)], axis=1)
    bright = [
        read_planes(Image(values, "ZCYX", colors=colors)).read(0, 3).pixels.max((0, 1))
        for colors in (False, True)
    ]
    assert bright[0].tolist() == [255, 255, 255]
    assert bright[1][2] == 255
    assert bright[1][0] < 10


def test_other_channels_have_one_basis():
    values = np.random.default_rng(0).normal(100, 5, (4, 5, 40, 60))
    values[2, 3, 10:30, 20:40] += 40
    planes = read_planes(Image(values, "ZCYX"))
    ground = [planes.read(0, z).components[:8, :, 0].mean() for z in range(4)]
    assert np.ptp(ground) < 0.1
    assert abs(planes.read(0, 2).components[20, 30, 0] - ground[2]) > 2
    assert planes.read(0, 2).pixels.shape == (40, 60, 3)


def test_chosen_channels_are_read():
    values = np.zeros((4, 5, 40, 60), np.uint8)
    values[:, 3] = 77
    image = Image(values, "ZCYX", channels=("a", "b", "c", "d", "e"), source=Path("stack.tif"))
    assert read_planes(image, channels=["d"]).read(0, 1).pixels.tolist()[0][0] == [77] * 3
    with pytest.raises(InputError, match="channel f, expected 1 to 5 or a, b"):
        read_planes(image, channels=["f"])
