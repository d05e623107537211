import base64
import io

import numpy as np
import pytest
from PIL import Image

from saccade.data.labelme import decode_mask_shape, decode_png, encode_png
from saccade.errors import InputError

MASK = np.eye(3, 5, dtype=bool)


def colored(mask):
    """The mask as a canvas of a browser writes it: white on black, opaque."""
    picture = np.zeros((*mask.shape, 4), np.uint8)
    picture[mask], picture[..., 3] = 255, 255
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def test_a_mask_survives_its_png():
    np.testing.assert_array_equal(decode_png(encode_png(MASK), MASK.shape), MASK)


def test_masks_with_colors_are_taken_where_they_are_asked_for():
    np.testing.assert_array_equal(decode_png(colored(MASK), colors=True), MASK)
    np.testing.assert_array_equal(decode_png(encode_png(MASK), colors=True), MASK)
    with pytest.raises(InputError, match="has colours"):
        decode_png(colored(MASK))


def test_a_mask_shape_has_the_place_and_the_size_of_its_box():
    shape = {"label": "a", "points": [[2.0, 1.0], [6.0, 3.0]], "mask": encode_png(MASK)}
    y, x, mask = decode_mask_shape(shape, (4, 7))
    assert (y, x) == (1, 2)
    np.testing.assert_array_equal(mask, MASK)
    with pytest.raises(InputError, match=r"shape 'a' cannot be read .*outside the image"):
        decode_mask_shape(shape, (4, 6))
    shape["points"] = [[2.0, 1.0], [5.0, 3.0]]
    with pytest.raises(InputError, match="5 x 3 pixels, expected 4 x 3"):
        decode_mask_shape(shape, (4, 7))
