"""Stores for tests: one in this process's memory, one that speaks S3, and what goes into them."""

import socket
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from saccade.cli.app import app
from saccade.stores import path_of
from tests.helpers import one_thread_each, wait_for


@pytest.fixture
def store():
    """A folder in this process's memory, empty."""
    folder = path_of("memory://bucket/out")
    folder.fs.store.clear()
    folder.fs.pseudo_dirs[:] = [""]
    return folder


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Three photographs, strokes on them, and the folder they lie in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "classes.txt").write_text("ground\nthing\n", encoding="utf-8")
    random = np.random.default_rng(0)
    for folder in ("photos", "strokes"):
        (tmp_path / folder).mkdir()
    for number in range(3):
        image = random.integers(0, 60, (24, 32, 3), np.uint8)
        image[8:16, 10:22] += 150
        strokes = np.full((24, 32), 255, np.uint8)
        strokes[2, 5:28], strokes[12, 12:20] = 0, 1
        Image.fromarray(image).save(tmp_path / f"photos/{number}.png")
        Image.fromarray(strokes).save(tmp_path / f"strokes/{number}.png")
    return tmp_path


def content(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path).removeprefix(str(folder)): path.read_bytes() for path in files}


def run(*command):
    with pytest.raises(SystemExit) as ended:
        app([*command])
    return ended.value.code


def _port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def s3(monkeypatch):
    """Starts a server that speaks S3 and gives the environment of its clients."""
    pytest.importorskip("s3fs")
    pytest.importorskip("moto")
    servers = []

    def start(**variables):
        port = _port()
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        servers.append(subprocess.Popen(command, env=one_thread_each(**variables), **quiet))

        def answers():
            with socket.socket() as client:
                return client.connect_ex(("127.0.0.1", port)) == 0

        wait_for(answers, servers[-1])
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    yield start
    for server in servers:
        server.kill()
        server.wait()
