"""The page without a pointer, and to a screen reader."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
def violations(page):
    """What axe-core finds of the page as it is, one line for each rule."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed; make page-check installs it")
    script = AXE.read_text("utf-8")

    def check():
        page.evaluate(f"(() => {{ if (!window.axe) {{ {script} }} }})()")
        found = page.evaluate("axe.run()")["violations"]
        return [
            f"{v['id']}: {v['nodes'][0]['html'][:200]} {v['nodes'][0].get('failureSummary', '')}"
            for v in found
        ]

    return check


@pytest.fixture
def folder(tmp_path):
    for name in ("a", "b", "c"):
        pixels = np.random.default_rng(ord(name)).integers(150, 255, (60, 80, 3), dtype=np.uint8)
        pixels[:, 40:] //= 4
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    return tmp_path


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_any_state(page, serve, person, until, folder, violations, theme):
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    with serve(folder / "home", folder) as address:
        hand = person(page, address)
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        states = {"first visit": violations()}
        hand.draw(1, [(10, 10), (10, 50)])
        hand.draw(0, [(60, 10), (60, 50)])
        hand.wait()
        page.get_by_test_id("lock-1").click()
        hand.wait()
        page.get_by_test_id("suggest").click()
        until(page, "document.querySelector('.regions').children.length > 0")
        states["drawn"] = violations()
        for menu in ("import", "export"):
            page.get_by_test_id(menu).click()
            states[menu] = violations()
            page.keyboard.press("Escape")
        page.keyboard.press("F2")
        states["renaming"] = violations()
        page.keyboard.type("object")  # the name of the other class
        page.keyboard.press("Enter")
        assert page.get_by_test_id("error").is_visible()
        states["error"] = violations()
        page.get_by_test_id("dismiss-error").click()
        page.keyboard.press("?")
        states["keys"] = violations()
        page.keyboard.press("Escape")
        page.evaluate(
            "fetch('/api/sessions', {method: 'POST', body: JSON.stringify({image:"
            " location.hash.slice(1)}), headers: {'Content-Type': 'application/json'}})"
        )
        page.get_by_role("button", name="Open it here").wait_for()
        states["opened elsewhere"] = violations()
        page.goto("about:blank")
    assert {state: found for state, found in states.items() if found} == {}


def test_menus_and_classes_by_keys(hand, page):
    button = page.get_by_test_id("export")
    assert button.get_attribute("aria-expanded") == "false"
    button.focus()
    page.keyboard.press("ArrowDown")
    focused = "document.activeElement.dataset.testid"
    assert button.get_attribute("aria-expanded") == "true"
    assert page.evaluate(focused) == "export-png"
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == "export-tiff"
    page.keyboard.press("End")
    last = page.evaluate(focused)
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == "export-png" != last
    page.keyboard.press("Escape")
    assert button.get_attribute("aria-expanded") == "false"
    assert page.evaluate(focused) == "export"

    chosen = page.locator(".class-row.chosen")
    page.get_by_test_id("class-1").locator("[type=radio]").focus()
    page.keyboard.press("ArrowUp")
    assert chosen.get_attribute("data-testid") == "class-0"
    page.keyboard.press("F2")
    page.keyboard.type("ground")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "ground"


def test_an_object_is_cut_out_by_keys_alone(hand, page, until):
    page.keyboard.press("2")
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "application"
    page.keyboard.press("Space")
    for _ in range(12):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")
    until(page, "saccade.strokeCount === 1")
    page.keyboard.press("1")
    for _ in range(60):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    for _ in range(10):
        page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Space")
    until(page, "saccade.strokeCount === 2")
    hand.wait()
    found = np.asarray(hand.labels(300, 451))
    assert found[150 // 4, 220 // 4] == 1
    assert found[150 // 4, -1] == 0


def test_keys_do_not_ask_for_a_layout(hand, page):
    size = page.locator("[data-testid=brush-size]")
    before = float(size.input_value())
    # AltGr 9 of a German keyboard, the E of a Russian one.
    send = (
        "([key, code, options]) => document.body.dispatchEvent(new KeyboardEvent('keydown',"
        " {key, code, bubbles: true, ...options}))"
    )
    page.evaluate(
        send, ["]", "Digit9", {"modifierAltGraph": True, "altKey": True, "ctrlKey": True}]
    )
    assert float(size.input_value()) > before
    page.evaluate(send, ["\u0443", "KeyE", {}])
    assert page.get_by_test_id("tool-eraser").get_attribute("aria-pressed") == "true"
