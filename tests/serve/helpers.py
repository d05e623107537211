"""What tests of the server say to it."""

import io
import json
import struct
import time
import zipfile

import numpy as np
from PIL import Image
from websockets.sync.client import connect

CLASSES = [
    {"value": 0, "name": "background", "color": "#112233"},
    {"value": 1, "name": "object", "color": "#ff0000"},
]


def line(name, value, *points, width=6):
    """A stroke."""
    return {"id": name, "kind": "line", "value": value, "width": width, "points": list(points)}


def document(*items, classes=CLASSES):
    """Strokes as JSON."""
    return {"classes": classes, "items": list(items)}


TWO = document(line("a", 1, (10, 10), (12, 50)), line("b", 0, (70, 10), (70, 50)))


def image_id(client, name):
    """The id of an image by its name."""
    return {i["name"]: i["id"] for i in client.get("/api/images").json()}[name]


def opened(client, name="2.png", **options):
    """Open an image; the session's address."""
    reply = client.post("/api/sessions", json={"image": image_id(client, name), **options})
    assert reply.status_code == 201, reply.text
    return f"/api/sessions/{reply.json()['session']}"


def live(client, address, **options):
    """Connect to a session's live socket."""
    uri = f"ws://127.0.0.1:{client.port}{address}/live"
    return connect(uri, max_size=None, proxy=None, **options)


def decoded(message):
    """Header, labels (H, W) and uncertainty of a binary message, as the page reads it."""
    (length,) = struct.unpack("<I", message[:4])
    header = json.loads(message[4 : 4 + length])
    runs = np.frombuffer(message, "<u4", header["runs"], 4 + length)
    index = np.repeat(runs & 255, runs >> 8)
    labels = np.asarray(header["values"])[index].reshape(header["height"], header["width"])
    rest = message[4 + length + runs.nbytes :]
    size = header["uncertainty"]
    doubt = None
    if size:
        doubt = np.frombuffer(rest, np.uint8).reshape(size["height"], size["width"])
    return header, labels, doubt


def until(socket, kind, *, revision=None):
    """The next message of a kind, and whatever came before it."""
    before = []
    while True:
        message = socket.recv(timeout=30)
        if isinstance(message, bytes):
            header, labels, doubt = decoded(message)
            found = header | {"labels": labels, "doubt": doubt}
        else:
            found = json.loads(message)
        if found["type"] == kind and revision in (None, found.get("revision")):
            return found, before
        before.append(found)


def say(socket, **message):
    """Send a message as JSON."""
    socket.send(json.dumps(message))


def halves(seed=0, size=(60, 80)):
    """A picture with two halves that are easy to tell apart."""
    rng = np.random.default_rng(seed)
    picture = rng.integers(150, 255, (*size, 3), dtype=np.uint8)
    picture[:, size[1] // 2 :] //= 4
    return picture


def png(array):
    """An array as the bytes of a PNG."""
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format="PNG")
    return buffer.getvalue()


def wait_for_folder(client, what, seconds=60):
    """Ask until a condition on the folder's state holds; the state."""
    deadline = time.monotonic() + seconds
    while not what(state := client.get("/api/folder").json()):
        assert time.monotonic() < deadline, state
        time.sleep(0.05)
    return state


def exported(client, seconds=60):
    """Export all masks as PNG; the export's last state, and its file."""
    export = client.post("/api/exports?format=png").json()["export"]
    deadline = time.monotonic() + seconds
    while (state := client.get(f"/api/exports/{export}").json())["state"] == "running":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert state["state"] == "done", state
    data = client.get(f"/api/exports/{export}/file").content
    return state, zipfile.ZipFile(io.BytesIO(data))
