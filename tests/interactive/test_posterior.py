import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from saccade.interactive.evidence import CHANNELS, REGIONS
from saccade.interactive.posterior import (
    Belief,
    draw,
    enlarge,
    gather_evidence,
    sharpen,
    sharpen_fine,
    tempered,
    weigh_evidence,
)
from saccade.interactive.presets import PottsSettings
from saccade.interactive.scene import brightness, describe
from saccade.models.scribble_net import BRANCHES, ScribbleNet
from saccade.refine.guided import guided_strips
from saccade.refine.potts import edge_weights, potts

CPU = torch.device("cpu")
NONE = torch.zeros(3, dtype=torch.bool)


def _generator(seed=0):
    return torch.Generator().manual_seed(seed)


def _net(branch="gdc"):
    net = ScribbleNet(6, 3, channels=8, hidden=8, branch=branch, generator=_generator())
    with torch.no_grad():
        net.out.weight.mul_(4)  # opinions, not shrugs
    return net


MAPS = torch.randn(1, 9, 10, 12, generator=_generator(5))  # three maps more than the net reads


def _draw(net, *, draws=4, average="softmax", absent=NONE, step=lambda _: True, seed=1):
    return draw(
        net,
        MAPS,
        draws=draws,
        average=average,
        absent=absent,
        generator=_generator(seed),
        step=step,
    )


@torch.no_grad()
def _scores(net, draws, seed=1):
    generator = _generator(seed)
    return torch.cat([net(MAPS[:, :6], generator=generator) for _ in range(draws)])


@pytest.mark.parametrize("average", ["softmax", "logits", "vote"])
def test_draws_are_averaged_as_told(average):
    net = _net()
    scores = _scores(net, 4)
    expected = {
        "softmax": scores.softmax(1).mean(0),
        "logits": scores.mean(0).softmax(0),
        "vote": F.one_hot(scores.argmax(1), 3).movedim(3, 1).float().mean(0),
    }[average]
    torch.testing.assert_close(_draw(net, average=average).mean, expected, rtol=1e-4, atol=1e-5)


def test_the_spread_is_the_standard_deviation_over_draws():
    net = _net()
    expected = _scores(net, 4).softmax(1).std(0, correction=0).mean(0)
    torch.testing.assert_close(_draw(net).spread, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_branch_without_chance_is_run_once(branch):
    told = []
    belief = _draw(_net(branch), step=lambda f: told.append(f) or True)
    random = branch in ("gdc", "uniform")
    assert told == ([0.25, 0.5, 0.75, 1.0] if random else [1.0])
    assert (belief.spread.max() > 0.01) == random


@pytest.mark.parametrize("average", ["softmax", "logits", "vote"])
def test_absent_classes_get_nothing(average):
    mean = _draw(_net(), average=average, absent=torch.tensor([False, True, False])).mean
    assert mean[1].max() == 0
    torch.testing.assert_close(mean.sum(0), torch.ones(10, 12))


def test_a_stop_keeps_the_draws_so_far():
    net = _net()
    belief = _draw(net, draws=4, step=lambda fraction: fraction < 0.5)
    torch.testing.assert_close(belief.mean, _draw(net, draws=2).mean)


def test_sharpening_keeps_strokes_and_repairs_what_noise_did(scene, picture):
    truth = torch.from_numpy(picture.truth).long()
    noise = torch.rand(truth.shape, generator=_generator()) < 0.2
    said = torch.where(noise, 1 - truth, truth)
    mean = F.one_hot(said, 2).movedim(2, 0) * 0.6 + 0.2
    marks = torch.full_like(truth, 2)
    marks[2, 2], marks[22, 36] = 1, 0  # strokes against all evidence
    found = sharpen(scene, mean, marks, PottsSettings(strength=3.0)).argmax(0)
    assert found[2, 2] == 1
    assert found[22, 36] == 0
    assert (found != truth).float().mean() < 0.02


def test_a_border_costs_less_the_more_classes_there_are(scene):
    marks = torch.full(scene.half, 4)
    mean = torch.rand((4, *scene.half), generator=_generator()).softmax(0)
    weights = edge_weights(scene.maps[0, 40:], 1.0)
    found = sharpen(scene, mean, marks, PottsSettings(strength=3.0, iterations=20))
    expected = potts(-mean.log(), weights, strength=1.5, iterations=20)
    torch.testing.assert_close(found, expected)
    # However many more have a name.
    named = torch.cat([mean, torch.zeros(20, *scene.half)])
    more = sharpen(scene, named, marks + 20, PottsSettings(strength=3.0, iterations=20))
    torch.testing.assert_close(more[:4], expected)
    assert more[4:].eq(0).all()


def test_fine_sharpening_follows_edges_that_half_size_cannot_show():
    truth = torch.zeros(80, 96, dtype=torch.long)
    truth[:, 41:] = 1  # odd: the border lies within a half-size pixel
    rgb = np.where(truth.numpy()[..., None], [60, 90, 220], [150, 100, 50]).astype(np.uint8)
    scene = describe(rgb, device=CPU)
    assert scene.work == (80, 96)
    half = torch.full((2, *scene.half), 0.3)
    half[0, :, :21], half[1, :, 21:] = 0.7, 0.7
    marks = torch.full(scene.work, 2)
    marks[10, 70] = 0  # against all evidence
    settings = PottsSettings(fine_iterations=60)
    found = sharpen_fine(scene, half, marks, settings)
    assert found.shape == (2, 80, 96)
    torch.testing.assert_close(found.sum(0), torch.ones(80, 96), atol=1e-4, rtol=0)
    assert found[:, 10, 70].argmax() == 0
    wrong = found.argmax(0) != truth
    wrong[8:13, 68:73] = False
    assert not wrong.any()
    probabilities, _ = enlarge(scene, found, torch.zeros(1, *scene.half))
    np.testing.assert_allclose(probabilities, found.numpy(), atol=1e-4)  # nothing to enlarge


@pytest.mark.parametrize("size", [(1, 2), (5, 3), (48, 66), (90, 301)])
def test_enlarged_probabilities_are_distributions_and_doubt_is_in_range(size):
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    scene = describe(rgb, features="bundled", max_pixels=3000, seed=0, device=CPU)
    mean = torch.softmax(3 * torch.randn(4, *scene.half, generator=_generator()), 0)
    doubt = torch.rand(1, *scene.half, generator=_generator(1))
    probabilities, uncertainty = enlarge(scene, mean, doubt)
    assert probabilities.shape == (4, *size)
    assert uncertainty.shape == size
    assert probabilities.dtype == uncertainty.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(0), 1, atol=1e-5)
    assert probabilities.min() >= 0
    assert uncertainty.min() >= 0
    assert uncertainty.max() <= 1


