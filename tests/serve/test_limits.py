"""What a session may have: the same whether it was imported or sent, and it can be stopped."""

import io
import json
import struct
import threading
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from saccade.formats.masks import write_mask
from saccade.scribbles.document import Line, StrokeClass, StrokeDocument, document_work, rasterize
from saccade.serve.errors import SupersededError
from tests.serve.helpers import TWO, document, line, live, opened, png, say, until


def scattered(classes, size=(60, 80)):
    """Strokes of many classes, each from corner to corner: their boxes are the whole image."""
    labels = np.full(size, 255, np.uint8)
    for value in range(classes):
        labels[:6, :6].flat[value] = labels[-6:, -6:].flat[value] = value
    return labels


def imported(client, session, data, kind="strokes", name="theirs.png"):
    return client.post(f"{session}/import", params={"as": kind}, files={"file": (name, data)})


@pytest.mark.parametrize("classes", [2, 9, 30])
@pytest.mark.parametrize("pixels", [5000, 100_000])
def test_what_is_imported_can_be_sent_back(make, classes, pixels):
    client = make(limits={"pixels": pixels})
    session = opened(client)
    reply = imported(client, session, png(scattered(classes)))
    assert reply.status_code == 200, reply.text
    assert len(reply.json()["items"]) == classes
    for body in (reply.json(), client.get(f"{session}/strokes").json()):
        sent = client.put(f"{session}/strokes", params={"wait": False}, json=body)
        assert sent.status_code == 202, sent.text
    again = opened(client)  # from the file that keeps them
    assert len(client.get(f"{again}/strokes").json()["items"]) == classes


def in_bands():
    labels = np.full((60, 80), 255, np.uint8)
    for value in range(3):
        labels[10 * value : 10 * value + 10] = value
    return labels


