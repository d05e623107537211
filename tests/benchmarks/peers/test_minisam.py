"""The inputs of the networks; the networks themselves do not ship."""

import numpy as np
import pytest

from benchmarks.peers.minisam import DEVIATION, MEAN, MiniSam, decoder_inputs, encoder_input


@pytest.mark.parametrize("size", [(40, 80), (80, 40)])
def test_the_longer_side_is_scaled_and_the_rest_is_zero(size):
    image = np.full((*size, 3), (10, 100, 200), np.uint8)
    found = encoder_input(image)
    assert found.shape == (1, 3, 1024, 1024)
    assert found.dtype == np.float32
    inside = found[0, :, :512, :] if size[0] < size[1] else found[0, :, :, :512]
    outside = found[0, :, 512:, :] if size[0] < size[1] else found[0, :, :, 512:]
    expected = (np.array([10, 100, 200]) - MEAN) / DEVIATION
    np.testing.assert_allclose(inside, np.broadcast_to(expected[:, None, None], inside.shape), 1e-5)
    assert not outside.any()


def test_points_are_scaled_and_padded():
    found = decoder_inputs((256, 512), [(10, 20, True), (30, 40, False)], None)
    assert found["point_coords"].tolist() == [[[40, 20], [80, 60], [0, 0]]]  # x, y
    assert found["point_labels"].tolist() == [[1, 0, -1]]
    assert found["orig_im_size"].tolist() == [256, 512]
    assert found["has_mask_input"].tolist() == [0]
    assert not found["mask_input"].any()
    logits = np.ones((1, 1, 256, 256), np.float32)
    again = decoder_inputs((256, 512), [(10, 20, True)], logits)
    assert again["has_mask_input"].tolist() == [1]
    assert again["mask_input"].all()


def test_the_mask_is_where_the_output_is_positive():
    class Network:
        def run(self, names, inputs):
            assert names == ["masks", "iou_predictions", "low_res_masks"]
            masks = np.array([[[[-1.0, 0.0, 2.0]]]], np.float32)
            return masks, None, inputs["mask_input"] + 1

    sam = MiniSam.__new__(MiniSam)
    sam.decoder = Network()
    mask, logits = sam.decode(np.zeros(1, np.float32), (1, 3), [(0, 2, True)])
    assert mask.tolist() == [[False, False, True]]
    assert (logits == 1).all()
