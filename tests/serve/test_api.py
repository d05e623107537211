"""The HTTP API from opening an image to its mask in every format."""

import io
import json
import threading

import httpx
import numpy as np
import pytest
from PIL import Image

from saccade.formats.masks import MASK_FORMATS, read_mask, write_mask
from saccade.scribbles.readers import read_strokes
from saccade.serve.routes import strokes as stroke_routes
from tests.serve.helpers import TWO, document, halves, image_id, line, opened, png


def truth_of(examples):
    return np.asarray(Image.open(examples / "cat_truth.png"))


def cat_strokes(examples):
    shapes = json.loads((examples / "cat_strokes.json").read_text())["shapes"]
    return document(
        *(line(f"s{i}", int(s["label"] == "cat"), *s["points"]) for i, s in enumerate(shapes))
    )


def test_images_come_in_natural_order(client):
    images = client.get("/api/images").json()
    assert [i["name"] for i in images] == ["2.png", "10.png", "cat.png"]
    assert [(i["width"], i["height"]) for i in images] == [(80, 60), (80, 60), (451, 300)]
    assert not any(i["has_strokes"] for i in images)


@pytest.mark.slow
def test_strokes_to_mask_in_every_format(client, examples, tmp_path):
    address = opened(client, "cat.png")
    reply = client.put(f"{address}/strokes", json=cat_strokes(examples))
    assert reply.status_code == 200, reply.text
    assert reply.json()["classes"] == [0, 1]
    assert 0 < reply.json()["uncertainty_mean"] < 0.3
    masks = []
    for name, fmt in MASK_FORMATS.items():
        answer = client.get(f"{address}/mask", params={"format": name})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == fmt.media_type
        assert f'filename="cat{fmt.suffix}"' in answer.headers["content-disposition"]
        (tmp_path / "mask").write_bytes(answer.content)
        masks.append(read_mask(tmp_path / "mask"))
    truth = truth_of(examples)
    found = masks[0] == 1
    assert (found & (truth == 1)).sum() / (found | (truth == 1)).sum() > 0.9
    for mask in masks[1:]:
        np.testing.assert_array_equal(mask, masks[0])
    with np.load(io.BytesIO(client.get(f"{address}/probabilities").content)) as file:
        assert file["probabilities"].shape == (2, 300, 451)
        np.testing.assert_array_equal(file["classes"][file["probabilities"].argmax(0)], masks[0])
    doubt = np.asarray(Image.open(io.BytesIO(client.get(f"{address}/uncertainty").content)))
    assert doubt.shape == (300, 451)
    colour = client.get(f"{address}/uncertainty", params={"style": "magma"})
    assert Image.open(io.BytesIO(colour.content)).mode == "RGB"
    places = client.get(f"{address}/suggestions", params={"n": 4}).json()
    assert 1 <= len(places) <= 4
    assert places[0]["score"] >= places[-1]["score"]


def test_what_is_kept_is_what_the_command_line_reads(client, photos):
    address = opened(client)
    client.put(f"{address}/strokes", json=TWO)
    strokes = read_strokes(photos / "2.strokes.json", shape=(60, 80))
    assert strokes.names == {0: "background", 1: "object"}
    assert (strokes.labels[10:50, 10] == 1).all()
    assert client.get(f"{address}/strokes").json() == TWO | {
        "items": [
            item | {"points": [list(map(float, p)) for p in item["points"]], "pinned": False}
            for item in TWO["items"]
        ]
    }
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404
    again = client.get(opened(client)).json()
    assert [i["value"] for i in again["document"]["items"]] == [1, 0]
    assert again["document"]["classes"] == TWO["classes"]


def test_labelmes_own_file_is_a_start_and_stays_as_it_is(client, photos):
    shapes = [{"label": "cow", "points": [[5, 5], [30, 8], [20, 40]], "shape_type": "polygon"}]
    text = json.dumps({"shapes": shapes, "imageHeight": 60, "imageWidth": 80})
    (photos / "2.json").write_text(text)
    address = opened(client)
    found = client.get(f"{address}/strokes").json()
    assert [i["kind"] for i in found["items"]] == ["patch"]
    client.put(f"{address}/strokes", json=TWO)
    assert (photos / "2.json").read_text() == text


