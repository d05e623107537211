"""A first visit, two windows, and what must not happen beside the image."""

import numpy as np
from PIL import Image

OBJECT = [(85, 60), (140, 45), (205, 60), (265, 70), (320, 80)]
BESIDE = [(418, 28), (425, 70), (400, 105), (380, 135), (420, 165)]
RIGHT_OF = """() => { const canvas = document.querySelector('[data-testid=canvas]');
  const edge = saccade.toClient(451, 150).x - canvas.getBoundingClientRect().left;
  const k = canvas.width / canvas.clientWidth, x = Math.ceil(edge * k) + 1;
  const {data} = canvas.getContext('2d').getImageData(x, 0, canvas.width - x, canvas.height);
  return data.some(v => v > 0); }"""


def test_the_hint_follows_what_is_drawn_and_covers_nothing(hand, page, until):
    hint = page.get_by_test_id("hint")
    assert hint.inner_text().startswith("Draw a stroke on the object")
    below = hint.bounding_box()["y"]
    stage = page.locator(".stage").bounding_box()
    assert below >= stage["y"] + stage["height"]
    hand.draw(1, OBJECT)
    hand.wait()
    assert 1 in np.unique(hand.labels(300, 451))  # the first stroke answers
    assert "Choose background" in hint.inner_text()
    page.get_by_test_id("add-class").click()
    page.keyboard.type("whiskers")
    page.keyboard.press("Enter")
    hand.draw(0, BESIDE)
    hand.wait()
    assert "Not drawn here yet: whiskers" in hint.inner_text()
    hand.draw(2, [(60, 200), (60, 215)])
    hand.wait()
    assert "Where next?" in hint.inner_text()
    page.get_by_test_id("dismiss-hint").click()
    page.reload()
    until(page, "saccade.revision >= 0")
    assert not hint.is_visible()


def test_a_stroke_in_progress_outlives_a_second_window(
    browser, page, serve, person, until, tmp_path
):
    with serve(tmp_path / "home") as address:
        first = person(page, address)
        first.draw(1, OBJECT)
        first.wait()
        until(page, "!saccade.unsaved")
        first.choose(0)
        places = [page.evaluate("p => saccade.toClient(p[0], p[1])", list(p)) for p in BESIDE]
        page.mouse.move(places[0]["x"], places[0]["y"])
        page.mouse.down()
        page.mouse.move(places[1]["x"], places[1]["y"], steps=4)
        other = browser.new_page()
        second = person(other, address, take=True)
        page.get_by_text("The image was opened in another window").wait_for()
        for place in places[2:]:
            page.mouse.move(place["x"], place["y"], steps=4)
        page.mouse.up()
        second.draw(1, [(120, 275), (220, 285)])
        second.wait()
        until(other, "!saccade.unsaved")
        page.get_by_role("button", name="Open it here").click()
        until(page, "saccade.strokeCount === 3")  # theirs, and the one that was being drawn
        first.wait()
        labels = np.asarray(first.labels(300, 451, step=1))
        assert [labels[y, x] for x, y in BESIDE] == [0] * len(BESIDE)
        assert labels[280, 200] == 1
        other.close()
        page.goto("about:blank")


def test_a_stroke_begins_outside_and_paints_no_surround(hand, page, until):
    outside = page.evaluate("saccade.toClient(459, 150)")
    inside = page.evaluate("saccade.toClient(380, 150)")
    page.mouse.move(outside["x"], outside["y"])
    page.mouse.down()
    page.mouse.move(inside["x"], inside["y"], steps=8)
    page.mouse.up()
    until(page, "saccade.strokeCount === 1")
    page.wait_for_timeout(100)
    assert not page.evaluate(RIGHT_OF)
    hand.wait()
    assert page.evaluate("saccade.labelAt(445, 150)") == 1
    assert "unsafe" not in page.request.get(page.url).headers["content-security-policy"]


def test_a_thumbnail_that_cannot_be_made_is_asked_for_once(browser, serve, person, until, tmp_path):
    for name in "abc":
        pixels = np.full((60, 80, 3), 200, np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    asked, page = [], browser.new_page()
    page.route("**/thumbnail*", lambda route: (asked.append(route.request.url), route.abort()))
    with serve(tmp_path / "home", tmp_path) as address:
        hand = person(page, address)
        until(page, "document.querySelectorAll('.queue-row .broken').length === 3")
        for _ in range(3):
            hand.drag([(10, 10), (10, 50)])  # draws the list anew
            until(page, "!saccade.unsaved")
        page.wait_for_timeout(300)
        page.unroute_all()
        page.goto("about:blank")
    page.close()
    assert len(asked) == len(set(asked))


def test_undo_outlives_a_reload(hand, page, until):
    hand.draw(1, OBJECT)
    hand.wait()
    first = hand.labels(300, 451)
    hand.draw(0, BESIDE)
    hand.wait()
    assert hand.labels(300, 451) != first
    until(page, "!saccade.unsaved")
    page.reload()
    until(page, "saccade.revision >= 0")
    hand.wait()
    page.keyboard.press("Control+z")
    until(page, "saccade.strokeCount === 1")
    hand.wait()
    assert hand.labels(300, 451) == first
    page.keyboard.press("Control+Shift+z")
    until(page, "saccade.strokeCount === 2")
