"""What Label Studio asks a model, by its documentation, and what it can read of the answer."""

import base64
import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import numpy as np
import pytest
from PIL import Image
from skimage import data

from saccade.formats.brush_rle import encode_brush
from tests.serve.helpers import png

CONFIG = """<View><Image name="picture" value="$photo"/>
<BrushLabels name="mask" toName="picture">
<Label value="cat"/><Label value="background"/></BrushLabels>
</View>"""
SIZE = {"original_width": 451, "original_height": 300, "image_rotation": 0}


def brush(mask, label):
    value = {"format": "rle", "rle": encode_brush(mask), "brushlabels": [label]}
    return SIZE | {
        "type": "brushlabels",
        "from_name": "mask",
        "to_name": "picture",
        "id": label,
        "origin": "manual",
        "value": value,
    }


def point(x, y, label, positive=1):
    value = {"x": x, "y": y, "width": 0.5, "keypointlabels": [label]}
    return SIZE | {
        "type": "keypointlabels",
        "from_name": "p",
        "to_name": "picture",
        "is_positive": positive,
        "value": value,
    }


def request(photo, *strokes, config=CONFIG):
    task = {"id": 7, "data": {"photo": photo}, "annotations": [], "predictions": []}
    context = {"result": list(strokes), "annotation_id": None}
    return {
        "tasks": [task],
        "project": "1.1700000000",
        "label_config": config,
        "params": {"login": None, "password": None, "context": context},
    }


@pytest.fixture
def strokes(examples):
    drawn = np.asarray(Image.open(examples / "cat_strokes.png"))
    return brush(drawn == 1, "cat"), brush(drawn == 0, "background")


def uri():
    return "data:image/png;base64," + base64.b64encode(png(data.cat())).decode()


@pytest.mark.slow
@pytest.mark.parametrize(
    "photo", [uri(), "/data/local-files/?d=photos/cat.png", "/data/upload/3/0a1b2c3d-cat.png"]
)
def test_strokes_become_brush_labels_that_label_studio_reads(client, strokes, examples, photo):
    decoder = pytest.importorskip("label_studio_converter.brush")
    reply = client.post("/label-studio/predict", json=request(photo, *strokes))
    assert reply.status_code == 200, reply.text
    (prediction,) = reply.json()["results"]
    (result,) = prediction["result"]
    assert (result["from_name"], result["to_name"]) == ("mask", "picture")
    assert (result["original_width"], result["original_height"]) == (451, 300)
    assert result["value"]["brushlabels"] == ["cat"]
    assert 0.5 < prediction["score"] <= 1
    flat = decoder.decode_rle(result["value"]["rle"])
    found = flat.reshape(300, 451, 4)[..., 3] > 0
    truth = np.asarray(Image.open(examples / "cat_truth.png")) == 1
    assert (found & truth).sum() / (found | truth).sum() > 0.9


def test_points_are_strokes_and_negative_ones_background(client):
    points = [point(50, 40, "cat"), point(35, 60, "cat"), point(95, 90, "cat", positive=0)]
    reply = client.post("/label-studio/predict", json=request(uri(), *points))
    (result,) = reply.json()["results"][0]["result"]
    assert result["value"]["brushlabels"] == ["cat"]


def test_nothing_drawn_is_no_fault(client):
    reply = client.post("/label-studio/predict", json=request(uri()))
    assert reply.status_code == 200
    assert reply.json()["results"][0]["result"] == []


@pytest.mark.parametrize("which", [0, 1])
def test_one_label_gives_a_first_mask(client, strokes, which):
    """Around an object is the background; around that the first label of the project."""
    reply = client.post("/label-studio/predict", json=request(uri(), strokes[which]))
    assert reply.status_code == 200, reply.text
    (prediction,) = reply.json()["results"]
    assert any("provisional" in line for line in prediction["remarks"])
    (result,) = prediction["result"]
    assert result["value"]["brushlabels"] == ["cat"]


