"""Many classes: hidden, chosen by two digits, with names and colors in what is exported."""

import json
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from saccade.serve.class_colors import class_colors, lab

PIXEL = """p => { const canvas = document.querySelector('.stage canvas');
  const at = saccade.toClient(p[0], p[1]), box = canvas.getBoundingClientRect();
  const k = canvas.width / box.width;
  return Array.from(canvas.getContext('2d').getImageData(
    Math.round((at.x - box.left) * k), Math.round((at.y - box.top) * k), 1, 1).data); }"""

DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def test_a_hidden_class_shows_the_photograph(hand, page, until):
    hand.draw(1, [(85, 60), (140, 45), (265, 70)])
    hand.draw(0, [(418, 28), (400, 105), (430, 250)])
    hand.wait()
    assert page.evaluate("saccade.labelAt(200, 62)") == 1
    page.evaluate(DRAWN)
    before = page.evaluate(PIXEL, [200, 62])
    page.keyboard.press("m")
    page.wait_for_timeout(100)
    page.evaluate(DRAWN)
    photo = page.evaluate(PIXEL, [200, 62])
    assert photo != before
    page.keyboard.press("m")
    page.get_by_test_id("hide-1").click()
    until(
        page, f"JSON.stringify(({PIXEL})([200, 62])) === '{json.dumps(photo)}'.replaceAll(' ', '')"
    )
    assert page.evaluate("saccade.labelAt(200, 62)") == 1  # it is hidden, not gone
    page.get_by_test_id("hide-1").click()
    until(
        page, f"JSON.stringify(({PIXEL})([200, 62])) === '{json.dumps(before)}'.replaceAll(' ', '')"
    )


def test_twelve_classes_by_keys_and_their_colors_in_files(hand, page, tmp_path):
    for _ in range(10):
        page.keyboard.press("n")
        page.keyboard.press("Enter")
    page.keyboard.press("1")
    page.keyboard.press("2")
    chosen = page.locator(".class-row.chosen")
    assert chosen.get_attribute("data-testid") == "class-11"
    page.wait_for_timeout(800)
    page.keyboard.press("1")
    page.keyboard.press("0")
    assert chosen.get_attribute("data-testid") == "class-9"
    page.get_by_test_id("class-9").locator("input[type=color]").evaluate(
        "e => { e.value = '#0a64c8'; e.dispatchEvent(new Event('change', {bubbles: true})); }"
    )
    hand.drag([(85, 60), (140, 45), (265, 70)])
    hand.draw(0, [(418, 28), (400, 105), (430, 250)])
    hand.wait()

    def export(name):
        page.get_by_test_id("export").click()
        with page.expect_download() as download:
            page.get_by_test_id(f"export-{name}").click()
        download.value.save_as(tmp_path / name)
        return tmp_path / name

    with Image.open(export("png")) as image:
        assert 9 in np.unique(np.asarray(image))
        assert image.getpalette()[27:30] == [10, 100, 200]
        assert "9 class 9" in image.text["saccade_classes"].splitlines()
    labels = ElementTree.parse(export("cvat")).getroot().iter("label")
    assert {one.find("name").text: one.find("color").text for one in labels}["class 9"] == "#0a64c8"
    assert json.loads(export("labelme").read_text())["saccade_colors"]["9"] == "#0a64c8"


def test_the_usual_colors_differ_and_are_neither_grey_nor_dark():
    for count, least in ((8, 35), (20, 30), (64, 15)):
        places = lab(class_colors(count))
        apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
        np.fill_diagonal(apart, np.inf)
        assert apart.min() > least
        assert places[:, 0].min() > 35
        assert np.hypot(places[:, 1], places[:, 2]).min() > 25
