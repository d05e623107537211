"""Somebody with two windows: who has an image is said, and nothing is lost or covered."""

import numpy as np
import pytest
from PIL import Image

from tests.web.conftest import free_port, halves, start_server

PHONE = {"width": 390, "height": 800}


def photos_in(folder, *names):
    folder.mkdir()
    for name in names:
        Image.fromarray(halves()).save(folder / f"{name}.png")
    return folder


def test_who_has_an_image_is_said_and_it_is_opened_here_without_loss(
    browser, serve, person, until, tmp_path
):
    # Not `page`: what it asks of a session that was taken over is a 404 in its console.
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    agent = "Mozilla/5.0 (Windows NT 10.0; rv:130.0) Gecko/20100101 Firefox/130.0"
    photos = photos_in(tmp_path / "photos", "a", "b")
    with serve(tmp_path / "home", photos) as address:
        first = person(page, address)
        first.draw(1, [(10, 10), (10, 50)])
        first.wait()
        other = browser.new_page(user_agent=agent)
        other.goto(address)
        other.get_by_text("a.png is open in Chrome on Linux").wait_for()
        assert not page.get_by_text("opened in another window").is_visible()  # nobody took it
        first.draw(0, [(70, 10), (70, 50)])
        first.wait()
        other.get_by_role("button", name="Open it here").click()
        until(other, "saccade.strokeCount === 2")
        page.get_by_text("opened in another window: Firefox on Windows").wait_for()

        page.get_by_role("button", name="Open it here").click()
        until(page, "document.querySelector('.veil').hidden && saccade.strokeCount === 2")
        page.keyboard.press("d")
        until(page, "document.title.startsWith('b.png')")
        second_row = page.get_by_test_id("image-a.png")
        assert "Open in" not in second_row.inner_text()
        other.get_by_role("button", name="Open it here").click()
        until(other, "saccade.revision >= 0")
        second_row.get_by_text("Open in Firefox on Windows").wait_for()
        page.keyboard.press("a")
        page.get_by_text("a.png is open in Firefox on Windows").wait_for()
        page.get_by_role("button", name="Back", exact=True).click()
        assert page.title().startswith("b.png")
        first.draw(1, [(10, 10), (10, 50)])
        until(page, "saccade.strokeCount === 1")
        other.close()
        until(
            page,
            "!document.querySelector('[data-testid=\"image-a.png\"]').innerText.includes('Open')",
        )
        page.keyboard.press("a")
        until(page, "document.title.startsWith('a.png')")
        page.reload()  # its own window is nobody else
        until(page, "saccade.strokeCount === 2")
        page.close()


@pytest.mark.parametrize("size", [{"width": 1280, "height": 800}, PHONE])
def test_an_error_and_the_banner_do_not_cover_each_other(browser, person, until, tmp_path, size):
    photos = photos_in(tmp_path / "photos", "a")
    port = free_port()
    page = browser.new_page(viewport=size)  # not `page`: connections that fail are errors there
    page.clock.install()
    server = start_server(tmp_path / "home", port, photos)
    try:
        person(page, f"http://127.0.0.1:{port}/")
        server.kill()
        server.wait()
        banner, error = page.locator(".offline"), page.get_by_test_id("error")
        banner.wait_for()
        page.keyboard.press("F2")
        page.keyboard.type("background")  # the name of the other class
        page.keyboard.press("Enter")
        error.wait_for()
        above, below = banner.bounding_box(), error.bounding_box()
        assert above["y"] + above["height"] <= below["y"]
        stage = page.locator(".stage").bounding_box()
        for box in (above, below):
            assert stage["x"] <= box["x"] <= box["x"] + box["width"] <= size["width"]
            assert stage["y"] <= box["y"] <= box["y"] + box["height"]
        page.mouse.move(stage["x"] + 5, stage["y"] + stage["height"] - 5)
        page.clock.fast_forward(13_000)
        error.wait_for(state="hidden")  # it goes by itself, what still holds stays
        assert banner.is_visible()
    finally:
        page.close()
        server.kill()
        server.wait()


def test_an_image_of_one_pixel_says_what_is_wrong(browser, serve, tmp_path):
    Image.fromarray(np.full((1, 1, 3), 90, np.uint8)).save(tmp_path / "tiny.png")
    page = browser.new_page()  # not `page`: a reply of 415 is an error in its console
    with serve(tmp_path / "home", tmp_path / "tiny.png") as address:
        page.goto(address)
        page.locator(".veil").get_by_text("Tiny.png: 1 x 1 pixels, expected at least 2").wait_for()
        page.close()
