"""A real server and a real browser."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def halves():
    """A picture with two halves that are easy to tell apart."""
    picture = np.random.default_rng(0).integers(150, 255, (60, 80, 3), dtype=np.uint8)
    picture[:, 40:] //= 4
    return picture


def free_port():
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def start_server(home: Path, port: int, *arguments):
    """Start ``saccade serve``; with a port of its own it is up when this returns."""
    environment = os.environ | {"XDG_DATA_HOME": str(home), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "saccade.cli", "serve", "--port", str(port), *map(str, arguments)],
        stdout=subprocess.PIPE if port == 0 else subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    if port != 0:
        _wait_until_up(f"http://127.0.0.1:{port}/")
    return process


@contextmanager
def serving(home: Path, *arguments, process=False):
    """Run ``saccade serve`` and give its address; it is stopped with Ctrl-C.

    `process`: give its process too.
    """
    server = start_server(home, 0, *arguments)
    try:
        line = server.stdout.readline()
        found = re.search(r"at (http://\S+)", line)
        assert found, line + server.stdout.read()
        _wait_until_up(found.group(1))
        yield (found.group(1), server) if process else found.group(1)
    finally:
        server.send_signal(signal.SIGINT)
        try:
            output, _ = server.communicate(timeout=60)  # a slow machine finishes its work first
        except subprocess.TimeoutExpired:
            server.kill()
            raise
    assert "Traceback" not in output, output
    assert server.returncode in (0, 130, -signal.SIGINT)


def _wait_until_up(address):
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{address}api/health", timeout=5).close()
            return
        except OSError:
            assert time.monotonic() < deadline, "the server did not come up"
            time.sleep(0.1)


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all tests."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium; apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    """A new page that fails the test for whatever goes wrong in it."""
    page = browser.new_page(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    yield page
    page.close()
    assert not problems


@pytest.fixture
def serve():
    """`serving`, for tests."""
    return serving


@pytest.fixture
def until():
    """`wait_until`, for tests."""
    return wait_until


@pytest.fixture
def person():
    """`Hand`, for tests that have a server of their own."""
    return Hand


@pytest.fixture
def hand(page, tmp_path):
    """Somebody at the sample photograph, on a fresh server."""
    with serving(tmp_path / "home") as address:
        yield Hand(page, address)
        page.goto("about:blank")


def wait_until(page, expression, seconds=20):
    """Wait until JavaScript is true; Playwright's own way needs eval, which is forbidden."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, f"never came true: {expression}"
        page.wait_for_timeout(20)


class Hand:
    """Somebody who draws on the page."""

    def __init__(self, page, address, take=False):
        """`take`: from another window that has the image open."""
        self.page = page
        page.goto(address)
        if take:
            page.get_by_role("button", name="Open it here").click()
        wait_until(page, "saccade.revision >= 0")

    def choose(self, value):
        """Choose a class."""
        self.page.locator(f"[data-testid=class-{value}] input[type=text]").click()

    def draw(self, value, points):
        """Draw one stroke with the pointer, without waiting for its mask."""
        self.choose(value)
        self.drag(points)

    def drag(self, points):
        """Press, move along points (x, y) of the image, release."""
        places = [self.page.evaluate("p => saccade.toClient(p[0], p[1])", list(p)) for p in points]
        mouse = self.page.mouse
        mouse.move(places[0]["x"], places[0]["y"])
        mouse.down()
        for place in places[1:]:
            mouse.move(place["x"], place["y"], steps=6)
        mouse.up()

    def wait(self):
        """Wait for the final mask of the strokes of now."""
        wait_until(
            self.page,
            "saccade.resultRevision >= saccade.revision && (saccade.final || saccade.waiting)",
        )

    def facts(self):
        """What the page says of itself."""
        return self.page.evaluate("(() => ({...saccade}))()")

    def labels(self, height, width, step=4):
        """The mask that is shown, every `step` pixels."""
        return self.page.evaluate(
            "([h, w, s]) => Array.from({length: Math.ceil(h / s)}, (_, y) =>"
            " Array.from({length: Math.ceil(w / s)}, (_, x) => saccade.labelAt(x * s, y * s)))",
            [height, width, step],
        )
