"""Out and in: cut-outs, the clipboard, files that are dropped."""

import base64
import json

import numpy as np
from PIL import Image

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
