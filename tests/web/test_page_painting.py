"""The mask itself is painted: what is painted stays, holes are filled, borders are smooth."""

import numpy as np
from scipy import ndimage

OBJECT = [(85, 60), (140, 45), (205, 60), (265, 70), (320, 80)]
BESIDE = [(418, 28), (425, 70), (400, 105), (380, 135), (420, 165)]


def labels(hand):
    return np.asarray(hand.labels(300, 451, step=1))


def rim(mask):
    """Sides between pixels of the mask and others."""
    return (mask[1:] != mask[:-1]).sum() + (mask[:, 1:] != mask[:, :-1]).sum()


def spikes(mask):
    """Pixels of the mask and of what is beside it where no 5 x 5 square fits."""
    square = np.ones((5, 5), bool)
    return int(
        (mask & ~ndimage.binary_opening(mask, square)).sum()
        + (~mask & ~ndimage.binary_opening(~mask, square)).sum()
    )


def holes(mask):
    return int((ndimage.binary_fill_holes(mask) & ~mask).sum())


def test_what_is_painted_on_the_mask_stays(hand, page, until):
    hand.draw(0, BESIDE)
    hand.draw(1, OBJECT)
    hand.wait()
    before = labels(hand)
    assert before[280, 440] == 0
    assert before[60, 205] == 1
    page.keyboard.press("g")
    hand.drag([(430, 280), (445, 280)])
    page.keyboard.press("t")
    hand.drag([(190, 58), (220, 62)])
    until(page, "saccade.pins === 2")
    hand.wait()
    painted = labels(hand)
    assert hand.facts()["strokeCount"] == 2
    assert painted[280, 440] == 1
    assert painted[60, 205] == 0  # over a stroke, as it came later
    far = np.ones_like(before, bool)
    far[260:, 400:] = far[40:80, 170:240] = False
    np.testing.assert_array_equal(painted[far], before[far])  # nothing learned of it
    hand.draw(0, [(60, 20), (60, 280)])
    hand.wait()
    assert (labels(hand)[280, 440], labels(hand)[60, 205]) == (1, 0)


def test_holes_are_filled_and_borders_smoothed(hand, page, until):
    hand.draw(0, BESIDE)
    hand.draw(1, OBJECT)
    hand.wait()
    page.keyboard.press("t")
    hand.drag([(200, 100), (215, 100)])
    until(page, "saccade.pins === 1")
    hand.wait()
    before = labels(hand) == 1
    assert holes(before) > 100
    page.get_by_test_id("fill").click()
    until(page, "saccade.pins === 2")
    hand.wait()
    filled = labels(hand) == 1
    assert holes(filled) == 0
    np.testing.assert_array_equal(filled, ndimage.binary_fill_holes(before))
    page.get_by_test_id("smooth").click()
    until(page, "saccade.pins > 2")
    hand.wait()
    smooth = labels(hand) == 1
    assert rim(smooth) < rim(filled)
    assert spikes(smooth) < 0.6 * spikes(filled)
    assert (smooth == filled).mean() > 0.97
    page.keyboard.press("Control+z")
    hand.wait()
    np.testing.assert_array_equal(labels(hand) == 1, filled)
