import pytest
import torch
from torch import nn

from saccade.errors import InputError
from saccade.nn import DilatedBlock, MultiDilatedBlocks


def test_the_map_is_the_score_before_averaging():
    torch.manual_seed(0)
    block, features = DilatedBlock(32, width=8, classes=5, dilation=2), torch.rand(1, 32, 6, 7)
    weight = block.classifier.weight[:, :, None, None]
    linear = nn.functional.conv2d(block.conv(features).relu(), weight)
    expected = linear.mean((2, 3)) + block.classifier.bias
    torch.testing.assert_close(block(features), expected)
    torch.testing.assert_close(block.activation_maps(features), linear.relu())


def test_blocks_are_stacked_in_the_order_of_their_dilations():
    torch.manual_seed(0)
    blocks, features = MultiDilatedBlocks(4, 8, 3, (1, 3, 3)), torch.rand(2, 4, 6, 7)
    assert [block.conv.dilation for block in blocks] == [(1, 1), (3, 3), (3, 3)]
    for d, block in enumerate(blocks):
        assert torch.equal(blocks(features)[:, d], block(features))
        assert torch.equal(blocks.signed_maps(features)[:, d], block.signed_maps(features))


@pytest.mark.parametrize("dilations", [(), (1, 0)])
def test_wrong_dilations_are_refused(dilations):
    with pytest.raises(InputError, match="dilations"):
        MultiDilatedBlocks(4, 8, 3, dilations)
