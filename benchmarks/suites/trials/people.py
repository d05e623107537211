"""Three people at the page: one with a mouse, one with a finger on a phone, one with keys alone."""

import base64
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.trials.placing import Stroke

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
_LABELS = """() => { const [w, h] = %s, out = new Uint8Array(w * h);
  const at = saccade.labelAt;
  for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) out[y * w + x] = at(x, y) ?? 255;
  let text = ''; for (let i = 0; i < out.length; i += 32768)
    text += String.fromCharCode(...out.subarray(i, i + 32768));
  return btoa(text); }"""
_CURSOR = """() => { const b = document.querySelector('.key-cursor').getBoundingClientRect();
  const o = saccade.toClient(0, 0), s = saccade.toClient(1, 0).x - o.x;
  return [(b.x + b.width / 2 - o.x) / s, (b.y + b.height / 2 - o.y) / s, s]; }"""
_FOCUSED = "document.activeElement.dataset.testid ?? ''"
_READY = "saccade.resultRevision >= saccade.revision && (saccade.final || saccade.waiting)"


class Person:
    """Somebody with a mouse; the others do some things in another way.

    Attributes:
        page: of Playwright.
        seconds: that were spent on drawing and waiting for masks.
        strokes: that were drawn.
    """

    name = "mouse"

    def __init__(self, browser: Any, address: str) -> None:
        self.context = browser.new_context(accept_downloads=True, **self.options())
        self.page = self.context.new_page()
        self.page.goto(address)
        self.until("saccade.revision >= 0")
        self.seconds, self.strokes = 0.0, 0

    def options(self) -> dict[str, Any]:
        return {"viewport": DESK}

    def until(self, expression: str, seconds: float = 180) -> None:
        """Wait until JavaScript is true."""
        deadline = time.monotonic() + seconds
        while not self.page.evaluate(expression):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name}: never came true: {expression}")
            self.page.wait_for_timeout(20)

    def draw(self, stroke: Stroke) -> None:
        """Draw a stroke, and wait for its mask."""
        self.page.mouse.move(5, 5)
        began = time.monotonic()
        self.choose(stroke.value)
        self.make_brush_at_most(stroke.width)
        count = self.page.evaluate("saccade.strokeCount")
        self.trace(stroke.points)
        self.until(f"saccade.strokeCount > {count}")
        self.until(_READY)
        self.seconds += time.monotonic() - began
        self.strokes += 1

    def mask(self, size: tuple[int, int]) -> NDArray[np.uint8]:
        """The mask (H, W) that is shown; 255 where there is none."""
        self.until(_READY)
        text = self.page.evaluate(_LABELS % [size[1], size[0]])
        return np.frombuffer(base64.b64decode(text), np.uint8).reshape(size)

    def choose(self, value: int) -> None:
        self.page.get_by_test_id(f"class-{value}").locator("input[type=text]").click()

    def make_brush_at_most(self, width: float) -> None:
        slider = self.page.get_by_test_id("brush-size")
        wanted = int(100 * np.log(max(1.0, width)) / np.log(200))
        if int(slider.input_value()) > wanted:
            slider.fill(str(wanted))

    def places(self, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        """Points of the image in the window."""
        found = [self.page.evaluate("p => saccade.toClient(p[0], p[1])", list(p)) for p in points]
        return [(place["x"], place["y"]) for place in found]

    def trace(self, points: list[tuple[float, float]]) -> None:
        places, mouse = self.places(points), self.page.mouse
        mouse.move(*places[0])
        mouse.down()
        for place in places[1:]:
            mouse.move(*place, steps=6)
        mouse.up()

    def name_class(self, value: int, name: str) -> None:
        """Call a class something; one that is not there yet is added."""
        row = self.page.get_by_test_id(f"class-{value}").locator("input[type=text]")
        if row.count():
            row.dblclick()
        else:
            self.page.get_by_test_id("add-class").click()
        self._type(value, name)

    def _type(self, value: int, name: str) -> None:
        row = self.page.get_by_test_id(f"class-{value}").locator("input[type=text]")
        self.page.keyboard.type(name)
        self.page.keyboard.press("Enter")
        if row.input_value() != name:
            raise ValueError(f"{self.name}: class {value} is called {row.input_value()}")

    def done(self) -> None:
        """Say that the image is done, which opens the next."""
        self.page.get_by_test_id("done").click()

    def export_all(self, folder: Path) -> Path:
        """Save the masks of all images."""
        self.page.get_by_test_id("export").click()
        self.page.get_by_test_id("export-all").click()
        with self.page.expect_download(timeout=300_000) as download:
            self.page.get_by_test_id("export-png").click()
        return self._save(download, folder)

    def _save(self, download: Any, folder: Path) -> Path:
        path = folder / f"{self.name}.zip"
        download.value.save_as(path)
        return path

    def close(self) -> None:
        self.page.goto("about:blank")
        self.context.close()


class Finger(Person):
    """Somebody with a phone."""

    name = "phone"

    def options(self) -> dict[str, Any]:
        return {"viewport": PHONE, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}

    def choose(self, value: int) -> None:
        self.page.get_by_test_id(f"chip-{value}").tap()

    def trace(self, points: list[tuple[float, float]]) -> None:
        places = self.places(points)
        touches = self.context.new_cdp_session(self.page)

        def touch(kind: str, *at: tuple[float, float]) -> None:
            named = [{"x": x, "y": y, "id": 0} for x, y in at]
            touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": named})

        touch("touchStart", places[0])
        for (x0, y0), (x1, y1) in pairwise(places):
            for k in range(1, 7):
                touch("touchMove", (x0 + (x1 - x0) * k / 6, y0 + (y1 - y0) * k / 6))
        touch("touchEnd")
        touches.detach()

    def name_class(self, value: int, name: str) -> None:
        chip = self.page.get_by_test_id(f"chip-{value}")
        if chip.count():
            row = self.page.get_by_test_id(f"class-{value}").locator("input[type=text]")
            row.scroll_into_view_if_needed()
            row.tap()
            row.tap()
        else:
            self.page.get_by_test_id("chip-add").tap()
        self._type(value, name)

    def done(self) -> None:
        if not self.page.get_by_test_id("done").is_visible():
            self.page.get_by_test_id("toggle-queue").tap()
        self.page.get_by_test_id("done").tap()

    def export_all(self, folder: Path) -> Path:
        if self.page.get_by_test_id("done").is_visible():
            self.page.get_by_test_id("toggle-queue").tap()
        self.page.get_by_test_id("export").tap()
        self.page.get_by_test_id("export-all").tap()
        with self.page.expect_download(timeout=300_000) as download:
            self.page.get_by_test_id("export-png").tap()
        return self._save(download, folder)


class Keys(Person):
    """Somebody without a pointer."""

    name = "keyboard"

    def choose(self, value: int) -> None:
        rows = self.page.locator(".class-row")
        ids = [rows.nth(i).get_attribute("data-testid") for i in range(rows.count())]
        self.page.keyboard.press(str(ids.index(f"class-{value}") + 1))
        self.page.wait_for_timeout(750)  # or the next digit is a part of this number

    def make_brush_at_most(self, width: float) -> None:
        text = self.page.locator(".panel output.value").first
        for _ in range(40):
            if int(text.inner_text().split()[0]) <= max(1.0, width):
                return
            self.page.keyboard.press(",")

    def trace(self, points: list[tuple[float, float]]) -> None:
        press = self.page.keyboard.press
        press("k")
        self._go(points[0])
        press("Space")
        for point in points[1:]:
            self._go(point)
        if len(points) == 1:
            press("Shift+ArrowRight")
        press("Space")

    def _go(self, point: tuple[float, float]) -> None:
        x, y, scale = self.page.evaluate(_CURSOR)
        step = max(1, round(8 / scale))
        for by, keys in (
            (point[0] - x, ("ArrowLeft", "ArrowRight")),
            (point[1] - y, ("ArrowUp", "ArrowDown")),
        ):
            key = keys[int(by > 0)]
            far, near = divmod(round(abs(by)), step)
            for _ in range(far):
                self.page.keyboard.press(key)
            for _ in range(near):
                self.page.keyboard.press(f"Shift+{key}")

    def name_class(self, value: int, name: str) -> None:
        if self.page.get_by_test_id(f"class-{value}").count():
            self.choose(value)
            self.page.keyboard.press("F2")
        else:
            self.page.keyboard.press("n")
        self._type(value, name)

    def done(self) -> None:
        self.page.keyboard.press("f")

    def export_all(self, folder: Path) -> Path:
        self._tab_to("export")
        self.page.keyboard.press("Enter")
        self._walk_to("export-all")
        self.page.keyboard.press("Enter")
        self._walk_to("export-png")
        with self.page.expect_download(timeout=300_000) as download:
            self.page.keyboard.press("Enter")
        return self._save(download, folder)

    def _tab_to(self, testid: str) -> None:
        for _ in range(200):
            if self.page.evaluate(_FOCUSED) == testid:
                return
            self.page.keyboard.press("Tab")
        raise TimeoutError(f"keyboard: Tab never came to {testid}")

    def _walk_to(self, testid: str) -> None:
        for _ in range(30):
            if self.page.evaluate(_FOCUSED) == testid:
                return
            self.page.keyboard.press("ArrowDown")
        raise TimeoutError(f"keyboard: arrows never came to {testid}")


PEOPLE = {kind.name: kind for kind in (Person, Finger, Keys)}
