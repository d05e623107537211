"""Somebody at a phone: classes above the picture, and the list out of the way."""

from PIL import Image

from tests.web.conftest import halves


def test_classes_stand_above_the_picture(browser, serve, person, until, tmp_path):
    context = browser.new_context(
        has_touch=True, is_mobile=True, viewport={"width": 390, "height": 800}
    )
    page = context.new_page()
    with serve(tmp_path / "home") as address:
        hand = person(page, address)
        bar, stage = (page.locator(one).bounding_box() for one in (".bar", ".stage"))
        assert bar["height"] < 60  # one row of buttons
        assert stage["height"] > 0.45 * 800  # most of the screen is the picture's
        boxes = [page.get_by_test_id(f"chip-{value}").bounding_box() for value in (0, 1)]
        for box in boxes:
            assert box["y"] + box["height"] <= stage["y"]
            assert box["height"] >= 44
        page.get_by_test_id("chip-0").tap()
        assert page.get_by_test_id("chip-0").get_attribute("aria-pressed") == "true"
        hand.drag([(60, 150), (390, 150)])
        until(page, "saccade.strokeCount === 1")
        hand.wait()
        assert page.evaluate("saccade.labelAt(200, 150)") == 0
        page.get_by_test_id("chip-add").tap()
        page.keyboard.type("whiskers")
        page.keyboard.press("Enter")
        name = page.get_by_test_id("class-0").locator("[type=text]")
        name.tap()
        page.wait_for_timeout(800)  # too late for a double tap
        name.tap()
        page.keyboard.type("fur")
        page.keyboard.press("Enter")
        assert page.get_by_test_id("chip-0").inner_text() == "fur"
        page.get_by_test_id("chip-2").tap()
        chip = page.get_by_test_id("chip-2")
        assert chip.inner_text() == "whiskers"
        assert chip.get_attribute("aria-pressed") == "true"
        box = chip.bounding_box()
        assert 0 <= box["x"] <= box["x"] + box["width"] <= 390
        page.set_viewport_size({"width": 1280, "height": 800})
        assert not chip.is_visible()  # the list of the panel is beside the picture there
        page.goto("about:blank")
    context.close()


def test_the_list_does_not_cover_the_next_image(browser, serve, person, until, tmp_path):
    for name in ("a", "b"):
        Image.fromarray(halves()).save(tmp_path / f"{name}.png")
    context = browser.new_context(
        has_touch=True, is_mobile=True, viewport={"width": 390, "height": 800}
    )
    page = context.new_page()
    with serve(tmp_path / "home", tmp_path) as address:
        person(page, address)
        page.get_by_test_id("toggle-queue").tap()
        page.get_by_test_id("done").tap()
        until(page, "document.title.startsWith('b.png')")
        assert not page.get_by_test_id("done").is_visible()
        page.get_by_test_id("chip-0").tap()
        assert page.get_by_test_id("chip-0").get_attribute("aria-pressed") == "true"
        page.goto("about:blank")
    context.close()
