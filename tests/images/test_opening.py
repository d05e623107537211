"""`open_image`: whatever is cut out of a lazy image is what the file's own reader gives."""

import itertools
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image as Picture

from saccade import InputError
from saccade.images import Image, load_image, open_image
from tests.images.tiff_writer import write_bits, write_lzw

RNG = np.random.default_rng(0)
LAYOUTS = {"tiles": {"tile": (32, 48)}, "strips": {"rowsperstrip": 7}, "plain": {}}
KINDS = {
    "grey": ((77, 95), "YX", {}),
    "colors": ((77, 95, 3), "YXC", {"photometric": "rgb"}),
    "planes": ((3, 77, 95), "CYX", {"photometric": "rgb", "planarconfig": "separate"}),
    "pages": ((4, 77, 95), "ZYX", {"photometric": "minisblack"}),
    "pages of colors": ((5, 77, 95, 3), "ZYXC", {"photometric": "rgb"}),
    "ome": ((3, 2, 77, 95), "ZCYX", {"ome": True, "metadata": {"axes": "ZCYX"}}),
}


@pytest.mark.parametrize(("layout", "kind"), [*itertools.product(LAYOUTS, KINDS)])
@pytest.mark.parametrize(("dtype", "compression"), [("u1", "zlib"), (">u2", None), ("<f4", "zlib")])
def test_a_window_of_a_tiff_is_that_of_tifffile(tmp_path, layout, kind, dtype, compression):
    shape, axes, writing = KINDS[kind]
    data = (RNG.random(shape) * 250).astype(dtype)
    path = tmp_path / "a.bin"  # the name does not count
    writing = writing | LAYOUTS[layout] | {"compression": compression}
    tifffile.imwrite(path, data, byteorder=dtype[0] if dtype[0] in "<>" else None, **writing)
    image = open_image(path)
    assert image.axes == axes
    key = [slice(None, None, 2)] * data.ndim
    key[axes.index("Y")], key[axes.index("X")] = slice(5, 60, 3), slice(31, 34)
    assert image.array.shape == shape
    np.testing.assert_array_equal(image.array[...], data)
    np.testing.assert_array_equal(image.array[tuple(key)], data[tuple(key)])
    plane = image.plane(rows=slice(30, 40), columns=slice(40, 50))
    assert plane.shape == (10, 10, image.count("C"))


def test_a_large_tiled_file_is_read_window_by_window(tmp_path, monkeypatch):
    with tifffile.TiffWriter(tmp_path / "a.tif", bigtiff=True) as file:
        tile = RNG.integers(0, 9, (512, 512), dtype=np.uint8)
        tiles = itertools.repeat(zlib.compress(tile), 40 * 40)
        file.write(tiles, shape=(20000, 20000), dtype="u1", tile=(512, 512), compression="zlib")
    decoded = []
    from saccade.images.segments import SegmentDecoder

    decode = SegmentDecoder.decode
    monkeypatch.setattr(
        SegmentDecoder, "decode", lambda *args: decoded.append(args[2]) or decode(*args)
    )
    image = open_image(tmp_path / "a.tif")
    assert image.size == (20000, 20000)
    window = image.plane(rows=slice(10240, 10752), columns=slice(512, 1024))
    np.testing.assert_array_equal(window[..., 0], tile)
    assert len(decoded) == 1
    image.plane(rows=slice(10000, 11000), columns=slice(512, 1024))
    assert len(decoded) == 3  # one of which is remembered


@pytest.mark.parametrize("predictor", [1, 2])
@pytest.mark.parametrize("tile", [None, (16, 32)])
def test_what_only_libtiff_decodes(tmp_path, predictor, tile):
    data = RNG.integers(0, 60000, (50, 70, 3)).astype("<u2")
    write_lzw(tmp_path / "a.tif", data, predictor=predictor, tile=tile)
    image = open_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.plane(rows=slice(9, 41), columns=slice(30, 40)),
                                  data[9:41, 30:40])  # fmt: skip


def test_bits_that_fill_no_bytes_and_their_white(tmp_path):
    values = RNG.integers(0, 4096, (20, 31)).astype(np.uint16)
    write_bits(tmp_path / "a.tif", values, 12)
    image = open_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.array[3:, 4:], values[3:, 4:])
    assert image.white == 4095


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pages_are_upright(tmp_path, orientation):
    data = RNG.integers(0, 255, (20, 31, 3), dtype=np.uint8)
    tags = [(274, "H", 1, orientation, True)]
    tifffile.imwrite(tmp_path / "a.tif", data, photometric="rgb", extratags=tags)
    image = open_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.array[...], load_image(tmp_path / "a.tif"))
    np.testing.assert_array_equal(image.plane(rows=slice(2, 9)), image.plane()[2:9])