def test_a_stroke_file_changed_by_somebody_else_is_not_lost(client, photos):
    address = opened(client)
    client.put(f"{address}/strokes", json=TWO)
    (photos / "2.strokes.json").write_text('{"theirs": 1}')
    client.put(f"{address}/strokes", json=TWO)
    assert (photos / "2.strokes.json.bak").read_text() == '{"theirs": 1}'


@pytest.mark.parametrize("fmt", MASK_FORMATS)
def test_files_of_every_format_are_imported(client, tmp_path, fmt):
    labels = np.zeros((60, 80), np.int32)
    labels[5:20, 5:20], labels[30:50, 60:75] = 1, 2
    write_mask(tmp_path / "m", labels, fmt, names={1: "object", 2: "other"})
    file = {"file": ("theirs", (tmp_path / "m").read_bytes())}
    address = opened(client)
    reply = client.post(f"{address}/import", params={"as": "mask"}, files=file)
    assert reply.status_code == 200, reply.text
    mask = client.get(f"{address}/mask").content
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(mask))), labels)
    assert client.get(f"{address}/probabilities").status_code == 409
    reply = client.post(f"{address}/import", params={"as": "strokes"}, files=file)
    assert reply.status_code == 200, reply.text
    assert {i["value"] for i in reply.json()["items"]} >= {1, 2}


@pytest.mark.parametrize("fmt", MASK_FORMATS)
def test_regions_of_one_class_are_strokes_of_one(client, tmp_path, fmt):
    labels = np.zeros((60, 80), np.int32)
    labels[5:20, 5:20] = 1
    write_mask(tmp_path / "m", labels, fmt, names={1: "object"})
    file = {"file": ("theirs", (tmp_path / "m").read_bytes())}
    address = opened(client)
    reply = client.post(f"{address}/import", params={"as": "strokes"}, files=file)
    assert reply.status_code == 200, reply.text
    if not fmt.startswith("coco"):  # there 0 is a region like any other
        assert {i["value"] for i in reply.json()["items"]} == {1}
    mask = np.asarray(Image.open(io.BytesIO(client.get(f"{address}/mask").content)))
    assert (mask[5:20, 5:20] == 1).all()


@pytest.mark.parametrize("fmt", ["png", "tiff"])
def test_a_mask_that_is_no_strokes_is_said_to_be_one(client, tmp_path, fmt):
    labels = np.zeros((60, 80), np.int32)
    labels[:, 25:50], labels[:, 50:] = 1, 2
    write_mask(tmp_path / "m", labels, fmt, names={0: "background", 1: "object", 2: "other"})
    file = {"file": ("theirs.x", (tmp_path / "m").read_bytes())}
    reply = client.post(f"{opened(client)}/import", params={"as": "strokes"}, files=file)
    assert reply.status_code == 422
    assert reply.json()["detail"].startswith("theirs.x: not strokes, but regions ")
    assert reply.json()["detail"].endswith("; import it as a mask (as=mask)")


def test_others_do_not_wait_while_strokes_are_parsed(client, monkeypatch):
    address = opened(client)
    parse, begun, go_on = stroke_routes.parse_strokes, threading.Event(), threading.Event()

    def slow(*arguments):
        begun.set()
        assert go_on.wait(30)
        return parse(*arguments)

    monkeypatch.setattr(stroke_routes, "parse_strokes", slow)

    def send():
        with httpx.Client(base_url=client.base_url, timeout=60) as other:
            assert other.put(f"{address}/strokes?wait=false", json=TWO).status_code == 202

    sending = threading.Thread(target=send)
    sending.start()
    assert begun.wait(30)
    assert client.get("/api/health", timeout=5).status_code == 200
    go_on.set()
    sending.join()
    assert len(client.get(f"{address}/strokes").json()["items"]) == 2


