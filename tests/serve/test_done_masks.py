"""What was called done stays as it was seen, whatever is drawn on other images."""

import io
import time

import numpy as np
import pytest
import tifffile
from PIL import Image

from saccade.serve.done_masks import FOLDER_NAME
from tests.serve.helpers import (
    TWO,
    document,
    exported,
    halves,
    image_id,
    line,
    opened,
    wait_for_folder,
)

WRONG = document(line("x", 0, (8, 10), (8, 50)), line("y", 1, (70, 10), (70, 50)))
"""The classes the other way round: the folder's model no longer says what it said."""


def mask_of(client, name, **options):
    reply = client.get(f"{opened(client, name, **options)}/mask")
    assert reply.status_code == 200, reply.text
    return np.asarray(Image.open(io.BytesIO(reply.content)))


def call_done(client, name, done=True):
    reply = client.patch(f"/api/images/{image_id(client, name)}", json={"done": done})
    assert reply.status_code == 200, reply.text


def wait_for_fit(client, images):
    wait_for_folder(client, lambda state: state["images"] == images and not state["fitting"])


def masks_of_all(client):
    _, file = exported(client)
    names = [name for name in file.namelist() if name.endswith(".png")]
    return {name: np.asarray(Image.open(io.BytesIO(file.read(name)))) for name in names}


@pytest.fixture
def drawn(make, photos):
    """A folder with strokes on an image, whose model gives the others masks."""
    (photos / "cat.png").unlink()
    for number in (11, 12):
        Image.fromarray(halves(number)).save(photos / f"{number}.png")
    client = make()
    client.put(f"{opened(client, '2.png')}/strokes", json=TWO)
    wait_for_fit(client, 1)
    return client


def draw_the_other_way_round(client):
    client.put(f"{opened(client, '2.png')}/strokes", json=WRONG)
    client.put(f"{opened(client, '11.png')}/strokes", json=WRONG)
    wait_for_fit(client, 2)


def test_a_mask_that_is_done_stays_as_it_was(drawn, make):
    before = mask_of(drawn, "10.png")
    call_done(drawn, "10.png")
    draw_the_other_way_round(drawn)
    assert (mask_of(drawn, "10.png") == before).all()
    drawn.delete(opened(drawn, "10.png"))  # nobody has it open
    masks = masks_of_all(drawn)
    assert (masks["10.png"] == before).all()
    assert (masks["12.png"] != before).mean() > 0.8
    again = make()  # and after the server was started anew
    opened(again, "12.png")
    wait_for_fit(again, 2)
    assert (mask_of(again, "10.png") == before).all()
    call_done(again, "10.png", False)
    assert (mask_of(again, "10.png") != before).mean() > 0.8


def test_own_strokes_and_another_preset_make_it_anew(drawn):
    before = mask_of(drawn, "10.png")
    call_done(drawn, "10.png")
    session = opened(drawn, "10.png")
    assert drawn.put(f"{session}/strokes", json=WRONG).status_code == 200
    changed = np.asarray(Image.open(io.BytesIO(drawn.get(f"{session}/mask").content)))
    assert (changed != before).mean() > 0.1  # there are strokes of its own now
    drawn.put(f"{session}/strokes", json=document())
    wait_for_fit(drawn, 1)
    assert (mask_of(drawn, "10.png") == before).all()  # as when it was called done
    best = drawn.get(f"{opened(drawn, '10.png', preset='best')}/mask")
    assert best.status_code == 409  # that preset has no mask without strokes


def test_other_pixels_and_a_damaged_file_make_it_anew(drawn, photos):
    before = mask_of(drawn, "10.png")
    call_done(drawn, "10.png")
    (kept,) = (photos / FOLDER_NAME).iterdir()
    draw_the_other_way_round(drawn)
    whole = kept.read_bytes()
    kept.write_bytes(whole[:60])
    assert (mask_of(drawn, "10.png") != before).mean() > 0.8
    kept.write_bytes(whole)
    with Image.open(photos / "10.png") as image:
        pixels = np.asarray(image).copy()
    pixels[0, 0] ^= 1
    Image.fromarray(pixels).save(photos / "10.png")
    assert (mask_of(drawn, "10.png") != before).mean() > 0.8
    names = {one["name"] for one in drawn.get("/api/images").json()}
    assert names == {"2.png", "10.png", "11.png", "12.png"}  # what is kept is no image


def test_a_mask_that_cannot_be_kept_is_said(drawn, photos):
    mask_of(drawn, "10.png")
    (photos / FOLDER_NAME).write_text("in the way")
    reply = drawn.patch(f"/api/images/{image_id(drawn, '10.png')}", json={"done": True})
    assert reply.status_code == 409
    assert "could not be kept" in reply.json()["detail"]


def test_a_slice_that_is_done_stays_when_its_stack_is_made_anew(make, tmp_path):
    folder = tmp_path / "stacks"
    folder.mkdir()
    slices = np.stack([halves(number)[..., 0] for number in range(3)])
    tifffile.imwrite(folder / "s.tif", slices, imagej=True, metadata={"axes": "ZYX"})
    client = make(paths=(folder,))

    def segment_all():
        deadline = time.monotonic() + 60
        address = f"/api/images/{image_id(client, 's.z1.tif')}/stack"
        assert client.post(address).status_code == 202
        while (state := client.get(address).json())["state"] == "running":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert state["state"] == "done", state

    client.put(f"{opened(client, 's.z1.tif')}/strokes", json=TWO)
    segment_all()
    before = mask_of(client, "s.z2.tif")
    call_done(client, "s.z2.tif")
    client.put(f"{opened(client, 's.z1.tif')}/strokes", json=WRONG)
    segment_all()
    assert (mask_of(client, "s.z2.tif") == before).all()
    assert (mask_of(client, "s.z3.tif") != before).mean() > 0.8
    masks = masks_of_all(client)
    assert (masks["s.z2.png"] == before).all()
    assert (masks["s.z3.png"] != before).mean() > 0.8


def test_what_is_kept_and_cannot_be_removed_is_said(drawn, photos):
    mask_of(drawn, "10.png")
    call_done(drawn, "10.png")
    (kept,) = (photos / FOLDER_NAME).iterdir()
    kept.unlink()
    kept.mkdir()  # no file is removed there
    reply = drawn.patch(f"/api/images/{image_id(drawn, '10.png')}", json={"done": False})
    assert reply.status_code == 409
    assert "could not be removed" in reply.json()["detail"]
