"""A real server of its own for each test, and a client of it."""

import asyncio
import socket
import threading
import time
from dataclasses import replace

import pytest
from PIL import Image
from skimage import data

for name in ("fastapi", "httpx", "uvicorn", "websockets"):
    pytest.importorskip(name, reason="saccade[serve] is not installed")

import httpx  # noqa: E402
import uvicorn  # noqa: E402

from saccade.serve.app import create_app  # noqa: E402
from saccade.serve.settings import Limits, ServeSettings  # noqa: E402
from tests.serve.helpers import halves  # noqa: E402


class Client(httpx.Client):
    """A client of a server that runs in a thread."""

    def __init__(self, settings, host):
        self.service = None
        app = create_app(settings)
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            app, log_level="error", ws="websockets-sansio", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._loop = None

        def run():
            self._loop = asyncio.new_event_loop()
            self._loop.run_until_complete(self._server.serve(sockets=[listener]))
            self._loop.close()

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 30
        while not self._server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        self.service = app.state.service
        headers = {"host": host} if host else {}
        super().__init__(base_url=f"http://127.0.0.1:{self.port}", timeout=60, headers=headers)

    def in_loop(self, work):
        """Run a coroutine of the service where the service lives."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def stop(self):
        """Stop the server as Ctrl-C does."""
        self.close()
        self._server.should_exit = True
        self._thread.join(30)
        assert not self._thread.is_alive()


@pytest.fixture
def photos(tmp_path):
    """A folder with the cat and two small pictures."""
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(data.cat()).save(folder / "cat.png")
    for i in (2, 10):
        Image.fromarray(halves(i)).save(folder / f"{i}.png")
    return folder


@pytest.fixture
def make(tmp_path, photos):
    """Make a client of a new server; settings and limits by keyword."""
    clients = []

    def build(*, paths=(photos,), host=None, limits=None, **settings):
        made = ServeSettings(paths=paths, home=tmp_path / "home", limits=Limits(**(limits or {})))
        clients.append(Client(replace(made, **settings), host))
        return clients[-1]

    yield build
    for client in clients:
        client.stop()


@pytest.fixture
def client(make):
    """A client of a server with the usual settings."""
    return make()
