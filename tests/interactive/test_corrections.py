"""A correction stays local: far from the new stroke, what was right stays right.

Far is more than a fifth of the image's shorter side from the stroke. Over sessions of clicks, each
in the middle of the largest error of the mask before it, once both classes have strokes, the share
of the image that is far and turns from right to wrong is below half a percent a correction, and
below what turns from wrong to right.
"""

import numpy as np
from scipy import ndimage

from benchmarks.harness.datasets import MASKED_SETS, load_masked
from saccade.interactive import ScribbleSegmenter
from saccade.scribbles.clicks import next_click

FAR = 0.2
MOST = 0.005


def far_changes(rgb, truth, clicks):
    """For each correction of a session: shares of the image that turned wrong, and right."""
    segmenter, strokes = ScribbleSegmenter(classes=(0, 1)), np.full(truth.shape, 255, np.uint8)
    mask, found = np.zeros_like(truth), []
    for number in range(clicks):
        click = next_click(truth, mask)
        if click is None:
            break
        both = len(np.unique(strokes)) == 3  # else the ground was assumed
        strokes[click.pixels] = click.value
        before = mask
        if number == 0:
            segmenter.fit(rgb, strokes)
        else:
            segmenter.update(strokes)
        mask = (segmenter.predict() == 1).astype(truth.dtype)
        far = ndimage.distance_transform_edt(~click.pixels) > FAR * min(truth.shape)
        known, was, is_ = truth != 255, before == truth, mask == truth
        if both:
            lost, won = far & known & was & ~is_, far & known & ~was & is_
            found.append((lost.sum() / known.sum(), won.sum() / known.sum()))
    return found


def things(seed):
    """A thing of three colors, of which the ground has one as well, in noise."""
    rng = np.random.default_rng(seed)
    colors = rng.integers(40, 220, (6, 3))
    ys, xs = np.mgrid[:180, :240]
    patches = ndimage.gaussian_filter(rng.random((4, 180, 240)), (0, 9, 9)).argmax(0)
    truth = (np.hypot(ys - 90, 0.7 * (xs - 110)) < 55).astype(np.uint8)
    parts = np.digitize(xs + rng.integers(-10, 10), [80, 135])  # stripes of the thing
    rgb = colors[np.where(truth == 1, parts, patches + 2)]
    noisy = rgb + rng.normal(0, 12, rgb.shape)
    return noisy.clip(0, 255).astype(np.uint8), truth


def check(changes):
    assert len(changes) >= 4  # else nothing was corrected, and nothing is shown
    lost, won = np.mean(changes, 0)
    assert lost < MOST, f"{lost:.2%} of the image turn wrong far from a correction"
    assert lost <= won


def test_what_was_right_stays_far_from_a_correction():
    check([change for seed in range(6) for change in far_changes(*things(seed), clicks=5)])


def test_what_was_right_stays_in_photographs(data_root):
    changes = []
    for name in MASKED_SETS:
        images = load_masked(data_root, name)
        for one in images[:: max(1, len(images) // 2)][:2]:
            changes += far_changes(one.image, one.truth, clicks=5)
    check(changes)
