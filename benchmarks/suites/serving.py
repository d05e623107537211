"""The page and its server: from a stroke to its mask in a browser, and thirty people at once.

    python -m benchmarks.serving

In a real browser: from the end of a stroke to the first frame with a mask of it, on a photograph of
500 x 375, and how long frames take while drawing on 3000 x 2000. Against the server: thirty
sessions at once, each drawing stroke after stroke, all on this machine.

With `--against` the pages of this and of another checkout take turns, and nothing else is measured.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import numpy as np
import psutil
from PIL import Image
from skimage import data
from websockets.asyncio.client import connect

from benchmarks.harness import command_line

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "web"))

STROKES = 24
SESSIONS = 30
SECONDS = 20.0
SIZES = {"small": (500, 375), "large": (3000, 2000)}


def percentile(values: list[float], share: float) -> float:
    return float(np.percentile(values, share)) if values else float("nan")


def photograph(folder: Path, name: str, size: tuple[int, int]) -> None:
    Image.fromarray(data.cat()).resize(size, Image.Resampling.BICUBIC).save(folder / name)


def draw_strokes(
    browser: object, folder: Path, size: tuple[int, int], strokes: int = STROKES
) -> dict[str, object]:
    """Strokes with the pointer, one after another, and what the page says of them."""
    from conftest import Hand, serving

    folder.mkdir()
    photograph(folder, "photo.png", size)
    with serving(folder / "home", folder / "photo.png", process=True) as (address, server):
        process = psutil.Process(server.pid)
        time.sleep(3)  # the server warms up once, the page is opened often
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        hand = Hand(page, address)
        rng = np.random.default_rng(0)
        began = sum(process.cpu_times()[:2])
        for i in range(strokes):
            start = rng.uniform(0.1, 0.9, 2) * size
            line = [
                tuple(np.clip(start + d, 1, np.array(size) - 2))
                for d in np.cumsum(rng.normal(0, 0.05 * min(size), (4, 2)), axis=0)
            ]
            hand.draw(i % 2, [(float(x), float(y)) for x, y in line])
            hand.wait()
            page.wait_for_timeout(150)
        spent = sum(process.cpu_times()[:2]) - began
        facts = hand.facts()
        page.close()
    waits = [t["firstMask"] - t["strokeEnd"] for t in facts["timings"] if t["firstMask"]]
    finals = [t["finalMask"] - t["strokeEnd"] for t in facts["timings"] if t["finalMask"]]
    return {
        "size": list(size),
        "strokes": len(waits),
        "server_cpu_s": spent / strokes,
        "first_mask_ms": {"median": percentile(waits, 50), "p95": percentile(waits, 95)},
        "final_mask_ms": {"median": percentile(finals, 50), "p95": percentile(finals, 95)},
        "frame_ms": {
            "count": len(facts["frames"]),
            "median": percentile(facts["frames"], 50),
            "p95": percentile(facts["frames"], 95),
            "longest": max(facts["frames"], default=float("nan")),
        },
    }


def take_turns(
    browser: object, folder: Path, other: Path, strokes: int, sizes: Sequence[str]
) -> dict[str, object]:
    """This page and that of another checkout, in turns (this, other, other, this) on each size."""
    found: dict[str, object] = {}
    here = os.environ.get("PYTHONPATH", "")
    for name in sizes:
        size = SIZES[name]
        rounds: dict[str, list[object]] = {"this": [], "other": []}
        for number, who in enumerate(("this", "other", "other", "this")):
            source = ROOT / "src" if who == "this" else other / "src"
            os.environ["PYTHONPATH"] = str(source)
            place = folder / f"{name}{number}"
            rounds[who].append(draw_strokes(browser, place, size, strokes))
            print(name, who, json.dumps(rounds[who][-1]), flush=True)
        found[name] = rounds
    os.environ["PYTHONPATH"] = here
    return found


async def one_session(port: int, image: str, seed: int, until: float, out: list[float]) -> int:
    """Draw until the time is over: a stroke, its mask, a moment's thought."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
        reply = await client.post("/api/sessions", json={"image": image})
        reply.raise_for_status()
        state = reply.json()
    rng = np.random.default_rng(seed)
    document = state["document"] | {"items": []}
    address = f"ws://127.0.0.1:{port}/api/sessions/{state['session']}/live"
    errors = revision = 0
    async with connect(address, max_size=None, proxy=None) as socket:
        while time.monotonic() < until:
            revision += 1
            points = (rng.uniform(0.1, 0.9, (3, 2)) * [451, 300]).tolist()
            document["items"].append(
                {
                    "id": f"s{revision}",
                    "kind": "line",
                    "value": revision % 2,
                    "width": 8,
                    "points": points,
                }
            )
            began = time.monotonic()
            await socket.send(
                json.dumps({"type": "strokes", "revision": revision, "document": document})
            )
            errors += await answered(socket, revision)
            if revision > 1:
                out.append(time.monotonic() - began)
            await asyncio.sleep(rng.uniform(1.0, 3.0))
    return errors


