"""Images as networks take them: colors as ever, other channels each by itself."""

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from saccade.errors import InputError
from saccade.images import Image, read_image
from saccade.images.network_input import NetworkReading, as_colors, network_reading

RNG = np.random.default_rng(0)


def write(path, values, **more):
    tifffile.imwrite(path, values, metadata={"axes": "CYX"}, imagej=True, **more)
    return path


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "CMYK", "I;16"])
def test_pictures_are_read_as_ever(tmp_path, mode):
    values = RNG.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    if mode == "I;16":
        Pillow.fromarray(values[..., 0].astype(np.uint16) * 100).save(path)
    else:
        Pillow.fromarray(values).convert(mode).save(path)
    how = network_reading([path])
    assert how == NetworkReading()
    read, usual = how.read(path), read_image(path)
    assert np.array_equal(read.pixels, usual.pixels)
    assert read.remarks == usual.remarks


def test_three_chosen_channels_are_colors_and_one_is_one(tmp_path):
    path = write(tmp_path / "a.tif", RNG.integers(0, 4096, (5, 40, 60), dtype=np.uint16))
    assert network_reading([path], channels=("1", "4", "5")).colors
    one = network_reading([path], channels=("4",))
    assert (one.count, one.colors) == (1, False)
    three = network_reading([path], channels=("4", "4", "4")[:1]).read(path).pixels
    assert three.shape == (40, 60, 1)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int16, np.float32])
def test_channels_of_any_numbers_are_eight_bits_each(tmp_path, kind):
    values = (RNG.random((5, 40, 60)) * [[[90]], [[80]], [[70]], [[60]], [[50]]]).astype(kind)
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, values, metadata={"axes": "CYX"}, ome=True)
    how = network_reading([path], window=(0.0, 100.0))
    pixels = how.read(path).pixels
    assert pixels.shape == (40, 60, 5)
    expected = np.rint(values.astype(float) * 2.55).transpose(1, 2, 0)
    assert np.abs(pixels - expected).max() <= 1
    own = network_reading([path]).read(path).pixels
    if kind == np.uint8:
        assert np.array_equal(own, values.transpose(1, 2, 0))
    else:  # each channel by itself
        assert own.reshape(-1, 5).max(0).tolist() == [255] * 5


def test_measured_are_percentiles_of_all_images_channel_by_channel(tmp_path):
    stacks = [RNG.normal([[[1000]], [[30000]]], 100, (2, 80, 90)) for _ in range(3)]
    stacks[1][0, 0, 0] = 60000  # a hot pixel
    paths = [
        write(tmp_path / f"{i}.tif", values.round().astype(np.uint16))
        for i, values in enumerate(stacks)
    ]
    how = network_reading(paths, measured=True)
    together = np.stack(stacks, 1).round().reshape(2, -1)
    expected = np.percentile(together, (0.1, 99.9), axis=1).T
    assert np.abs(np.array(how.windows) - expected).max() < 20
    read = how.read(paths[1])
    assert read.remarks == ()
    share = np.concatenate([how.read(path).pixels.reshape(-1, 2) for path in paths]) / 255
    assert np.abs(share.mean(0) - how.mean).max() < 0.01
    assert np.abs(share.std(0) - how.std).max() < 0.01


def test_nothing_is_measured_on_what_is_no_value():
    values = RNG.random((40, 60, 2)).astype(np.float32)
    values[:20, :, 0] = np.nan
    values[..., 1] = 7
    how = network_reading([Image(values, "YXC")], measured=True)
    assert 0 <= how.windows[0][0] < how.windows[0][1] <= 1
    assert how.windows[1] == (7.0, 8.0)
    assert how.std[1] == 0.001
    assert (how.read(Image(values, "YXC")).pixels[:20, :, 0] == 0).all()
    with pytest.raises(InputError, match="channel 1 has no value"):
        network_reading([Image(np.full((9, 9, 2), np.nan), "YXC")], measured=True)


def test_the_file_says_what_is_black_and_white_of_the_chosen_channels():
    values = RNG.integers(0, 900, (40, 60, 5), dtype=np.uint16)
    image = Image(values, "YXC", window=((0, 100), (0, 200), (0, 300), (0, 400), (0, 500)))
    how = network_reading([image], channels=("5", "2"))
    pixels = how.read(image).pixels
    expected = (values[..., [4, 1]] / [500, 200]).clip(0, 1) * 255
    assert np.abs(pixels - expected).max() <= 1


def test_transparency_is_no_channel(tmp_path):
    values = RNG.integers(0, 256, (40, 60, 4), dtype=np.uint8)
    Pillow.fromarray(values).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", extrasamples=[2])
    tifffile.imwrite(tmp_path / "b.tif", values, photometric="rgb", extrasamples=[0])
    counts = [
        network_reading([tmp_path / name], measured=True).count
        for name in ("a.png", "a.tif", "b.tif")
    ]
    assert counts == [3, 3, 4]
    assert network_reading([tmp_path / "a.tif"]) == NetworkReading()
    assert network_reading([tmp_path / "b.tif"]).count == 4


@pytest.mark.parametrize(
    ("count", "first"), [(1, [10, 10, 10]), (2, [10, 20, 0]), (3, [10, 20, 30]), (5, [10, 20, 30])]
)
def test_colors_to_look_at(count, first):
    image = np.array([10, 20, 30, 40, 50], np.uint8)[:count].reshape(1, 1, count)
    assert as_colors(image).tolist() == [[first]]


def test_images_with_other_channels_are_refused(tmp_path):
    five = write(tmp_path / "five.tif", np.zeros((5, 40, 60), np.uint16))
    two = write(tmp_path / "two.tif", np.zeros((2, 40, 60), np.uint16))
    Pillow.new("RGB", (60, 40)).save(tmp_path / "colors.png")
    with pytest.raises(InputError, match=r"two\.tif: 2 channels, expected 5"):
        network_reading([five]).read(two)
    with pytest.raises(InputError, match=r"colors\.png: 3 channels, expected 5"):
        network_reading([five]).read(tmp_path / "colors.png")
    with pytest.raises(InputError, match=r"five\.tif: 5 channels, expected red, green and blue"):
        network_reading([tmp_path / "colors.png"]).read(five)
    with pytest.raises(InputError, match=r"five\.tif: channel 6, expected 1 to 5"):
        network_reading([five], channels=("6", "1"))
