"""Out and in: cut-outs, the clipboard, files that are dropped."""

import base64
import io
import json
import zipfile

import numpy as np
from PIL import Image

from tests.web.conftest import halves

OBJECT = [(85, 60), (140, 45), (205, 60), (265, 70), (320, 80)]
BESIDE = [(418, 28), (425, 70), (400, 105), (380, 135), (420, 165)]


def test_a_class_is_cut_out_saved_and_copied(hand, page, until, tmp_path):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    hand.draw(0, BESIDE)
    hand.draw(1, OBJECT)
    hand.wait()
    labels = np.asarray(hand.labels(300, 451, step=1))
    page.get_by_test_id("export").click()
    with page.expect_download() as download:
        page.get_by_test_id("cut-out").click()
    download.value.save_as(tmp_path / "cut.png")
    with Image.open(tmp_path / "cut.png") as image:
        assert image.mode == "RGBA"
        pixels = np.asarray(image)
    np.testing.assert_array_equal(pixels[..., 3], np.where(labels == 1, 255, 0))
    address, _, image_id = page.url.partition("#")
    (tmp_path / "photo").write_bytes(
        page.request.get(f"{address}api/images/{image_id}/file").body()
    )
    with Image.open(tmp_path / "photo") as image:
        photo = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(pixels[labels == 1][:, :3], photo[labels == 1])
    page.keyboard.press("Control+c")
    until(page, "document.querySelector('[data-testid=status]').innerText.startsWith('Copied')")
    copied = page.evaluate(
        "navigator.clipboard.read().then(([one]) => one.getType('image/png'))"
        ".then(createImageBitmap).then(b => [b.width, b.height])"
    )
    assert copied == [451, 300]
    page.get_by_test_id("add-class").click()
    page.keyboard.press("Enter")
    page.keyboard.press("Control+c")
    said = "document.querySelector('[data-testid=error]').innerText"
    until(page, f"{said}.includes('class 2')")  # which has no pixel


SEND = """([kind, name, type, text]) => {
  const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, {type}));
  const event = kind === 'paste' ? new ClipboardEvent(kind, {clipboardData: data, bubbles: true})
    : new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true});
  document.querySelector('main').dispatchEvent(event);
}"""


def test_images_are_pasted_and_strokes_dropped(hand, page, until, tmp_path):
    pixels = np.random.default_rng(0).integers(150, 255, (60, 80, 3), dtype=np.uint8)
    pixels[:, 40:] //= 4
    Image.fromarray(pixels).save(tmp_path / "new.png")
    text = base64.b64encode((tmp_path / "new.png").read_bytes()).decode()
    page.evaluate(SEND, ["paste", "image.png", "image/png", text])
    until(page, "document.querySelector('[data-testid=image-name]').innerText === 'image.png'")
    lines = [
        {"label": label, "points": [[x, 10], [x, 50]], "shape_type": "linestrip", "width": 3}
        for label, x in (("object", 10), ("background", 70))
    ]
    strokes = {"version": "5.2.1", "flags": {}, "shapes": lines, "imagePath": "image.png"}
    strokes |= {"imageData": None, "imageHeight": 60, "imageWidth": 80}
    text = base64.b64encode(json.dumps(strokes).encode()).decode()
    page.evaluate(SEND, ["drop", "a.json", "application/json", text])
    until(page, "saccade.strokeCount === 2")
    hand.wait()
    labels = np.asarray(hand.labels(60, 80, step=1))
    assert (labels[:, :38] == 1).mean() > 0.95
    assert (labels[:, 42:] == 0).mean() > 0.95


def send(page, kind, path, media):
    text = base64.b64encode(path.read_bytes()).decode()
    page.evaluate(SEND, [kind, path.name, media, text])


def test_a_full_mask_that_is_dropped_is_a_mask(page, serve, person, until, tmp_path):
    Image.fromarray(halves()).save(tmp_path / "a.png")
    truth = np.zeros((60, 80), np.uint8)
    truth[10:30, 20:50] = 1
    drawn = tmp_path / "drawn"
    drawn.mkdir()
    palette = Image.fromarray(truth).convert("P")
    palette.putpalette([0, 0, 0, 255, 60, 60])
    palette.save(drawn / "mask.png")
    corners = [[19.5, 39.5], [49.5, 39.5], [49.5, 55.5], [19.5, 55.5]]  # elsewhere
    whole = [[-0.5, -0.5], [79.5, -0.5], [79.5, 59.5], [-0.5, 59.5]]
    shapes = [
        {"label": label, "points": points, "shape_type": "polygon"}
        for label, points in (("background", whole), ("object", corners))
    ]
    regions = {"version": "5.2.1", "flags": {}, "shapes": shapes, "imagePath": "a.png"}
    regions |= {"imageData": None, "imageHeight": 60, "imageWidth": 80}
    with serve(tmp_path / "home", tmp_path / "a.png") as address:
        hand = person(page, address)
        send(page, "drop", drawn / "mask.png", "image/png")
        until(page, "saccade.labelAt(30, 20) === 1")
        np.testing.assert_array_equal(hand.labels(60, 80, step=1), truth)
        assert hand.facts()["strokeCount"] == 0  # no patch covers the image
        assert page.title().startswith("a.png")  # and it is no image of its own
        (drawn / "regions.json").write_text(json.dumps(regions))
        send(page, "drop", drawn / "regions.json", "application/json")
        until(page, "saccade.labelAt(30, 50) === 1 && saccade.labelAt(30, 20) === 0")
        assert hand.facts()["strokeCount"] == 2  # regions are strokes, and stay
        send(page, "drop", tmp_path / "a.png", "image/png")  # a photograph of that size
        until(page, "document.querySelector('[data-testid=position]').textContent === '2 of 2'")
        page.goto("about:blank")


