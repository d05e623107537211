"""What is seen: the photograph alone, its contrast, what is under the pointer."""

import re

import numpy as np
from PIL import Image

from tests.web.test_page_classes import PIXEL


def test_a_held_key_compares_and_the_corner_says_what_is_there(hand, page, until):
    hand.draw(1, [(85, 60), (140, 45), (265, 70)])
    hand.draw(0, [(418, 28), (400, 105), (430, 250)])
    hand.wait()
    page.wait_for_timeout(100)
    masked = page.evaluate(PIXEL, [200, 62])
    page.keyboard.down("x")
    until(page, f"String(({PIXEL})([200, 62])) !== '{','.join(map(str, masked))}'")
    page.keyboard.up("x")
    until(page, f"String(({PIXEL})([200, 62])) === '{','.join(map(str, masked))}'")

    at = page.evaluate("saccade.toClient(200, 62)")
    page.mouse.move(at["x"], at["y"])
    readout = page.get_by_test_id("readout")
    until(page, "document.querySelector('[data-testid=readout]').innerText.includes('sure')")
    found = re.search(r"(\d+) % sure · ([\d.]+) % of the image", readout.inner_text())
    labels = np.asarray(hand.labels(300, 451, step=1))
    assert abs(float(found[2]) - 100 * (labels == 1).mean()) < 0.06
    assert "object" in readout.inner_text()
    assert 50 <= int(found[1]) <= 100
    page.get_by_test_id("zoom-100").click()
    until(page, "document.querySelector('[data-testid=zoom]').innerText === '100 %'")

    page.get_by_test_id("stroke-opacity").fill("0")
    until(page, "document.querySelector('[data-testid=canvas]').style.opacity === '0'")


def test_contrast_shows_what_16_bits_hide(page, serve, person, until, tmp_path):
    values = np.full((60, 80), 60000, np.uint16)
    values[:, :20], values[:, 20:40] = 0, 150
    Image.fromarray(values).save(tmp_path / "deep.png")
    with serve(tmp_path / "home", tmp_path / "deep.png") as address:
        hand = person(page, address)
        hand.draw(1, [(10, 10), (10, 50)])
        hand.draw(0, [(70, 10), (70, 50)])
        hand.wait()
        before = hand.labels(60, 80, step=1)
        page.keyboard.down("x")
        page.wait_for_timeout(200)
        dark, less = (page.evaluate(PIXEL, [x, 5])[0] for x in (15, 30))
        assert less - dark < 5
        page.get_by_test_id("contrast-white").fill("15")
        until(page, f"({PIXEL})([30, 5])[0] - ({PIXEL})([15, 5])[0] > 100")
        page.keyboard.up("x")
        assert hand.labels(60, 80, step=1) == before  # only what is shown
        page.goto("about:blank")
