"""Somebody with several images, several windows, or a server that goes away."""

import json

import numpy as np
import tifffile
from PIL import Image

from saccade.scribbles.document import (
    Patch,
    StrokeClass,
    StrokeDocument,
    rasterize,
    write_document,
)
from saccade.scribbles.labelme import read_document
from tests.web.conftest import free_port, halves, start_server


def test_sliders_take_the_arrow_keys_and_images_follow_every_press(
    page, serve, person, until, tmp_path
):
    photos = tmp_path / "photos"
    photos.mkdir()
    for i in range(1, 5):
        Image.fromarray(np.full((60, 80, 3), 40 * i, np.uint8)).save(photos / f"{i}.png")
    with serve(tmp_path / "home", photos) as address:
        person(page, address)
        slider = page.get_by_test_id("opacity")
        slider.focus()
        before = int(slider.input_value())
        page.keyboard.press("ArrowRight")
        assert int(slider.input_value()) == before + 1
        page.wait_for_timeout(300)
        assert page.title().startswith("1.png")
        page.keyboard.press("d")
        page.keyboard.press("d")
        until(page, "document.title.startsWith('3.png')")
        page.keyboard.press("a")
        until(page, "document.title.startsWith('2.png')")
        page.goto("about:blank")


def test_strokes_outlive_the_server(browser, person, until, tmp_path):
    """It is killed, strokes are drawn meanwhile, it comes back: they are all kept."""
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.fromarray(halves()).save(photos / "a.png")
    strokes = photos / "a.strokes.json"
    port = free_port()
    page = browser.new_page()  # not `page`: connections that fail are errors in its console
    server = start_server(tmp_path / "home", port, photos)
    hand = person(page, f"http://127.0.0.1:{port}/")
    hand.draw(1, [(10, 10), (12, 50)])
    until(page, "!saccade.unsaved")
    server.kill()
    server.wait()
    hand.draw(0, [(70, 10), (70, 50)])
    page.get_by_text("nothing you draw is lost").wait_for()
    assert len(json.loads(strokes.read_text())["shapes"]) == 1
    server = start_server(tmp_path / "home", port, photos)
    try:
        until(page, "!saccade.unsaved")
        hand.wait()
        assert len(json.loads(strokes.read_text())["shapes"]) == 2
        assert not page.get_by_text("Open it here").is_visible()
        assert hand.facts()["strokeCount"] == 2
        assert not hand.facts()["waiting"]
        page.keyboard.press("Control+z")
        until(page, "saccade.strokeCount === 1 && !saccade.unsaved")
    finally:
        page.close()
        server.kill()
        server.wait()


