"""Strokes outlive a full disk and a replaced image; uploads stay with their folder."""

import errno
import io
import os
import time

import numpy as np
import pytest
from PIL import Image

from tests.serve.helpers import TWO, halves, image_id, live, opened, png, say, until


@pytest.fixture
def disk(monkeypatch):
    """A disk that is full as long as `disk["full"]`."""
    from saccade.serve import stroke_file

    state, write = {"full": False}, stroke_file.write_document

    def writing(path, *arguments, **options):
        if state["full"]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        write(path, *arguments, **options)

    monkeypatch.setattr(stroke_file, "write_document", writing)
    return state


@pytest.mark.parametrize("way", ["delete", "expiry", "another window"])
def test_a_full_disk_loses_nothing(make, disk, photos, way):
    client = make(limits={"idle_seconds": 0.0} if way == "expiry" else {})
    session = opened(client)
    disk["full"] = True
    reply = client.put(f"{session}/strokes", params={"wait": False}, json=TWO)
    assert reply.status_code == 202
    if way == "delete":
        refused = client.delete(session)
        assert refused.status_code == 409
        assert refused.json()["detail"].startswith("strokes could not be kept in 2.strokes.json")
    elif way == "expiry":
        client.in_loop(client.service.expire())
    else:
        session = opened(client)
    assert len(client.get(f"{session}/strokes").json()["items"]) == 2
    assert not (photos / "2.strokes.json").exists()
    disk["full"] = False
    if way == "expiry":
        client.in_loop(client.service.expire())
    else:
        assert client.delete(session).status_code == 204
    assert client.get(session).status_code == 404
    assert (photos / "2.strokes.json").exists()


def test_a_page_hears_when_the_disk_has_room_again(make, disk):
    client = make()
    with live(client, opened(client)) as socket:
        until(socket, "state")
        disk["full"] = True
        say(socket, type="strokes", revision=1, document=TWO)
        assert "could not be kept" in until(socket, "error")[0]["detail"]
        disk["full"] = False
        client.in_loop(client.service.expire())
        until(socket, "saved", revision=1)


def replace(path, size=(60, 80), seed=9):
    other = path.with_name("other.tmp")
    other.write_bytes(png(halves(seed, size)[:, ::-1]))
    os.replace(other, path)


@pytest.mark.parametrize("size", [(60, 80), (40, 50), (120, 100)])
@pytest.mark.parametrize("when", ["open", "between visits"])
def test_a_replaced_image_is_noticed(make, photos, size, when):
    client = make()
    session = opened(client)
    assert client.put(f"{session}/strokes", json=TWO).status_code == 200
    before = (80, 60)
    if when == "between visits":
        client.delete(session)
    replace(photos / "2.png", size)
    if when == "between visits":
        session = opened(client)
    state = client.get(session).json()
    assert (state["image"]["height"], state["image"]["width"]) == size
    (remark,) = state["remarks"]
    assert remark.startswith("2.png: the image was replaced after its strokes were drawn")
    assert (f"{before[0]} x {before[1]} then" in remark) == (size != (60, 80))
    assert len(state["document"]["items"]) == 2
    mask = client.get(f"{session}/mask")
    assert mask.status_code == 200, mask.text
    assert np.asarray(Image.open(io.BytesIO(mask.content))).shape == size
    fresh = client.service.sessions[session.rsplit("/", 1)[1]].segmenter
    assert fresh is not None
    # Once strokes were drawn on the new one, there is nothing more to say; the older are kept.
    assert client.put(f"{session}/strokes", json=TWO).status_code == 200
    client.delete(session)
    assert client.get(opened(client)).json()["remarks"] == []
    assert (photos / "2.strokes.json.bak").exists()


def test_an_image_that_was_only_touched_is_the_same(client, photos):
    session = opened(client)
    client.put(f"{session}/strokes", json=TWO)
    os.utime(photos / "2.png", (time.time() + 5,) * 2)
    assert client.get(session).json()["remarks"] == []
    client.delete(session)
    assert client.get(opened(client)).json()["remarks"] == []


@pytest.mark.parametrize("content", [b"", b"no image", None])
def test_an_image_that_became_unreadable_keeps_its_session(client, photos, content):
    session = opened(client)
    client.put(f"{session}/strokes", json=TWO)
    path = photos / "2.png"
    kept = path.read_bytes()
    path.unlink() if content is None else path.write_bytes(content)
    reply = client.get(f"{session}/strokes")
    assert reply.status_code in (200, 415, 422), reply.text
    assert str(photos) not in reply.text
    path.write_bytes(kept)
    assert len(client.get(f"{session}/strokes").json()["items"]) == 2


def test_a_page_hears_that_its_image_was_replaced(client, photos):
    with live(client, opened(client)) as socket:
        until(socket, "state")
        replace(photos / "2.png")
        client.in_loop(client.service.expire())
        until(socket, "replaced")


def test_uploads_belong_to_the_folder_that_is_served(make, photos, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "1.png").write_bytes(png(halves()))
    first, second, sample = make(), make(paths=(other,)), make(paths=())
    first.post("/api/images", files={"file": ("up.png", png(halves()))})
    for client, listed in ((first, True), (second, False), (sample, False)):
        names = [i["name"] for i in client.get("/api/images").json()]
        assert ("up.png" in names) == listed
    uploaded = image_id(first, "up.png")
    assert second.get(f"/api/images/{uploaded}/file").status_code == 404
    assert "up.png" in [i["name"] for i in make().get("/api/images").json()]