@pytest.mark.parametrize(
    ("photo", "config", "message"),
    [
        ("http://169.254.169.254/latest", CONFIG, "not among the served images"),
        ("file:///etc/passwd", CONFIG, "not among the served images"),
        ("/data/local-files/?d=../../etc/passwd", CONFIG, "not among the served images"),
        ("data:image/png;base64,!!", CONFIG, "no base64"),
        (uri(), "<View/>", "no <BrushLabels>"),
        (uri(), "<!DOCTYPE x [<!ENTITY a 'b'>]><View/>", "entities"),
        (uri(), "<View", "malformed XML"),
    ],
)
def test_what_cannot_be_answered_is_said_in_one_line(client, strokes, photo, config, message):
    reply = client.post("/label-studio/predict", json=request(photo, *strokes, config=config))
    assert 400 <= reply.status_code < 500
    assert message in reply.json()["detail"]


@pytest.mark.slow
def test_an_image_is_found_only_where_its_name_says_which(make, photos, strokes):
    for folder in ("a", "b"):
        (photos / folder).mkdir()
        (photos / folder / "1.png").write_bytes(png(data.cat()))
    client = make(recursive=True)
    for photo in ("http://evil.example/x/1.png", "elsewhere/zzz/1.png", "1.png"):
        reply = client.post("/label-studio/predict", json=request(photo, *strokes))
        assert reply.status_code == 422
        assert "may be 'a/1.png' or 'b/1.png'" in reply.json()["detail"]
    for photo in ("/data/local-files/?d=photos/b/1.png", "elsewhere/b/1.png", "x/cat.png"):
        reply = client.post("/label-studio/predict", json=request(photo, *strokes))
        assert reply.status_code == 200, reply.text


@pytest.mark.slow
def test_requests_at_once_for_one_task_are_all_answered(client, strokes):
    def ask(_):
        with httpx.Client(base_url=client.base_url, timeout=60) as other:
            return other.post("/label-studio/predict", json=request(uri(), *strokes)).status_code

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == [200] * 4


def test_images_of_label_studio_itself_are_fetched_with_its_key(make, strokes, monkeypatch):
    asked = []

    class Studio(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers["Authorization"]))
            if self.path == "/away":
                self.send_response(302)
                self.send_header("Location", "http://127.0.0.1:1/secret")
                self.end_headers()
                return
            body = png(data.cat())
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    studio = HTTPServer(("127.0.0.1", 0), Studio)
    threading.Thread(target=studio.serve_forever, daemon=True).start()
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "key")
    url = f"http://127.0.0.1:{studio.server_port}"
    client = make(paths=(), label_studio_url=url)
    reply = client.post("/label-studio/predict", json=request("/data/upload/1/a.png", *strokes))
    assert reply.status_code == 200, reply.text
    assert asked == [("/data/upload/1/a.png", "Token key")]
    reply = client.post("/label-studio/predict", json=request(f"{url}/away", *strokes))
    assert reply.status_code == 422
    reply = client.post("/label-studio/predict", json=request("http://127.0.0.1:1/x", *strokes))
    assert "not among" in reply.json()["detail"]
    assert len(asked) == 2
    studio.shutdown()
    studio.server_close()


def test_the_other_routes_of_the_protocol(client):
    assert client.get("/label-studio/health").json()["status"] == "UP"
    setup = client.post(
        "/label-studio/setup",
        json={"project": "1", "schema": CONFIG, "hostname": "http://x", "access_token": "t"},
    )
    assert setup.json()["model_version"].startswith("saccade-")
    event = {"action": "ANNOTATION_CREATED", "project": {"id": 1}}
    assert client.post("/label-studio/webhook", json=event).status_code == 201
    assert json.loads(client.post("/label-studio/train", json={}).text) == {"status": "ok"}
    assert io.BytesIO(client.get("/label-studio/").content).read()
