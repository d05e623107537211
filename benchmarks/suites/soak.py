"""A server under people who draw for minutes: seconds to a mask, memory, and what is kept.

    python -m benchmarks.soak --drawers 30 --minutes 30

Each drawer has an image of 451 x 300, draws a stroke every second to third second once the mask of
the last one is there, and begins anew after twenty. Memory is the server's resident set, every two
seconds. At the end all draw a last stroke and the server is stopped at once (SIGTERM): the strokes
on disk must be those that were sent. Exit code 1 if one is lost or a request failed.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import command_line

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "web"))

_TOGETHER = 20
_EVERY = 2.0
_SIZE = (451, 300)


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("soak", __doc__)
    add = parser.add_argument
    add("--drawers", type=command_line.positive, default=30, help="default %(default)s")
    add("--minutes", type=command_line.positive, default=30, help="default %(default)s")
    parser.set_defaults(threads=os.cpu_count())  # the server is one that anybody starts
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Draw, print and write the results."""
    from benchmarks.harness import results
    from saccade.errors import InputError

    settings = results.machine(args.threads) | {"load_average_before": os.getloadavg()[0]}
    path = results.result_path(args, settings)
    with tempfile.TemporaryDirectory() as folder:
        found = soak(Path(folder), args.drawers, 60.0 * args.minutes)
    settings["load_average_after"] = os.getloadavg()[0]
    results.write_results(path, {"run": settings, **found})
    print(json.dumps({name: value for name, value in found.items() if name != "minutes"}))
    results.report_written(path, args)
    if found["lost"] or found["errors"]:
        raise InputError(f"{found['lost']} strokes lost, {found['errors']} requests failed")


def _is_ready(address: str) -> bool:
    import httpx

    try:
        return httpx.get(address, timeout=60).status_code == 200
    except httpx.ConnectError:  # the address is printed before the server listens
        return False


def soak(folder: Path, drawers: int, seconds: float) -> dict[str, object]:
    """Start a server, let people draw, stop it while they do."""
    import httpx
    import psutil
    from conftest import start_server

    from benchmarks.suites.serving import photograph

    photos = folder / "photos"
    photos.mkdir()
    for number in range(drawers):
        photograph(photos, f"{number:03}.png", _SIZE)
    process = start_server(folder / "home", 0, photos)
    address = process.stdout.readline().split(" at ", 1)[1].strip()
    while not _is_ready(f"{address}api/ready"):
        time.sleep(0.2)
    people = [_Drawer(address, image) for image in httpx.get(f"{address}api/images").json()]
    memory: list[tuple[float, float]] = []
    watched = psutil.Process(process.pid)

    def stop() -> None:
        memory.append((seconds, watched.memory_info().rss / 2**20))
        process.send_signal(signal.SIGTERM)

    metrics = asyncio.run(_all(address, people, seconds, watched, memory, stop))
    process.wait(60)
    lost = sum(one.sent - _kept(photos / one.name) for one in people)
    return _summary(people, memory, seconds) | {"lost": lost, "fits": metrics}


def _kept(image: Path) -> int:
    path = image.with_suffix(".strokes.json")
    return len(json.loads(path.read_text(encoding="utf-8"))["shapes"]) if path.is_file() else 0


async def _all(
    address: str,
    people: Sequence["_Drawer"],
    seconds: float,
    watched: object,
    memory: list[tuple[float, float]],
    stop: object,
) -> dict[str, float]:
    """Everybody draws; the numbers of fits by what became of them."""
    import httpx

    began = time.monotonic()
    jobs = [
        asyncio.create_task(one.draw(number, began, seconds)) for number, one in enumerate(people)
    ]
    while time.monotonic() - began < seconds:
        memory.append((time.monotonic() - began, watched.memory_info().rss / 2**20))
        await asyncio.sleep(_EVERY)
    for one in people:  # whoever waits for a mask has it before the last stroke
        await one.idle.wait()
    async with httpx.AsyncClient(timeout=60) as client:
        text = (await client.get(f"{address}metrics")).text
    await asyncio.gather(*(one.last() for one in people))
    stop()
    await asyncio.gather(*jobs, return_exceptions=True)
    prefix = 'saccade_fits_total{outcome="'
    lines = [line for line in text.splitlines() if line.startswith(prefix)]
    return {line[len(prefix) :].split('"')[0]: float(line.split()[-1]) for line in lines}


