"""Whatever is sent to any route or over the socket: an answer of 4xx, soon, in one line."""

import base64
import io
import json
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed

from tests.serve.helpers import CLASSES, TWO, document, image_id, line, live, opened, until

SOON = 30.0  # seconds on a busy machine; half a one on an idle one
DEEP = b"[" * 50_000


def patch(data, **keys):
    text = data if isinstance(data, str) else base64.b64encode(data).decode()
    return {"id": "p", "kind": "patch", "value": 1, "x": 0, "y": 0, "png": text} | keys


def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png_of(*sizes, color=0):
    """A PNG with one header for each size; the last is the one that is decoded."""
    heads = b"".join(chunk(b"IHDR", struct.pack(">IIBBBBB", *s, 8, color, 0, 0, 0)) for s in sizes)
    width, height = sizes[-1]
    lines = zlib.compress((b"\0" + b"\1" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + heads + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


def other_format(fmt):
    buffer = io.BytesIO()
    Image.fromarray(np.ones((4, 4), np.uint8)).save(buffer, format=fmt)
    return buffer.getvalue()


def eps():
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(/tmp/x) run\n%%EOF\n"


DOCUMENTS = {
    "unknown class": document(line("a", 7, (1, 1))),
    "class twice": document(classes=CLASSES + CLASSES),
    "negative class": document(line("a", -1, (1, 1))),
    "huge class": document(line("a", 10**40, (1, 1))),
    "class of text": document(line("a", "1", (1, 1))),
    "no points": document(line("a", 1)),
    "point of three": document(line("a", 1, (1, 2, 3))),
    "no width": document(line("a", 1, (1, 1), width=0)),
    "negative width": document(line("a", 1, (1, 1), width=-4)),
    "huge width": document(line("a", 1, (1, 1), width=1e300)),
    "null": document(None),
    "no id": document(line("", 1, (1, 1))),
    "long id": document(line("x" * 1000, 1, (1, 1))),
    "unknown kind": document(line("a", 1, (1, 1)) | {"kind": "spray"}),
    "unknown key": document(line("a", 1, (1, 1)) | {"colour": 1}),
    "long name": document(classes=[{"value": 0, "name": "x" * 10_000}]),
    "many classes": document(classes=[{"value": 0, "name": str(i)} for i in range(300)]),
    "many items": document(*[line("a", 1, (1, 1))] * 30_000),
    "items of nothing": {"classes": CLASSES, "items": [0] * 200_000},
    "many points": document(line("a", 1, *[(1, 1)] * 120_000)),
    "patch of nothing": document(patch(b"")),
    "patch of text": document(patch("?!")),
    "patch that is cut": document(patch(png_of((9, 9))[:-30])),
    "patch of zeros": document(patch(other_format("PNG"), x=79, y=59)),
    "patch outside": document(patch(other_format("PNG"), x=10**6)),
    "patch far outside": document(patch(other_format("PNG"), x=10**30)),
    "patch at minus one": document(patch(other_format("PNG"), x=-1)),
    "patch that is large": document(patch(png_of((2000, 2000)))),
    "patch with two headers": document(patch(png_of((9, 9), (3000, 3000)))),
    "patch of many pixels": document(patch(png_of((9, 9), (30_000, 30_000))[:3000])),
    "patch of BMP": document(patch(other_format("BMP"))),
    "patch of GIF": document(patch(other_format("GIF"))),
    "patch of TIFF": document(patch(other_format("TIFF"))),
    "patch of EPS": document(patch(eps())),
}
TEXTS = {
    "nothing": b"",
    "no JSON": b"{'a': 1}",
    "half": b'{"classes": [',
    "deep": b'{"classes": ' + DEEP,
    "deep alone": DEEP,
    "list": b"[]",
    "number": b"1e999",
    "null": b"null",
    "text": b'"\\ud800"',
    "no UTF-8": b'{"classes": "\xff\xfe"}',
    "NaN": b'{"image": NaN, "classes": NaN, "items": NaN, "tasks": NaN, "revision": NaN}',
    "huge integers": b'{"image": ' + b"9" * 5000 + b', "classes": 1, "tasks": 1}',
    "wrong types": b'{"image": [], "classes": {}, "items": {}, "tasks": {}}',
    "many lists": b'{"classes": [' + b"[]," * 1_000_000 + b"[]]}",
    "many values": b'{"tasks": [' + b"0," * 3_000_000 + b"0]}",
    "spaces": b" " * 40_000_000,
}
ROUTES = {
    "sessions": ("POST", "/api/sessions"),
    "strokes": ("PUT", "{session}/strokes"),
    "import": ("POST", "{session}/import"),
    "import mask": ("POST", "{session}/import?as=mask"),
    "images": ("POST", "/api/images"),
    "setup": ("POST", "/label-studio/setup"),
    "predict": ("POST", "/label-studio/predict"),
    "train": ("POST", "/label-studio/train"),
    "webhook": ("POST", "/label-studio/webhook"),
}
# Label Studio's notices may say anything, as nothing is read from them.
ANY_OBJECT = {"setup", "train", "webhook"}
OBJECTS = {"NaN", "huge integers", "wrong types"}


def check(reply, began, allowed=()):
    assert reply.status_code in {400, 404, 409, 413, 415, 422, *allowed}, reply.text
    assert time.monotonic() - began < SOON
    if reply.status_code >= 400:
        detail = reply.json()["detail"]
        assert "\n" not in detail
        assert 0 < len(detail) <= 300
        assert "/tmp/" not in detail


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One server for all bodies: none of them may do it any harm."""
    from saccade.serve.settings import ServeSettings
    from tests.serve.conftest import Client
    from tests.serve.helpers import halves

    folder = tmp_path_factory.mktemp("photos")
    Image.fromarray(halves()).save(folder / "2.png")
    client = Client(ServeSettings(paths=(folder,), home=folder.parent / "home"), None)
    yield client
    client.stop()


@pytest.mark.parametrize("body", TEXTS)
@pytest.mark.parametrize("route", ROUTES)
def test_bad_bodies(shared, route, body):
    method, path = ROUTES[route]
    session = opened(shared)
    kind = (
        "multipart/form-data; boundary=x"
        if route in ("import", "import mask", "images")
        else "application/json"
    )
    began = time.monotonic()
    reply = shared.request(
        method,
        path.format(session=session),
        content=TEXTS[body],
        headers={"content-type": kind},
    )
    check(reply, began, {200, 201} if route in ANY_OBJECT and body in OBJECTS else ())
    assert shared.get("/api/health").status_code == 200


@pytest.mark.parametrize("name", DOCUMENTS)
def test_bad_documents(shared, name):
    session = opened(shared)
    began = time.monotonic()
    check(shared.put(f"{session}/strokes", json=DOCUMENTS[name]), began)
    assert shared.get(f"{session}/strokes").json()["items"] == []


FILES = {
    "nothing": b"",
    "noise": bytes(np.random.default_rng(0).integers(0, 256, 3000, dtype=np.uint8)),
    "EPS": eps(),
    "PNG without pixels": png_of((0, 0)),
    "long PNG": png_of((40_000, 1)),
    "tall PNG": png_of((1, 40_000)),
    "PNG of many pixels": png_of((9, 9), (30_000, 30_000))[:3000],
    "deep JSON": DEEP,
    "many lists": b"[" + b"[]," * 1_000_000 + b"[]]",
    "JSON of NaN": b'{"shapes": [{"label": NaN, "points": [[NaN, 1e999]]}]}',
    "entities": b'<!DOCTYPE a [<!ENTITY b "' + b"c" * 5000 + b'">]><a>&b;</a>',
    "numbers": b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, "
    b"'shape': (99999999999,), }",
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("route", ["import", "import mask", "images"])
def test_bad_files(shared, route, name):
    method, path = ROUTES[route]
    began = time.monotonic()
    files = {"file": ("theirs.png", FILES[name])}
    check(shared.request(method, path.format(session=opened(shared)), files=files), began)


@pytest.mark.parametrize("image", ["x", "../2.png", "\ud800", "x" * 1000, -1, None, [], {"a": 1}])
def test_images_that_are_not_there(shared, image):
    began = time.monotonic()
    check(shared.post("/api/sessions", content=json.dumps({"image": image})), began)


@pytest.mark.parametrize("key", ["%00", "%ff%fe", "x" * 99, "..%2f..", "%ed%a0%80"])
@pytest.mark.parametrize(
    "path",
    [
        "/api/images/{}/file",
        "/api/images/{}/thumbnail",
        "/api/sessions/{}",
        "/api/sessions/{}/strokes",
        "/api/sessions/{}/mask",
        "/api/sessions/{}/mask?format=%00",
        "/api/sessions/{}/probabilities",
        "/api/sessions/{}/uncertainty?style=x",
        "/api/sessions/{}/suggestions?n=1e9",
    ],
)
def test_ids_and_options_of_any_kind(shared, path, key):
    began = time.monotonic()
    # Some paths lead back to the page itself, which is all that is there.
    check(shared.get(path.format(key)), began, {200, 307} if ".." in key else ())


MESSAGES = {
    "unknown type": {"type": "nonsense"},
    "no type": {},
    "revision of text": {"type": "strokes", "revision": "1", "document": TWO},
    "negative revision": {"type": "strokes", "revision": -1, "document": TWO},
    "huge revision": {"type": "strokes", "revision": 10**30, "document": TWO},
    "no document": {"type": "strokes", "revision": 1},
    "options of text": {"type": "options", "seed": "1"},
    "huge seed": {"type": "options", "seed": 10**30},
    "unknown preset": {"type": "options", "preset": "x" * 1000},
    "uncertainty of nothing": {"type": "options", "uncertainty": []},
    "suggest too many": {"type": "suggest", "n": 10**9},
    "suggest a fraction": {"type": "suggest", "n": 1.5},
    "unknown key": {"type": "ping", "a": 1},
} | {
    f"strokes, {name}": {"type": "strokes", "revision": 1, "document": value}
    for name, value in DOCUMENTS.items()
}
RAW = {name: text for name, text in TEXTS.items() if len(text) < 10_000_000}


@pytest.mark.parametrize("name", [*MESSAGES, *RAW])
def test_bad_messages(shared, name):
    text = RAW[name] if name in RAW else json.dumps(MESSAGES[name])
    with live(shared, opened(shared)) as socket:
        until(socket, "state")
        began = time.monotonic()
        socket.send(text)
        found, _ = until(socket, "error")
        assert time.monotonic() - began < SOON
        assert 0 < len(found["detail"]) <= 300
        assert "\n" not in found["detail"]
        socket.send('{"type": "ping"}')
        until(socket, "pong")


def test_messages_beyond_the_limit_end_the_socket_only(make):
    client = make(limits={"message_bytes": 5000})
    session = opened(client)
    with live(client, session) as socket:
        until(socket, "state")
        socket.send(" " * 6000)
        with pytest.raises(ConnectionClosed, match="1009"):
            until(socket, "never")
    assert client.get(session).status_code == 200


def test_list_of_images_with_a_long_one_stays_whole(client, photos):
    (photos / "long.png").write_bytes(png_of((40_000, 1)))
    assert client.get("/api/images").status_code == 200
    reply = client.post("/api/sessions", json={"image": image_id(client, "long.png")})
    assert reply.status_code == 413
    assert "32767 on each side" in reply.json()["detail"]


@pytest.mark.parametrize("name", ["bad.png", "caf\udce9.tif", "a b.jpg", "x" * 200 + ".png"])
@pytest.mark.parametrize("content", ["nothing", "noise", "EPS", "PNG without pixels", "deep JSON"])
def test_files_in_the_folder_are_named_without_it(shared, name, content):
    folder = shared.service.settings.paths[0]
    path = folder / name
    path.write_bytes(FILES[content])
    try:
        entries = shared.get("/api/images").json()
        (entry,) = (e for e in entries if e["name"] != "2.png")
        began = time.monotonic()
        for reply in (
            shared.post("/api/sessions", json={"image": entry["id"]}),
            shared.get(f"/api/images/{entry['id']}/file"),
            shared.get(f"/api/images/{entry['id']}/thumbnail"),
        ):
            check(reply, began)
            assert reply.status_code in (413, 415, 422)
            assert entry["name"][:20] in reply.json()["detail"]
            assert str(folder) not in reply.text
    finally:
        path.unlink()