def test_small_is_bright(tmp_path):
    data = RNG.integers(0, 255, (20, 31), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", data, photometric="miniswhite")
    np.testing.assert_array_equal(open_image(tmp_path / "a.tif").plane()[..., 0], 255 - data)


def test_a_hyperstack_of_imagej_says_what_it_is(tmp_path):
    data = RNG.integers(0, 999, (2, 5, 3, 20, 30), dtype=np.uint16)
    said = {"axes": "TZCYX", "unit": "micron", "spacing": 2.0, "Ranges": (0, 9, 10, 500, 3, 7)}
    tifffile.imwrite(tmp_path / "a.tif", data, imagej=True, resolution=(4, 2), metadata=said)
    image = open_image(tmp_path / "a.tif")
    assert (image.axes, image.kind, image.unit) == ("TZCYX", "imagej", "um")
    assert image.pixel_size == {"Z": 2.0, "Y": 0.5, "X": 0.25}
    assert image.window == ((0, 9), (10, 500), (3, 7))
    np.testing.assert_array_equal(image.plane(t=1, z=4), np.moveaxis(data[1, 4], 0, 2))


def test_ome_says_what_it_is(tmp_path):
    data = RNG.integers(0, 999, (2, 3, 20, 30), dtype=np.uint16)
    said = {
        "axes": "ZCYX", "PhysicalSizeX": 0.3, "PhysicalSizeY": 0.4, "PhysicalSizeZ": 1.5,
        "SignificantBits": 12, "Channel": {"Name": ["DAPI", "GFP", "µ-opsin"]},
    }  # fmt: skip
    tifffile.imwrite(tmp_path / "a.ome.tif", data, metadata=said)
    image = open_image(tmp_path / "a.ome.tif")
    assert (image.axes, image.kind, image.unit) == ("ZCYX", "ome-tiff", "um")
    assert image.channels == ("DAPI", "GFP", "µ-opsin")
    assert image.pixel_size == {"Z": 1.5, "Y": 0.4, "X": 0.3}
    assert image.white == 4095


def test_levels_of_a_pyramid(tmp_path):
    data = RNG.integers(0, 255, (256, 320, 3), dtype=np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", bigtiff=True) as file:
        settings = {"tile": (64, 64), "photometric": "rgb", "compression": "zlib"}
        file.write(data, subifds=1, metadata={"axes": "YXS"}, **settings)
        file.write(data[::2, ::2], subfiletype=1, **settings)
    image = open_image(tmp_path / "a.ome.tif")
    assert len(image.levels) == 1
    assert image.colors
    np.testing.assert_array_equal(image.plane(level=1), data[::2, ::2])


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.bmp"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_picture_is_what_load_image_gives(tmp_path, name, mode):
    shape = (20, 31) if mode == "L" else (20, 31, 3)
    Picture.fromarray(RNG.integers(0, 255, shape, dtype=np.uint8)).save(tmp_path / name)
    image = open_image(tmp_path / name)
    rgb = np.broadcast_to(image.plane(), (20, 31, 3))
    np.testing.assert_array_equal(rgb, load_image(tmp_path / name))


def test_a_png_of_16_bits_keeps_them(tmp_path):
    data = RNG.integers(0, 65536, (20, 31), dtype=np.uint16)
    Picture.fromarray(data).save(tmp_path / "a.png")
    np.testing.assert_array_equal(open_image(tmp_path / "a.png").array[...], data)


@pytest.mark.parametrize(
    ("shape", "axes"), [((40, 60), "YX"), ((40, 60, 3), "YXC"), ((9, 40, 60), "ZYX"),
                        ((4, 40, 60), "CYX"), ((9, 2, 40, 60), "ZCYX"), ((9, 40, 60, 3), "ZYXC")],
)  # fmt: skip
def test_axes_of_an_npy(tmp_path, shape, axes):
    np.save(tmp_path / "a.npy", np.zeros(shape, np.float32))
    image = open_image(tmp_path / "a.npy")
    assert image.axes == axes
    assert bool(image.remarks) == (len(shape) > 2)
    assert open_image(tmp_path / "a.npy", axes="TZCYX"[-len(shape) :]).remarks == ()


def test_pages_of_mixed_sizes(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for shape in ((20, 30), (10, 30), (20, 30)):
            file.write(np.zeros(shape, np.uint8), photometric="minisblack", metadata=None)
    with pytest.raises(InputError, match=r"a.tif: 2 groups of pages of different sizes \(30 x 20"):
        open_image(tmp_path / "a.tif")
    assert open_image(tmp_path / "a.tif", series=1).size == (10, 30)
    with pytest.raises(InputError, match="series 2, expected 0 to 1"):
        open_image(tmp_path / "a.tif", series=2)


def test_unknown_axes(tmp_path):
    data = np.zeros((3, 2, 20, 30), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", data, metadata={"axes": "AQYX"})
    with pytest.raises(InputError, match=r"a.tif: axes AQYX for shape .* say which with axes="):
        open_image(tmp_path / "a.tif")
    assert open_image(tmp_path / "a.tif", axes="TZYX").count("T") == 3


def test_an_unreadable_tile(tmp_path):
    data = RNG.integers(0, 255, (64, 64), dtype=np.uint8)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, data, tile=(32, 32), compression="zlib")
    with tifffile.TiffFile(path) as file:
        start = file.pages[0].dataoffsets[2]
    content = bytearray(path.read_bytes())
    content[start : start + 4] = b"\0\0\0\0"
    path.write_bytes(content)
    image = open_image(path)
    np.testing.assert_array_equal(image.array[:32], data[:32])  # the others are readable
    with pytest.raises(InputError, match=r"a.tif: page 1 cannot be read \(tile 2 is damaged"):
        image.plane()


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_truncated_file(tmp_path, compression):
    path = tmp_path / "a.tif"
    data = RNG.integers(0, 255, (64, 64), dtype=np.uint8)
    tifffile.imwrite(path, data, compression=compression, photometric="minisblack")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match=r"a\.tif: "):
        open_image(path).plane()


def test_an_image_refuses_what_does_not_fit():
    array = np.zeros((3, 20, 30))
    for axes in ("CY", "QYX", "XYX", "YXCT"):
        with pytest.raises(InputError, match=f"axes {axes}"):
            Image(array, axes)
    image = Image(array, "CYX", channels=("a",))
    assert image.channels == ("a", "", "")
    with pytest.raises(InputError, match="Z index 1, expected 0 to 0"):
        image.plane(z=1)
    with pytest.raises(InputError, match="level 1, expected 0 to 0"):
        image.plane(level=1)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_headers_are_one_clear_error(tmp_path, seed):
    """Whatever bytes are changed, opening and reading end well or in an `InputError`."""
    generator = np.random.default_rng(seed)
    data = RNG.integers(0, 999, (3, 2, 64, 80), dtype=np.uint16)
    said = {"axes": "ZCYX"}
    kinds = (
        {"ome": True, "tile": (32, 32), "compression": "zlib"},
        {"imagej": True},
    )
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, data, metadata=said, **kinds[seed % 2])
    whole, refused = path.read_bytes(), []
    for _ in range(40):
        content = bytearray(whole)
        for place in generator.integers(0, 1500, generator.integers(1, 6)):
            content[place] = generator.integers(0, 256)
        path.write_bytes(content[: generator.integers(8, 3 * len(content))])
        try:
            image = open_image(path)
            image.plane(rows=slice(0, 8), columns=slice(0, 8))
        except InputError as error:
            refused.append(str(error))
    assert refused
    assert all(line.startswith(f"{path}: ") and "\n" not in line for line in refused)


@pytest.mark.parametrize("words", ["<OME><Image", "no XML at all"])
def test_a_damaged_description_is_said(tmp_path, words, monkeypatch):
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, np.zeros((8, 9), np.uint8), metadata={"axes": "YX"})
    monkeypatch.setattr(tifffile.TiffFile, "ome_metadata", words)
    image = open_image(path)
    assert any("its description is damaged" in line for line in image.remarks)
    assert dict(image.pixel_size) == {}


def test_damaged_tags_of_a_place_are_said(tmp_path):
    path = tmp_path / "a.tif"
    scale, tie = (33550, "s", 0, "no numbers", True), (33922, "s", 0, "six of no numbers", True)
    tifffile.imwrite(path, np.zeros((8, 9), np.uint8), extratags=[scale, tie])
    image = open_image(path)
    assert image.georeference is None
    assert any("GeoTIFF tags are damaged" in line for line in image.remarks)
