"""Somebody corrects the outline of a region by its handles, and looks closely."""

import numpy as np
from PIL import Image

from tests.web.conftest import halves


def halved(page, serve_address, person):
    hand = person(page, serve_address)
    hand.draw(1, [(10, 10), (10, 50)])
    hand.draw(0, [(70, 10), (70, 50)])
    hand.wait()
    return hand


def test_a_corner_is_moved_and_the_mask_follows_and_stays(page, serve, person, until, tmp_path):
    Image.fromarray(halves()).save(tmp_path / "a.png")
    with serve(tmp_path / "home", tmp_path / "a.png") as address:
        hand = halved(page, address, person)
        before = np.asarray(hand.labels(60, 80, step=1))
        page.keyboard.press("q")
        hand.drag([(20, 30), (20, 30)])
        corners = page.locator(".handle:not(.between)")
        assert corners.count() >= 4
        boxes = [corners.nth(i).bounding_box() for i in range(corners.count())]
        places = [(b["x"] + b["width"] / 2, b["y"] + b["height"] / 2) for b in boxes]
        upper_right = max(places, key=lambda p: p[0] - p[1])
        wanted = page.evaluate("saccade.toClient(60, 0)")
        page.mouse.move(*upper_right)
        page.mouse.down()
        page.mouse.move(wanted["x"], wanted["y"] - 2, steps=5)
        page.mouse.up()
        until(page, "saccade.pins > 0")
        hand.wait()
        until(page, "saccade.labelAt(50, 3) === 1")
        after = np.asarray(hand.labels(60, 80, step=1))
        assert (after[:3, 42:56] == 1).all()  # gained along the upper side
        assert after[58, 45] == before[58, 45] == 0  # a triangle, no more
        assert (after[:, :36] == 1).all()

        page.get_by_test_id("corner-0").focus()
        count = corners.count()
        page.keyboard.press("Delete")
        assert corners.count() == count - 1
        page.keyboard.press("Escape")
        assert corners.count() == 0
        page.keyboard.press("Control+z")
        page.keyboard.press("Control+z")
        until(page, "saccade.pins === 0")
        hand.wait()
        until(page, "saccade.labelAt(50, 3) === 0")
        page.keyboard.press("b")
        hand.draw(1, [(12, 10), (12, 50)])  # a pin is obeyed by later fits: none is left here
        hand.wait()
        assert page.evaluate("saccade.labelAt(50, 3)") == 0
        page.goto("about:blank")


def test_what_is_at_the_pointer_or_below_a_finger_is_magnified(
    browser, serve, person, until, tmp_path
):
    Image.fromarray(halves()).save(tmp_path / "a.png")
    context = browser.new_context(
        has_touch=True, is_mobile=True, viewport={"width": 390, "height": 800}
    )
    page = context.new_page()
    middle = (
        "(() => { const c = document.querySelector('[data-testid=magnifier]'), m = c.width / 2;"
        " return Array.from(c.getContext('2d').getImageData(m, m, 1, 1).data); })()"
    )
    with serve(tmp_path / "home", tmp_path / "a.png") as address:
        person(page, address)
        magnifier = page.get_by_test_id("magnifier")
        assert not magnifier.is_visible()
        touches = context.new_cdp_session(page)

        def touch(kind, *points):
            named = [{"x": p["x"], "y": p["y"], "id": 0} for p in points]
            touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": named})

        places = [page.evaluate(f"saccade.toClient({x}, 45)") for x in (60, 62, 64, 66)]
        touch("touchStart", places[0])
        for place in places[1:]:
            touch("touchMove", place)
        until(page, "!document.querySelector('[data-testid=magnifier]').hidden")
        color = page.evaluate("getComputedStyle(document.querySelector('.swatch')).color")
        assert color.startswith("rgb")
        until(page, f"({middle})[3] === 255")
        box = magnifier.bounding_box()
        assert not (
            box["x"] <= places[3]["x"] <= box["x"] + box["width"]
            and box["y"] <= places[3]["y"] <= box["y"] + box["height"]
        )
        touch("touchEnd")
        until(page, "document.querySelector('[data-testid=magnifier]').hidden")
        until(page, "saccade.strokeCount === 1")

        right = page.evaluate("saccade.toClient(70, 10)")
        page.mouse.move(right["x"], right["y"])
        page.keyboard.down("z")
        until(page, "!document.querySelector('[data-testid=magnifier]').hidden")
        dark = page.evaluate(middle)[:3]
        left = page.evaluate("saccade.toClient(20, 10)")
        page.mouse.move(left["x"], left["y"], steps=3)
        until(page, f"({middle})[1] > {dark[1]} + 40")  # the bright half, now
        page.keyboard.up("z")
        assert not magnifier.is_visible()
        page.goto("about:blank")
    context.close()
