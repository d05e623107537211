"""COCO run lengths: round trips, and the same bytes as pycocotools."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from saccade.errors import InputError
from saccade.formats.rle import (
    compress_counts,
    decode_mask,
    decompress_counts,
    encode_mask,
    encode_regions,
)

shapes = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)
masks = hnp.arrays(np.bool_, shapes)
label_images = hnp.arrays(np.int32, shapes, elements=st.integers(0, 4))
counts_lists = st.lists(st.integers(0, 2**29), min_size=1, max_size=20)


def test_runs_are_column_major_and_start_with_zeros():
    mask = np.array([[0, 1, 1], [0, 0, 1]], dtype=bool)
    assert encode_mask(mask).tolist() == [2, 1, 1, 2]
    assert encode_mask(~mask).tolist() == [0, 2, 1, 1, 2]
    assert encode_mask(np.zeros((2, 3), bool)).tolist() == [6]
    assert encode_mask(np.ones((2, 3), bool)).tolist() == [0, 6]


@given(masks)
def test_masks_survive_encoding(mask):
    counts = encode_mask(mask)
    np.testing.assert_array_equal(decode_mask(counts, *mask.shape), mask)
    np.testing.assert_array_equal(decode_mask(counts.tolist(), *mask.shape), mask)
    np.testing.assert_array_equal(decode_mask(compress_counts(counts), *mask.shape), mask)


@given(counts_lists)
def test_counts_survive_as_text(counts):
    text = compress_counts(np.array(counts))
    assert decompress_counts(text).tolist() == counts


@pytest.mark.parametrize(
    "counts",
    [[0], [1], [15], [16], [31], [32], [5, 0], [1, 2, 3], [9, 1, 9, 17, 9], [3, 999, 3, 1, 3, 2]],
)
def test_text_at_group_borders(counts):
    assert decompress_counts(compress_counts(np.array(counts))).tolist() == counts


@given(label_images)
def test_regions_equal_masks_one_by_one(labels):
    regions = encode_regions(labels)
    assert sorted(regions) == np.unique(labels).tolist()
    for value, region in regions.items():
        mask = labels == value
        assert region.counts.tolist() == encode_mask(mask).tolist()
        assert region.area == mask.sum()
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        x, y, width, height = region.bbox
        assert (x, width) == (columns[0], columns[-1] - columns[0] + 1)
        assert (y, height) == (rows[0], rows[-1] - rows[0] + 1)


@given(masks)
def test_same_bytes_as_pycocotools(mask):
    coco = pytest.importorskip("pycocotools.mask")
    theirs = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert compress_counts(encode_mask(mask)) == theirs["counts"].decode("ascii")
    np.testing.assert_array_equal(decode_mask(theirs["counts"].decode(), *mask.shape), mask)


def test_large_runs_as_pycocotools():
    coco = pytest.importorskip("pycocotools.mask")
    mask = np.zeros((2000, 3000), dtype=bool)
    mask[3:1999, 1:2990] = True
    mask[500:600, 700:900] = False
    theirs = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert compress_counts(encode_mask(mask)) == theirs["counts"].decode("ascii")
    np.testing.assert_array_equal(decode_mask(theirs["counts"].decode(), *mask.shape), mask)


@given(label_images)
def test_boxes_and_areas_of_pycocotools(labels):
    coco = pytest.importorskip("pycocotools.mask")
    for region in encode_regions(labels).values():
        rle = {"size": list(labels.shape), "counts": compress_counts(region.counts).encode()}
        assert int(coco.area(rle)) == region.area
        assert region.bbox[2] * region.bbox[3] >= region.area
        box = tuple(coco.toBbox(rle).astype(int).tolist())
        if labels.shape[0] > 1:
            # pycocotools gives the whole height to a run over the end of a column, we are tight
            assert (box[0], box[2]) == (region.bbox[0], region.bbox[2])
            assert box[3] >= region.bbox[3]


@pytest.mark.parametrize(
    "counts",
    [
        [3, 4],
        [6, 6],
        [7, -1],
        [],
        [[3], [3]],
        [[1], [2, 3]],
        [2.0, 4.0],
        [2**63, 2**63, 6],
        [2**62, 2**62, 2**62, 2**62, 6],
        [2**80],
        None,
        7,
        "",
        "P",
        "6 ",
        "6é",
        "\ud800",
        "PPPPPPPPP0",
        "pp",
    ],
)
def test_wrong_runs_are_refused(counts):
    with pytest.raises(InputError, match="RLE counts"):
        decode_mask(counts, 2, 3)


@given(st.text(max_size=12))
def test_any_text_decodes_or_is_refused(text):
    try:
        mask = decode_mask(text, 3, 4)
    except InputError:
        return
    assert mask.shape == (3, 4)
