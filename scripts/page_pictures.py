"""Take the pictures of the page that docs/how-to/serve.md shows: python scripts/page_pictures.py

Needs a chromium and playwright, as the tests of the page do. Somebody draws on the sample
photograph; the second picture is in the dark theme, with the uncertainty and where to draw next.
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


def shoot(browser, address: str, target: Path, *, scheme: str, keys: tuple[str, ...]) -> None:
    """Open the page, draw, press keys, keep the picture."""
    from conftest import Hand

    size = {"width": 1280, "height": 800}
    page = browser.new_page(viewport=size, color_scheme=scheme)
    hand = Hand(page, address)
    if not hand.facts()["strokeCount"]:
        for value, points in STROKES:
            hand.draw(value, points)
            hand.wait()
    hand.wait()
    page.mouse.move(640, 20)
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_timeout(1500)
    page.wait_for_timeout(500)
    shot = target.with_suffix(".png")
    page.screenshot(path=shot)
    Image.open(shot).convert("RGB").save(target, quality=88)
    shot.unlink()
    page.goto("about:blank")
    page.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n")[0])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "images")
    arguments = parser.parse_args()
    from conftest import ARGUMENTS, CHROMIUM, serving
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        with serving(Path(home)) as address:
            light, dark = (arguments.output / f"page-{name}.jpg" for name in ("light", "dark"))
            shoot(browser, address, light, scheme="light", keys=())
            shoot(browser, address, dark, scheme="dark", keys=("u", "w"))
        browser.close()


if __name__ == "__main__":
    main()
