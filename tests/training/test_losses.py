import torch
from torch import nn

from saccade.training.losses import classification_loss


def test_every_block_is_trained_by_itself():
    torch.manual_seed(0)
    scores, present = torch.randn(3, 4, 5), torch.randint(0, 2, (3, 5))
    each = [
        nn.functional.binary_cross_entropy_with_logits(scores[:, d], present.float())
        for d in range(4)
    ]
    torch.testing.assert_close(classification_loss(scores, present), sum(each))
