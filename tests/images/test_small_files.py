"""Small files of many pixels: read within a gigabyte, or refused in one line."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from saccade.errors import InputError
from saccade.images import decoded_size, image_size, load_image, read_labels
from tests.helpers import run_python

PROGRAM = """
import pathlib, sys
from saccade.{module} import {name} as read
read(sys.argv[1])
(line,) = [x for x in pathlib.Path("/proc/self/status").read_text().split("\\n") if "VmHWM" in x]
print(int(line.split()[1]) // 1024)
"""


@pytest.mark.parametrize("suffix", ["png", "tif", "gif", "webp", "tga"])
def test_many_megapixels_of_nothing_are_refused(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    options = {"tif": {"compression": "tiff_adobe_deflate"}, "tga": {"compression": "tga_rle"}}
    height, width = (5_001, 8_000) if suffix == "webp" else (5_001, 20_000)
    Image.new("L", (width, height)).save(path, **options.get(suffix, {}))
    if suffix == "tga":
        path.write_bytes(path.read_bytes()[:900_000])
    for read in (load_image, image_size, decoded_size, read_labels):
        if suffix == "webp" and read is image_size:
            continue  # the header does no harm
        with pytest.raises(InputError, match=rf"a\..*{width} x {height} pixels in .* KB") as caught:
            read(path)
        assert len(str(caught.value)) - len(str(tmp_path)) < 200


@pytest.mark.parametrize("dtype", ["float64", "int64", "complex64"])
def test_many_bytes_of_nothing_are_refused(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((6100, 6000), dtype), compression="deflate")
    for read in (load_image, read_labels):
        with pytest.raises(InputError, match=r"a\.tif: .*too small for"):
            read(tmp_path / "a.tif")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells the memory")
@pytest.mark.parametrize(
    ("module", "name", "mode"),
    [
        ("images", "read_image", "RGBA"),
        ("images", "read_image", "L"),
        ("formats.masks", "read_mask", "L"),
        ("annotations", "read_any_strokes", "RGB"),
    ],
)
def test_what_is_read_needs_less_than_a_gigabyte(tmp_path, module, name, mode):
    side = 9990 if mode == "L" else 7990
    image = Image.new(mode, (side, side), 255 if mode == "L" else "white")
    if mode == "RGB":
        for i, color in enumerate(("red", "blue")):
            image.paste(color, (9, 50 * i, 900, 50 * i + 20))
    image.save(tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size < 10**6
    program = PROGRAM.format(module=module, name=name)
    done = run_python("-c", program, tmp_path / "a.png")
    assert int(done.stdout) < 1000
