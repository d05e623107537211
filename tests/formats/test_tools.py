"""Masks of other tools agree with their own readers and become strokes."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp

from saccade.annotations import read_any_strokes
from saccade.errors import InputError
from saccade.formats.masks import encode_mask
from saccade.formats.polygons import fill_polygon, region_polygons

# pycocotools knows nothing of NumPy 2's copy keyword.
pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
MASKS = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12))
RNG = np.random.default_rng(0)
BLOBS = np.kron(RNG.integers(0, 4, (6, 8)), np.ones((9, 7))).astype(np.int32)
BLOBS[10:14, 20:24] = 0
NAMES = {0: "background", 1: "cat", 2: "dog", 3: "a <b> & -- c"}


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
