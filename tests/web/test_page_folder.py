"""Somebody with a folder: strokes on one image, masks of all, classes of all, what is next."""

import json
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from tests.networks import small_network
from tests.web.conftest import halves

FIELD = "fields/nuclei-fluo"
STROKED = "6c85029f850d"
OTHERS = ("573a657d5e5f", "8f6e49e474eb")
READY = "saccade.final && saccade.sources === %d && !saccade.folder.fitting"


def iou(labels, truth):
    found, wanted = np.asarray(labels) == 1, truth == 1
    return (found & wanted).sum() / (found | wanted).sum()


def deep_stroke(truth, value, share):
    """A stroke along the row where a class is widest around a point."""
    depth = ndimage.distance_transform_edt(np.pad(truth == value, 1))[1:-1, 1:-1]
    y, x = (int(i) for i in np.unravel_index(depth.argmax(), depth.shape))
    reach = int(depth.max() * share)
    return [(max(1, x - reach), y), (min(truth.shape[1] - 2, x + reach), y)]


def pictures(folder, count):
    folder.mkdir()
    for i in range(count):
        Image.fromarray(np.roll(halves(), i, 0)).save(folder / f"{i:03d}.png")
    return folder


def test_two_strokes_on_one_image_give_masks_of_the_others(
    page, serve, person, until, tmp_path, data_root
):
    field = data_root / FIELD
    photos = tmp_path / "nuclei"
    photos.mkdir()
    for name in (STROKED, *OTHERS):
        shutil.copy(field / "images" / f"{name}.png", photos)
    truths = {
        name: np.asarray(Image.open(field / "masks" / f"{name}.png")) for name in (STROKED, *OTHERS)
    }
    with serve(tmp_path / "home", photos) as address:
        hand = person(page, address)
        page.get_by_test_id(f"image-{STROKED}.png").click()
        until(page, f"document.title.startsWith('{STROKED}')")
        for value, share in ((1, 0.6), (0, 0.8)):
            hand.draw(value, deep_stroke(truths[STROKED], value, share))
            hand.wait()
        assert "on this image alone" in page.get_by_test_id("source").inner_text()
        until(page, "saccade.folder.images === 1 && !saccade.folder.fitting", 60)
        for name in OTHERS:
            truth = truths[name]
            page.get_by_test_id(f"image-{name}.png").click()
            until(page, f"document.title.startsWith('{name}')")
            until(page, READY % 1, 60)
            assert hand.facts()["strokeCount"] == 0
            assert "the strokes on 1 image." in page.get_by_test_id("source").inner_text()
            found = iou(hand.labels(*truth.shape, 2), truth[::2, ::2])
            assert found > (truth == 1).mean() + 0.25, name  # all nucleus has the share of nuclei
        hand.draw(1, deep_stroke(truth, 1, 0.6))
        hand.wait()
        until(page, READY % 2, 60)
        assert iou(hand.labels(*truth.shape, 2), truth[::2, ::2]) > (truth == 1).mean() + 0.25
        page.goto("about:blank")


def test_classes_are_carried_to_every_image_and_kept_at_once(page, serve, person, until, tmp_path):
    photos = pictures(tmp_path / "photos", 3)
    (photos / "classes.txt").write_text("ground\ncell\n")
    with serve(tmp_path / "home", photos) as address:
        person(page, address)
        assert "Draw a stroke on the cell" in page.get_by_test_id("hint").inner_text()
        page.get_by_test_id("add-class").click()
        page.keyboard.type("wall")  # its name can be typed at once
        page.keyboard.press("Enter")
        until(page, "saccade.revision > 0 && !saccade.unsaved")
        assert not list(photos.glob("*.strokes.json"))
        page.keyboard.press("d")
        until(page, "document.title.startsWith('001')")
        name = page.get_by_test_id("class-2").locator("input[type=text]")
        assert name.input_value() == "wall"
        page.keyboard.press("c")
        assert page.get_by_test_id("class-0").get_attribute("class") == "class-row chosen"
        page.goto("about:blank")
    kept = json.loads((photos / ".saccade.json").read_text())["classes"]
    assert [c["name"] for c in kept] == ["ground", "cell", "wall"]


def test_a_long_list_is_searched_and_gone_through(page, serve, person, until, tmp_path):
    photos = pictures(tmp_path / "photos", 300)
    with serve(tmp_path / "home", photos) as address:
        person(page, address)
        rows = page.locator(".queue-row")
        assert page.get_by_test_id("position").inner_text() == "1 of 300"
        assert 5 < rows.count() < 30
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280
        page.keyboard.press("/")
        page.keyboard.type("29")
        until(page, "document.querySelectorAll('.queue-row').length === 13")  # 029 129 229 290 ..
        page.keyboard.press("Enter")
        until(page, "document.title.startsWith('029')")
        page.keyboard.press("f")  # done, and on to the next of the search
        until(page, "document.title.startsWith('129')")
        assert page.get_by_test_id("queue-counts").inner_text() == "1 of 300 done"
        page.get_by_test_id("queue-order").select_option("open")
        until(page, "document.querySelectorAll('.queue-row').length === 12")
        page.goto("about:blank")
    assert json.loads((photos / ".saccade.json").read_text())["done"] == ["029.png"]


