"""Somebody draws with a pointer in a real browser, on one image."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade.formats.masks import read_mask

ROOT = Path(__file__).parents[2]
OBJECT = [(85, 60), (140, 45), (205, 60), (265, 70), (320, 80)]
BESIDE = [(418, 28), (425, 70), (400, 105), (380, 135), (420, 165)]
BODY = [(20, 160), (25, 215), (50, 260), (120, 275), (220, 285)]
CORNER = [(430, 190), (375, 205), (350, 225), (395, 250), (430, 280)]


@pytest.fixture
def truth(examples):
    return np.asarray(Image.open(examples / "cat_truth.png"))


def iou(labels, truth):
    found, wanted = np.asarray(labels) == 1, truth == 1
    return (found & wanted).sum() / (found | wanted).sum()


def export(page, name, folder):
    """Export the mask in a format; the path of the file."""
    page.get_by_test_id("export").click()
    with page.expect_download() as download:
        page.get_by_test_id(f"export-{name}").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_strokes_make_a_mask_that_can_be_kept(hand, page, until, truth, tmp_path):
    size = truth.shape
    hand.draw(1, OBJECT)
    hand.wait()
    guess = "A first guess: draw on the background where it is wrong"
    assert page.get_by_test_id("status").inner_text() == guess
    assert page.get_by_test_id("class-0").get_by_test_id("provisional").is_visible()
    assert page.get_by_test_id("provisional").count() == 1
    assert page.get_by_test_id("note").count() == 0
    assert iou(hand.labels(*size), truth[::4, ::4]) > 0.3
    hand.draw(0, BESIDE)
    hand.wait()
    assert page.get_by_test_id("provisional").count() == 0
    assert page.get_by_test_id("status").inner_text().startswith("Done")
    first = hand.labels(*size)
    assert iou(first, truth[::4, ::4]) > 0.6
    hand.draw(1, BODY)
    hand.wait()
    second = hand.labels(*size)
    assert (np.asarray(first) != np.asarray(second)).mean() > 0.005
    hand.draw(0, CORNER)
    hand.wait()
    third = hand.labels(*size)
    assert iou(third, truth[::4, ::4]) > 0.85

    page.get_by_test_id("undo").click()
    hand.wait()
    assert hand.facts()["strokeCount"] == 3
    np.testing.assert_array_equal(hand.labels(*size), second)
    page.get_by_test_id("redo").click()
    hand.wait()
    np.testing.assert_array_equal(hand.labels(*size), third)

    until(page, "!saccade.unsaved")
    page.reload()
    until(page, "saccade.revision >= 0")
    hand.wait()
    assert hand.facts()["strokeCount"] == 4
    np.testing.assert_array_equal(hand.labels(*size), third)

    path = export(page, "png", tmp_path)
    with Image.open(path) as image:
        assert image.mode == "P"
        labels = np.asarray(image)
    assert labels.shape == size
    assert iou(labels, truth) > 0.85
    np.testing.assert_array_equal(labels[::4, ::4], third)
    for name in ("tiff", "coco", "coco-polygons", "labelme", "label-studio", "cvat"):
        np.testing.assert_array_equal(read_mask(export(page, name, tmp_path)), labels)


def test_eraser_remove_and_clear(hand, page, until):
    hand.draw(1, [(60, 150), (390, 150)])
    hand.draw(0, [(60, 20), (390, 20)])
    hand.wait()
    page.get_by_test_id("tool-eraser").click()
    hand.drag([(225, 120), (225, 180)])
    until(page, "saccade.strokeCount === 3")  # the stroke is cut in two
    page.keyboard.press("Control+z")
    until(page, "saccade.strokeCount === 2")
    page.get_by_test_id("tool-remove").click()
    hand.drag([(100, 20), (100, 20)])
    until(page, "saccade.strokeCount === 1")
    hand.wait()
    assert not hand.facts()["waiting"]
    until(page, "saccade.labelAt(100, 150) === 1")
    assert page.get_by_test_id("provisional").is_visible()
    page.get_by_test_id("clear").click()
    until(page, "saccade.strokeCount === 0 && saccade.waiting")
    hand.wait()
    assert page.evaluate("saccade.labelAt(100, 100)") is None
    assert page.get_by_test_id("status").inner_text() == "Draw a stroke to see a mask"
    assert page.get_by_test_id("provisional").count() == 0
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    until(page, "saccade.strokeCount === 2")
    hand.wait()
    assert not hand.facts()["waiting"]


def test_classes_are_added_renamed_recolored_and_deleted(hand, page, tmp_path):
    hand.draw(1, OBJECT)
    hand.draw(0, BESIDE)
    page.get_by_test_id("add-class").click()
    row = page.get_by_test_id("class-2")
    name = row.locator("input[type=text]")
    name.dblclick()
    page.keyboard.type("whiskers")
    page.keyboard.press("Enter")
    hand.drag([(60, 200), (60, 215)])
    hand.wait()
    assert 2 in np.unique(hand.labels(300, 451))
    document = json.loads(export(page, "coco", tmp_path).read_text())
    assert [c["name"] for c in document["categories"]] == ["background", "object", "whiskers"]
    page.keyboard.press("F2")  # the class that is chosen
    page.keyboard.type("object")
    page.keyboard.press("Enter")
    assert "already" in page.get_by_test_id("error").inner_text()
    page.get_by_test_id("dismiss-error").click()
    assert row.locator("input[type=text]").input_value() == "whiskers"
    row.locator("input[type=color]").evaluate(
        "e => { e.value = '#00ff80'; e.dispatchEvent(new Event('change', {bubbles: true})); }"
    )
    page.get_by_test_id("delete-2").click()
    hand.wait()
    assert hand.facts()["strokeCount"] == 2
    assert 2 not in np.unique(hand.labels(300, 451))
    page.keyboard.press("Control+z")
    hand.wait()
    assert page.get_by_test_id("class-2").locator("input[type=color]").input_value() == "#00ff80"


def test_a_click_on_a_name_chooses_and_escape_gives_a_name_back(hand, page):
    name = page.get_by_test_id("class-0").locator("input[type=text]")
    name.click()
    chosen = page.locator(".class-row.chosen")
    assert chosen.get_attribute("data-testid") == "class-0"
    page.keyboard.press("e")  # a key is a key, not a letter of the name
    assert page.get_by_test_id("tool-eraser").get_attribute("aria-pressed") == "true"
    assert name.input_value() == "background"
    page.keyboard.press("F2")
    page.keyboard.type("sky")
    page.keyboard.press("Escape")
    assert name.input_value() == "background"
    assert page.get_by_test_id("undo").is_disabled()
    page.keyboard.press("2")
    assert chosen.get_attribute("data-testid") == "class-1"


def test_a_press_that_closes_a_menu_does_nothing_else(hand, page):
    menu = page.get_by_test_id("export-png")
    page.get_by_test_id("export").click()
    assert menu.is_visible()
    page.keyboard.press("Escape")
    assert not menu.is_visible()
    page.get_by_test_id("import").click()
    hand.drag([(100, 100), (120, 100)])
    assert not page.get_by_test_id("import-mask").is_visible()
    assert hand.facts()["strokeCount"] == 0
    hand.drag([(100, 100), (120, 100)])
    assert hand.facts()["strokeCount"] == 1


def test_one_finger_draws_and_two_move_and_zoom(browser, serve, person, until, tmp_path):
    size = {"width": 390, "height": 800}
    context = browser.new_context(has_touch=True, is_mobile=True, viewport=size)
    page = context.new_page()
    with serve(tmp_path / "home") as address:
        hand = person(page, address)
        assert not page.get_by_test_id("help").is_visible()  # a list of keys
        for button in ("toggle-panel", "clear", "undo", "import", "export"):
            box = page.get_by_test_id(button).bounding_box()
            assert 0 <= box["x"] <= box["x"] + box["width"] <= 390, button
            assert box["height"] >= 44, button
        page.get_by_test_id("export").tap()
        sheet = page.locator("#menu-export").bounding_box()
        assert (sheet["x"], sheet["width"], sheet["y"] + sheet["height"]) == (0, 390, 800)
        page.keyboard.press("Escape")
        touches = context.new_cdp_session(page)

        def touch(kind, *points):
            named = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
            touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": named})

        def place(x, y):
            at = page.evaluate("p => saccade.toClient(p[0], p[1])", [x, y])
            return at["x"], at["y"]

        touch("touchStart", place(60, 60))
        for x in range(70, 200, 10):
            touch("touchMove", place(x, 60))
        touch("touchEnd")
        until(page, "saccade.strokeCount === 1")
        left, right = place(150, 150), place(300, 150)
        before = right[0] - left[0]
        touch("touchStart", left)
        touch("touchStart", left, right)
        for step in range(1, 11):
            touch("touchMove", (left[0] - 2 * step, left[1]), (right[0] + 2 * step, right[1]))
        touch("touchEnd")
        after = place(300, 150)[0] - place(150, 150)[0]
        assert after == pytest.approx(before + 40, rel=0.02)
        assert hand.facts()["strokeCount"] == 1  # the first finger's dot is dropped
        page.goto("about:blank")
    context.close()


def test_where_next_names_places_and_goes_there(hand, page):
    hand.draw(1, OBJECT)
    hand.draw(0, BESIDE)
    hand.wait()
    page.get_by_test_id("suggest").click()
    page.get_by_test_id("suggestion-0").wait_for()
    before = page.evaluate("saccade.toClient(0, 0).x")
    page.get_by_test_id("suggestion-0").click()
    assert page.evaluate("saccade.toClient(0, 0).x") != before
    assert page.locator(".region.current").inner_text() == "1"
    page.get_by_test_id("zoom-fit").click()
    assert page.evaluate("saccade.toClient(0, 0).x") == pytest.approx(before)
    hand.draw(1, BODY)
    assert page.get_by_test_id("suggestion-0").count() == 0  # they were for other strokes


def test_the_keys_are_listed(hand, page):
    page.keyboard.press("?")
    assert page.get_by_test_id("shortcuts").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("m")
    assert not page.get_by_test_id("toggle-mask").is_checked()


def test_the_page_was_built_from_these_sources():
    """The rule is at the top of web/scripts/digest.mjs."""
    web = ROOT / "web"
    names = ["package.json", "index.html", "tsconfig.json", "vite.config.ts"]
    names += [p.relative_to(web).as_posix() for p in (web / "src").rglob("*") if p.is_file()]
    digest = hashlib.sha256()
    for name in sorted(names):
        digest.update(name.encode() + b"\0" + (web / name).read_bytes() + b"\0")
    built = json.loads((ROOT / "src/saccade/serve/page/build.json").read_text())
    assert built["sources"] == digest.hexdigest(), "run make page"