def test_many_images_and_strokes_beside_them(page, serve, person, until, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    rng = np.random.default_rng(0)
    for i in (1, 2, 10):
        picture = rng.integers(0, 255, (120, 160, 3), dtype=np.uint8)
        picture[:, 80:] //= 4
        Image.fromarray(picture).save(photos / f"shot {i}.jpg")
    with serve(tmp_path / "home", photos) as address:
        from_page = person(page, address)
        assert page.get_by_test_id("image-name").inner_text() == "shot 1.jpg"
        from_page.draw(1, [(20, 30), (40, 90)])
        from_page.draw(0, [(120, 30), (140, 90)])
        from_page.wait()
        until(page, "!saccade.unsaved")
        assert (photos / "shot 1.strokes.json").is_file()
        page.keyboard.press("d")
        until(page, "document.title.startsWith('shot 2.jpg')")
        assert from_page.facts()["strokeCount"] == 0
        page.get_by_test_id("next").click()
        until(page, "document.title.startsWith('shot 10.jpg')")
        page.get_by_test_id("next").click()
        until(page, "document.title.startsWith('shot 1.jpg')")
        from_page.wait()
        assert from_page.facts()["strokeCount"] == 2
        page.goto("about:blank")
    shapes = json.loads((photos / "shot 1.strokes.json").read_text())["shapes"]
    assert [s["label"] for s in shapes] == ["object", "background"]


def test_a_second_window_takes_over_and_says_so(browser, page, serve, person, until, tmp_path):
    with serve(tmp_path / "home") as address:
        first = person(page, address)
        first.draw(1, [(85, 60), (140, 45), (205, 60)])
        until(page, "!saccade.unsaved")
        other = browser.new_page()
        second = person(other, address, take=True)
        assert second.facts()["strokeCount"] == 1
        page.get_by_text("The image was opened in another window").wait_for()
        page.keyboard.press("n")  # no key reaches what is covered
        assert page.get_by_test_id("class-2").count() == 0
        page.get_by_role("button", name="Open it here").click()
        other.get_by_text("opened in another window").wait_for()
        other.close()
        page.goto("about:blank")


def test_a_patch_is_erased_where_the_eraser_went_and_removed_where_it_is_left(
    page, serve, person, until, tmp_path
):
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.fromarray(halves()).save(photos / "a.png")
    file = photos / "a.strokes.json"
    patch = Patch("p", 1, 20, 10, np.ones((40, 40), bool))
    classes = (StrokeClass(0, "background"), StrokeClass(1, "object", "#ff0000"))
    write_document(file, StrokeDocument(classes, (patch,)), (60, 80), "a.png")
    with serve(tmp_path / "home", photos) as address:
        hand = person(page, address)
        hand.choose(1)
        page.get_by_test_id("tool-eraser").click()
        hand.drag([(10, 30), (70, 30)])
        until(page, "saccade.revision > 0 && !saccade.unsaved")
        labels = rasterize(read_document(file, shape=(60, 80)), (60, 80)).labels
        assert (labels[30, 20:60] == 255).all()
        assert (labels[[12, 48], 20:60] == 1).all()
        page.get_by_test_id("tool-remove").click()
        hand.drag([(40, 30), (40, 30)])
        page.wait_for_timeout(200)
        assert hand.facts()["strokeCount"] == 1
        hand.drag([(40, 12), (40, 12)])
        until(page, "saccade.strokeCount === 0")
        page.goto("about:blank")


def test_notes_say_how_an_image_was_read_and_are_quiet_once_seen(
    page, serve, person, until, tmp_path
):
    photos = tmp_path / "photos"
    photos.mkdir()
    four = np.dstack([halves(), halves()[..., :1]])
    tifffile.imwrite(photos / "1.tif", four, photometric="rgb", extrasamples=["unspecified"])
    Image.fromarray(halves()).save(photos / "2.png")
    with serve(tmp_path / "home", photos) as address:
        person(page, address)
        notes = page.get_by_test_id("notes")
        assert notes.inner_text() == "1 note"
        assert page.locator(".notes.new").count() == 1
        notes.click()
        assert page.get_by_test_id("note").inner_text().startswith("1.tif: band 4 is not used")
        assert page.locator(".notes.new").count() == 0
        page.keyboard.press("Escape")
        page.keyboard.press("d")
        until(page, "document.title.startsWith('2.png')")
        assert not notes.is_visible()
        page.goto("about:blank")


def test_a_replaced_image_is_shown_with_its_strokes_and_a_note(
    page, serve, person, until, tmp_path
):
    Image.fromarray(halves()).save(tmp_path / "1.png")
    with serve(tmp_path / "home", tmp_path / "1.png") as address:
        hand = person(page, address)
        hand.draw(1, [(10, 10), (12, 50)])
        until(page, "!saccade.unsaved")
        Image.fromarray(np.zeros((100, 90, 3), np.uint8)).save(tmp_path / "1.png")
        page.get_by_test_id("notes").wait_for(state="visible", timeout=20_000)
        page.get_by_test_id("notes").click()
        assert "80 x 60 then, 90 x 100 now" in page.get_by_test_id("note").inner_text()
        assert hand.facts()["strokeCount"] == 1
        page.goto("about:blank")