def test_a_damaged_file_does_not_block_the_way(browser, serve, person, until, tmp_path):
    photos = pictures(tmp_path / "photos", 4)
    for name in ("000", "002"):
        whole = (photos / f"{name}.png").read_bytes()
        (photos / f"{name}.png").write_bytes(whole[: len(whole) // 2])
    page = browser.new_page()  # not `page`: what cannot be read is an error in its console
    with serve(tmp_path / "home", photos) as address:
        person(page, address)
        assert page.title().startswith("001")
        page.keyboard.press("d")
        until(page, "document.title.startsWith('003')")
        assert "002.png" in page.get_by_test_id("error").inner_text()
        page.keyboard.press("a")
        until(page, "document.title.startsWith('001')")
        row = page.get_by_test_id("image-002.png")
        assert row.locator(".queue-state").inner_text() == "Cannot be read"
        page.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_all_masks_are_exported(browser, serve, person, until, tmp_path, width):
    photos = pictures(tmp_path / "photos", 3)
    page = browser.new_page(viewport={"width": width, "height": 780}, accept_downloads=True)
    with serve(tmp_path / "home", photos) as address:
        hand = person(page, address)
        hand.draw(1, [(10, 10), (12, 50)])
        hand.draw(0, [(70, 10), (70, 50)])
        hand.wait()
        until(page, "saccade.folder.images === 1 && !saccade.folder.fitting", 60)
        page.get_by_test_id("export").click()
        page.get_by_test_id("export-all").click()
        with page.expect_download() as download:
            page.get_by_test_id("export-png").click()
        download.value.save_as(tmp_path / "masks.zip")
        page.close()
    with zipfile.ZipFile(tmp_path / "masks.zip") as file:
        assert file.namelist() == ["000.png", "001.png", "002.png", "classes.txt"]
        with file.open("001.png") as mask:
            labels = np.asarray(Image.open(mask))
        assert (labels[:, :38] == 1).mean() > 0.9
        assert (labels[:, 42:] == 0).mean() > 0.9


def test_strokes_of_one_image_are_applied_to_all(browser, serve, person, until, tmp_path):
    page = browser.new_page()
    with serve(tmp_path / "home", pictures(tmp_path / "photos", 4)) as address:
        hand = person(page, address)
        page.get_by_test_id("apply-all").click()
        assert "Draw a stroke first" in page.get_by_test_id("error").inner_text()
        page.get_by_test_id("dismiss-error").click()
        page.get_by_test_id("toggle-shared").uncheck()
        until(page, "!saccade.folder.shared")
        hand.draw(1, [(10, 10), (10, 50)])
        hand.draw(0, [(70, 10), (70, 50)])
        hand.wait()
        page.get_by_test_id("apply-all").click()
        until(page, "saccade.folder.shared")
        page.get_by_text("All 4 images have masks").wait_for(timeout=90_000)
        masked = page.evaluate("fetch('/api/images').then(r => r.json())")
        assert all(one["mask"] > 0 for one in masked)
        page.close()


def test_nothing_is_learned_before_there_are_strokes(page, serve, person, until, tmp_path):
    with serve(tmp_path / "home", pictures(tmp_path / "photos", 2)) as address:
        person(page, address)
        assert not page.evaluate("saccade.folder.fitting")
        until(page, "document.querySelector('[data-testid=status]').innerText.startsWith('Draw a')")
        assert page.get_by_test_id("source").inner_text().startswith("Strokes on one image")
        page.goto("about:blank")


def test_masks_of_a_trained_network_are_there_and_a_stroke_corrects_one(
    page, serve, person, until, tmp_path
):
    photos = pictures(tmp_path / "photos", 2)
    network = tmp_path / "net.safetensors"
    network.write_bytes(small_network())
    with serve(tmp_path / "home", photos, "--model", network) as address:
        hand = person(page, address)
        until(page, "saccade.final", 60)
        assert page.get_by_text("Use the trained network").is_visible()
        assert "comes from net.safetensors" in page.get_by_test_id("source").inner_text()
        assert "From a trained network" in page.locator(".hint").inner_text()
        height, width = halves().shape[:2]
        before = np.asarray(hand.labels(height, width, 1))
        hand.draw(1, deep_stroke(before, 0, 0.5))
        hand.wait()
        after = np.asarray(hand.labels(height, width, 1))
        assert (after != before).any()
        assert set(np.unique(after[after != before])) == {1}
        page.goto("about:blank")
