"""Somebody with a stack: its slices, strokes on some of them, masks of all."""

import zipfile

import numpy as np
import pytest
import tifffile
from PIL import Image

COUNT, HEIGHT, WIDTH = 6, 60, 80


def border(z):
    """Where the bright part of a slice ends."""
    return 30 + 4 * z


@pytest.fixture
def stack(tmp_path):
    """A stack whose left part is bright; it grows from slice to slice."""
    rng = np.random.default_rng(0)
    values = rng.integers(1000, 1400, (COUNT, HEIGHT, WIDTH)).astype(np.uint16)
    for z in range(COUNT):
        values[z, :, : border(z)] += 2000
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, values, imagej=True, metadata={"axes": "ZYX"})
    return path


def at_slice(page, until, number):
    until(page, f"document.querySelector('[data-testid=slice]').value === '{number} of {COUNT}'")
    until(page, f"document.title.startsWith('stack.z{number}.tif')")


def test_strokes_on_a_slice_give_masks_of_all(browser, serve, person, until, stack, tmp_path):
    page = browser.new_page(accept_downloads=True)  # not `page`: a reply of 409 is an error there
    with serve(tmp_path / "home", stack) as address:
        hand = person(page, address)
        at_slice(page, until, 1)
        page.keyboard.press("+")
        corner = page.evaluate("saccade.toClient(0, 0).x")
        page.keyboard.press("PageDown")
        at_slice(page, until, 2)
        assert page.evaluate("saccade.toClient(0, 0).x") == corner  # the same place of the next
        page.get_by_test_id("zoom-fit").click()
        page.get_by_test_id("all-slices").click()
        page.get_by_text("No slice has strokes yet").wait_for()
        page.get_by_test_id("dismiss-error").click()
        page.get_by_test_id("slices").fill("3")
        at_slice(page, until, 3)
        hand.draw(1, [(8, 10), (8, 50)])
        hand.draw(0, [(72, 10), (72, 50)])
        hand.wait()
        until(page, "!saccade.unsaved")
        page.get_by_test_id("all-slices").click()
        page.get_by_text("1 object", exact=True).wait_for()  # through all slices
        shown = []
        for z in range(COUNT):
            page.get_by_test_id("slices").fill(str(z + 1))
            at_slice(page, until, z + 1)
            hand.wait()
            until(page, "saccade.labelAt(0, 0) === 1")
            assert hand.facts()["strokeCount"] == (2 if z == 2 else 0)
            shown.append(hand.labels(HEIGHT, WIDTH, step=1))
            truth = np.arange(WIDTH)[None] < border(z)
            assert ((np.asarray(shown[-1]) == 1) == truth).mean() > 0.97, z
        with page.expect_download() as download:
            page.get_by_test_id("save-slices").click()
        assert download.value.suggested_filename == "stack.masks.tif"
        download.value.save_as(tmp_path / "masks.tif")
        np.testing.assert_array_equal(tifffile.imread(tmp_path / "masks.tif"), shown)
        page.get_by_test_id("export").click()
        page.get_by_test_id("export-all").click()
        with page.expect_download() as download:
            page.get_by_test_id("export-png").click()
        download.value.save_as(tmp_path / "masks.zip")
        with zipfile.ZipFile(tmp_path / "masks.zip") as file:
            for z in range(COUNT):
                with file.open(f"stack.z{z + 1}.png") as data:
                    np.testing.assert_array_equal(np.asarray(Image.open(data)), shown[z])
        hand.draw(1, [(72, 20), (72, 40)])  # on the last slice: a stroke is obeyed at once
        until(page, "saccade.labelAt(72, 30) === 1")
        until(page, "!saccade.unsaved")
        page.close()
    names = sorted(path.name for path in tmp_path.glob("stack*.json"))
    assert names == ["stack.z3.strokes.json", "stack.z6.strokes.json"]


def test_another_black_and_white_of_a_slice(page, serve, person, stack, tmp_path):
    with serve(tmp_path / "home", stack) as address:
        person(page, address)
        page.keyboard.press("PageDown")
        page.get_by_text("stack.z2.tif").first.wait_for()
        address, _, image = page.url.partition("#")
        mean = (
            "u => fetch(u).then(r => r.blob()).then(createImageBitmap).then(b => {"
            " const c = new OffscreenCanvas(b.width, b.height).getContext('2d');"
            " c.drawImage(b, 0, 0); const d = c.getImageData(0, 0, b.width, b.height).data;"
            " return d.reduce((s, v, i) => s + (i % 4 === 0 ? v : 0), 0) / b.width / b.height; })"
        )
        plain = page.evaluate(mean, f"{address}api/images/{image}/file")
        bright = page.evaluate(mean, f"{address}api/images/{image}/file?white=0.3")
        assert bright > plain + 5
        page.goto("about:blank")
