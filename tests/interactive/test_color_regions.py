import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.measure import label
from skimage.morphology import convex_hull_image

from saccade.interactive.color import fit_colors
from saccade.interactive.color_regions import ROUNDS, color_regions, keep_reached

SIZE = (40, 56)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def odds_of(colors, labels, classes, drawn, **options):
    return fit_colors([(colors, labels)], classes, generator=drawn).log_odds(colors, **options)


def picture(
    classes: int = 2, noise: float = 0.6
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Vertical bands of one color each under heavy noise: colors, strokes, truth."""
    truth = (torch.arange(SIZE[1]) * classes // SIZE[1]).expand(SIZE)
    centres = torch.linspace(-1, 1, classes)
    colors = centres[truth] + noise * torch.randn(3, *SIZE, generator=generator())
    strokes = torch.full(SIZE, classes)
    for k in range(classes):
        middle = int((truth[0] == k).nonzero().float().mean())
        strokes[5:30, middle - 1 : middle + 2] = k
    return colors, strokes, truth


def regions_of(colors, strokes, classes):
    odds = odds_of(colors, strokes, classes, generator())
    return color_regions(colors, colors, strokes, odds, generator=generator(1)), odds


@pytest.mark.parametrize(("classes", "noise"), [(2, 1.3), (3, 0.7)])
def test_regions_find_what_single_pixels_cannot(classes, noise):
    colors, strokes, truth = picture(classes, noise)
    regions, odds = regions_of(colors, strokes, classes)
    assert regions.shape == (ROUNDS, classes, *SIZE)
    by_pixel = (odds.argmax(0) == truth).float().mean()
    for found in regions:
        assert (found.argmax(0) == truth).float().mean() > max(0.95, by_pixel + 0.02)


def test_they_are_distributions_and_keep_strokes():
    colors, strokes, _ = picture()
    strokes[20:30, 50:53] = 0  # amidst the color of the other
    regions, _ = regions_of(colors, strokes, 2)
    torch.testing.assert_close(regions.sum(1), torch.ones(ROUNDS, *SIZE))
    assert regions.min() >= 0
    assert (regions[:, 0, 23:27, 51] > 0.5).all()


def test_the_second_round_learns_colors_without_a_stroke():
    colors, strokes, truth = picture(noise=0.1)
    # A third of the left band has a color of its own, nearer to the right one's.
    colors[:, 30:, :20] = 0.15 + 0.1 * torch.randn(3, 10, 20, generator=generator(2))
    regions, _ = regions_of(colors, strokes, 2)
    first, second = (found.argmax(0) == truth for found in regions)
    assert second.float().mean() >= first.float().mean()


@pytest.mark.parametrize("size", [(1, 2), (3, 1), (7, 9)])
@pytest.mark.parametrize("classes", [1, 2, 4])
def test_any_size_and_number_of_classes(size, classes):
    colors = torch.randn(3, *size, generator=generator())
    strokes = torch.full(size, classes)
    strokes.view(-1)[: min(classes, strokes.numel())] = torch.arange(min(classes, strokes.numel()))
    regions, _ = regions_of(colors, strokes, classes)
    assert regions.shape == (ROUNDS, classes, *size)
    assert regions.isfinite().all()


def test_the_generator_decides_and_nothing_else():
    colors, strokes, _ = picture()
    state = torch.get_rng_state()
    first, _ = regions_of(colors, strokes, 2)
    again, _ = regions_of(colors, strokes, 2)
    assert torch.equal(first, again)
    assert torch.equal(torch.get_rng_state(), state)


def one_hot(labels):
    return torch.nn.functional.one_hot(labels, int(labels.max()) + 1).movedim(2, 0).float()


def strokes_at(regions, *places):
    """A stroke of one pixel for each (class, y, x)."""
    drawn = torch.zeros_like(regions, dtype=torch.bool)
    for k, y, x in places:
        drawn[k, y, x] = True
    return drawn


def test_a_color_that_comes_back_far_away_is_left_to_the_others():
    labels = torch.zeros(SIZE, dtype=torch.long)
    labels[5:20, 5:20] = 1  # the thing
    labels[30:36, 40:50] = 1  # a leaf of its color
    regions = one_hot(labels)
    found = keep_reached(regions, strokes_at(regions, (0, 0, 0), (1, 10, 10)))
    expected = labels.clone()
    expected[30:36, 40:50] = 0
    assert torch.equal(found, one_hot(expected))
    both = strokes_at(regions, (0, 0, 0), (1, 10, 10), (1, 32, 45))
    assert torch.equal(keep_reached(regions, both), regions)


@pytest.mark.parametrize(("stroked", "others"), [(1, 5), (2, 1), (1, 4)])
def test_a_class_of_repeated_objects_keeps_them_all(stroked, others):
    labels = torch.zeros(SIZE, dtype=torch.long)
    places = [(y, x) for x in range(2, 50, 12) for y in (2, 30)][: stroked + others]
    for y, x in places:
        labels[y : y + 6, x : x + 6] = 1
    regions = one_hot(labels)
    strokes = [(1, y + 2, x + 2) for y, x in places[:stroked]]
    found = keep_reached(regions, strokes_at(regions, (0, 20, 2), *strokes))
    kept = stroked > 1 or others >= 5
    assert torch.equal(found, regions) == kept
    assert (found[1, 3, 3] == 1).item()


def test_a_spot_that_a_stroke_crossed_is_no_repeated_object():
    labels = torch.zeros(SIZE, dtype=torch.long)
    labels[5:20, 5:20] = 1
    labels[25, 25] = 1  # one pixel under the stroke's end
    labels[30:36, 40:50] = 1
    regions = one_hot(labels)
    found = keep_reached(regions, strokes_at(regions, (0, 0, 0), (1, 10, 10), (1, 25, 25)))
    assert found[0, 32, 45] == 1


def test_background_seen_through_an_object_stays():
    labels = torch.zeros(SIZE, dtype=torch.long)
    labels[8:30, 15:40] = 1
    labels[14:20, 22:30] = 0  # a hole
    regions = one_hot(labels)
    assert torch.equal(keep_reached(regions, strokes_at(regions, (0, 2, 2), (1, 10, 18))), regions)


def test_among_more_classes_the_others_share_what_is_taken():
    labels = torch.zeros(SIZE, dtype=torch.long)
    labels[:, 20:40], labels[:, 40:] = 1, 2
    labels[2:6, 50:54] = 0
    regions = one_hot(labels)
    found = keep_reached(regions, strokes_at(regions, (0, 20, 2), (1, 20, 30), (2, 20, 50)))
    assert found[:, 4, 52].tolist() == [0, 0.5, 0.5]
    torch.testing.assert_close(found.sum(0), torch.ones(SIZE))


def test_a_class_whose_strokes_lost_their_place_keeps_all():
    labels = torch.zeros(SIZE, dtype=torch.long)
    labels[5:9, 5:9] = 1
    regions = one_hot(labels)
    assert torch.equal(keep_reached(regions, strokes_at(regions, (0, 0, 0), (1, 30, 30))), regions)


def plainly_reached(regions, drawn):
    """The same by definition, one connected part after the other."""
    out, winners = regions.clone(), regions.argmax(0).numpy()
    for k in range(len(regions)):
        parts = label(winners == k, connectivity=2)
        own = drawn[k].numpy() & (winners == k)
        held = np.isin(parts, np.unique(parts[own])) & (parts > 0)
        if not held.any():
            continue
        areas = [(parts == n).sum() for n in range(1, parts.max() + 1)]
        with_stroke = [(parts == n)[own].any() for n in range(1, parts.max() + 1)]
        mine = [a for a, has in zip(areas, with_stroke, strict=True) if has]
        other = [a for a, has in zip(areas, with_stroke, strict=True) if not has]
        like = [a for a in other if np.median(mine) / 4 < a < np.median(mine) * 4]
        if sum(a >= max(mine) / 10 for a in mine) > 1 or len(like) >= 5:
            continue
        hull = convex_hull_image(held)
        for number in range(1, parts.max() + 1):
            part = parts == number
            if not (part & own).any() and hull[part].mean() <= 0.5:
                out[:, torch.from_numpy(part)] = 1 / (len(regions) - 1)
                out[k, torch.from_numpy(part)] = 0
    return out


@pytest.mark.parametrize("classes", [2, 3])
def test_blots_are_reached_as_by_definition(classes):
    changed = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        blots = ndimage.gaussian_filter(rng.normal(size=(classes, *SIZE)), (0, 3, 3))
        regions = torch.from_numpy(blots).mul(30).softmax(0)
        drawn = torch.from_numpy(rng.random((classes, *SIZE)) > rng.choice([0.995, 0.999]))
        found = keep_reached(regions, drawn)
        torch.testing.assert_close(found, plainly_reached(regions, drawn))
        changed += not torch.equal(found, regions)
    assert 3 <= changed <= 11  # or this would show little