class _Drawer:
    """Somebody who draws on one image.

    Attributes:
        waits: (seconds since the begin, seconds from a stroke to its mask).
        sent: strokes of the last document that was sent.
        idle: set while no mask is waited for, and for good at the end.
    """

    def __init__(self, address: str, image: dict[str, str]) -> None:
        self.address, self.image, self.name = address, image["id"], image["name"]
        self.waits: list[tuple[float, float]] = []
        self.errors = self.sent = self.revision = 0
        self.idle = asyncio.Event()
        self._over = False

    async def draw(self, seed: int, began: float, seconds: float) -> None:
        """Stroke after stroke until the time is over; then hold the socket open."""
        import httpx
        import numpy as np
        from websockets.asyncio.client import connect

        from benchmarks.suites.serving import answered

        rng = np.random.default_rng(seed)
        self._points = lambda: (rng.uniform(0.1, 0.9, (3, 2)) * _SIZE).tolist()
        async with httpx.AsyncClient(base_url=self.address, timeout=120) as client:
            state = (await client.post("/api/sessions", json={"image": self.image})).json()
        self._document = state["document"] | {"items": []}
        live = f"ws{self.address.removeprefix('http')}api/sessions/{state['session']}/live"
        async with connect(live, max_size=None, proxy=None) as self._socket:
            while time.monotonic() - began < seconds:
                self.idle.clear()
                start = time.monotonic()
                await self.send()
                self.errors += await answered(self._socket, self.revision)
                if self.sent > 1:
                    self.waits.append((start - began, time.monotonic() - start))
                self.idle.set()
                await asyncio.sleep(rng.uniform(1.0, 3.0))
                if self._over:
                    break
            self.idle.set()
            await self._socket.wait_closed()

    async def send(self) -> None:
        """One more stroke, or the first of a new drawing."""
        self.revision += 1
        items = self._document["items"]
        if len(items) == _TOGETHER:
            items.clear()
        stroke = {"id": f"s{self.revision}", "kind": "line", "value": self.revision % 2}
        items.append(stroke | {"width": 8, "points": self._points()})
        self.sent = len(items)
        message = {"type": "strokes", "revision": self.revision, "document": self._document}
        await self._socket.send(json.dumps(message))

    async def last(self) -> None:
        """The stroke that the server is stopped with."""
        self._over = True
        await self.send()


def _summary(
    people: Sequence[_Drawer], memory: list[tuple[float, float]], seconds: float
) -> dict[str, object]:
    import numpy as np

    waits = np.array([one for person in people for one in person.waits])
    at, used = np.array(memory).T
    rows = []
    for minute in range(int(seconds // 60)):
        inside = waits[(waits[:, 0] // 60) == minute, 1]
        rows.append(
            {
                "minute": minute + 1,
                "masks": len(inside),
                "p50_s": float(np.percentile(inside, 50)) if len(inside) else float("nan"),
                "p95_s": float(np.percentile(inside, 95)) if len(inside) else float("nan"),
                "rss_mb": float(np.median(used[at // 60 == minute])),
            }
        )
    later = at >= seconds / 2
    slope = float(np.polyfit(at[later] / 60, used[later], 1)[0]) if later.sum() > 1 else 0.0
    return {
        "drawers": len(people),
        "seconds": seconds,
        "masks": len(waits),
        "errors": sum(one.errors for one in people),
        "p50_s": float(np.percentile(waits[:, 1], 50)),
        "p95_s": float(np.percentile(waits[:, 1], 95)),
        "rss_peak_mb": float(used.max()),
        "rss_second_half_mb_a_minute": slope,
        "minutes": rows,
    }


if __name__ == "__main__":
    sys.exit(main())
