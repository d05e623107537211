"""A server that begins with a trained network: its masks are there, strokes correct them."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

import saccade
from saccade.formats.brush_rle import decode_brush, encode_brush
from tests.networks import small_network
from tests.serve.helpers import document, exported, halves, line, live, opened, png, until

CONFIG = """<View><Image name="picture" value="$photo"/>
<BrushLabels name="mask" toName="picture"><Label value="Object"/></BrushLabels></View>"""
SIZE = {"original_width": 80, "original_height": 60, "image_rotation": 0}


@pytest.fixture
def network(tmp_path):
    path = tmp_path / "net.safetensors"
    path.write_bytes(small_network())
    return path


@pytest.fixture
def few(photos):
    (photos / "cat.png").unlink()
    return photos


def mask_of(client, address):
    return np.asarray(Image.open(io.BytesIO(client.get(f"{address}/mask").content)))


def test_masks_are_there_before_a_stroke_and_strokes_correct_one(make, few, network):
    client, model = make(model=network), saccade.load(network)
    before = model.predict(few / "2.png").labels
    state = client.get("/api/folder").json()
    assert state["network"] == str(network)
    assert state["images"] == 0
    assert not state["fitting"]
    address = opened(client, "2.png")
    assert client.get(f"{address}/strokes").json()["classes"][1]["name"] == "object"
    np.testing.assert_array_equal(mask_of(client, address), before)
    client.put(f"{address}/strokes", json=document(line("a", 1, (50, 30), (70, 30))))
    after = mask_of(client, address)
    assert (after[28:33, 50:70] == 1).all()
    assert (before[28:33, 50:70] == 0).all()
    assert set(np.unique(after[after != before])) == {1}
    # Another image has learned nothing of it.
    other = model.predict(few / "10.png").labels
    np.testing.assert_array_equal(mask_of(client, opened(client, "10.png")), other)
    _, file = exported(client)
    np.testing.assert_array_equal(Image.open(io.BytesIO(file.read("2.png"))), after)
    np.testing.assert_array_equal(Image.open(io.BytesIO(file.read("10.png"))), other)
    assert client.get("/api/folder/model").status_code == 409


def test_a_corrected_mask_is_exported_as_it_was_shown_by_a_later_server(make, few, network):
    client = make(model=network)
    address = opened(client, "2.png")
    client.put(f"{address}/strokes", json=document(line("a", 1, (50, 30), (70, 30))))
    shown = mask_of(client, address)
    client.stop()
    _, file = exported(make(model=network))
    np.testing.assert_array_equal(Image.open(io.BytesIO(file.read("2.png"))), shown)


def test_a_page_gets_the_mask_without_asking(make, few, network):
    client = make(model=network)
    with live(client, opened(client, "2.png")) as socket:
        result, _ = until(socket, "result")
    np.testing.assert_array_equal(
        result["labels"], saccade.load(network).predict(few / "2.png").labels
    )


def test_a_network_of_three_classes_brings_their_names(make, few, tmp_path):
    from saccade.data.specs import LabelSpec
    from saccade.models.checkpoint import save_checkpoint
    from saccade.models.segmentation import SegmentationConfig, SegmentationNet

    net = SegmentationNet(SegmentationConfig(3, pyramid="none", width=8))
    spec = LabelSpec(("ground", "leaf", "stem"))
    save_checkpoint(tmp_path / "a.safetensors", net.config, net.state_dict(), spec, {})
    client = make(model=tmp_path / "a.safetensors")
    classes = client.get(f"{opened(client, '2.png')}/strokes").json()["classes"]
    assert [(c["value"], c["name"]) for c in classes] == [(0, "ground"), (1, "leaf"), (2, "stem")]


def studio_request(*strokes):
    photo = "data:image/png;base64," + base64.b64encode(png(halves(2))).decode()
    task = {"id": 7, "data": {"photo": photo}, "annotations": [], "predictions": []}
    return {
        "tasks": [task],
        "label_config": CONFIG,
        "params": {"context": {"result": list(strokes)}} if strokes else {},
    }


def brush(mask, label):
    value = {"format": "rle", "rle": encode_brush(mask), "brushlabels": [label]}
    region = {"type": "brushlabels", "from_name": "mask", "to_name": "picture", "id": label}
    return SIZE | region | {"value": value}


def test_label_studio_gets_masks_to_begin_with_and_corrects_them(make, network):
    client, model = make(model=network), saccade.load(network)
    reply = client.post("/label-studio/predict", json=studio_request()).json()
    (result,) = reply["results"][0]["result"]
    assert result["value"]["brushlabels"] == ["Object"]
    before = model.predict(halves(2)).labels
    np.testing.assert_array_equal(decode_brush(result["value"]["rle"], 60, 80), before == 1)
    drawn = np.zeros((60, 80), bool)
    drawn[28:33, 50:70] = True
    other = np.zeros((60, 80), bool)
    other[2:4, 2:9] = True
    strokes = brush(drawn, "Object"), brush(other, "Tree")
    (prediction,) = client.post("/label-studio/predict", json=studio_request(*strokes)).json()[
        "results"
    ]
    assert "strokes of Tree were left out: the network has no such class" in prediction["remarks"]
    found = decode_brush(prediction["result"][0]["value"]["rle"], 60, 80)
    strokes = np.where(drawn, 1, 255)
    np.testing.assert_array_equal(found, model.predict(halves(2), strokes).labels == 1)


def test_the_image_is_not_read_again_for_every_stroke(make, few, network, monkeypatch):
    client = make(model=network)
    address = opened(client, "2.png")
    client.put(f"{address}/strokes", json=document(line("a", 1, (50, 30), (70, 30))))
    mask_of(client, address)
    library, seen = client.service.library, []
    load = library.load
    monkeypatch.setattr(library, "load", lambda entry: seen.append(entry.name) or load(entry))
    monkeypatch.setattr(client.service.model, "strokes_changed", lambda: None)  # no small masks
    client.put(f"{address}/strokes", json=document(line("a", 1, (50, 40), (70, 40))))
    mask_of(client, address)
    assert "2.png" not in seen
