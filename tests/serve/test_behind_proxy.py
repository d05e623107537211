"""Several servers behind one address: the example's nginx in front of two folders."""

import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.serve.helpers import TWO, halves, image_id, png, say, until

EXAMPLE = Path(__file__).parents[2] / "examples" / "server" / "nginx.conf"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="there is no nginx")


@pytest.fixture
def servers(make, tmp_path):
    """Two servers, each of a folder and with a token of its own."""
    found = {}
    for name in ("cells", "roads"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"{name}.png").write_bytes(png(halves()))
        host = f"{name}.lab.example"
        found[name] = make(paths=(folder,), hosts=(host,), token=f"token-{name}")
    return found


@pytest.fixture
def proxy(servers, tmp_path):
    """The example with the ports of this test; its own port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = EXAMPLE.read_text(encoding="utf-8")
    changes = {
        "listen 8080;": f"listen 127.0.0.1:{port};",
        "127.0.0.1:8765": f"127.0.0.1:{servers['cells'].port}",
        "127.0.0.1:8766": f"127.0.0.1:{servers['roads'].port}",
        "worker_processes auto;": "worker_processes 1; daemon off;",
    }
    for old, new in changes.items():
        assert old in text
        text = text.replace(f"{old} # no", new).replace(old, new)
    place = tmp_path / "nginx"
    place.mkdir()
    (place / "nginx.conf").write_text(text, encoding="utf-8")
    process = subprocess.Popen(
        [NGINX, "-p", place, "-c", place / "nginx.conf", "-e", "stderr"],
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.02)
    assert process.poll() is None, process.stderr.read()
    yield port
    process.terminate()
    process.communicate()


def visitor(port, name):
    """Somebody with the token of a folder."""
    return httpx.Client(
        base_url=f"http://127.0.0.1:{port}",
        headers={"host": f"{name}.lab.example", "authorization": f"Bearer token-{name}"},
        timeout=60,
    )


@needs_nginx
def test_each_name_is_a_folder_with_sessions_of_its_own(servers, proxy, tmp_path):
    for name in servers:
        host = f"{name}.lab.example"
        with visitor(proxy, name) as client:
            assert [i["name"] for i in client.get("/api/images").json()] == [f"{name}.png"]
            image = image_id(client, f"{name}.png")
            origin = {"origin": f"http://{host}"}
            opened = client.post("/api/sessions", json={"image": image}, headers=origin)
            assert opened.status_code == 201
            path = f"/api/sessions/{opened.json()['session']}"
            with connect(
                f"ws://{host}{path}/live",
                sock=socket.create_connection(("127.0.0.1", proxy)),
                additional_headers={"authorization": f"Bearer token-{name}"},
                origin=f"http://{host}",
                max_size=None,
                proxy=None,
            ) as page:
                until(page, "state")
                say(page, type="strokes", revision=1, document=TWO)
                result, before = until(page, "result", revision=1)
                assert result["labels"].shape == (60, 80)
                if "saved" not in [message["type"] for message in before]:
                    until(page, "saved", revision=1)
            assert client.get(f"{path}/mask").status_code == 200
        assert (tmp_path / name / f"{name}.strokes.json").is_file()


@needs_nginx
def test_tokens_and_names_open_their_own_folder_alone(servers, proxy):
    with visitor(proxy, "cells") as client:
        roads = {"host": "roads.lab.example"}
        assert client.get("/api/images", headers=roads).status_code == 401
        assert client.get("/api/images", headers={"host": "elsewhere.example"}).status_code == 421
        assert client.get("/metrics").status_code == 403  # by the proxy
        assert client.get("/api/health").status_code == 200
        wrong = {"origin": "http://roads.lab.example"}
        reply = client.post("/api/sessions", json={"image": "x"}, headers=wrong)
        assert reply.status_code == 403
    with (
        pytest.raises(InvalidStatus),
        connect(
            "ws://roads.lab.example/api/sessions/x/live",
            sock=socket.create_connection(("127.0.0.1", proxy)),
            additional_headers={"authorization": "Bearer token-cells"},
            proxy=None,
        ),
    ):
        pass


def test_the_example_lets_in_what_the_server_takes():
    from saccade.serve.settings import Limits

    size = re.search(r"client_max_body_size (\d+)m;", EXAMPLE.read_text(encoding="utf-8"))
    assert int(size[1]) * 2**20 == Limits().upload_bytes
