"""Who may ask: hosts, origins, tokens, sizes of requests."""

import io

import pytest
from websockets.exceptions import InvalidStatus

from tests.serve.helpers import TWO, image_id, live, opened


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
    assert cookie.startswith(f"saccade-token-{client.port}=")  # servers of a machine share cookies
    assert client.get("/api/images").status_code == 200  # with the cookie
    again = client.get("/?token=wrong", follow_redirects=False)
    assert "set-cookie" not in again.headers
    assert client.get("/api/images").status_code == 200


@pytest.mark.parametrize("token", ["a;b, c", "smörgås", 'a"b=%41&', "日本"])
def test_tokens_of_any_characters_come_back_in_their_cookie(make, token):
    client = make(token=token, host="lab.example")
    assert client.get("/", params={"token": token}, follow_redirects=False).status_code == 303
    assert client.get("/api/images").status_code == 200


BOUNDS = {
    "/api/sessions": "request_bytes",
    "/api/sessions/x/strokes": "message_bytes",
    "/api/sessions/x/import": "upload_bytes",
    "/api/images": "upload_bytes",
    "/label-studio/setup": "notice_bytes",
    "/label-studio/train": "notice_bytes",
    "/label-studio/webhook": "notice_bytes",
    "/label-studio/predict": "predict_bytes",
}


@pytest.mark.parametrize(("path", "bound"), BOUNDS.items())
def test_each_route_has_its_own_bound(make, path, bound):
    client = make(limits={name: 1000 if name == bound else 10**6 for name in BOUNDS.values()})
    path = path.replace("/api/sessions/x", opened(client)) if "/x/" in path else path
    method = "PUT" if path.endswith("/strokes") else "POST"
    files = {"file": ("a.png", b"x" * 2000)} if bound == "upload_bytes" else None
    content = None if files else b'{"a": "' + b"x" * 2000 + b'"}'
    reply = client.request(method, path, content=content, files=files)
    assert reply.status_code == 413, reply.text
    assert "larger than" in reply.json()["detail"]


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
