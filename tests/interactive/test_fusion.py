import copy
import math

import pytest
import torch

from saccade.interactive.fusion import fuse_cues
from saccade.models.fusion_net import CUE, CUES
from saccade.models.weights import load_bundle

SIZE = (20, 28)


@pytest.fixture(scope="module")
def member():
    return load_bundle(members=1).ensemble[0]


@pytest.fixture(scope="module")
def encoding(member):
    with torch.no_grad():
        return member.encoder(torch.randn(1, 43, *SIZE, generator=_generator()))


def _generator(seed=0):
    return torch.Generator().manual_seed(seed)


def _cues(stroked):
    """Random cues of so many classes, a stroke pixel of each."""
    cues = torch.randn(stroked, len(CUES), *SIZE, generator=_generator(1))
    cues[:, CUE["strokes"]] = 0
    for row in range(stroked):
        cues[row, CUE["strokes"], 3 + 4 * row, 5 + 6 * row] = 1
    return cues


@pytest.mark.parametrize(("classes", "stroked"), [(2, (0, 1)), (5, (0, 2, 4))])
@torch.no_grad()
def test_classes_that_nobody_drew_have_no_share(member, encoding, classes, stroked):
    cues, stroked = _cues(len(stroked)), torch.tensor(stroked)
    found = fuse_cues(cues, stroked, classes, [member], [encoding])
    answer = member.fusion(cues, torch.zeros_like(stroked), encoding).softmax(0)
    torch.testing.assert_close(found[stroked], answer)
    absent = [k for k in range(classes) if k not in stroked]
    assert found[absent].eq(0).all()


@pytest.mark.parametrize("name", ["network", "object"])
@torch.no_grad()
def test_log_odds_that_go_straight_through_raise_their_class(member, encoding, name):
    fusion = copy.deepcopy(member.fusion)
    for weights in (fusion.enter.conv.weight, fusion.leave.weight, fusion.leave.bias):
        weights.zero_()
    cues, image_index = torch.zeros(2, len(CUES), *SIZE), torch.tensor([0, 0])
    cues[1, CUE[name]] = 3.0
    scores = fusion(cues, image_index, encoding)
    torch.testing.assert_close(scores[1] - scores[0], torch.full(SIZE, 3 * math.log(2)))


@torch.no_grad()
def test_an_ensemble_is_the_mean_of_its_scores(member, encoding):
    cues, stroked = _cues(2), torch.tensor([0, 1])
    other = copy.deepcopy(member)
    other.fusion.leave.weight.mul_(-1)
    image_index = torch.zeros_like(stroked)
    scores = [m.fusion(cues, image_index, encoding) for m in (member, other)]
    expected = ((scores[0] + scores[1]) / 2).softmax(0)
    found = fuse_cues(cues, stroked, 2, [member, other], [encoding, encoding])
    torch.testing.assert_close(found, expected)
    assert not torch.allclose(found, fuse_cues(cues, stroked, 2, [member], [encoding]))