async def answered(socket: object, revision: int) -> int:
    """Wait for the mask of a revision, or that it waits for more strokes."""
    while True:
        message = await asyncio.wait_for(socket.recv(), 120)
        if isinstance(message, bytes):
            length = int.from_bytes(message[:4], "little")
            found = json.loads(message[4 : 4 + length])
        else:
            found = json.loads(message)
        if found["type"] == "error":
            return 1
        if found["type"] in ("result", "waiting") and found["revision"] >= revision:
            return 0


def load(folder: Path) -> dict[str, object]:
    """Thirty people at once."""
    from conftest import serving

    photos = folder / "photos"
    photos.mkdir()
    for i in range(SESSIONS):
        photograph(photos, f"{i:02}.png", (451, 300))
    with serving(folder / "home", photos) as address:
        port = int(address.rsplit(":", 1)[1].strip("/"))
        server = next(
            p
            for p in psutil.process_iter(["cmdline"])
            if "serve" in (p.info["cmdline"] or []) and str(photos) in p.info["cmdline"]
        )
        time.sleep(3)
        before = server.memory_info().rss / 2**20
        images = [e["id"] for e in httpx.get(f"{address}api/images").json()]
        waits: list[float] = []

        async def everybody() -> int:
            until = time.monotonic() + SECONDS
            jobs = [one_session(port, image, i, until, waits) for i, image in enumerate(images)]
            return sum(await asyncio.gather(*jobs))

        errors = asyncio.run(everybody())
        peak = server.memory_info().rss / 2**20
        began = time.monotonic()
        httpx.get(f"{address}api/health").raise_for_status()
        health = time.monotonic() - began
    return {
        "sessions": SESSIONS,
        "masks": len(waits),
        "errors": errors,
        "p50_s": percentile(waits, 50),
        "p95_s": percentile(waits, 95),
        "health_s": health,
        "rss_before_mb": before,
        "rss_after_mb": peak,
    }


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("serving", __doc__)
    add = parser.add_argument
    add("--against", type=Path, metavar="CHECKOUT", help="compare with the page of another one")
    add("--strokes", type=command_line.positive, default=STROKES, help="default %(default)s")
    add("--sizes", default="small,large", help="of the photographs, default %(default)s")
    parser.set_defaults(threads=os.cpu_count())  # the server is one that anybody starts
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Measure in a browser and under load, print and write the results."""
    from conftest import ARGUMENTS, CHROMIUM
    from playwright.sync_api import sync_playwright

    from benchmarks.harness import results

    settings = results.machine(args.threads) | {"load_average_before": os.getloadavg()[0]}
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        settings["browser"] = browser.version
        if args.against is not None:
            found = take_turns(
                browser, Path(folder), args.against, args.strokes, args.sizes.split(",")
            )
        else:
            for name in args.sizes.split(","):
                size = SIZES[name]
                found[name] = draw_strokes(browser, Path(folder) / name, size, args.strokes)
                print(name, json.dumps(found[name]), flush=True)
        browser.close()
    if args.against is None:
        with tempfile.TemporaryDirectory() as folder:
            found["load"] = load(Path(folder))
            print("load", json.dumps(found["load"]), flush=True)
    path = results.result_path(args, settings)
    results.write_results(path, {"run": settings, **found})
    results.report_written(path, args)


if __name__ == "__main__":
    sys.exit(main())
