"""Take the pictures of the page that docs/how-to/serve.md shows: python scripts/page_pictures.py

Needs a chromium and playwright, as the tests of the page do. The first visit; somebody who draws on
the sample photograph; the dark theme, with the uncertainty and where to draw next; a phone; a
folder, of which one image has strokes and another shows the mask that follows.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "web"))

STROKES = (
    (1, [(85, 60), (140, 45), (205, 60), (265, 70), (320, 80)]),
    (0, [(418, 28), (425, 70), (400, 105), (380, 135), (420, 165)]),
    (1, [(20, 160), (25, 215), (50, 260), (120, 275), (220, 285)]),
    (0, [(430, 190), (375, 205), (350, 225), (395, 250), (430, 280)]),
)


COINS = (
    (1, [(36, 34), (52, 34)]),
    (1, [(206, 31), (224, 31)]),
    (1, [(322, 23), (344, 23)]),
    (0, [(72, 6), (72, 66), (246, 66), (246, 6)]),
    (0, [(128, 6), (128, 60)]),
)
TOPS = (20, 88, 160, 228)
"""Of rows of coins in their photograph, each 75 pixels high."""
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


def shoot(browser, address: str, target: Path, *, scheme="light", strokes=STROKES, keys=(), **more):
    """Open the page, draw, press keys, keep the picture."""
    from conftest import Hand, wait_until

    page = browser.new_page(**{"viewport": DESK, "color_scheme": scheme, **more})
    hand = Hand(page, address)
    page.wait_for_timeout(500)
    if not hand.facts()["strokeCount"]:
        for value, points in strokes:
            hand.draw(value, points)
            hand.wait()
    hand.wait()
    page.mouse.move(640, 20)
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_timeout(1500)
    wait_until(page, "!saccade.folder.fitting && saccade.final || saccade.waiting", 120)
    page.wait_for_timeout(1500)
    shot = target.with_suffix(".png")
    page.screenshot(path=shot)
    Image.open(shot).convert("RGB").save(target, quality=88)
    shot.unlink()
    page.goto("about:blank")
    page.close()


def coins(folder: Path) -> Path:
    """Four images of a kind: rows of coins."""
    from skimage import data

    folder.mkdir()
    for number, top in enumerate(TOPS, 1):
        Image.fromarray(data.coins()[top : top + 75]).save(folder / f"coins-{number}.png")
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n")[0])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "images")
    output = parser.parse_args().output
    from conftest import ARGUMENTS, CHROMIUM, serving
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        with serving(Path(home)) as address:
            shoot(browser, address, output / "page-first.jpg", strokes=())
            shoot(browser, address, output / "page-light.jpg")
            shoot(browser, address, output / "page-dark.jpg", scheme="dark", keys=("u", "w"))
            touch = {"has_touch": True, "is_mobile": True, "viewport": PHONE}
            shoot(browser, address, output / "page-phone.jpg", **touch)
        with serving(Path(home), coins(Path(home) / "coins")) as address:
            shoot(browser, address, output / "page-folder.jpg", strokes=COINS, keys=("d",))
        browser.close()


if __name__ == "__main__":
    main()
