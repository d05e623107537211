"""A server that is told to stop keeps what it was sent, as a process of its own."""

import json
import re
import signal
import sys
import threading
import time

import httpx
import pytest
from websockets.sync.client import connect

from tests.helpers import one_thread_each, run_python, start_python
from tests.serve.helpers import image_id, line

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch"),
]


class Running:
    """`saccade serve` in a process of its own, ready for strokes."""

    def __init__(self, photos, home):
        self.process = start_python(
            *("-m", "saccade.cli", "serve", photos, "--port", 0),
            env=one_thread_each(XDG_DATA_HOME=str(home)),
        )
        first = self.process.stdout.readline()
        self.address = re.search(r"http://\S+:\d+", first)[0]
        self.client = httpx.Client(base_url=self.address, timeout=60)
        while not self._is_ready():
            assert self.process.poll() is None
            time.sleep(0.05)

    def _is_ready(self):
        try:
            return self.client.get("/api/ready").status_code == 200
        except httpx.TransportError:
            return False

    def open(self, name):
        """Open an image: its live socket's address, and the one for requests."""
        reply = self.client.post("/api/sessions", json={"image": image_id(self.client, name)})
        path = f"/api/sessions/{reply.json()['session']}"
        return "ws" + self.address.removeprefix("http") + path + "/live", path

    def stop(self, how):
        """Send a signal; returns when the process has ended, and what it printed on stderr."""
        self.process.send_signal(how)
        _, errors = self.process.communicate(timeout=60)
        return errors


@pytest.fixture
def running(photos, tmp_path):
    started = Running(photos, tmp_path / "home")
    yield started
    started.client.close()
    if started.process.poll() is None:
        started.process.kill()
        started.process.communicate()


def many(count):
    """A long document: reading it takes the server a while."""
    rng = range(count)
    lines = [line(f"s{i}", i % 2, (5 + i % 60, 5 + i % 40), (9 + i % 60, 9 + i % 40)) for i in rng]
    classes = [{"value": v, "name": n, "color": c} for v, n, c in _CLASSES]
    return {"classes": classes, "items": lines}


_CLASSES = [(0, "background", "#112233"), (1, "object", "#ff0000")]


def kept(photos, name):
    """The strokes on disk."""
    return len(json.loads((photos / name).read_text(encoding="utf-8"))["shapes"])


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("count", [2, 4000])
def test_a_stroke_in_flight_is_kept(running, photos, how, count):
    address, _ = running.open("2.png")
    with connect(address, max_size=None, proxy=None) as socket:
        document = many(count)
        socket.send(json.dumps({"type": "strokes", "revision": 1, "document": many(1)}))
        socket.send(json.dumps({"type": "strokes", "revision": 2, "document": document}))
        errors = running.stop(how)
    assert "Traceback" not in errors
    assert kept(photos, "2.strokes.json") == count


def test_a_second_server_of_the_folder_is_refused(running, photos, tmp_path):
    second = run_python(
        *("-m", "saccade.cli", "serve", photos, "--port", 0),
        code=1,
        XDG_DATA_HOME=str(tmp_path / "home"),
    )
    assert second.stderr.startswith(f"error: {photos}: another 'saccade serve' shows it")
    running.process.kill()  # even so the folder is free again
    running.process.communicate()
    third = Running(photos, tmp_path / "home")
    assert third.stop(signal.SIGTERM) == ""
    third.client.close()


def test_strokes_of_a_request_in_flight_are_kept(running, photos):
    _, path = running.open("2.png")
    answers = []

    def put():
        with httpx.Client(base_url=running.address, timeout=60) as client:
            answers.append(client.put(f"{path}/strokes", json=many(3000)))

    thread = threading.Thread(target=put)
    thread.start()
    time.sleep(1)  # its body is there, or the most part
    running.stop(signal.SIGTERM)
    thread.join()
    assert answers[0].status_code in (200, 409)
    assert kept(photos, "2.strokes.json") == 3000
