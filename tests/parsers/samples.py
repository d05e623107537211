"""Small whole files of every format that is read, made in code."""

import io
import json
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from saccade.formats.masks import MASK_FORMATS, encode_mask
from saccade.weak.localization import LocalizationMaps, write_maps
from tests.formats.tool_files import all_shapes, document
from tests.parsers.settings import whole_settings

IMAGE = [
    *("load_image", "image_size", "decoded_size", "any_strokes", "read_mask", "saliency"),
    *("strokes", "napari", "read_values"),
]
STROKES = ["any_strokes", "any_strokes_shape", "strokes", "napari"]
TOOL = [*STROKES, "read_mask", "read_mask_shape", "iter_ann"]

LABELS = np.zeros((40, 50), np.uint8)
LABELS[5:20, 5:30], LABELS[25:38, 10:45] = 1, 2
COLORS = np.stack([LABELS * 90, np.add.outer(np.arange(40), np.arange(50)), LABELS * 20], -1)

SCRIBBLESUP = b"""<annotation><size><width>50</width><height>40</height></size>
<polygon><tag>dog</tag><point><X>3</X><Y>4</Y></point><point><X>30</X><Y>4</Y></point></polygon>
<polygon><tag>cat</tag><point><X>3</X><Y>30</Y></point></polygon></annotation>"""

CVAT = b"""<annotations><image id="0" name="a.png" width="50" height="40">
<polygon label="cat" points="1,1;20,1;20,20" z_order="0"/>
<box label="dog" xtl="3" ytl="4" xbr="30" ybr="20"/>
<polyline label="cat" points="1,1;40,30" z_order="1"/>
<mask label="dog" rle="2, 4" left="1" top="1" width="3" height="2"/></image></annotations>"""

LABELME = {
    "shapes": [
        {"label": "cat", "points": [[3, 4], [30, 4.5]], "shape_type": "linestrip", "width": 5},
        {"label": "dog", "points": [[3, 30], [9, 39], [20, 30]], "shape_type": "polygon"},
        {"label": "dog", "points": [[20, 20], [25, 20]], "shape_type": "circle"},
    ],
    "imageHeight": 40,
    "imageWidth": 50,
    "saccade_classes": [[0, "cat"], [1, "dog"]],
}


def whole_files(folder: Path) -> dict[str, tuple[bytes, list[str]]]:
    """File name -> its bytes and the readers that may be given it."""
    files = _images() | _arrays(folder)
    for fmt in MASK_FORMATS:
        readers = [*TOOL, *(["read_document"] if fmt == "labelme" else [])]
        suffix = {"png": "png", "tiff": "tif", "cvat": "xml"}.get(fmt, "json")
        data = encode_mask(LABELS.astype(int), fmt, names=["background", "cat", "dog"])
        files[f"mask-{fmt}.{suffix}"] = data, readers
    files["scribblesup.xml"] = SCRIBBLESUP, STROKES
    files["cvat.xml"] = CVAT, TOOL
    files["labelme.json"] = json.dumps(LABELME).encode(), [*STROKES, "read_document"]
    for fmt in ("coco", "cvat", "labelme", "studio", "paired by id", "min"):
        name = f"shapes-{fmt.replace(' ', '-')}.{'xml' if fmt == 'cvat' else 'json'}"
        files[name] = document(fmt, *all_shapes(fmt)).encode(), TOOL
    return files | whole_settings(folder)


def _images() -> dict[str, tuple[bytes, list[str]]]:
    rgb, palette = Image.fromarray(COLORS.astype(np.uint8)), Image.fromarray(LABELS)
    palette.putpalette([0, 0, 0, 90, 0, 0, 0, 90, 0])
    files = {}
    for suffix in ("png", "jpg", "tif", "bmp", "gif", "webp", "ppm", "avif", "jp2", "tga", "qoi"):
        files[f"rgb.{suffix}"] = _saved(rgb, suffix), IMAGE
    files["palette.png"] = _saved(palette, "png", transparency=b"\0\xff\xff"), IMAGE
    deep = io.BytesIO()
    tifffile.imwrite(
        deep, COLORS.astype(np.float32), tile=(16, 16), photometric="rgb", bigtiff=True
    )
    files["tiles.tif"] = deep.getvalue(), IMAGE
    stack = io.BytesIO()
    tifffile.imwrite(stack, np.stack([LABELS] * 3).astype(np.int64), photometric="minisblack")
    files["stack.tif"] = stack.getvalue(), IMAGE
    wide = Image.fromarray(LABELS.astype(np.uint16) * 300)
    files["wide.png"] = _saved(wide, "png"), IMAGE
    files["wide.tif"] = _saved(wide, "tif", compression="tiff_lzw"), IMAGE
    files["numbers.pgm"] = b"P2\n5 4\n9\n" + b" 1 2" * 10, IMAGE
    return files


def _saved(image: Image.Image, suffix: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(
        buffer, {"jpg": "jpeg", "tif": "tiff", "jp2": "jpeg2000"}.get(suffix, suffix), **options
    )
    return buffer.getvalue()


def _arrays(folder: Path) -> dict[str, tuple[bytes, list[str]]]:
    files = {}
    for name, kind in (("u8", "u1"), ("big", ">i4"), ("float", "<f4")):
        buffer = io.BytesIO()
        np.save(buffer, LABELS.astype(kind))
        files[f"{name}.npy"] = buffer.getvalue(), [*STROKES, "saliency", "saliency_size"]
    maps = LocalizationMaps(np.full((2, 2, 3, 4), 0.5, np.float32), (0, 3), (1, 3), (40, 50))
    write_maps(folder / "maps.npz", maps)
    files["maps.npz"] = (folder / "maps.npz").read_bytes(), ["read_maps"]
    return files