def test_the_list_does_not_wait_for_an_upload_that_is_checked(client, monkeypatch):
    checked, go_on = threading.Event(), threading.Event()

    def check(path, name):
        checked.set()
        assert go_on.wait(30)

    monkeypatch.setattr("saccade.serve.library.check_decodes", check)

    def send():
        file = {"file": ("new.png", png(halves()))}
        with httpx.Client(base_url=client.base_url, timeout=60) as other:
            assert other.post("/api/images", files=file).status_code == 201

    sending = threading.Thread(target=send)
    sending.start()
    assert checked.wait(30)
    assert len(client.get("/api/images", timeout=5).json()) == 3
    go_on.set()
    sending.join()
    assert len(client.get("/api/images").json()) == 4


def test_uploads_are_kept_and_listed(client):
    reply = client.post("/api/images", files={"file": ("../../a b/new.PNG", png(halves()))})
    assert reply.status_code == 201
    assert reply.json()["name"] == "new.PNG"
    assert "new.PNG" in [i["name"] for i in client.get("/api/images").json()]
    picture = client.get(f"/api/images/{reply.json()['id']}/file").content
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(picture))), halves())
    small = client.get(f"/api/images/{reply.json()['id']}/thumbnail")
    assert small.headers["content-type"] == "image/jpeg"


def test_turned_and_odd_images_are_shown_as_they_are_fitted(make, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(halves()).save(tmp_path / "turned.jpg", exif=exif)
    Image.fromarray(np.full((7, 9), 40_000, np.uint16)).save(tmp_path / "deep.tif")
    client = make(paths=(tmp_path / "turned.jpg", tmp_path / "deep.tif"))
    sizes = {i["name"]: (i["width"], i["height"]) for i in client.get("/api/images").json()}
    assert sizes == {"turned.jpg": (60, 80), "deep.tif": (9, 7)}
    shown = client.get(f"/api/images/{image_id(client, 'deep.tif')}/file")
    assert shown.headers["content-type"] == "image/png"
    assert np.asarray(Image.open(io.BytesIO(shown.content))).tolist()[0][0] == [156, 156, 156]
    state = client.get(opened(client, "turned.jpg")).json()
    assert (state["image"]["width"], state["image"]["height"]) == (60, 80)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"items": [line("a", 5, (1, 1))]}, "class 5, which is not listed"),
        ({"items": [line("a", 1)]}, "items.0"),
        ({"items": [line("a", 1, (1, float("inf")))]}, ""),
        ({"items": [line("a", 1, (1, 1), width=0)]}, "width"),
        ({"items": [{"id": "p", "kind": "patch", "value": 1, "x": 0, "y": 0, "png": "??"}]}, "p"),
        ({"items": [{"id": "p", "kind": "blob"}]}, "kind"),
        ({"classes": [TWO["classes"][0]] * 2}, "twice"),
        ({"classes": [{"value": 300, "name": "x"}]}, "value"),
        ({"classes": [{"value": 1, "name": "x", "color": "red"}]}, "color"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_bad_strokes_are_refused_and_change_nothing(client, change, message):
    address = opened(client)
    client.put(f"{address}/strokes", json=TWO)
    body = json.dumps(TWO | change)
    reply = client.put(
        f"{address}/strokes", content=body, headers={"content-type": "application/json"}
    )
    assert reply.status_code in (400, 422)
    detail = reply.json()["detail"]
    assert message in detail
    assert "\n" not in detail
    assert len(client.get(f"{address}/strokes").json()["items"]) == 2


def test_no_mask_without_a_stroke(client):
    address = opened(client)
    reply = client.get(f"{address}/mask")
    assert reply.status_code == 409
    assert "draw a stroke" in reply.json()["detail"]
    third = {"value": 2, "name": "third", "color": "#00ff00"}
    empty = document(classes=[*TWO["classes"], third])
    assert client.put(f"{address}/strokes", json=empty).status_code == 409
    kept = client.get(f"{address}/strokes").json()
    assert len(kept["classes"]) == 3  # kept all the same


def test_unknown_things(client):
    assert client.get("/api/sessions/nothing").status_code == 404
    assert client.get("/api/images/nothing/file").status_code == 404
    assert client.post("/api/sessions", json={"image": "nothing"}).status_code == 404
    assert client.post("/api/sessions", json={"image": 3}).status_code == 422
    reply = client.get(f"{opened(client)}/mask", params={"format": "gif"})
    assert reply.status_code == 422
    assert "format" in reply.json()["detail"]
