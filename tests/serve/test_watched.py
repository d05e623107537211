"""What watches a server: health, readiness, metrics."""

import re
import time

from tests.serve.helpers import TWO, live, opened, until


def numbers(client, **headers):
    """The metrics, by name and labels as they stand in the text."""
    reply = client.get("/metrics", headers=headers)
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/plain; version=")
    lines = (line for line in reply.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def wait_until_ready(client):
    """Ask until the server is ready; the answers before that."""
    before = []
    while (reply := client.get("/api/ready")).status_code != 200:
        before.append(reply)
        time.sleep(0.02)
    assert reply.json() == {"status": "ready"}
    return before


def test_a_server_is_ready_after_its_first_fit(client):
    for reply in wait_until_ready(client):
        assert reply.status_code == 503
        assert "being loaded" in reply.json()["detail"]
    assert client.service.masks.is_warm


def test_a_server_without_room_is_not_ready(make, monkeypatch):
    client = make()
    wait_until_ready(client)
    monkeypatch.setattr(client.service.queue, "_places", 0)
    reply = client.get("/api/ready")
    assert reply.status_code == 503
    assert "too many fits are waiting" in reply.json()["detail"]
    assert client.get("/api/health").status_code == 200


def test_health_needs_no_token_and_metrics_do(make):
    client = make(token="sesame", host="lab.example")
    assert client.get("/api/health").status_code == 200
    assert client.get("/api/ready").status_code in (200, 503)
    assert client.get("/metrics").status_code == 401
    assert client.get("/api/images").status_code == 401
    assert numbers(client, authorization="Bearer sesame")["saccade_sessions"] == 0


def test_metrics_count_what_was_done(client):
    wait_until_ready(client)
    before = numbers(client)
    session = opened(client)
    assert client.put(f"{session}/strokes", json=TWO).status_code == 200
    assert client.get("/api/images/none/file").status_code == 404
    for number in range(3):
        assert client.get(f"/nowhere/{number}").status_code == 404
    after = numbers(client)
    put = 'saccade_http_requests_total{method="PUT",route="/api/sessions/{session}/strokes",'
    assert after[put + 'status="200"}'] == 1
    lost = 'saccade_http_requests_total{method="GET",route="/api/images/{image}/file",'
    assert after[lost + 'status="404"}'] == 1
    assert not [name for name in after if "nowhere" in name]  # each would be a series of its own
    done = 'saccade_fits_total{outcome="done"}'
    assert after[done] >= before[done] + 1
    assert after["saccade_fit_seconds_count"] == after["saccade_fit_wait_seconds_count"]
    assert after["saccade_sessions"] == 1
    assert after["saccade_unsaved_changes"] == 0
    assert after["saccade_cache_bytes"] > 0


def test_metrics_see_pages(client):
    wait_until_ready(client)
    with live(client, opened(client, "cat.png")) as socket:
        until(socket, "state")
        assert numbers(client)["saccade_pages"] == 1
    while numbers(client)["saccade_pages"]:
        time.sleep(0.02)


def test_names_of_metrics_follow_the_rules(client):
    text = client.get("/metrics").text
    names = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE)
    assert {kind for _, kind in names} >= {"counter", "gauge", "histogram"}
    assert all(re.fullmatch(r"(saccade|process)_[a-z_]+", name) for name, _ in names)
    assert len(set(names)) == len(names)
