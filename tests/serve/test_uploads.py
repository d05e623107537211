"""Files that are sent: what is no image or asks for much memory is refused."""

import base64
import io
import json
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.serve.helpers import halves, image_id, opened, png


@pytest.mark.parametrize(
    "name", ["../../up.png", "/etc/up.png", "a\\..\\up.png", "\0.png", "CON.png", "x" * 400, ""]
)
def test_names_of_uploads_stay_in_their_folder(client, tmp_path, name):
    before = set(tmp_path.rglob("*"))
    reply = client.post("/api/images", files={"file": (name or "blob", png(halves()))})
    assert reply.status_code == 201, reply.text
    made = [p for p in set(tmp_path.rglob("*")) - before if p.is_file()]
    assert [p.parent.parent for p in made] == [tmp_path / "home" / "uploads"]


def bomb(width, height, *, color=2):
    """A PNG that says that it is huge."""

    def chunk(kind, body):
        crc = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + crc

    header = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    packed = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (bomb(100_000, 100_000), 413),
        (b"not an image", 415),
        (b"", 422),
        (png(halves())[:50], 415),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415),
    ],
)
def test_bad_uploads_are_refused_before_they_are_decoded(client, data, status):
    reply = client.post("/api/images", files={"file": ("a.png", data)})
    assert reply.status_code == status
    assert "\n" not in reply.json()["detail"]


def test_bombs_in_the_folder_are_refused_too(make, photos):
    (photos / "bomb.png").write_bytes(bomb(100_000, 100_000))
    client = make()
    image = image_id(client, "bomb.png")
    assert client.post("/api/sessions", json={"image": image}).status_code == 413
    assert client.get(f"/api/images/{image}/file").status_code == 413
    assert client.get(f"/api/images/{image}/thumbnail").status_code in (413, 422)


def coco(**image):
    full = [[0, 0, 20_000, 0, 20_000, 20_000, 0, 20_000]]
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": full}
    images = [{"id": 1, "file_name": "", "height": 20_000, "width": 20_000} | image]
    return {"images": images, "categories": [], "annotations": [annotation] * 20}


def labelme(**mask):
    data = base64.b64encode(bomb(20_000, 20_000)).decode()
    shape = {"label": "a", "points": [[0, 0], [9, 9]], "shape_type": "mask", "mask": data}
    return {"shapes": [shape], "imageHeight": 60, "imageWidth": 80} | mask


BRUSH = {"original_width": 20_000, "original_height": 20_000, "value": {"brushlabels": ["a"]}}
IMPORTS = {
    "png": bomb(20_000, 20_000),
    "grey png": bomb(20_000, 20_000, color=0),
    "coco": json.dumps(coco()).encode(),
    "empty coco": json.dumps(coco() | {"annotations": []}).encode(),
    "labelme": json.dumps(labelme(imageHeight=20_000, imageWidth=20_000, shapes=[])).encode(),
    "labelme's mask": json.dumps(labelme()).encode(),
    "label studio": json.dumps([{"annotations": [{"result": [BRUSH]}]}]).encode(),
    "cvat": b"<annotations><image width='20000' height='20000'/></annotations>",
    "scribblesup": b"<annotation><size><height>20000</height><width>20000</width></size>"
    b"<polygon><tag>cat</tag><point><X>1</X><Y>1</Y></point></polygon></annotation>",
}


@pytest.mark.parametrize("kind", ["mask", "strokes"])
@pytest.mark.parametrize("name", IMPORTS)
def test_small_files_that_ask_for_much_memory_are_refused_by_their_header(client, name, kind):
    address = opened(client)
    client.get(f"{address}/mask")  # what takes memory by itself is there now
    tracemalloc.start()
    file = {"file": ("theirs", IMPORTS[name])}
    reply = client.post(f"{address}/import", params={"as": kind}, files=file)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert reply.status_code == 422, reply.text
    assert "\n" not in reply.json()["detail"]
    assert most < 30 * 2**20


def test_a_mask_of_another_size_says_both(client):
    address = opened(client)
    file = {"file": ("theirs.json", json.dumps(coco(height=30, width=40)).encode())}
    reply = client.post(f"{address}/import", params={"as": "mask"}, files=file)
    assert reply.json()["detail"] == (
        "theirs.json: 40 x 30 pixels (width x height), the image is 80 x 60"
    )


def test_a_mask_on_its_side_is_turned_by_its_exif(client):
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.fromarray(np.eye(80, 60, dtype=np.uint8)).save(buffer, format="PNG", exif=exif)
    address = opened(client)
    for turned, status in ((True, 200), (False, 422)):
        data = buffer.getvalue() if turned else png(np.eye(80, 60, dtype=np.uint8))
        file = {"file": ("theirs.png", data)}
        reply = client.post(f"{address}/import", params={"as": "mask"}, files=file)
        assert reply.status_code == status, reply.text
