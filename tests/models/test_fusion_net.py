import pytest
import torch
from torch.nn import functional as F

from saccade.models.fusion_net import (
    CUE,
    CUES,
    FusionNet,
    ImageEncoder,
    _similarity,
)
from saccade.models.similarity import hard_and_soft_maximum
from saccade.models.weights import load_bundle

INPUTS = 5


@pytest.fixture
def nets() -> tuple[ImageEncoder, FusionNet]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return ImageEncoder(INPUTS).eval(), FusionNet().eval()


def _random(*size, seed=0):
    return torch.randn(size, generator=torch.Generator().manual_seed(seed))


def _cues(rows, *size, seed=1):
    """Maps with a few strokes of each row."""
    maps = _random(rows, len(CUES), *size, seed=seed)
    maps[:, CUE["strokes"]] = 0
    for row in range(rows):
        maps[row, CUE["strokes"], row % size[0], :] = 1
    return maps


def _indices(*counts):
    return torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))


@torch.no_grad()
def _scores(nets, cues, image_index, maps):
    encoder, net = nets
    return net(cues, image_index, encoder(maps))


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (1, 9), (7, 5), (16, 24), (33, 47)])
@pytest.mark.parametrize("counts", [(1,), (2,), (3, 2)])
def test_every_row_gets_scores_of_its_size(nets, size, counts):
    image_index = _indices(*counts)
    maps = _random(len(counts), INPUTS, *size)
    scores = _scores(nets, _cues(len(image_index), *size), image_index, maps)
    assert scores.shape == (len(image_index), *size)
    assert scores.isfinite().all()


def test_the_order_of_classes_does_not_matter(nets):
    cues, maps = _cues(4, 12, 10), _random(1, INPUTS, 12, 10)
    order = torch.tensor([2, 0, 3, 1])
    found = _scores(nets, cues[order], _indices(4), maps)
    expected = _scores(nets, cues, _indices(4), maps)[order]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_a_batch_is_each_image_alone(nets):
    image_index = _indices(3, 1, 2)
    cues, maps = _cues(6, 9, 11), _random(3, INPUTS, 9, 11)
    together = _scores(nets, cues, image_index, maps)
    for i in range(3):
        mine = image_index == i
        alone = _scores(nets, cues[mine], _indices(int(mine.sum())), maps[i : i + 1])
        torch.testing.assert_close(together[mine], alone, rtol=1e-4, atol=1e-5)


def test_more_log_odds_raise_the_score_of_their_class(nets):
    # The gate is positive, so more cues for a class at a pixel never lowers its score there.
    with torch.no_grad():
        nets[1].enter.conv.weight[:, 0].zero_()  # the odds reach the answer through the gate alone
    cues, maps = _cues(2, 8, 8), _random(1, INPUTS, 8, 8)
    more = cues.clone()
    more[0, 0] += 1
    change = _scores(nets, more, _indices(2), maps) - _scores(nets, cues, _indices(2), maps)
    assert change[0].min() > 0
    assert change[1].abs().max() < 1e-5


def test_scores_depend_on_the_classes_of_the_same_image_only(nets):
    cues, maps = _cues(4, 16, 16), _random(2, INPUTS, 16, 16)
    other = cues.clone()
    other[0, 1:8] += 3
    change = _scores(nets, other, _indices(2, 2), maps) - _scores(nets, cues, _indices(2, 2), maps)
    assert change[1].abs().max() > 1e-4
    assert change[2:].abs().max() < 1e-5


def test_matching_finds_what_looks_like_the_stroke():
    embedding = torch.zeros(1, 4, 8, 16)
    embedding[:, 0, :, :8], embedding[:, 1, :, 8:] = 1, 1
    seeds = torch.zeros(2, 8, 16, dtype=torch.bool)
    seeds[0, 4, 2:5], seeds[1, 4, 11:14] = True, True
    own, lead = _similarity(embedding, seeds, _indices(2), torch.tensor(10.0), [None, None]).unbind(
        1
    )
    torch.testing.assert_close(own[0], embedding[0, 0])
    torch.testing.assert_close(lead[0], embedding[0, 0] - embedding[0, 1])
    torch.testing.assert_close(lead[0], -lead[1])


def test_embeddings_have_length_one(nets):
    embedding = nets[0](_random(2, INPUTS, 16, 32)).embedding
    torch.testing.assert_close(embedding.norm(dim=1), torch.ones(2, 8, 16))


def test_a_long_stroke_matches_like_all_of_its_places_up_to_sampling(nets):
    features = F.normalize(_random(16, 400), dim=0)
    all_places = torch.arange(48)
    reference = ((10 * features[:, :48].T @ features).exp().mean(0)).log() / 10
    found = hard_and_soft_maximum(features, all_places, torch.tensor(10.0))[1]
    torch.testing.assert_close(found, reference, rtol=1e-4, atol=1e-5)
    nothing = hard_and_soft_maximum(features, all_places[:0], torch.tensor(10.0))
    assert all(one.eq(-1).all() for one in nothing)


def test_encodings_shrink_by_halves():
    encoding = ImageEncoder(INPUTS).eval()(_random(2, INPUTS, 19, 30))
    sizes = [tuple(g.shape[2:]) for g in encoding.add]
    assert sizes == [(19, 30), (10, 15), (5, 8), (3, 4)]


def test_normalized_layers_are_for_training_only():
    bundle = load_bundle()
    member = bundle.ensemble[0]
    names = [*member.encoder.state_dict(), *member.fusion.state_dict()]
    assert names
    assert not any("norm" in name or "running" in name for name in names)
    assert any(isinstance(m, torch.nn.BatchNorm2d) for m in FusionNet(norm=True).modules())
