"""Masks for other tools, read by decoders that are not ours, and files of theirs read by us."""

import contextlib
import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from saccade.annotations import read_any_strokes
from saccade.errors import InputError
from saccade.formats.brush_rle import decode_brush, encode_brush
from saccade.formats.masks import encode_mask, iter_annotations, read_mask
from saccade.formats.polygons import fill_polygon, region_polygons

# pycocotools knows nothing of NumPy 2's copy keyword.
pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
MASKS = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12))
RNG = np.random.default_rng(0)
BLOBS = np.kron(RNG.integers(0, 4, (6, 8)), np.ones((9, 7))).astype(np.int32)
BLOBS[10:14, 20:24] = 0
NAMES = {0: "background", 1: "cat", 2: "dog", 3: "a <b> & -- c"}


@given(mask=MASKS)
def test_label_studios_own_decoder_reads_our_brush(mask):
    brush = pytest.importorskip("label_studio_converter.brush")
    flat = brush.decode_rle(encode_brush(mask))
    np.testing.assert_array_equal(flat.reshape(*mask.shape, 4)[..., 3] > 0, mask)


@given(mask=MASKS)
def test_we_read_what_label_studio_encodes(mask):
    brush = pytest.importorskip("label_studio_converter.brush")
    theirs = brush.mask2rle(mask.astype(np.uint8) * 255)
    np.testing.assert_array_equal(decode_brush(theirs, *mask.shape), mask)


def test_long_runs_are_split():
    mask = np.zeros((400, 500), bool)
    mask[200:] = True
    np.testing.assert_array_equal(decode_brush(encode_brush(mask), 400, 500), mask)


@pytest.mark.parametrize("size", [(7, 6), (5, 6)])
def test_brush_of_another_size_is_refused(size):
    with pytest.raises(InputError, match="values, expected 4 for each"):
        decode_brush(encode_brush(np.ones((5, 7), bool)), *size)


@given(data=st.binary(max_size=60), size=st.integers(0, 20))
@settings(max_examples=200)
def test_damaged_brushes_are_refused_in_one_way(data, size):
    start = encode_brush(np.ones((3, 4), bool))[:size]
    with contextlib.suppress(InputError):
        assert decode_brush([*start, *data], 3, 4).shape == (3, 4)


@pytest.mark.parametrize("rle", ["text", None, [300], [1.5], {"a": 1}])
def test_what_is_no_list_of_bytes_is_refused(rle):
    with pytest.raises(InputError, match="brush RLE: expected"):
        decode_brush(rle, 3, 4)


@given(mask=MASKS)
def test_polygons_hold_the_very_pixels_in_pycocotools_too(mask):
    coco = pytest.importorskip("pycocotools.mask")
    rings = region_polygons(mask)
    ours = np.zeros_like(mask)
    for ring in rings:
        ours |= fill_polygon(ring.astype(float), *mask.shape)
    np.testing.assert_array_equal(ours, mask)
    if rings:
        flat = [ring.ravel().astype(float).tolist() for ring in rings]
        theirs = coco.decode(coco.merge(coco.frPyObjects(flat, *mask.shape)))
        np.testing.assert_array_equal(theirs > 0, mask)


def test_coco_polygons_decode_elsewhere(tmp_path):
    coco = pytest.importorskip("pycocotools.mask")
    document = json.loads(encode_mask(BLOBS, "coco-polygons", names=NAMES))
    for annotation in document["annotations"]:
        polygons = coco.frPyObjects(annotation["segmentation"], *BLOBS.shape)
        mask = coco.decode(coco.merge(polygons)) > 0
        np.testing.assert_array_equal(mask, annotation["category_id"] == BLOBS)
        assert annotation["area"] == mask.sum()


def test_cvats_own_decoder_reads_our_masks():
    masks = pytest.importorskip("cvat_sdk.masks")
    root = ET.fromstring(encode_mask(BLOBS, "cvat", names=NAMES, image_path="x/photo.jpg"))
    image = root.find("image")
    assert image.attrib == {"id": "0", "name": "photo.jpg", "width": "56", "height": "54"}
    values = {name: value for value, name in NAMES.items()}
    assert [e.text for e in root.iter("name")] == ["cat", "dog", "a <b> & -- c"]
    for shape in image:
        left, top, width, height = (int(shape.get(k)) for k in ("left", "top", "width", "height"))
        runs = [int(n) for n in shape.get("rle").split(",")]
        corner = [left, top, left + width - 1, top + height - 1]
        mask = masks.decode_mask([*runs, *corner], image_width=56, image_height=54)
        np.testing.assert_array_equal(mask, values[shape.get("label")] == BLOBS)


CVAT = """<annotations><version>1.1</version>
<image id="0" name="dir/a.jpg" width="40" height="30">
  <mask label="dog" occluded="0" rle="3, 4, 2" left="2" top="5" width="3" height="3" z_order="1"/>
  <box label="cat" xtl="0" ytl="0" xbr="10" ybr="20" z_order="0"/>
  <polyline label="sky" points="20.0,25.0;35.0,25.0" z_order="0"/>
  <polygon label="sky" points="30,0;40,0;40,5;30,5" z_order="0"/>
  <tag label="sunny"/>
</image>
<image id="1" name="b.jpg" width="4" height="3"/></annotations>"""


