"""Nothing outside of the folders that were handed over can be reached."""

import json

import pytest

from tests.serve.helpers import TWO, halves, image_id, opened, png


def swap_for_a_link(path, outside):
    """A link to a picture outside of the folder takes the place of a file."""
    outside.write_bytes(png(halves(9)))
    path.unlink()
    path.symlink_to(outside)


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
    swap_for_a_link(photos / "2.png", tmp_path / "secret.png")
    assert "2.png" not in [i["name"] for i in client.get("/api/images").json()]
    assert client.get(f"/api/images/{image}/file").status_code == 404


def test_a_file_swapped_for_a_link_is_not_shown_though_nobody_asked_for_the_list(
    make, photos, tmp_path
):
    client = make()
    image = image_id(client, "2.png")
    swap_for_a_link(photos / "2.png", tmp_path / "secret.png")
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
