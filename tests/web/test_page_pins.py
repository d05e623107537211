"""What stays as it is: pins, locks, what is connected to strokes, masks that come back by undo."""

import os
import signal

import numpy as np
from PIL import Image

from saccade.formats.masks import read_mask

SHAPE = (300, 451)
OBJECT = [(85, 60), (140, 45), (205, 60), (265, 70), (320, 80)]
BESIDE = [(418, 28), (425, 70), (400, 105), (380, 135), (420, 165)]
CORNER = [(430, 190), (375, 205), (350, 225), (395, 250), (430, 280)]


def press(hand, x, y):
    """Press once on a pixel of the image."""
    at = hand.page.evaluate("p => saccade.toClient(p[0], p[1])", [x, y])
    hand.page.mouse.click(at["x"], at["y"])


def labels(hand):
    return np.asarray(hand.labels(*SHAPE, step=1))


def drawn(hand):
    """Two strokes and their mask."""
    hand.draw(1, OBJECT)
    hand.draw(0, BESIDE)
    hand.wait()
    return labels(hand)


def test_a_pinned_region_stays_whatever_is_drawn_elsewhere(hand, page, until, tmp_path):
    before = drawn(hand)
    assert before[60, 205] == 1
    page.keyboard.press("p")
    press(hand, 205, 60)
    until(page, "saccade.pins === 1")
    assert hand.facts()["strokeCount"] == 2
    hand.wait()
    np.testing.assert_array_equal(labels(hand), before)
    pinned = before == 1  # one region, or the parts of it that are pinned
    hand.draw(0, [(100, 150), (200, 150), (240, 100)])
    hand.draw(0, CORNER)
    hand.wait()
    after = labels(hand)
    held = (after == 1) & pinned
    page.keyboard.press("p")
    press(hand, 205, 58)  # no longer
    until(page, "saccade.pins === 0")
    hand.wait()
    free = labels(hand)
    assert ((free == 1) & pinned).sum() < held.sum()  # without the pin it had been lost
    page.keyboard.press("Control+z")
    until(page, "saccade.pins === 1")
    hand.wait()
    np.testing.assert_array_equal(labels(hand), after)
    until(page, "!saccade.unsaved")
    page.reload()
    until(page, "saccade.revision >= 0")
    hand.wait()
    assert hand.facts()["pins"] == 1
    np.testing.assert_array_equal(labels(hand), after)
    page.get_by_test_id("export").click()
    with page.expect_download() as download:
        page.get_by_test_id("export-png").click()
    download.value.save_as(tmp_path / "mask.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png"), after)


def test_a_locked_class_loses_nothing(hand, page, until):
    before = drawn(hand)
    page.get_by_test_id("lock-1").click()
    until(page, "saccade.pins === 1")
    lock = page.get_by_test_id("lock-1")
    assert lock.get_attribute("aria-pressed") == "true"
    hand.draw(0, [(60, 130), (240, 140)])
    hand.wait()
    assert hand.facts()["strokeCount"] == 3
    after = labels(hand)
    assert (after[before == 1] == 1).mean() > 0.95  # but where the new stroke goes itself
    lock.click()
    hand.wait()
    assert (labels(hand)[before == 1] == 1).mean() < (after[before == 1] == 1).mean()


def test_only_what_is_connected_to_strokes(browser, serve, person, until, tmp_path):
    picture = np.full((120, 200, 3), 40, np.uint8)
    picture[30:90, 20:70] = picture[30:90, 130:180] = 220
    Image.fromarray(picture).save(tmp_path / "two.png")
    page = browser.new_page()
    with serve(tmp_path / "home", tmp_path / "two.png") as address:
        hand = person(page, address)
        hand.draw(1, [(30, 60), (60, 60)])
        hand.draw(0, [(100, 10), (100, 110)])
        hand.wait()
        assert page.evaluate("[saccade.labelAt(45, 45), saccade.labelAt(155, 60)]") == [1, 1]
        page.get_by_test_id("toggle-connected").check()
        until(page, "saccade.labelAt(155, 60) === 0")
        assert page.evaluate("saccade.labelAt(45, 45)") == 1
        page.reload()
        until(page, "saccade.revision >= 0")
        hand.wait()
        assert page.get_by_test_id("toggle-connected").is_checked()
        assert page.evaluate("saccade.labelAt(155, 60)") == 0
        page.goto("about:blank")
    page.close()


def test_undo_and_recoloring_do_not_wait_for_the_server(page, serve, person, until, tmp_path):
    with serve(tmp_path / "home", process=True) as (address, process):
        hand = person(page, address)
        hand.draw(1, OBJECT)
        hand.draw(0, BESIDE)
        hand.wait()
        first = labels(hand)
        hand.draw(0, CORNER)
        hand.wait()
        second = labels(hand)
        assert (first != second).any()
        until(page, "!saccade.unsaved")
        os.kill(process.pid, signal.SIGSTOP)
        try:
            page.keyboard.press("Control+z")
            until(page, "saccade.resultRevision === saccade.revision", seconds=3)
            np.testing.assert_array_equal(labels(hand), first)
            page.keyboard.press("Control+Shift+z")
            until(page, "saccade.resultRevision === saccade.revision", seconds=3)
            np.testing.assert_array_equal(labels(hand), second)
            page.keyboard.press("2")
            page.keyboard.press("F2")
            page.keyboard.type("cat")
            page.keyboard.press("Enter")
            until(page, "saccade.resultRevision === saccade.revision", seconds=3)
        finally:
            os.kill(process.pid, signal.SIGCONT)
        until(page, "!saccade.unsaved")
        hand.wait()
        np.testing.assert_array_equal(labels(hand), second)
        page.goto("about:blank")


def test_what_changed_lights_up(hand, page, until):
    before = drawn(hand)
    hand.draw(0, CORNER)
    until(page, "document.querySelector('.flash').dataset.changed !== undefined")
    hand.wait()
    changed = int((labels(hand) != before).sum())
    assert hand.facts()["changed"] == changed > 0
    until(page, "document.querySelector('.flash').dataset.changed === undefined")