def test_files_of_cvat_with_several_images_and_kinds_of_shapes(tmp_path):
    (tmp_path / "a.xml").write_text(CVAT)
    first, second = iter_annotations(tmp_path / "a.xml")
    assert (first.file_name, second.file_name) == ("a.jpg", "b.jpg")
    values = {name: value for value, name in first.names.items()}
    assert first.labels[6, 2:5].tolist() == [values["dog"]] * 3  # above the box
    assert first.labels[0, 0] == values["cat"]
    assert first.labels[2, 35] == values["sky"]
    assert (first.labels[20:30, 27] == values["sky"]).sum() in (9, 10, 11)
    assert not second.labels.any()
    with pytest.raises(InputError, match="has 2 images, expected 1"):
        read_mask(tmp_path / "a.xml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("3, 4, 2", "3, 4, 3", "sum 10, expected 3 x 3"),
        ("3, 4, 2", "3, x", "whole numbers"),
        ('left="2"', 'left="39"', "outside of the image"),
        ("30,0;40,0;40,5;30,5", "1,1;2,nan;3,3", "finite"),
        ('width="40"', "", "without width"),
        ("<box", "<cuboid", "no shape that can be filled"),
        ("<annotations>", "<!DOCTYPE x><annotations>", "document type"),
        ("<annotations>", "<annotations", "malformed XML"),
    ],
)
def test_damaged_cvat_files_are_refused(tmp_path, old, new, message):
    (tmp_path / "a.xml").write_text(CVAT.replace(old, new))
    with pytest.raises(InputError, match=message) as caught:
        list(iter_annotations(tmp_path / "a.xml"))
    assert "\n" not in str(caught.value)


def studio(*results, **task):
    size = {"original_width": 20, "original_height": 10, "image_rotation": 0}
    return [
        {
            "data": {"image": "/data/local-files/?d=photos/a.jpg"},
            "annotations": [{"result": [size | r for r in results]}],
        }
        | task
    ]


def test_label_studio_exports_with_other_shapes(tmp_path):
    box = {"x": 0, "y": 0, "width": 50, "height": 50, "rectanglelabels": ["cat"]}
    ring = {"points": [[50, 50], [100, 50], [100, 100], [50, 100]], "polygonlabels": ["dog"]}
    tasks = [*studio({"value": box}, {"value": ring}), {"data": {"image": "b.jpg"}}]
    (tmp_path / "a.json").write_text(json.dumps(tasks))
    (image,) = iter_annotations(tmp_path / "a.json")
    assert image.file_name == "a.jpg"
    assert image.names == {1: "cat", 2: "dog"}
    assert (image.labels[:5, :10] == 1).all()
    assert (image.labels[5:, 10:] == 2).all()
    assert (image.labels > 0).sum() == 100


def test_json_min_is_read(tmp_path):
    mask = np.zeros((10, 20), bool)
    mask[2:5, 3:9] = True
    brush = {
        "format": "rle",
        "rle": encode_brush(mask),
        "brushlabels": ["cat"],
        "original_width": 20,
        "original_height": 10,
    }
    tasks = [{"image": "/data/upload/1/a.jpg", "tag": [brush]}]
    (tmp_path / "a.json").write_text(json.dumps(tasks))
    np.testing.assert_array_equal(read_mask(tmp_path / "a.json"), mask)


@pytest.mark.parametrize("fmt", ["coco", "coco-polygons", "label-studio", "cvat"])
def test_masks_of_tools_are_read_as_strokes(tmp_path, fmt):
    labels = np.zeros((30, 40), np.int32)
    labels[3:6, 3:20], labels[20:24, 5:30] = 1, 2
    document = encode_mask(labels, fmt, names={1: "cat", 2: "dog"})
    if fmt.startswith("coco"):  # category 0 is a region like any other there
        parsed = json.loads(document)
        parsed["annotations"] = [a for a in parsed["annotations"] if a["category_id"]]
        document = json.dumps(parsed).encode()
    (tmp_path / "a").write_bytes(document)
    strokes = read_any_strokes(tmp_path / "a", shape=(30, 40))
    assert strokes.names == {1: "cat", 2: "dog"}
    np.testing.assert_array_equal(np.where(strokes.labels == 255, 0, strokes.labels), labels)
    with pytest.raises(InputError, match="the image is 7 x 5"):
        read_any_strokes(tmp_path / "a", shape=(5, 7))


def test_colors_of_ones_own_go_into_the_palette():
    import io

    from PIL import Image

    image = Image.open(io.BytesIO(encode_mask(BLOBS, "png", colors={1: (9, 8, 7)})))
    assert image.getpalette()[3:6] == [9, 8, 7]
