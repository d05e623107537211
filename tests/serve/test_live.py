"""The live socket: strokes in, masks out, the last good mask stays."""

import time

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from tests.serve.helpers import TWO, document, image_id, line, live, opened, say, until

THREE = document(*TWO["items"], line("c", 1, (25, 30), (30, 30)))


@pytest.fixture
def socket(client):
    with live(client, opened(client)) as socket:
        state, _ = until(socket, "state")
        assert state["image"]["name"] == "2.png"
        yield socket


def strokes(revision, sent):
    return {"type": "strokes", "revision": revision, "document": sent}


def test_strokes_come_back_as_a_mask(socket):
    until(socket, "waiting")
    say(socket, **strokes(1, TWO))
    result, before = until(socket, "result", revision=1)
    assert result["final"]
    assert result["values"] == [0, 1]
    assert (result["labels"][:, :38] == 1).mean() > 0.95
    assert (result["labels"][:, 42:] == 0).mean() > 0.95
    if not any(m["type"] == "saved" for m in before):
        until(socket, "saved", revision=1)


def test_uncertainty_comes_when_it_is_wanted(socket):
    say(socket, **strokes(1, TWO))
    result, _ = until(socket, "result", revision=1)
    assert result["doubt"] is None
    say(socket, type="options", uncertainty=True)
    result, _ = until(socket, "result", revision=1)
    assert result["doubt"].shape == (60, 80)
    say(socket, **strokes(2, THREE))
    result, _ = until(socket, "result", revision=2)
    assert result["doubt"] is not None


def test_newer_strokes_overtake_older_ones(socket):
    for revision in range(1, 9):
        say(socket, **strokes(revision, TWO if revision % 2 else THREE))
    result, before = until(socket, "result", revision=8)
    assert result["final"]
    shown = [m["revision"] for m in before if m["type"] == "result"]
    assert shown == sorted(shown)
    assert not any(m["type"] == "error" for m in before)


def test_no_stroke_waits_and_clears_the_mask(client, socket):
    say(socket, **strokes(1, TWO))
    until(socket, "result", revision=1)
    say(socket, **strokes(2, document()))
    waiting, _ = until(socket, "waiting", revision=2)
    assert "draw a stroke" in waiting["detail"]


def test_suggestions_and_presets(socket):
    say(socket, **strokes(1, TWO))
    first, _ = until(socket, "result", revision=1)
    say(socket, type="suggest", n=2)
    found, _ = until(socket, "suggestions")
    assert found["revision"] == 1
    assert len(found["regions"]) <= 2
    say(socket, type="options", preset="paper")
    coarse, _ = until(socket, "result", revision=1)
    assert not coarse["final"]  # the paper's optimisation is slow enough for a look before its end
    result = coarse
    while not result["final"]:
        result, _ = until(socket, "result", revision=1)
    assert result["labels"].shape == first["labels"].shape


@pytest.mark.parametrize(
    ("message", "detail"),
    [
        ("{", "invalid JSON"),
        ('{"type": "sing"}', "sing"),
        ('{"type": "strokes", "revision": 4}', "document"),
        ('{"type": "suggest", "n": 1000}', "n"),
        ('{"type": "options", "preset": "slow"}', "preset"),
        ("[" * 50_000, ""),
    ],
)
def test_bad_messages_are_answered_and_harm_nothing(socket, message, detail):
    socket.send(message)
    error, _ = until(socket, "error")
    assert detail in error["detail"]
    assert len(error["detail"]) <= 500
    say(socket, **strokes(5, TWO))
    assert until(socket, "result", revision=5)[0]["final"]


def test_coming_back_finds_everything(client):
    address = opened(client)
    with live(client, address) as socket:
        say(socket, **strokes(3, TWO))
        first, before = until(socket, "result", revision=3)
        if not any(m["type"] == "saved" for m in before):
            until(socket, "saved", revision=3)
    with live(client, address) as socket:
        state, _ = until(socket, "state")
        assert state["revision"] == 3
        assert len(state["document"]["items"]) == 2
        again, _ = until(socket, "result")
        np.testing.assert_array_equal(again["labels"], first["labels"])


def test_the_newer_window_takes_over_with_all_there_is(client):
    older = opened(client)
    with live(client, older) as socket:
        say(socket, **strokes(2, TWO))
        until(socket, "result", revision=2)
        newer = opened(client)
        closed, _ = until(socket, "closed")
        assert "another window" in closed["detail"]
    assert client.get(older).status_code == 404
    state = client.get(newer).json()
    assert state["has_mask"]
    assert len(state["document"]["items"]) == 2


def test_stopping_the_server_keeps_the_strokes(make, photos):
    client = make()
    with live(client, opened(client)) as socket:
        say(socket, **strokes(1, TWO))
        until(socket, "progress")
        client.stop()
    assert (photos / "2.strokes.json").is_file()


def test_too_long_a_message_ends_the_socket(make):
    client = make(limits={"message_bytes": 2000})
    with live(client, opened(client)) as socket:
        until(socket, "state")
        socket.send("x" * 3000)
        with pytest.raises(ConnectionClosed, match="1009"):
            until(socket, "result", revision=99)
    assert client.get("/api/health").status_code == 200


def test_sessions_are_limited_and_expire(make):
    client = make(limits={"sessions": 2, "idle_seconds": 0.0})
    with (
        live(client, opened(client, "2.png")),
        live(client, opened(client, "10.png")),
    ):
        reply = client.post("/api/sessions", json={"image": image_id(client, "cat.png")})
        assert reply.status_code == 429
        assert "2 images are open" in reply.json()["detail"]
    address = opened(client, "cat.png")
    client.in_loop(client.service.expire())
    assert client.get(address).status_code == 404


def test_what_is_computed_is_dropped_for_room_and_comes_back(make):
    client = make(limits={"cache_bytes": 1})
    first, second = opened(client, "2.png"), opened(client, "10.png")
    client.put(f"{first}/strokes", json=TWO)
    client.put(f"{second}/strokes", json=TWO)
    assert not client.get(first).json()["has_mask"]
    assert client.get(f"{first}/mask").status_code == 200


def test_closing_the_page_frees_its_session_after_a_moment(make):
    client = make(limits={"grace_seconds": 0.2})
    address = opened(client)
    with live(client, address) as socket:
        say(socket, **strokes(1, TWO))
        until(socket, "result", revision=1)
        client.in_loop(client.service.expire())
        assert client.service.sessions  # the page is there
    deadline = time.monotonic() + 10
    while client.service.sessions and time.monotonic() < deadline:
        time.sleep(0.05)
        client.in_loop(client.service.expire())
    assert not client.service.sessions
    assert len(client.get(opened(client)).json()["document"]["items"]) == 2


@pytest.mark.slow
def test_a_page_that_does_not_read_holds_up_nobody(make):
    client = make(limits={"send_seconds": 0.5})
    lazy, other = opened(client, "cat.png"), opened(client, "2.png")
    with live(client, lazy, max_queue=1) as deaf, live(client, other) as socket:
        for revision in range(1, 200):
            say(deaf, **strokes(revision, TWO if revision % 2 else THREE))
        say(socket, **strokes(1, TWO))
        result, _ = until(socket, "result", revision=1)
        assert result["final"]
    assert client.get("/api/health").status_code == 200
