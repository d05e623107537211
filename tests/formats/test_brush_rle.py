import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from saccade.errors import InputError
from saccade.formats.brush_rle import decode_brush, encode_brush

# pycocotools knows nothing of NumPy 2's copy keyword.
pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
MASKS = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12))


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
