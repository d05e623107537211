import numpy as np
import pytest
from scipy import ndimage

from saccade.errors import InputError
from saccade.scribbles.clicks import (
    draw_click,
    draw_disc,
    largest_error,
    next_click,
    next_stroke,
)


def _regions(wrong):
    """Lists of 4-connected pixels, by walking from each pixel to its neighbours."""
    left = {(int(y), int(x)) for y, x in np.argwhere(wrong)}
    found = []
    while left:
        region = [min(left)]
        left.discard(region[0])
        for y, x in region:  # grows while it is walked
            for beside in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if beside in left:
                    left.discard(beside)
                    region.append(beside)
        found.append(sorted(region))
    return found


def _depth(region, place, size):
    """Distance to the nearest pixel that is not in the region, those around the image included."""
    inside = set(region)
    outside = [
        (y, x)
        for y in range(-1, size[0] + 1)
        for x in range(-1, size[1] + 1)
        if (y, x) not in inside
    ]
    return min(np.hypot(y - place[0], x - place[1]) for y, x in outside)


def _reference(truth, mask, ignore=255):
    """Class, place, depth and pixels of the largest error, each by looking at everything."""
    best = None
    for value in sorted(set(truth.ravel().tolist()) - {ignore}):
        for region in _regions((truth == value) & (mask != value)):
            if best is None or len(region) > len(best[1]):
                best = value, region
    if best is None:
        return None
    value, region = best
    depths = [_depth(region, place, truth.shape) for place in region]
    deepest = int(np.argmax(depths))
    return value, region[deepest], depths[deepest], region


def _blobs(seed, classes, size=(17, 23)):
    """Truth with connected classes and unknown pixels, and a mask that is wrong in places."""
    rng = np.random.default_rng(seed)

    def labels():
        noise = ndimage.gaussian_filter(rng.normal(size=(classes, *size)), (0, 2, 2))
        return noise.argmax(0).astype(np.uint8)

    truth, mask = labels(), labels()
    truth[rng.random(size) < 0.05] = 255
    return truth, mask


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("seed", range(12))
def test_the_largest_error_is_that_of_the_slow_search(seed, classes):
    truth, mask = _blobs(seed, classes)
    value, place, depth, region = _reference(truth, mask)
    found = largest_error(truth, mask)
    assert found.value == value
    assert found.place == place
    assert found.depth == pytest.approx(depth)
    assert [tuple(p) for p in np.argwhere(found.pixels).tolist()] == region


def test_nothing_wrong_has_no_next_click():
    truth, _ = _blobs(0, 3)
    mask = np.where(truth == 255, 1, truth)  # unknown pixels are no errors, whatever is there
    assert largest_error(truth, mask) is None
    assert next_click(truth, mask) is None
    assert next_stroke(truth, mask, np.random.default_rng(0)) is None


def test_wrong_regions_of_two_classes_are_two_regions_though_they_touch():
    truth = np.zeros((20, 40), np.uint8)
    truth[:, 20:] = 1
    mask = 1 - truth  # all wrong: two halves of 400 pixels, the lower class first
    found = largest_error(truth, mask)
    assert found.value == 0
    assert found.pixels.sum() == 400
    assert found.depth == 10


def test_the_largest_region_goes_before_a_deeper_one():
    truth = np.zeros((40, 90), np.uint8)
    truth[2:6, 2:88] = 1  # 344 pixels, 2 deep
    truth[20:31, 20:31] = 1  # 121 pixels, 6 deep
    assert largest_error(truth, np.zeros_like(truth)).place[0] in range(2, 6)


def test_the_image_border_is_a_border():
    truth = np.zeros((30, 41), np.uint8)
    found = largest_error(truth, np.ones_like(truth))
    assert found.depth == 15
    assert found.place == (14, 14)


def test_sizes_that_differ_are_refused():
    with pytest.raises(InputError, match=r"truth is \(4, 5\), the mask \(5, 4\)"):
        largest_error(np.zeros((4, 5), int), np.zeros((5, 4), int))
    with pytest.raises(InputError, match="one"):
        next_click(np.zeros((4, 5, 3), int), np.zeros((4, 5, 3), int))


@pytest.mark.parametrize("place", [(20, 30), (0, 0), (39, 59), (3, 57)])
@pytest.mark.parametrize("radius", [0, 1, 5])
def test_a_disc_is_what_is_near(place, radius):
    y, x = np.mgrid[:40, :60]
    near = np.hypot(y - place[0], x - place[1]) <= radius
    assert np.array_equal(draw_disc((40, 60), place, radius), near)


def test_a_click_says_nothing_wrong_unless_it_is_left_whole():
    truth = np.zeros((40, 60), np.uint8)
    truth[19:22] = 1
    truth[19, 32] = 255
    click = next_click(truth, np.zeros_like(truth))
    assert (truth[click.pixels] == 1).all()
    assert click.pixels[click.place]
    whole = next_click(truth, np.zeros_like(truth), whole=True)
    assert (truth[whole.pixels] == 0).any()
    assert whole.pixels.sum() > click.pixels.sum()
    with pytest.raises(InputError, match="has class 0, the click says 1"):
        draw_click(truth, 1, (0, 0))


@pytest.mark.parametrize("seed", range(8))
def test_a_short_stroke_stays_in_the_error_and_goes_through_its_middle(seed):
    truth = np.zeros((120, 160), np.uint8)
    truth[20:100, 30:130] = 1
    mask = np.zeros_like(truth)
    mask[20:100, 30:60] = 1  # this part is right
    stroke = next_stroke(truth, mask, np.random.default_rng(seed))
    wrong = truth != mask
    assert wrong[stroke.pixels].all()
    assert stroke.pixels[stroke.place]
    assert stroke.place == largest_error(truth, mask).place
    extent = np.hypot(*np.ptp(np.argwhere(stroke.pixels), axis=0))
    assert 0.08 * 120 <= extent <= 0.2 * 120 + 2  # a pixel's width, a bend
    again = next_stroke(truth, mask, np.random.default_rng(seed))
    assert np.array_equal(stroke.pixels, again.pixels)


def test_clicks_alone_mend_any_mask():
    truth, mask = _blobs(3, 3)
    for _ in range(truth.size):
        click = next_click(truth, mask, radius=2)
        if click is None:
            break
        mask[click.pixels] = click.value
    assert np.array_equal(mask[truth != 255], truth[truth != 255])
