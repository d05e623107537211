"""Images whose names are no UTF-8, or in another form, over HTTP: listed, opened, exported."""

import os
import unicodedata

import pytest

from tests.serve.helpers import halves, png

NAMES = (b"caf\xe9.png", unicodedata.normalize("NFD", "caf\u00e9.png").encode(), b"\xff.jpg")


@pytest.mark.parametrize("name", NAMES)
def test_one_image_of_such_a_name_breaks_nothing(make, photos, name):
    for folder in (os.fsencode(photos), os.path.join(os.fsencode(photos), b"sub\xfe")):
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, name), "wb") as file:
            file.write(png(halves()))
    client = make(recursive=True)
    images = client.get("/api/images").json()
    assert len(images) == 5
    for image in images:
        for part in ("file", "thumbnail"):
            reply = client.get(f"/api/images/{image['id']}/{part}")
            assert reply.status_code == 200, (part, image)
        reply = client.post("/api/sessions", json={"image": image["id"]})
        assert reply.status_code in (200, 201), reply.text
