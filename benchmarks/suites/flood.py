"""Thirty people who draw while one visitor floods the server: how long the others wait.

    python -m benchmarks.flood

Each of the thirty draws stroke after stroke on a photograph of their own, with a moment's thought
between them, against a server of the usual settings. One visitor meanwhile sends, without a pause
and over several connections: strokes over the socket, pings, JSON of many values to every route,
patches that decode to the whole image, and files to import. Clients and server share the machine.
`load_average_before` says what else ran on it.
"""

import argparse
import asyncio
import base64
import io
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

import httpx
import numpy as np
from PIL import Image
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from benchmarks.harness import command_line
from benchmarks.suites.serving import one_session, percentile, photograph

SIZE = (451, 300)
HEALTH_EVERY = 0.2


def flood(port: int, seconds: float, counts: "multiprocessing.Queue[dict[str, int]]") -> None:
    """Be the visitor who floods; runs in a process of its own."""
    counts.put(asyncio.run(_flood(port, seconds)))


async def _flood(port: int, seconds: float) -> dict[str, int]:
    until, sent = time.monotonic() + seconds, Counter[str]()
    base = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=base, timeout=120) as client:
        images = {e["name"]: e["id"] for e in (await client.get("/api/images")).json()}
        reply = await client.post("/api/sessions", json={"image": images["attacker.png"]})
        session = f"/api/sessions/{reply.json()['session']}"
        socket = f"ws://127.0.0.1:{port}{session}/live"
        kinds = {
            "strokes over the socket": _messages(socket, stroke_messages()),
            "large JSON": _requests(client, json_requests(session)),
            "patches": _requests(client, patch_requests(session)),
            "imports": _requests(client, import_requests(session)),
            "uploads": _requests(client, upload_requests()),
        }
        await asyncio.gather(*(_until(until, *kind, sent) for kind in kinds.items()))
    return dict(sent)


async def _until(
    until: float, name: str, send: Callable[[], Awaitable[None]], sent: Counter[str]
) -> None:
    while time.monotonic() < until:
        with suppress(TimeoutError, httpx.HTTPError, WebSocketException, OSError):
            async with asyncio.timeout(max(0.01, until - time.monotonic())):
                await send()
                sent[name] += 1


def _requests(
    client: httpx.AsyncClient, requests: list[dict[str, object]]
) -> Callable[[], Awaitable[None]]:
    turn = 0

    async def send() -> None:
        nonlocal turn
        turn += 1
        await client.request(**requests[turn % len(requests)])  # type: ignore[arg-type]

    return send


def _messages(address: str, messages: list[str]) -> Callable[[], Awaitable[None]]:
    async def send() -> None:
        async with connect(address, max_size=None, proxy=None) as socket:
            drain = asyncio.create_task(_drain(socket))
            try:
                while True:
                    for message in messages:
                        await socket.send(message)
            finally:
                drain.cancel()

    return send


async def _drain(socket: object) -> None:
    with suppress(WebSocketException):
        while True:
            await socket.recv()  # type: ignore[attr-defined]


def _document(*items: dict[str, object]) -> dict[str, object]:
    classes = [{"value": value, "name": f"class {value}"} for value in (0, 1)]
    return {"classes": classes, "items": list(items)}


def _line(name: str, count: int, width: float) -> dict[str, object]:
    points = np.random.default_rng(count).uniform(0, 300, (count, 2)).round(1).tolist()
    return {"id": name, "kind": "line", "value": count % 2, "width": width, "points": points}


def stroke_messages() -> list[str]:
    """Strokes of many points, of wide brushes, and many messages of nothing."""
    documents = [
        _document(_line("a", 40_000, 3), _line("b", 40_001, 3)),
        _document(_line("a", 8000, 500), _line("b", 8001, 500)),
        _document(*(_line(f"s{i}", 1 + i % 2, 8) for i in range(5000))),
    ]
    strokes = [json.dumps({"type": "strokes", "revision": 1, "document": d}) for d in documents]
    return [*strokes, *['{"type": "ping"}'] * 2000]


def json_requests(session: str) -> list[dict[str, object]]:
    """JSON of many values and lists for each route that takes some."""
    lists = b'{"tasks": [' + b"[]," * 1_300_000 + b"[]]}"
    zeros = b'{"classes": [], "items": [' + b"0," * 5_000_000 + b"0]}"
    nested = b'{"classes": ' + b"[" * 3_000_000
    kind = {"content-type": "application/json"}
    places = [
        ("PUT", f"{session}/strokes", zeros),
        ("POST", "/label-studio/train", lists),
        ("PUT", f"{session}/strokes", nested),
        ("POST", "/label-studio/predict", lists * 8),
        ("POST", "/api/sessions", zeros),
        ("PUT", f"{session}/strokes", json.dumps(_document(_line("a", 90_000, 2))).encode()),
    ]
    return [{"method": m, "url": u, "content": c, "headers": kind} for m, u, c in places]


