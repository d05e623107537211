"""Stacks of thin structures, which lie elsewhere in each slice; and slices that are large."""

import numpy as np

from saccade.images import Image
from saccade.interactive.shared import fit_shared
from saccade.stacks import segment_stack, work
from saccade.stacks.segmenting import _shrunk
from tests.interactive.test_thin import FAST, blots, iou, lines


def segmented(kind):
    """Truth and masks of three slices, of which the first and the last have strokes."""
    pages, truths = zip(*(kind(seed) for seed in (0, 1, 2)), strict=True)
    strokes = np.full((3, *truths[0].shape), 255)
    for z in (0, 2):
        strokes[z, ::70], strokes[z, :, ::90] = truths[z][::70], truths[z][:, ::90]
    gray = np.stack([page[..., 0] for page in pages])
    return truths, segment_stack(gray, strokes, axes="ZYX", preset=FAST)


def test_thin_structures_are_kept_and_said(monkeypatch):
    truths, kept = segmented(lines)
    assert any("its structures are thin" in remark for remark in kept.remarks)
    assert np.array_equal(kept.labels[2][::70], truths[2][::70])
    monkeypatch.setattr(work, "fit_kind", fit_shared)  # which does not look for them
    lost = segmented(lines)[1]
    assert iou(kept.labels[1], truths[1]) > 1.2 * iou(lost.labels[1], truths[1])


def test_round_things_are_not_taken_for_thin():
    remarks = segmented(blots)[1].remarks
    assert not any("thin" in remark for remark in remarks)


def test_slices_that_are_seen_much_smaller_are_said():
    def stack(side):
        return Image(np.broadcast_to(np.uint8(0), (2, side, side)), "ZYX")

    assert _shrunk(stack(800), FAST) == ()
    assert "seen at once, 7.1 times smaller" in _shrunk(stack(4000), FAST)[0]