BOUNDS = {
    "set pixels": ({"pixels": 5000}, in_bands(), "set 7200 pixels"),
    "decoded pixels": ({"values": 10_000}, scattered(4), "decode to"),
    "strokes": ({"items": 5}, scattered(4), "at most 5"),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_one_bound_for_what_is_imported_and_what_is_sent(make, name):
    limits, labels, words = BOUNDS[name]
    free = make()
    session = opened(free)
    for _ in range(3):
        assert imported(free, session, png(labels)).status_code == 200
    body = free.get(f"{session}/strokes").json()
    bound = make(limits=limits)
    session = opened(bound, "10.png")
    refused = bound.put(f"{session}/strokes", json=body)
    assert refused.status_code == 422
    assert words in refused.json()["detail"]
    for _ in range(3):
        reply = imported(bound, session, png(labels))
        if reply.status_code != 200:
            break
        sent = bound.put(f"{session}/strokes", params={"wait": False}, json=reply.json())
        assert sent.status_code == 202
    assert reply.status_code == 422
    assert reply.json()["detail"].startswith("theirs.png: strokes:")


def test_an_import_that_no_message_could_hold_is_refused(make):
    client = make(limits={"message_bytes": 51_000})
    session = opened(client)
    noise = np.random.default_rng(0).integers(0, 3, (60, 80)).astype(np.uint8)
    reply = imported(client, session, png(noise[:, ::1]))
    assert reply.status_code == 422
    assert client.get(f"{session}/strokes").json()["items"] == []


def test_work_counts_points_by_width_squared_and_no_more_than_the_image():
    def work(*items, shape=(1000, 1000)):
        return document_work(StrokeDocument((StrokeClass(0, "a"),), tuple(items)), shape)

    dots = Line("a", 0, 100, ((5.0, 5.0),) * 50)
    assert work(dots) == pytest.approx(50 * 100**2)
    assert work(Line("a", 0, 10_000, ((5.0, 5.0),) * 50)) == pytest.approx(50 * 1000**2)
    assert work(Line("a", 0, 1, ((0.0, 0.0), (999.0, 0.0)))) == pytest.approx(999 + 2)
    assert work(dots, dots) == 2 * work(dots)


@pytest.mark.parametrize("way", ["put", "socket"])
def test_strokes_that_take_long_to_draw_are_refused(make, way):
    client = make(limits={"drawing": 1_000_000})
    session = opened(client, "cat.png")
    slow = document(line("a", 1, *[(1, 1)] * 2000, width=300))
    if way == "put":
        reply = client.put(f"{session}/strokes", json=slow)
        assert reply.status_code == 422
        detail = reply.json()["detail"]
    else:
        with live(client, session) as socket:
            say(socket, type="strokes", revision=1, document=slow)
            detail = until(socket, "error")[0]["detail"]
    assert "points times width squared" in detail
    assert client.put(f"{session}/strokes", json=TWO).status_code == 200


def test_drawing_can_be_stopped_and_lets_others_run():
    items = (Line("a", 0, 800, tuple((float(i % 900), 5.0) for i in range(90_000))),)
    slow = StrokeDocument((StrokeClass(0, "a"),), items)
    stop, longest = threading.Event(), [0.0]

    def pause():
        if stop.is_set():
            raise SupersededError

    def watch():
        last = time.perf_counter()
        while not stop.is_set():
            time.sleep(0.001)
            longest[0] = max(longest[0], time.perf_counter() - last)
            last = time.perf_counter()

    watching = threading.Thread(target=watch)
    watching.start()
    threading.Timer(1.0, stop.set).start()
    began = time.perf_counter()
    with pytest.raises(SupersededError):
        rasterize(slow, (1000, 1000), pause=pause)
    assert time.perf_counter() - began < 4
    watching.join()
    assert longest[0] < 0.5


@pytest.mark.parametrize("width", [1, 2, 7, 64])
def test_lines_in_pieces_are_the_same_lines(width, monkeypatch):
    rng = np.random.default_rng(0)
    points = tuple((float(x), float(y)) for x, y in rng.uniform(0, 200, (40, 2)))
    lines = StrokeDocument((StrokeClass(0, "a"),), (Line("a", 0, width, points),))
    whole = rasterize(lines, (200, 200)).labels
    monkeypatch.setattr("saccade.scribbles.drawing._PIECE", 1)
    np.testing.assert_array_equal(rasterize(lines, (200, 200)).labels, whole)


def bomb(*sizes):
    """A PNG with a header for each size, of which the last counts."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    heads = b"".join(chunk(b"IHDR", struct.pack(">IIBBBBB", *s, 8, 0, 0, 0, 0)) for s in sizes)
    height, width = sizes[-1][::-1]
    lines = zlib.compress((b"\0" + b"\1" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + heads + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


def labelme(data, size):
    import base64

    shapes = [
        {
            "label": label,
            "points": [[0, 0], [size[0] - 1, size[1] - 1]],
            "shape_type": "mask",
            "mask": base64.b64encode(data).decode(),
        }
        for label in "ab"
    ]
    return json.dumps({"shapes": shapes, "imageHeight": 60, "imageWidth": 80}).encode()


@pytest.mark.parametrize("kind", ["strokes", "mask"])
def test_masks_in_files_are_checked_by_what_they_decode_to(client, kind):
    data = labelme(bomb((9, 9), (4000, 4000)), (9, 9))
    reply = imported(client, opened(client), data, kind, "theirs.json")
    assert reply.status_code == 422, reply.text


@pytest.mark.parametrize("size", [(40_000, 1), (1, 40_000), (33_000, 2)])
@pytest.mark.parametrize("way", ["upload", "folder", "label studio"])
def test_each_side_of_an_image_is_limited(client, photos, way, size):
    import base64

    buffer = io.BytesIO()
    Image.new("L", size).save(buffer, format="PNG")
    if way == "upload":
        reply = client.post("/api/images", files={"file": ("long.png", buffer.getvalue())})
    elif way == "folder":
        (photos / "long.png").write_bytes(buffer.getvalue())
        found = {i["name"]: i for i in client.get("/api/images").json()}["long.png"]
        reply = client.post("/api/sessions", json={"image": found["id"]})
        assert client.get(f"/api/images/{found['id']}/thumbnail").status_code == 413
    else:
        data = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
        context = {"result": [{"type": "brushlabels"}]}
        body = {"tasks": [{"data": {"image": data}}], "params": {"context": context}}
        reply = client.post("/label-studio/predict", json=body)
    assert reply.status_code == 413, reply.text
    assert "on each side" in reply.json()["detail"]


def test_long_texts_are_read_in_a_process_of_their_own(client, tmp_path, monkeypatch):
    labels = scattered(3).astype(np.int32)
    labels[labels == 255] = 0
    write_mask(tmp_path / "m.json", labels, "coco", image_path="2.png")
    data = (tmp_path / "m.json").read_bytes() + b" " * 300_000
    session = opened(client)
    reply = imported(client, session, data, "mask", "theirs.json")
    assert reply.status_code == 200, reply.text
    monkeypatch.setattr("saccade.serve.reading._SECONDS", 0.05)
    reply = imported(client, session, data, "mask", "theirs.json")
    assert reply.status_code == 422
    assert reply.json()["detail"].startswith("theirs.json: takes more than")
    reply = imported(client, session, b"[" + b"[]," * 100_000 + b"[]]", "mask", "theirs.json")
    assert reply.status_code == 422


def test_bad_json_is_called_that(client):
    headers = {"content-type": "application/json"}
    reply = client.post("/api/sessions", content=b"{", headers=headers)
    assert reply.json()["detail"] == "request: invalid JSON at character 1"


@pytest.mark.parametrize("kind", ["strokes", "mask"])
def test_values_beyond_the_classes_of_the_page_are_refused_with_advice(client, kind):
    labels = np.full((60, 80), 128, np.uint8)
    labels[5:8, 5:30], labels[40:43, 5:30] = 0, 255
    files = {"file": ("a.png", png(labels))}
    reply = client.post(f"{opened(client)}/import?as={kind}", files=files)
    assert reply.status_code == 422
    assert "number the classes 0, 1, 2, ..." in reply.json()["detail"]
