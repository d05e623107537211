from dataclasses import replace

import numpy as np
import pytest
import torch

from saccade.interactive.object_scores import object_scores
from saccade.interactive.objects import (
    Box,
    alike,
    closer_box,
    crop,
    log_odds_seen,
    look,
    put,
    thing_of_two,
    view_size,
)
from saccade.interactive.prepared import prepare_image
from saccade.models.object_net import ObjectNet
from saccade.models.weights import load_bundle


@pytest.fixture(scope="module")
def image():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    bundle = replace(load_bundle(members=1), objects=ObjectNet().eval().requires_grad_(False))
    return prepare_image(rng.integers(0, 255, (120, 180, 3), dtype=np.uint8), bundle=bundle)


@pytest.mark.parametrize("size", [(375, 500), (20, 20), (1, 500), (4000, 6000), (500, 33)])
def test_views_have_sides_of_16_and_about_as_many_pixels(size):
    height, width = view_size(*size)
    assert height % 16 == width % 16 == 0
    assert 0.7 < height * width / (384 * 288) < 2.5


def test_weights_without_an_object_network_say_nothing(image):
    plain = replace(image, bundle=replace(image.bundle, objects=None))
    own = torch.zeros(2, *plain.half_size, dtype=torch.bool)
    assert plain.object_view is None
    assert object_scores(plain, own) is None


def _strokes(image, classes):
    own = torch.zeros(classes, *image.half_size, dtype=torch.bool)
    for k in range(classes):
        own[k, 3 * k + 5, 10:20] = True
    return own


@pytest.mark.parametrize("corrected", [False, True])
def test_two_classes_are_answered_at_half_size(image, corrected):
    own = _strokes(image, 2)
    last = torch.full((2, *image.half_size), 1 / 2) if corrected else None
    scores = object_scores(image, own, last)
    assert scores.shape == own.shape
    assert torch.isfinite(scores).all()
    torch.testing.assert_close(scores[0], -scores[1])


@pytest.mark.parametrize("classes", [1, 3, 11])
def test_it_is_asked_about_two_classes_alone(image, classes):
    assert object_scores(image, _strokes(image, classes)) is None


def test_the_surer_of_two_is_the_thing():
    sure, unsure = torch.full((4, 4), 5.0), torch.full((4, 4), 0.5)
    assert thing_of_two(torch.stack([sure, unsure])) == 0
    assert thing_of_two(torch.stack([unsure, sure])) == 1
    assert thing_of_two(torch.stack([sure, sure])) == 1  # 0 is the ground to most people


def _scores(top, left, bottom, right):
    scores = torch.full((60, 80), -4.0)
    scores[top:bottom, left:right] = 4.0
    return scores


def test_a_small_thing_is_looked_at_once_the_mask_has_settled():
    scores, none = _scores(20, 30, 30, 50), torch.zeros(60, 80, dtype=torch.bool)
    assert closer_box(scores, none, torch.sigmoid(scores), (600, 800)) == Box(180, 260, 320, 540)
    moved = torch.sigmoid(_scores(20, 40, 30, 60))
    assert closer_box(scores, none, moved, (600, 800)) is None
    large = _scores(0, 0, 55, 75)
    assert closer_box(large, none, torch.sigmoid(large), (600, 800)) is None
    nothing = _scores(0, 0, 0, 0)
    assert closer_box(nothing, none, torch.sigmoid(nothing), (600, 800)) is None


def test_the_box_holds_the_strokes():
    scores, strokes = _scores(20, 30, 30, 50), torch.zeros(60, 80, dtype=torch.bool)
    strokes[50, 60] = True
    box = closer_box(scores, strokes, torch.sigmoid(scores), (60, 80))
    assert box.top <= 50 < box.bottom
    assert box.left <= 60 < box.right


def test_much_the_same_box_is_not_looked_at_again(image):
    view = image.closer_view(Box(10, 10, 60, 90))
    assert image.closer_view(Box(11, 10, 60, 90)) is view
    assert image.closer_view(Box(40, 10, 110, 90)) is not view
    assert not alike(Box(0, 0, 10, 10), Box(20, 20, 30, 30))


def test_a_part_is_cut_out_and_put_back():
    maps = torch.arange(60 * 80, dtype=torch.float32).view(1, 60, 80)
    box = Box(200, 100, 400, 500)
    part, where = crop(maps, box, (600, 800))
    assert part.shape == (1, 20, 40)
    back = put(torch.zeros(1, 60, 80), part, where)
    torch.testing.assert_close(back[0, 25:35, 20:40], maps[0, 25:35, 20:40])
    assert back[0, :20].eq(0).all()
    assert back[0, 20, 10] < maps[0, 20, 10]  # it passes into what was there


def test_at_the_border_of_the_image_nothing_fades():
    part, where = crop(torch.ones(1, 60, 80), Box(0, 0, 600, 800), (600, 800))
    assert put(torch.zeros(1, 60, 80), part, where).eq(1).all()


def test_the_last_mask_is_read(image):
    net = image.bundle.objects
    view = look(net, image.rgb, Box(0, 0, 120, 180), image.device)
    own = torch.zeros(2, 60, 90, dtype=torch.bool)
    own[1, 30, 40:50] = True
    one, other = (torch.full((2, 60, 90), p) for p in (0.1, 0.9))
    assert (log_odds_seen(net, view, own, one) - log_odds_seen(net, view, own, other)).abs().max()
