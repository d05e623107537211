import pytest
import torch

from saccade.errors import InputError
from saccade.models.scribble_net import BRANCHES, RANDOM_BRANCHES, ScribbleNet
from tests.models.scribble_net.helpers import generator

SIZES = [(1, 1), (1, 7), (7, 1), (5, 9)]


def _net(branch="gdc", *, channels=8, classes=3, seed=0, **options):
    return ScribbleNet(
        5,
        classes,
        channels=channels,
        hidden=6,
        branch=branch,
        generator=generator(seed),
        **options,
    )


def _features(size, batch=1, seed=1):
    return torch.randn(batch, 5, *size, generator=generator(seed))


def _bend(net):
    """Move the zero-initialised offset predictor, so that it has something to say."""
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if "predictor" in name:
                parameter.normal_(0, 0.3, generator=generator(7))
    return net


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("norm", ["none", "batch", "group"])
@pytest.mark.parametrize("branch", BRANCHES)
def test_every_branch_and_norm_gives_finite_scores_of_every_size(branch, norm, size):
    net = _net(branch, norm=norm)
    scores = net(_features(size), generator=generator())
    assert scores.shape == (1, 3, *size)
    assert scores.isfinite().all()


@pytest.mark.parametrize("branch", RANDOM_BRANCHES)
def test_without_a_generator_each_call_draws_anew(branch):
    net, features = _net(branch), _features((12, 16))
    assert not torch.equal(net(features), net(features))


@pytest.mark.parametrize("norm", ["none", "batch", "group"])
@pytest.mark.parametrize("branch", BRANCHES)
def test_a_batch_is_each_image_alone(branch, norm):
    net, features = _bend(_net(branch, norm=norm)), _features((5, 6), batch=3)
    together = net(features, generator=generator())
    for image, scores in zip(features, together, strict=True):
        alone = net(image[None], generator=generator())
        torch.testing.assert_close(scores[None], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("branch", BRANCHES)
def test_the_seed_fixes_the_start_and_nothing_global_is_touched(branch):
    state = torch.get_rng_state()
    first, same, other = _net(branch, seed=1), _net(branch, seed=1), _net(branch, seed=2)
    assert torch.equal(torch.get_rng_state(), state)
    for name, value in first.state_dict().items():
        assert torch.equal(value, same.state_dict()[name]), name
    assert not torch.equal(first.fuse.weight, other.fuse.weight)
    assert not torch.equal(first.dynamic.weight, other.dynamic.weight)


def test_widths_that_no_four_groups_divide_have_a_group_norm_too():
    assert _net(channels=6, norm="group")(_features((4, 4))).isfinite().all()


def test_a_deformable_branch_starts_as_a_normal_one_away_from_the_border():
    deformable, normal = _net("deformable"), _net("normal")
    normal.load_state_dict(deformable.state_dict(), strict=False)
    features = _features((9, 9))
    inside = (..., slice(2, -2), slice(2, -2))
    torch.testing.assert_close(deformable(features)[inside], normal(features)[inside])


def test_a_dilation_of_one_is_the_normal_branch():
    dilated, normal = _net("dilated", dilation=1), _net("normal")
    features = _features((6, 5))
    torch.testing.assert_close(dilated(features), normal(features))
    assert not torch.allclose(_net("dilated", dilation=3)(features), normal(features))


@pytest.mark.parametrize("options", [{"branch": "round"}, {"norm": "layer"}])
def test_unknown_names_are_refused(options):
    with pytest.raises(InputError, match="use"):
        _net(**options)