def patch_requests(session: str) -> list[dict[str, object]]:
    """Hundreds of patches that each decode to the whole image."""
    mask = np.zeros(SIZE[::-1], np.uint8)
    mask[0, 0] = mask[-1, -1] = 1
    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, format="PNG")
    png = base64.b64encode(buffer.getvalue()).decode()
    items = [
        {"id": f"p{i}", "kind": "patch", "value": i % 2, "x": 0, "y": 0, "png": png}
        for i in range(700)
    ]
    return [{"method": "PUT", "url": f"{session}/strokes?wait=false", "json": _document(*items)}]


def import_requests(session: str) -> list[dict[str, object]]:
    """A large COCO file, a label image of many classes, and a list of lists."""
    rng = np.random.default_rng(0)
    annotations = [
        {
            "id": i,
            "image_id": 1,
            "category_id": 1,
            "segmentation": [rng.uniform(0, 300, 40).tolist()],
        }
        for i in range(3000)
    ]
    image = {"id": 1, "file_name": "attacker.png", "width": SIZE[0], "height": SIZE[1]}
    coco = {
        "images": [image],
        "categories": [{"id": 1, "name": "a"}],
        "annotations": annotations,
    }
    labels = np.full(SIZE[::-1], 255, np.uint8)
    labels[::7, ::7] = rng.integers(0, 200, labels[::7, ::7].shape)
    buffer = io.BytesIO()
    Image.fromarray(labels).save(buffer, format="PNG")
    files = [json.dumps(coco).encode(), buffer.getvalue(), b"[" + b"[]," * 3_000_000 + b"[]]"]
    return [
        {"method": "POST", "url": f"{session}/import?as={kind}", "files": {"file": ("x", data)}}
        for data in files
        for kind in ("strokes", "mask")
    ]


def upload_requests() -> list[dict[str, object]]:
    """Megabytes that are no image."""
    return [{"method": "POST", "url": "/api/images", "files": {"file": ("x.png", b"x" * 2**24)}}]


async def _watch_health(port: int, until: float, waits: list[float]) -> int:
    errors = 0
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        while time.monotonic() < until:
            began = time.monotonic()
            try:
                (await client.get("/api/health")).raise_for_status()
            except httpx.HTTPError:
                errors += 1
            waits.append(time.monotonic() - began)
            await asyncio.sleep(HEALTH_EVERY)
    return errors


def measure(folder: Path, drawers: int, seconds: float, *, attacked: bool) -> dict[str, object]:
    """Waits of everybody, in seconds, with or without somebody who floods."""
    from conftest import serving

    photos = folder / "photos"
    photos.mkdir(parents=True)
    for i in range(drawers):
        photograph(photos, f"{i:02}.png", SIZE)
    photograph(photos, "attacker.png", SIZE)
    with serving(folder / "home", photos) as address:
        port = int(address.rsplit(":", 1)[1].strip("/"))
        time.sleep(3)
        images = [e["id"] for e in httpx.get(f"{address}api/images").json()][:drawers]
        context = multiprocessing.get_context("spawn")
        counts: multiprocessing.Queue[dict[str, int]] = context.Queue()
        attacker = context.Process(target=flood, args=(port, seconds, counts))
        masks: list[float] = []
        health: list[float] = []

        async def everybody() -> list[int]:
            until = time.monotonic() + seconds
            drawing = [one_session(port, im, i, until, masks) for i, im in enumerate(images)]
            return await asyncio.gather(*drawing, _watch_health(port, until, health))

        if attacked:
            attacker.start()
            time.sleep(3)  # it has begun when the others do
        errors = sum(asyncio.run(everybody()))
        sent: dict[str, int] = {}
        if attacked:
            sent = counts.get(timeout=180)
            attacker.join()
    return {
        "drawers": drawers,
        "seconds": seconds,
        "masks": len(masks),
        "errors": errors,
        "mask_s": {"p50": percentile(masks, 50), "p95": percentile(masks, 95)},
        "health_s": {
            "p50": percentile(health, 50),
            "p95": percentile(health, 95),
            "longest": max(health, default=float("nan")),
        },
        "answered_to_the_flood": sent,
    }


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("flood", __doc__)
    parser.add_argument("--drawers", type=command_line.positive, default=30, help="default 30")
    parser.add_argument("--seconds", type=command_line.positive, default=60, help="default 60")
    parser.set_defaults(threads=os.cpu_count())  # the server is one that anybody starts
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Measure without and with a flood, print and write the results."""
    from benchmarks.harness import results

    settings = results.machine(args.threads) | {"load_average_before": os.getloadavg()[0]}
    found: dict[str, object] = {}
    for name, attacked in (("quiet", False), ("flooded", True)):
        with tempfile.TemporaryDirectory() as folder:
            found[name] = measure(Path(folder), args.drawers, args.seconds, attacked=attacked)
        print(name, json.dumps(found[name]), flush=True)
    path = results.result_path(args, settings)
    results.write_results(path, {"run": settings, **found})
    results.report_written(path, args)


if __name__ == "__main__":
    sys.exit(main())
