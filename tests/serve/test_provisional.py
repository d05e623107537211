"""A first mask from strokes of one class, over HTTP and the live socket."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.serve.helpers import CLASSES, TWO, document, live, opened, say, until

ONE, OTHER = (document(item) for item in TWO["items"])
THIRD = [*CLASSES, {"value": 2, "name": "third", "color": "#00ff00"}]


def put(client, address, sent):
    reply = client.put(f"{address}/strokes", json=sent)
    assert reply.status_code == 200, reply.text
    return reply.json()


def mask_of(client, address):
    return np.asarray(Image.open(io.BytesIO(client.get(f"{address}/mask").content)))


@pytest.mark.parametrize(("sent", "provisional"), [(ONE, 0), (OTHER, 1)])
def test_one_class_gives_a_mask_over_http(client, sent, provisional):
    address = opened(client)
    reply = put(client, address, sent)
    assert reply["classes"] == [0, 1]
    assert reply["provisional"] == [provisional]
    assert any(f"class {provisional}, everything else" in line for line in reply["remarks"])
    mask = mask_of(client, address)
    assert (mask[:, :38] == 1).mean() > 0.9
    assert (mask[:, 42:] == 0).mean() > 0.9
    probabilities = np.load(io.BytesIO(client.get(f"{address}/probabilities").content))
    assert probabilities["classes"].tolist() == [0, 1]
    assert client.get(f"{address}/suggestions").status_code == 200
    # What was assumed is no stroke.
    kept = client.get(f"{address}/strokes").json()
    assert {item["value"] for item in kept["items"]} == {1 - provisional}


@pytest.mark.parametrize(
    ("classes", "ground"),
    [(CLASSES[1:], 0), (CLASSES, 0), (THIRD, 0), (THIRD[1:], 2)],
)
def test_the_document_says_which_class_is_the_ground(client, classes, ground):
    address = opened(client)
    reply = put(client, address, document(TWO["items"][0], classes=classes))
    assert (reply["classes"], reply["provisional"]) == (sorted([1, ground]), [ground])
    assert set(np.unique(mask_of(client, address))) == {1, ground}


def test_the_second_class_leaves_nothing_of_it(client):
    address = opened(client)
    fresh = put(client, address, TWO)
    both = mask_of(client, address)
    assert put(client, address, ONE)["provisional"] == [0]
    alone = mask_of(client, address)
    reply = put(client, address, TWO)
    assert reply["provisional"] == []
    assert not any("provisional" in line for line in reply["remarks"])
    assert reply["uncertainty_mean"] == fresh["uncertainty_mean"]
    np.testing.assert_array_equal(mask_of(client, address), both)
    put(client, address, ONE)  # erased again
    np.testing.assert_array_equal(mask_of(client, address), alone)


def test_the_live_socket_says_what_is_provisional(client):
    with live(client, opened(client)) as socket:
        until(socket, "waiting")
        for revision, (sent, provisional) in enumerate([(ONE, [0]), (TWO, []), (OTHER, [1])], 1):
            say(socket, type="strokes", revision=revision, document=sent)
            result, _ = until(socket, "result", revision=revision)
            assert result["values"] == [0, 1]
            assert result["provisional"] == provisional
            assert any("provisional" in line for line in result["remarks"]) == bool(provisional)
        say(socket, type="strokes", revision=4, document=document())
        until(socket, "waiting", revision=4)
        say(socket, type="strokes", revision=5, document=ONE)
        until(socket, "result", revision=5)


@pytest.mark.parametrize("preset", ["best", "paper"])
def test_other_presets_with_coarse_masks_before(client, preset):
    address = opened(client, preset=preset)
    with live(client, address) as socket:
        until(socket, "waiting")
        say(socket, type="strokes", revision=1, document=ONE)
        result, before = until(socket, "result", revision=1)
        while not result["final"]:
            result, _ = until(socket, "result", revision=1)
        assert result["values"] == [0, 1]
        assert not any(m["type"] == "error" for m in before)


def test_a_page_that_comes_back_gets_the_mask_of_one_class(client):
    address = opened(client)
    put(client, address, ONE)
    client.delete(address)
    with live(client, opened(client)) as socket:
        result, _ = until(socket, "result")
        assert result["provisional"] == [0]