def test_brightness_is_luma():
    rgb = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    assert brightness(rgb).tolist() == [[76, 150, 29, 255]]


@pytest.mark.parametrize("radius", [1, 4])
def test_enlarging_follows_windows_of_the_radius(scene, radius):
    rgb = np.kron(scene.rgb, np.ones((3, 3, 1), np.uint8))
    large = replace(scene, rgb=rgb)
    second = torch.rand(scene.half, generator=_generator())
    mean = torch.stack([1 - second, second])
    found, _ = enlarge(large, mean, torch.zeros(1, *scene.half), radius=radius)
    full = brightness(rgb)
    guide = F.interpolate(full[None, None].float() / 255, scene.half, mode="area")[0]
    strips = guided_strips(mean[1:], guide, full, radius=radius)
    expected = torch.cat([strip for _, strip in strips], 1)[0]
    np.testing.assert_allclose(found[1], expected.numpy(), atol=1e-6)


def _evidence(classes, drawn):
    """Evidence of a small scene with one stroke pixel in each class of ``drawn``."""
    image = np.random.default_rng(0).integers(0, 256, (40, 56, 3), dtype=np.uint8)
    scene = describe(image)
    marks = torch.full(scene.half, classes)
    for place, k in enumerate(drawn):
        marks[3 + 4 * place, 5 + 6 * place] = k
    mean = torch.softmax(torch.randn(classes, *scene.half, generator=_generator(2)), 0)
    belief = Belief(mean, torch.rand(scene.half, generator=_generator(3)))
    maps, present = gather_evidence(scene, belief, marks, marks, generator=_generator())
    return scene, maps, present, marks


def test_evidence_is_of_the_classes_that_somebody_drew():
    _, maps, present, marks = _evidence(4, (0, 3))
    assert present.tolist() == [0, 3]
    assert maps.shape == (2, CHANNELS, *marks.shape)
    assert torch.equal(maps[1, -2] > 0, marks == 3)
    regions = maps[:, REGIONS]
    torch.testing.assert_close(regions.sum(0), torch.ones_like(regions[0]))
    assert (regions[1, :, 7, 11] > 0.4).all()  # its own stroke


@pytest.mark.parametrize(("classes", "drawn"), [(2, (0, 1)), (5, (0, 2, 4))])
@torch.no_grad()
def test_the_regions_by_colour_have_a_say_that_falls_with_the_classes(classes, drawn):
    scene, maps, present, _ = _evidence(classes, drawn)
    found = weigh_evidence(scene, maps, present, classes)
    owner = torch.zeros_like(present)
    answer = scene.bundle.judges[0].evidence(maps, owner, scene.guides()).softmax(0)
    expected = answer * (maps[:, REGIONS].mean(1) + 0.05) ** (1 / len(drawn))
    torch.testing.assert_close(found[present], expected / expected.sum(0))
    absent = [k for k in range(classes) if k not in drawn]
    assert found[absent].eq(0).all()


@torch.no_grad()
def test_several_judges_are_their_mean():
    scene, maps, present, _ = _evidence(2, (0, 1))
    other = copy.deepcopy(scene.bundle.judges[0])
    other.evidence.leave.weight.mul_(-1)
    bundle = replace(scene.bundle, judges=(scene.bundle.judges[0], other))
    scene = replace(scene, bundle=bundle)
    owner = torch.zeros_like(present)
    scores = [j.evidence(maps, owner, scene.guides(i)) for i, j in enumerate(bundle.judges)]
    regions = (maps[:, REGIONS].mean(1) + 0.05).log() / 2
    expected = ((scores[0] + scores[1]) / 2 + regions).softmax(0)
    found = weigh_evidence(scene, maps, present, 2, judges=2)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(found, weigh_evidence(scene, maps, present, 2, judges=9))
    assert not torch.allclose(found, weigh_evidence(scene, maps, present, 2))


@pytest.mark.parametrize("classes", [1, 2, 5])
def test_a_temperature_moves_doubt_and_no_winner(classes):
    p = torch.rand(classes, 6, 7, generator=torch.Generator().manual_seed(0))
    p[-1, 0] = 0  # a class that is not there
    p[0, 0] += 0.1
    p = p / p.sum(0)
    assert torch.equal(tempered(p, 1.0), p)
    softer = tempered(p, 2.0)
    torch.testing.assert_close(softer, p.sqrt() / p.sqrt().sum(0))
    torch.testing.assert_close(tempered(p, 1.5), (p.double().log() / 1.5).softmax(0).float())
    assert torch.equal(softer.argmax(0), p.argmax(0))
    assert (softer.amax(0) <= p.amax(0) + 1e-6).all()
