"""What belongs to the folder: classes, the model of all strokes, what is done, all masks."""

import io
import json
import threading
import time

import numpy as np
import pytest
import tifffile
from PIL import Image

import saccade
from saccade.errors import InputError
from saccade.serve import folder_model
from saccade.serve.errors import SupersededError
from tests.serve.helpers import (
    CLASSES,
    TWO,
    document,
    exported,
    image_id,
    line,
    live,
    opened,
    say,
    until,
    wait_for_folder,
)

THREE = [*CLASSES, {"value": 2, "name": "sky", "color": "#00ff00"}]


def names(client, address):
    return [c["name"] for c in client.get(address).json()["document"]["classes"]]


def listed(client, name):
    return next(i for i in client.get("/api/images").json() if i["name"] == name)


def test_classes_are_those_of_the_folder_and_are_kept_before_the_first_stroke(make, photos):
    client = make()
    assert client.put("/api/classes", json={"classes": THREE}).json()["classes"] == THREE
    assert names(client, opened(client, "10.png")) == ["background", "object", "sky"]
    assert not list(photos.glob("*.strokes.json"))
    again = make()
    assert names(again, opened(again, "cat.png")) == ["background", "object", "sky"]
    twice = client.put("/api/classes", json={"classes": [THREE[0], THREE[0]]})
    assert twice.status_code == 422
    assert "twice" in twice.json()["detail"]


def test_the_template_of_a_folder_is_its_classes_txt(make, photos):
    (photos / "classes.txt").write_text("1 cell 10 20 30\n4 wall 1 2 3\n")
    client = make()
    found = client.get("/api/classes").json()["classes"]
    assert [(c["value"], c["name"], c["color"]) for c in found] == [
        (1, "cell", "#0a141e"),
        (4, "wall", "#010203"),
    ]
    assert names(client, opened(client)) == ["cell", "wall"]


@pytest.mark.parametrize("text", ["{", '{"saccade_folder": 7}', "[]"])
def test_a_damaged_file_of_the_folder_is_kept_and_said(make, photos, text):
    (photos / ".saccade.json").write_text(text)
    client = make()
    assert client.get("/api/folder").json()["remarks"][0].startswith(".saccade.json: ") or (
        "malformed JSON" in client.get("/api/folder").json()["remarks"][0]
    )
    assert names(client, opened(client)) == ["background", "object"]
    assert (photos / ".saccade.json.bak").read_text() == text


def test_a_class_with_strokes_elsewhere_stays(client):
    first = opened(client, "2.png")
    client.put(f"{first}/strokes", json=document(line("a", 2, (10, 10), (12, 50)), classes=THREE))
    reply = client.put("/api/classes", json={"classes": CLASSES})
    assert reply.status_code == 409
    assert reply.json()["detail"] == "class 'sky' has strokes on 2.png; remove them first"
    with live(client, opened(client, "10.png")) as socket:
        until(socket, "state")
        renamed = [CLASSES[0], {**CLASSES[1], "name": "cat"}]
        strokes = document(line("b", 1, (10, 10), (12, 50)), classes=renamed)
        say(socket, type="strokes", revision=1, document=strokes, whole=True)
        told, _ = until(socket, "classes")
        assert [c["name"] for c in told["classes"]] == ["background", "cat", "sky"]
    assert names(client, first) == ["background", "cat", "sky"]


def test_strokes_on_one_image_make_masks_of_the_others(make, photos):
    client = make()
    first = opened(client, "2.png")
    client.put(f"{first}/strokes", json=TWO)
    assert wait_for_folder(client, lambda s: s["images"] == 1)["problem"] == ""
    with live(client, opened(client, "10.png")) as socket:
        result, _ = until(socket, "result")
        assert result["images"] == 1
        assert (result["labels"][:, :35] == 1).mean() > 0.9
        assert (result["labels"][:, 45:] == 0).mean() > 0.9
        # A stroke there is obeyed at once, and counts for the first image too.
        more = document(line("c", 0, (10, 8), (30, 8)), classes=CLASSES)
        say(socket, type="strokes", revision=5, document=more)
        result, _ = until(socket, "result", revision=5)
        assert (result["labels"][8, 12:28] == 0).all()
        wait_for_folder(client, lambda s: s["images"] == 2)
        result, _ = until(socket, "result", revision=5)
        assert result["images"] == 2
        say(socket, type="strokes", revision=6, document=document(classes=CLASSES))
        wait_for_folder(client, lambda s: s["images"] == 1 and not s["fitting"])
        client.patch("/api/folder", json={"shared": False})
        until(socket, "waiting")
    again = make()
    assert again.get("/api/folder").json()["shared"] is False


