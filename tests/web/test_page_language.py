"""The page in other languages: no text is left outside of the table, and all of them fit."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.web.conftest import halves

SOURCES = Path(__file__).parents[2] / "web" / "src"
ROW = re.compile(r'^  "?([\w-]+)"?: \["((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)"\],$', re.MULTILINE)
VALUE = re.compile(r"\{\w+\}")
SHOWN = """() => {
  const said = [], attributes = ['title', 'aria-label', 'placeholder', 'aria-roledescription'];
  for (const element of document.querySelectorAll('body, body *'))
    said.push(...attributes.map(name => element.getAttribute(name) ?? ''));
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let text = '';
  while (walk.nextNode())
    if (!['SCRIPT', 'NOSCRIPT'].includes(walk.currentNode.parentElement.tagName))
      text += walk.currentNode.data + (walk.currentNode.parentElement.tagName === 'B' ? '' : ' ');
  return [...said, text];
}"""
# Names: of the page, of files and classes, of formats and languages, and what stands on keys.
NAMES = (
    "Saccade a b png background object masks COCO labelme Label Studio YOLO GeoJSON json tif xml "
    "txt coco polygons label-studio cvat cut saccade English Deutsch px "
    "Ctrl Shift Del Esc Space Page"
)
PHONE = {"width": 390, "height": 800}


def table():
    rows = ROW.findall((SOURCES / "texts.ts").read_text("utf-8"))
    return {key: (english, german) for key, english, german in rows}


def speak(page, language):
    page.add_init_script(
        f"if (location.protocol === 'http:') localStorage.setItem('saccade-language', '{language}')"
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos").mkdir()
    for name in ("a", "b"):
        Image.fromarray(halves()).save(tmp_path / "photos" / f"{name}.png")
    return tmp_path / "photos"


def every_state(page, hand, until):
    """Bring the page into all its states, one after the other."""
    yield "first visit"
    hand.draw(1, [(10, 10), (10, 50)])
    hand.wait()
    yield "one class"
    hand.draw(0, [(60, 10), (60, 50)])
    hand.wait()
    page.get_by_test_id("suggest").click()
    until(page, "document.querySelector('.regions').children.length > 0")
    page.get_by_test_id("lock-1").click()
    page.mouse.move(*page.evaluate("Object.values(saccade.toClient(20, 20))"))
    until(page, "document.querySelector('[data-testid=readout]').innerText.includes('·')")
    yield "drawn"
    for menu in ("import", "export"):
        page.get_by_test_id(menu).click()
        yield menu
        page.keyboard.press("Escape")
    page.keyboard.press("F2")
    page.keyboard.type("object")  # the name of the other class
    page.keyboard.press("Enter")
    until(page, "!document.querySelector('[data-testid=error]').hidden")
    yield "error"
    page.keyboard.press("?")
    yield "keys"
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    until(page, "document.title.startsWith('b.png')")
    page.get_by_test_id("queue-search").fill("none of that name")
    yield "searched"
    page.get_by_test_id("queue-search").fill("")
    page.evaluate(
        "fetch('/api/sessions', {method: 'POST', body: JSON.stringify({image:"
        " location.hash.slice(1)}), headers: {'Content-Type': 'application/json'}})"
    )
    until(page, "!document.querySelector('.veil').hidden")
    yield "opened elsewhere"


def test_all_texts_are_used_and_both_languages_fill_in_the_same(page):
    texts = table()
    lines = (SOURCES / "texts.ts").read_text("utf-8").splitlines()
    assert len(texts) == sum(
        ": [" in line for line in lines
    )  # a line for each, none of another form
    texts = {key: row for key, row in texts.items() if key[0].islower()}  # keys begin large
    code = "".join(p.read_text("utf-8") for p in SOURCES.glob("*.ts") if p.name != "texts.ts")
    unused = {k for k in texts if f'"{k}"' not in code and not k.startswith("format-")}
    assert unused <= {"fast", "best", "paper"}  # named by the server
    for key, (english, german) in texts.items():
        assert sorted(VALUE.findall(english)) == sorted(VALUE.findall(german)), key
        assert english.count("**") == german.count("**"), key
    said = re.findall(r"(?:setStatus|showError|cover|Error)\(\s*[\"'`](?=\w)[^)]*", code)
    assert said == []


def test_no_text_is_left_outside_of_the_table(page, serve, person, until, folder):
    speak(page, "marked")
    with serve(folder.parent / "home", folder) as address:
        hand = person(page, address)
        left = {}
        for state in every_state(page, hand, until):
            for text in page.evaluate(SHOWN):
                while (bare := re.sub(r"⟦[^⟦⟧]*⟧", " ", text)) != text:
                    text = bare
                if words := set(re.findall(r"[^\W\d_]{2,}[\w-]*", text)) - set(NAMES.split()):
                    left.setdefault(state, set()).update(words)
        assert left == {}
        page.goto("about:blank")


def test_a_german_page_has_no_english_text(browser, serve, person, until, folder):
    context = browser.new_context(locale="de-DE", viewport={"width": 1280, "height": 800})
    page = context.new_page()
    english = {e for e, g in table().values() if e != g and not VALUE.search(e)}
    english.remove("background")  # a name that the server gives
    with serve(folder.parent / "home", folder) as address:
        hand = person(page, address)
        assert page.evaluate("document.documentElement.lang") == "de"
        for state in every_state(page, hand, until):
            found = page.evaluate(
                "Array.from(document.querySelectorAll('body *'), e => [e.title, e.ariaLabel,"
                " e.placeholder, e.childElementCount ? '' : e.textContent]).flat()"
            )
            assert english & {text for text in found if text} == set(), state
        page.get_by_role("button", name="Hier öffnen").click()
        until(page, "document.querySelector('.veil').hidden")
        page.get_by_test_id("language").select_option("en")
        page.get_by_role("button", name="Keys (?)").wait_for()
        until(page, "saccade.revision >= 0")
        page.reload()
        until(page, "saccade.revision >= 0")
        assert page.get_by_test_id("language").input_value() == "en"
        page.get_by_test_id("language").select_option("")
        page.get_by_role("button", name="Tasten (?)").wait_for()
        until(page, "saccade.revision >= 0")
        page.goto("about:blank")
    context.close()


@pytest.mark.parametrize("size", [PHONE, {"width": 360, "height": 640}])
def test_german_fits_a_phone(browser, serve, person, until, folder, size):
    context = browser.new_context(
        locale="de-DE", has_touch=True, is_mobile=True, viewport=size, reduced_motion="reduce"
    )
    page = context.new_page()
    cut = (
        "Array.from(document.querySelectorAll('button, label > span, h2, p, .toggle, .menu small'))"
        ".filter(e => e.offsetParent && !e.matches('.image-name, .queue *'))"
        ".filter(e => { const b = e.getBoundingClientRect();"
        " return b.left < -1 || b.right > innerWidth + 1 || e.scrollWidth > e.clientWidth + 1; })"
        ".filter(e => e.scrollWidth > 0 && getComputedStyle(e).display !== 'inline' ||"
        " e.getBoundingClientRect().right > innerWidth + 1)"
        ".map(e => e.outerHTML.slice(0, 120))"
    )
    with serve(folder.parent / "home", folder) as address:
        hand = person(page, address)
        hand.draw(1, [(10, 10), (10, 50)])
        hand.draw(0, [(60, 10), (60, 50)])
        hand.wait()
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert page.evaluate(cut) == []
        for menu in ("import", "export"):
            page.get_by_test_id(menu).tap()
            assert page.evaluate(cut) == [], menu
            page.keyboard.press("Escape")
        page.goto("about:blank")
    context.close()


def test_a_new_class_has_a_name_of_the_language(browser, serve, person, until, tmp_path):
    Image.fromarray(np.asarray(halves())).save(tmp_path / "a.png")
    context = browser.new_context(locale="de-AT")
    page = context.new_page()
    with serve(tmp_path / "home", tmp_path / "a.png") as address:
        person(page, address)
        page.get_by_test_id("add-class").click()
        page.keyboard.press("Escape")
        assert page.get_by_test_id("class-2").locator("[type=text]").input_value() == "Klasse 2"
        page.goto("about:blank")
    context.close()