def test_a_dropped_mask_is_kept_where_somebody_says_so(page, serve, person, until, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("a", "b"):
        Image.fromarray(halves()).save(photos / f"{name}.png")
    truth = np.zeros((60, 80), np.uint8)
    truth[10:30, 20:50] = 1
    mask = tmp_path / "mask.png"
    Image.fromarray(truth).save(mask)
    with serve(tmp_path / "home", photos) as address:
        hand = person(page, address)
        keep = page.get_by_test_id("keep-mask")
        assert not keep.is_visible()
        send(page, "drop", mask, "image/png")
        keep.click()
        until(page, "document.querySelector('[data-testid=from-file]').hidden")
        until(page, "!saccade.unsaved")
        page.reload()  # without a stroke, and without the file
        until(page, "saccade.labelAt(30, 20) === 1")
        np.testing.assert_array_equal(hand.labels(60, 80, step=1), truth)
        assert hand.facts()["strokeCount"] == 0
        assert not keep.is_visible()
        page.get_by_test_id("export").click()
        page.get_by_test_id("export-all").click()
        with page.expect_download() as download:
            page.get_by_test_id("export-png").click()
        download.value.save_as(tmp_path / "masks.zip")
        hand.draw(1, [(60, 40), (70, 40)])  # a stroke is obeyed, and all else stays
        until(page, "saccade.labelAt(65, 40) === 1")
        after = np.asarray(hand.labels(60, 80, step=1))
        assert (after != truth).sum() < 500
        assert (after[:32] == truth[:32]).all()
        page.goto("about:blank")
    with zipfile.ZipFile(tmp_path / "masks.zip") as file, file.open("a.png") as data:
        np.testing.assert_array_equal(np.asarray(Image.open(data)), truth)


def test_masks_are_dragged_out_and_images_have_links(page, serve, person, until, tmp_path):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for name in ("a", "b"):
        Image.fromarray(halves()).save(tmp_path / f"{name}.png")
    with serve(tmp_path / "home", tmp_path) as address:
        hand = person(page, address)
        hand.draw(1, [(10, 10), (10, 50)])
        hand.draw(0, [(70, 10), (70, 50)])
        hand.wait()
        page.get_by_test_id("export").click()
        given = page.evaluate(
            "(() => { const data = new DataTransfer(), e = new DragEvent('dragstart',"
            " {dataTransfer: data, bubbles: true});"
            " document.querySelector('[data-testid=export-png]').dispatchEvent(e);"
            " return data.getData('DownloadURL'); })()"
        )
        _, name, link = given.split(":", 2)
        assert name == "a.png"
        with Image.open(io.BytesIO(page.request.get(link).body())) as image:
            np.testing.assert_array_equal(np.asarray(image), hand.labels(60, 80, step=1))
        page.get_by_test_id("copy-link").click()
        until(
            page, "document.querySelector('[data-testid=status]').innerText === 'Copied the link'"
        )
        link = page.evaluate("navigator.clipboard.readText()")
        page.keyboard.press("d")
        until(page, "document.title.startsWith('b.png')")
        page.evaluate("link => { location.hash = new URL(link).hash; }", link)
        until(page, "document.title.startsWith('a.png')")  # by the address alone
        page.goto("about:blank")
        page.goto(link)
        until(page, "document.title.startsWith('a.png')")
        page.goto("about:blank")


def test_a_cut_out_has_a_soft_edge_where_that_is_wanted(page, serve, person, tmp_path):
    Image.fromarray(halves()).save(tmp_path / "a.png")
    with serve(tmp_path / "home", tmp_path / "a.png") as address:
        hand = person(page, address)
        hand.draw(1, [(10, 10), (10, 50)])
        hand.draw(0, [(70, 10), (70, 50)])
        hand.wait()
        hand.choose(1)
        page.get_by_test_id("feather").fill("3")
        page.get_by_test_id("export").click()
        with page.expect_download() as download:
            page.get_by_test_id("cut-out").click()
        download.value.save_as(tmp_path / "soft" / "cut.png")
        page.goto("about:blank")
    row = np.asarray(Image.open(tmp_path / "soft" / "cut.png"))[30, :, 3].astype(int)
    assert (row[:30] == 255).all()
    assert (row[50:] == 0).all()
    assert (np.diff(row) <= 0).all()
    soft = np.count_nonzero((row > 0) & (row < 255))
    assert 6 <= soft <= 13  # two means of seven pixels each