def test_the_list_has_masks_and_marks_and_says_where_to_draw_next(client, photos):
    (photos / "1.png").write_bytes((photos / "2.png").read_bytes()[:500])
    client.get("/api/images")
    first = opened(client, "2.png")
    client.put(f"{first}/strokes", json=TWO)
    deadline = time.monotonic() + 60
    while not (listed(client, "10.png")["mask"] and listed(client, "1.png")["problem"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    other = listed(client, "10.png")
    assert other["status"] == "empty"
    assert 0 <= other["uncertainty"] <= 1
    plain = client.get(f"/api/images/{other['id']}/thumbnail").content
    masked = client.get(f"/api/images/{other['id']}/thumbnail?mask=true").content
    before, after = (np.asarray(Image.open(io.BytesIO(d))).astype(int) for d in (plain, masked))
    changed = np.abs(after - before).sum(2) > 30
    assert changed[:, :35].mean() > 0.8
    assert changed[:, 45:].mean() < 0.1
    assert listed(client, "2.png")["status"] == "strokes"
    wait_for_folder(client, lambda s: not s["fitting"])
    while not listed(client, "cat.png")["mask"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    following = client.get("/api/folder/next?n=9").json()
    assert {i["name"] for i in following} == {"10.png", "cat.png"}
    doubts = [i["uncertainty"] for i in following]
    assert doubts == sorted(doubts, reverse=True)
    done = client.patch(f"/api/images/{other['id']}", json={"done": True})
    assert done.json()["status"] == "done"
    assert [i["name"] for i in client.get("/api/folder/next").json()] == ["cat.png"]
    kept = json.loads((photos / ".saccade.json").read_text())
    assert kept["done"] == ["10.png"]


def test_all_masks_are_exported_and_what_has_none_is_said(client, photos):
    nothing = client.post("/api/exports")
    assert nothing.status_code == 409
    (photos / "1.png").write_bytes((photos / "2.png").read_bytes()[:500])
    client.get("/api/images")
    client.put(f"{opened(client, '2.png')}/strokes", json=TWO)
    wait_for_folder(client, lambda s: s["images"] == 1 and not s["fitting"])
    state, file = exported(client)
    export = state["export"]
    assert [r.split(":")[0] for r in state["remarks"]] == ["1.png"]
    with file:
        assert sorted(file.namelist()) == [
            "10.png",
            "2.png",
            "cat.png",
            "classes.txt",
            "remarks.txt",
        ]
        shown = client.get(f"{opened(client, '10.png')}/mask").content
        with Image.open(io.BytesIO(file.read("10.png"))) as found:
            np.testing.assert_array_equal(found, Image.open(io.BytesIO(shown)))
    assert client.delete(f"/api/exports/{export}").status_code == 204
    assert client.get(f"/api/exports/{export}").status_code == 404


def test_a_model_is_saved_and_a_server_can_begin_with_it(make, photos, tmp_path):
    client = make()
    assert client.get("/api/folder/model").status_code == 409
    client.put(f"{opened(client, '2.png')}/strokes", json=TWO)
    wait_for_folder(client, lambda s: s["images"] == 1 and not s["fitting"])
    file = tmp_path / "halves.saccade"
    file.write_bytes(client.get("/api/folder/model").content)
    model = saccade.load(file)
    assert model.names == {0: "background", 1: "object"}
    other = tmp_path / "other"
    other.mkdir()
    Image.open(photos / "10.png").save(other / "a.png")
    started = make(paths=(other,), model=file)
    mask = started.get(f"{opened(started, 'a.png')}/mask").content
    labels = np.asarray(Image.open(io.BytesIO(mask)))
    np.testing.assert_array_equal(labels, model.predict(other / "a.png").labels)


def test_files_of_many_channels_are_fitted_as_they_are_shown(make, photos):
    for name in ("2", "10"):
        picture = np.asarray(Image.open(photos / f"{name}.png").convert("RGB"))
        bands = np.concatenate([picture, picture[..., :2]], axis=2)
        tifffile.imwrite(photos / f"{name}.tif", np.moveaxis(bands, 2, 0), imagej=True,
                         metadata={"axes": "CYX"})  # fmt: skip
        (photos / f"{name}.png").unlink()
    client = make()
    client.put(f"{opened(client, '2.tif')}/strokes", json=TWO)
    assert wait_for_folder(client, lambda s: s["images"] == 1 and not s["fitting"])["problem"] == ""
    with live(client, opened(client, "10.tif")) as socket:
        result, _ = until(socket, "result")
    assert (result["labels"][:, :35] == 1).mean() > 0.9


def test_a_model_with_a_window_of_its_own_is_refused(make, photos, tmp_path):
    picture = np.asarray(Image.open(photos / "2.png"))
    strokes = np.full(picture.shape[:2], 255)
    strokes[4, 4:20], strokes[4, -20:-4] = 1, 0
    model = saccade.fit([picture], [strokes], window=(0, 200))
    model.save(tmp_path / "a.saccade")
    with pytest.raises(InputError, match=r"a\.saccade: has channels or black and white of its own"):
        make(model=tmp_path / "a.saccade")


def test_a_fit_does_not_hold_the_reply_to_a_stroke(client, monkeypatch):
    """The fit to the folder is stopped by a stroke, which is answered while it still runs."""
    started, stopped, let_go = threading.Event(), threading.Event(), threading.Event()

    fit = folder_model.fit_folder

    def endless(job, library, cancelled):
        if started.is_set():  # the next one, which may begin while this test still looks
            return fit(job, library, cancelled)
        started.set()
        cancelled.wait(60)
        stopped.set()
        let_go.wait(60)
        raise SupersededError

    monkeypatch.setattr(folder_model, "fit_folder", endless)
    first = opened(client, "2.png")
    client.put(f"{first}/strokes", json=TWO)
    assert started.wait(30)
    assert client.get("/api/folder").json()["fitting"]
    more = document(*TWO["items"], line("c", 0, (60, 9), (70, 9)))
    assert client.put(f"{first}/strokes", json=more).json()["revision"] == 2
    assert stopped.wait(10)
    let_go.set()
    assert wait_for_folder(client, lambda s: s["images"] == 1)["problem"] == ""


def test_images_of_a_folder_that_does_not_exist_are_not_found(client):
    assert client.patch("/api/images/none", json={"done": True}).status_code == 404
    assert client.get("/api/exports/none").status_code == 404
    assert image_id(client, "2.png")
