import pytest
import torch

from saccade.interactive.colour import colour_log_odds
from saccade.interactive.regions import ROUNDS, colour_regions

SIZE = (40, 56)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def picture(
    classes: int = 2, noise: float = 0.6
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Vertical bands of one colour each under heavy noise: colours, strokes, truth."""
    truth = (torch.arange(SIZE[1]) * classes // SIZE[1]).expand(SIZE)
    centres = torch.linspace(-1, 1, classes)
    colours = centres[truth] + noise * torch.randn(3, *SIZE, generator=generator())
    marks = torch.full(SIZE, classes)
    for k in range(classes):
        middle = int((truth[0] == k).nonzero().float().mean())
        marks[5:30, middle - 1 : middle + 2] = k
    return colours, marks, truth


def regions_of(colours, marks, classes):
    odds = colour_log_odds(colours, marks, classes, generator=generator())
    return colour_regions(colours, colours, marks, odds, generator=generator(1)), odds


@pytest.mark.parametrize(("classes", "noise"), [(2, 1.3), (3, 0.7)])
def test_regions_find_what_single_pixels_cannot(classes, noise):
    colours, marks, truth = picture(classes, noise)
    regions, odds = regions_of(colours, marks, classes)
    assert regions.shape == (ROUNDS, classes, *SIZE)
    by_pixel = (odds.argmax(0) == truth).float().mean()
    for found in regions:
        assert (found.argmax(0) == truth).float().mean() > max(0.95, by_pixel + 0.02)


def test_they_are_distributions_and_keep_strokes():
    colours, marks, _ = picture()
    marks[20:30, 50:53] = 0  # amidst the colour of the other
    regions, _ = regions_of(colours, marks, 2)
    torch.testing.assert_close(regions.sum(1), torch.ones(ROUNDS, *SIZE))
    assert regions.min() >= 0
    assert (regions[:, 0, 23:27, 51] > 0.5).all()


def test_the_second_round_learns_colours_that_nobody_drew_on():
    colours, marks, truth = picture(noise=0.1)
    # A third of the left band has a colour of its own, nearer to the right one's.
    colours[:, 30:, :20] = 0.15 + 0.1 * torch.randn(3, 10, 20, generator=generator(2))
    regions, _ = regions_of(colours, marks, 2)
    first, second = (found.argmax(0) == truth for found in regions)
    assert second.float().mean() >= first.float().mean()


@pytest.mark.parametrize("size", [(1, 2), (3, 1), (7, 9)])
@pytest.mark.parametrize("classes", [1, 2, 4])
def test_any_size_and_number_of_classes(size, classes):
    colours = torch.randn(3, *size, generator=generator())
    marks = torch.full(size, classes)
    marks.view(-1)[: min(classes, marks.numel())] = torch.arange(min(classes, marks.numel()))
    regions, _ = regions_of(colours, marks, classes)
    assert regions.shape == (ROUNDS, classes, *size)
    assert regions.isfinite().all()


def test_the_generator_decides_and_nothing_else():
    colours, marks, _ = picture()
    state = torch.get_rng_state()
    first, _ = regions_of(colours, marks, 2)
    again, _ = regions_of(colours, marks, 2)
    assert torch.equal(first, again)
    assert torch.equal(torch.get_rng_state(), state)
