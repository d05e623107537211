"""Strangers, traversal, bombs and floods."""

import base64
import io
import json
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image
from websockets.exceptions import InvalidStatus

from tests.serve.helpers import TWO, halves, image_id, live, opened, png


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", "", "[::", "10.0.0.1"])
def test_other_hosts_are_refused(client, host):
    reply = client.get("/api/images", headers={"host": host})
    assert reply.status_code == 403
    assert "not served here" in reply.json()["detail"]


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "127.1.2.3:80", "[::1]:8765"])
def test_this_machine_is_known_by_its_names(client, host):
    assert client.get("/api/health", headers={"host": host}).status_code == 200


def test_further_hosts_are_let_in_when_named(make):
    client = make(hosts=("lab.example",))
    assert client.get("/api/health", headers={"host": "lab.example:8765"}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://[", "http://[::1"]
)
def test_pages_from_elsewhere_change_nothing(client, origin):
    image = image_id(client, "2.png")
    reply = client.post("/api/sessions", json={"image": image}, headers={"origin": origin})
    assert reply.status_code == 403
    address = opened(client)
    with (
        pytest.raises(InvalidStatus, match="403"),
        live(client, address, origin=origin),
    ):
        pass
    own = {"origin": f"http://127.0.0.1:{client.port}"}
    assert client.post("/api/sessions", json={"image": image}, headers=own).status_code == 201


def test_nothing_is_shared_with_other_origins(client):
    reply = client.get("/", headers={"origin": "http://evil.example"})
    assert "access-control-allow-origin" not in reply.headers
    assert "default-src 'self'" in reply.headers["content-security-policy"]
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_a_token_opens_the_door(make):
    client = make(token="sesame", host="lab.example")
    reply = client.get("/api/images")
    assert reply.status_code == 401
    assert "token" in reply.json()["detail"]
    assert client.get("/").status_code == 401
    for authorization in ("Bearer wrong", "Basic !!", "Basic eDp5"):
        headers = {"authorization": authorization}
        assert client.get("/api/images", headers=headers).status_code == 401
    for authorization in ("Bearer sesame", "Basic dXNlcjpzZXNhbWU="):
        headers = {"authorization": authorization}
        assert client.get("/api/images", headers=headers).status_code == 200
    with (
        pytest.raises(InvalidStatus, match="403"),
        live(client, "/api/sessions/x"),
    ):
        pass
    assert client.get("/?token=wrong").status_code == 401
    entered = client.get("/?token=sesame", follow_redirects=False)
    assert entered.status_code == 303
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert client.get("/api/images").status_code == 200  # with the cookie


@pytest.mark.parametrize(
    "path",
    [
        "/../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/assets/..%2f..%2fapp.py",
        "/assets/../../app.py",
        "//etc/passwd",
        "/api/images/..%2f..%2f..%2fetc%2fpasswd/file",
        "/api/images/%00/file",
    ],
)
def test_paths_lead_nowhere(client, path):
    reply = client.get(path)
    assert reply.status_code in (400, 404)
    assert "root:" not in reply.text
    assert "import" not in reply.text


def test_links_out_of_the_folder_are_not_followed(make, photos, tmp_path):
    outside = tmp_path / "secret.png"
    outside.write_bytes(png(halves()))
    (photos / "link.png").symlink_to(outside)
    (photos / "ring.png").symlink_to(photos / "2.png")
    (photos / ".hidden.png").write_bytes(png(halves()))
    names = [i["name"] for i in make().get("/api/images").json()]
    assert "link.png" not in names
    assert ".hidden.png" not in names


def test_a_file_swapped_for_a_link_later_is_not_shown(make, photos, tmp_path):
    client = make()
    image = image_id(client, "2.png")
    outside = tmp_path / "secret.png"
    outside.write_bytes(png(halves(9)))
    (photos / "2.png").unlink()
    (photos / "2.png").symlink_to(outside)
    assert "2.png" not in [i["name"] for i in client.get("/api/images").json()]
    assert client.get(f"/api/images/{image}/file").status_code == 404


def test_a_file_swapped_for_a_link_is_not_shown_though_nobody_asked_for_the_list(
    make, photos, tmp_path
):
    client = make()
    image = image_id(client, "2.png")
    outside = tmp_path / "secret.png"
    outside.write_bytes(png(halves(9)))
    (photos / "2.png").unlink()
    (photos / "2.png").symlink_to(outside)
    for what in ("file", "thumbnail"):
        assert client.get(f"/api/images/{image}/{what}").status_code == 404
    assert client.post("/api/sessions", json={"image": image}).status_code == 404


def test_strokes_are_not_read_through_a_link(make, photos, tmp_path):
    outside = tmp_path / "outside.json"
    shapes = [{"label": "secret", "points": [[5, 5]], "shape_type": "point"}]
    outside.write_text(json.dumps({"shapes": shapes, "imageHeight": 60, "imageWidth": 80}))
    (photos / "2.strokes.json").symlink_to(outside)
    (photos / "10.json").symlink_to(outside)
    client = make()
    reply = client.post("/api/sessions", json={"image": image_id(client, "2.png")})
    assert reply.status_code == 422
    assert reply.json()["detail"].startswith("2.strokes.json: is a link, expected a file")
    assert client.get(f"{opened(client, '10.png')}/strokes").json()["items"] == []


@pytest.mark.parametrize("name", ["2.strokes.json", "2.strokes.json.bak"])
def test_strokes_are_not_written_through_a_link(client, photos, tmp_path, name):
    outside = tmp_path / "outside.json"
    outside.write_text("theirs")
    address = opened(client)
    client.put(f"{address}/strokes", json=TWO)
    (photos / "2.strokes.json").write_text("changed by somebody else")
    (photos / name).unlink(missing_ok=True)
    (photos / name).symlink_to(outside)
    reply = client.put(f"{address}/strokes", json=TWO)
    assert reply.status_code == (409 if name == "2.strokes.json" else 200)
    assert outside.read_text() == "theirs"


@pytest.mark.parametrize(
    "name", ["../../up.png", "/etc/up.png", "a\\..\\up.png", "\0.png", "CON.png", "x" * 400, ""]
)
def test_names_of_uploads_stay_in_their_folder(client, tmp_path, name):
    before = set(tmp_path.rglob("*"))
    reply = client.post("/api/images", files={"file": (name or "blob", png(halves()))})
    assert reply.status_code == 201, reply.text
    made = [p for p in set(tmp_path.rglob("*")) - before if p.is_file()]
    assert [p.parent for p in made] == [tmp_path / "home" / "uploads"]


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


def test_long_bodies_are_cut_off_whatever_they_say(make):
    client = make(limits={"message_bytes": 5000, "upload_bytes": 20_000})
    address = opened(client)

    def endless():
        for _ in range(1000):
            yield b" " * 1000

    headers = {"content-type": "application/json"}
    reply = client.put(f"{address}/strokes", content=endless(), headers=headers)
    assert reply.status_code == 413
    reply = client.post("/api/images", files={"file": ("a.png", io.BytesIO(b"x" * 50_000))})
    assert reply.status_code == 413
    assert client.put(f"{address}/strokes", json=TWO).status_code == 200


def test_deep_json_is_refused(client):
    address = opened(client)
    body = b'{"classes":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    headers = {"content-type": "application/json"}
    reply = client.put(f"{address}/strokes", content=body, headers=headers)
    assert reply.status_code in (400, 422)
