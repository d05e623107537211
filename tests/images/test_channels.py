import numpy as np
import pytest
import tifffile
from PIL import Image as Picture

from saccade.errors import InputError
from saccade.images import Image, choose_channels, read_any, read_any_file, read_array, read_image

RNG = np.random.default_rng(0)


def _values(*shape, dtype=np.uint8):
    return RNG.integers(0, 256, shape).astype(dtype)


@pytest.mark.parametrize("shape", [(9, 8), (9, 8, 1), (9, 8, 3), (9, 8, 4)])
def test_grey_colors_and_transparency_are_read_as_ever(shape):
    values = _values(*shape)
    read, plain = read_any(values), read_array(values)
    assert np.array_equal(read.pixels, plain.pixels)
    assert read.remarks == plain.remarks
    assert read.components is None


@pytest.mark.parametrize(("count", "parts"), [(2, 2), (5, 5), (7, 6)])
def test_other_channels_keep_their_intensities(count, parts):
    read = read_any(_values(9, 10, count, dtype=np.float32))
    assert read.pixels.shape == (9, 10, 3)
    assert read.components.shape == (9, 10, parts)
    assert read.components.dtype == np.float32
    assert f"{count} channels" in read.remarks[0]


def test_channels_choose_and_four_of_them_are_no_transparency():
    values = _values(9, 8, 5)
    assert np.array_equal(read_any(values, channels=[3]).pixels[..., 0], values[..., 3])
    assert np.array_equal(read_any(values, channels=[4, 0, 2]).pixels, values[..., [4, 0, 2]])
    assert read_any(values[..., :4], channels=[0, 1, 2, 3]).components.shape == (9, 8, 4)


@pytest.mark.parametrize("shape", [(5, 40, 30), (2, 40, 30), (3, 40, 60), (0, 8, 2), (9, 8, 2, 2)])
def test_what_is_no_image_with_channels_last_is_refused(shape):
    with pytest.raises(InputError, match="expected"):
        read_any(np.zeros(shape))


def test_text_is_no_intensity():
    with pytest.raises(InputError, match="data type"):
        read_any(np.full((9, 8, 2), "a"))


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ([5], "0 to 2 or DAPI, GFP"),
        (["dapi"], "DAPI, GFP"),
        ([0, "DAPI"], "each once"),
        ([], "some"),
    ],
)
def test_channels_that_are_not_there_are_named(wanted, said):
    with pytest.raises(InputError, match=said):
        choose_channels(wanted, ["DAPI", "GFP", ""])


def test_channels_of_an_image_have_names():
    values = _values(3, 9, 8)
    image = Image(values, "CYX", channels=("DAPI", "GFP", "RFP"))
    assert np.array_equal(read_any(image, channels=["GFP"]).pixels[..., 1], values[1])
    assert np.array_equal(read_any(image).pixels, values.transpose(1, 2, 0))


def test_near_infrared_is_a_band_and_transparency_is_none(tmp_path):
    values = _values(9, 10, 4)
    for name, extra in (("nir.tif", 0), ("alpha.tif", 2)):
        tifffile.imwrite(tmp_path / name, values, photometric="rgb", extrasamples=[extra])
    assert read_any_file(tmp_path / "nir.tif").components.shape == (9, 10, 4)
    alpha = read_any_file(tmp_path / "alpha.tif")
    assert alpha.components is None
    assert np.array_equal(alpha.pixels, read_image(tmp_path / "alpha.tif").pixels)


@pytest.mark.parametrize("kind", ["planes", "imagej", "ome"])
def test_channels_in_pages_of_their_own_are_all_read(tmp_path, kind):
    path = tmp_path / "five.ome.tif"
    values = _values(5, 9, 10, dtype=np.uint16)
    how = {"planes": {"photometric": "minisblack", "planarconfig": "separate"}}.get(kind, {})
    tifffile.imwrite(
        path, values, imagej=kind == "imagej", ome=kind == "ome", metadata={"axes": "CYX"}, **how
    )
    read = read_any_file(path)
    assert read.components.shape == (9, 10, 5)
    expected = read_any(values.transpose(1, 2, 0)).components
    np.testing.assert_allclose(read.components, expected, atol=1e-5)


def test_pictures_are_read_as_ever(tmp_path):
    path = tmp_path / "a.png"
    Picture.fromarray(_values(9, 8, 4), "RGBA").save(path)
    assert np.array_equal(read_any_file(path).pixels, read_image(path).pixels)
    values = _values(9, 8, 3)
    Picture.fromarray(values).save(path)
    assert np.array_equal(read_any_file(path, channels=[0]).pixels[..., 2], values[..., 0])


def test_numbers_of_numpy_are_read_from_their_file(tmp_path):
    np.save(tmp_path / "a.npy", _values(5, 6, 2))
    assert read_any_file(tmp_path / "a.npy").components.shape == (5, 6, 2)
