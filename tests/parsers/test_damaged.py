"""One damaged file of each kind: an `InputError` of one short line, and soon."""

import csv
import io
import json
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile

from tests.parsers.readers import READERS, outcome_of
from tests.parsers.samples import LABELME, SCRIBBLESUP, whole_files
from tests.parsers.settings import CONFIG

CASES = Path(__file__).parents[3] / "shared" / "cases" / "parsers"
LONG = "A" * 5000


def npy(header: str) -> bytes:
    text = header.encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + b"\0" * 64


def npz(header: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("maps.npy", npy(header))
    return buffer.getvalue()


def tiles(lie: int) -> bytes:
    buffer = io.BytesIO()
    pixels = np.zeros((48, 48, 3), np.float32)
    tifffile.imwrite(buffer, pixels, tile=(16, 16), photometric="rgb")
    buffer.seek(0)
    with tifffile.TiffFile(buffer, mode="r+b") as tiff:
        for tag in ("ImageWidth", "ImageLength"):
            tiff.pages[0].tags[tag].overwrite(lie)
    return buffer.getvalue()


def palette_png(colors: int, alphas: int) -> bytes:
    image = bytes(51 * 40)
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", 50, 40, 8, 3, 0, 0, 0),
        b"PLTE": bytes(3 * colors),
        b"tRNS": b"\xff" * (alphas - 1) + b"\0",
        b"IDAT": zlib.compress(image),
        b"IEND": b"",
    }
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks.items()
        if data or kind == b"IEND"
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def coco(**annotation: object) -> bytes:
    whole = {"category_id": 1, "image_id": 1, "segmentation": [[1, 1, 9, 1, 9, 9]]} | annotation
    image = {"id": 1, "height": 40, "width": 50}
    return json.dumps({"images": [image], "annotations": [whole]}).encode()


def changed(**values: object) -> bytes:
    return json.dumps(LABELME | values).encode()


CUT, HUGE = "{'descr': '|u1', 'shape': (4", "{'descr': '|u1', 'fortran_order': False, 'shape': (9"
ARRAYS = ["any_strokes", "saliency", "saliency_size"]
DAMAGED = {
    "cut.npy": (npy(CUT), ARRAYS),
    "absurd.npy": (npy(HUGE + "9" * 9 + ", 9), }"), ARRAYS),
    "long.npy": (npy("{'descr': '" + LONG), ARRAYS),
    "cut.npz": (npz(CUT), ["read_maps"]),
    "absurd.npz": (npz(HUGE + "9" * 12 + ",), }"), ["read_maps"]),
    "many-tiles.tif": (tiles(18_000), ["load_image", "decoded_size"]),
    "palette.png": (palette_png(0, 256), ["saliency"]),
    "alphas.png": (palette_png(256, 295), ["load_image"]),
    "id.json": (coco(image_id=[1]), ["any_strokes", "read_mask", "iter_ann"]),
    "inf.json": (coco(category_id=float("inf")), ["any_strokes", "read_mask"]),
    "class.json": (changed(saccade_classes=[[1e999, "a"]]), ["any_strokes", "read_document"]),
    "nest.json": (b'{"shapes":' + b"[" * 99_999, ["any_strokes", "read_document"]),
    "tasks.json": (b'[{"annotations": [{"result": 5}]}]', ["any_strokes", "read_mask"]),
    "tag.xml": (SCRIBBLESUP.replace(b"dog", LONG.encode()), ["any_strokes"]),
    "point.xml": (SCRIBBLESUP.replace(b"<X>3<", b"<X>" + b"9" * 5000 + b"<"), ["any_strokes"]),
    "long.toml": (CONFIG.replace(b'"voc"', b'"' + LONG.encode() + b'"'), ["read_config"]),
    "number.toml": (CONFIG.replace(b"0.01", b"9" * 4000), ["read_config"]),
    "nest.toml": (b"a = " + b"[" * 99_999, ["read_config"]),
}


@pytest.mark.parametrize(
    ("name", "reader"), [(name, reader) for name, (_, use) in DAMAGED.items() for reader in use]
)
def test_a_damaged_file_is_refused_in_one_short_line(tmp_path, name, reader):
    path = tmp_path / name
    path.write_bytes(DAMAGED[name][0])
    outcome = outcome_of(reader, path)
    assert not outcome.fault
    assert name in outcome.message


def test_a_checkpoint_that_asks_for_a_huge_network_is_refused_before_it_is_built(tmp_path):
    data, _ = whole_files(tmp_path)["a.safetensors"]
    path = tmp_path / "a.safetensors"
    wide = data.replace(b'\\"width\\": 256', b'\\"width\\":9999')
    assert wide != data
    path.write_bytes(wide)
    outcome = outcome_of("load_checkpoint", path)
    assert not outcome.fault
    assert "a.safetensors" in outcome.message


@pytest.mark.parametrize("reader", ["read_mask", "any_strokes"])
def test_thousands_of_polygons_are_filled_soon(tmp_path, reader):
    ring = [[0, 0, 50, 0, 50, 40]]
    whole = json.loads(coco(segmentation=ring * 4000))
    whole["annotations"] += [{**whole["annotations"][0], "category_id": 2, "segmentation": ring}]
    path = tmp_path / "many.json"
    path.write_text(json.dumps(whole))
    assert not outcome_of(reader, path).fault


@pytest.mark.skipif(not CASES.is_dir(), reason="the folder shared/ is not there")
def test_every_case_that_was_found_is_refused_or_read():
    with open(CASES / "index.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["reader"] for row in rows} <= set(READERS)
    found = [(row["file"], outcome_of(row["reader"], CASES / row["file"]).fault) for row in rows]
    assert [entry for entry in found if entry[1]] == []
