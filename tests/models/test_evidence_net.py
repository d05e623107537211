import pytest
import torch
from torch.nn import functional as F

from saccade.models.evidence import EvidenceNet, ImageGuide, _likeness, _match
from saccade.models.weights import load_bundle

MAPS = 5


@pytest.fixture
def nets() -> tuple[ImageGuide, EvidenceNet]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return ImageGuide(MAPS).eval(), EvidenceNet().eval()


def _random(*size, seed=0):
    return torch.randn(size, generator=torch.Generator().manual_seed(seed))


def _evidence(rows, *size, seed=1):
    """Maps with a few strokes of each row where its last but one is 1."""
    maps = _random(rows, 12, *size, seed=seed)
    maps[:, -2] = 0
    for row in range(rows):
        maps[row, -2, row % size[0], :] = 1
    return maps


def _owner(*counts):
    return torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))


@torch.no_grad()
def _scores(nets, evidence, owner, maps):
    guide, net = nets
    return net(evidence, owner, guide(maps))


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (1, 9), (7, 5), (16, 24), (33, 47)])
@pytest.mark.parametrize("counts", [(1,), (2,), (3, 2)])
def test_every_row_gets_scores_of_its_size(nets, size, counts):
    owner = _owner(*counts)
    maps = _random(len(counts), MAPS, *size)
    scores = _scores(nets, _evidence(len(owner), *size), owner, maps)
    assert scores.shape == (len(owner), *size)
    assert scores.isfinite().all()


def test_the_order_of_classes_does_not_matter(nets):
    evidence, maps = _evidence(4, 12, 10), _random(1, MAPS, 12, 10)
    order = torch.tensor([2, 0, 3, 1])
    found = _scores(nets, evidence[order], _owner(4), maps)
    expected = _scores(nets, evidence, _owner(4), maps)[order]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_a_batch_is_each_image_alone(nets):
    owner = _owner(3, 1, 2)
    evidence, maps = _evidence(6, 9, 11), _random(3, MAPS, 9, 11)
    together = _scores(nets, evidence, owner, maps)
    for i in range(3):
        mine = owner == i
        alone = _scores(nets, evidence[mine], _owner(int(mine.sum())), maps[i : i + 1])
        torch.testing.assert_close(together[mine], alone, rtol=1e-4, atol=1e-5)


def test_log_odds_speak_for_their_class(nets):
    # The gate is positive, so more evidence for a class at a pixel never lowers its score there.
    with torch.no_grad():
        nets[1].enter.conv.weight[:, 0].zero_()  # the odds reach the answer through the gate alone
    evidence, maps = _evidence(2, 8, 8), _random(1, MAPS, 8, 8)
    more = evidence.clone()
    more[0, 0] += 1
    change = _scores(nets, more, _owner(2), maps) - _scores(nets, evidence, _owner(2), maps)
    assert change[0].min() > 0
    assert change[1].abs().max() < 1e-5


def test_classes_of_one_image_know_each_other_and_those_of_others_do_not(nets):
    evidence, maps = _evidence(4, 16, 16), _random(2, MAPS, 16, 16)
    other = evidence.clone()
    other[0, 1:8] += 3
    change = _scores(nets, other, _owner(2, 2), maps) - _scores(nets, evidence, _owner(2, 2), maps)
    assert change[1].abs().max() > 1e-4
    assert change[2:].abs().max() < 1e-5


def test_matching_finds_what_looks_like_the_stroke():
    embedding = torch.zeros(1, 4, 8, 16)
    embedding[:, 0, :, :8], embedding[:, 1, :, 8:] = 1, 1
    seeds = torch.zeros(2, 8, 16, dtype=torch.bool)
    seeds[0, 4, 2:5], seeds[1, 4, 11:14] = True, True
    own, lead = _match(embedding, seeds, _owner(2), torch.tensor(10.0)).unbind(1)
    torch.testing.assert_close(own[0], embedding[0, 0])
    torch.testing.assert_close(lead[0], embedding[0, 0] - embedding[0, 1])
    torch.testing.assert_close(lead[0], -lead[1])


def test_embeddings_have_length_one(nets):
    embedding = nets[0](_random(2, MAPS, 16, 32)).embedding
    torch.testing.assert_close(embedding.norm(dim=1), torch.ones(2, 8, 16))


def test_a_long_stroke_matches_like_all_of_its_places_up_to_sampling(nets):
    features = F.normalize(_random(16, 400), dim=0)
    all_places = torch.arange(48)
    reference = ((10 * features[:, :48].T @ features).exp().mean(0)).log() / 10
    found = _likeness(features, all_places, torch.tensor(10.0))
    torch.testing.assert_close(found, reference, rtol=1e-4, atol=1e-5)
    assert _likeness(features, all_places[:0], torch.tensor(10.0)).eq(-1).all()


def test_guides_shrink_by_halves():
    guides = ImageGuide(MAPS).eval()(_random(2, MAPS, 19, 30))
    sizes = [tuple(g.shape[2:]) for g in guides.add]
    assert sizes == [(19, 30), (10, 15), (5, 8), (3, 4)]


def test_normalised_layers_are_for_training_only():
    bundle = load_bundle()
    judge = bundle.judges[0]
    names = [*judge.guide.state_dict(), *judge.evidence.state_dict()]
    assert names
    assert not any("norm" in name or "running" in name for name in names)
    assert any(isinstance(m, torch.nn.BatchNorm2d) for m in EvidenceNet(norm=True).modules())
