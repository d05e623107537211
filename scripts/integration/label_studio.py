"""Saccade as the model behind a real Label Studio: ``make integration``.

    python -m scripts.integration.label_studio LABEL-STUDIO [--out FOLDER]

Starts the program LABEL-STUDIO and ``saccade serve``, both on this machine alone, makes a project
with the demo's photograph, connects the model, draws the demo's strokes, asks for the mask as an
annotator's browser would, stores it, exports the project and reads the export back. Where there is
a Chromium the task is shown in it, in FOLDER/label-studio.png. Exit code 1 where something differs.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image
from skimage import data

import saccade
from saccade.formats.brush_rle import encode_brush

ROOT = Path(__file__).parents[2]
TOKEN = "0123456789abcdef0123456789abcdef01234567"
ADDRESS, PASSWORD = "somebody@example.org", "only-for-this-test"
PATIENCE = 300
"""Seconds that a server may take to begin: Label Studio makes its data base first."""

LABELS = ("background", "cat")
CONFIG = """<View><Image name="image" value="$image"/><BrushLabels name="tag" toName="image">
<Label value="background"/><Label value="cat" background="#d33"/></BrushLabels></View>"""


def main() -> int:
    """Do all of it, one line for each step."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("program", help="label-studio, as installed by its package")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "label-studio")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, _servers(options.program, folder) as (its, ours):
        studio = httpx.Client(
            base_url=its, headers={"Authorization": f"Token {TOKEN}"}, timeout=120
        )
        print("Label Studio", studio.get("/api/version").json()["release"], flush=True)
        task = _project(studio)
        mask = _predicted(studio, task, ours)
        expected = saccade.segment(data.cat(), _strokes()).labels == 1
        _same("the region that came back", mask, expected)
        _same("the export, read again", _exported(studio, task, options.out), expected)
        if (picture := _shown(its, task, options.out)) is not None:
            print(f"shown: {picture}", flush=True)
    return 0


def _strokes() -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.asarray(Image.open(ROOT / "examples" / "cat_strokes.png"))


def _project(studio: httpx.Client) -> dict[str, Any]:
    """The one task of a new project with the photograph."""
    made = _ok(studio.post("/api/projects", json={"title": "Saccade", "label_config": CONFIG}))
    with tempfile.TemporaryFile() as file:
        Image.fromarray(data.cat()).save(file, "PNG")
        file.seek(0)
        path = f"/api/projects/{made['id']}/import"
        _ok(studio.post(path, files={"file": ("cat.png", file, "image/png")}))
    (task,) = _ok(studio.get("/api/tasks", params={"project": made["id"]}))["tasks"]
    return dict(task) | {"project": made["id"]}


def _predicted(studio: httpx.Client, task: dict[str, Any], ours: str) -> Any:
    """The mask of the region that the model answers with, through Label Studio."""
    about = {"url": f"{ours}/label-studio", "project": task["project"], "is_interactive": True}
    model = _ok(studio.post("/api/ml", json=about | {"title": "Saccade"}))
    drawn = _strokes()
    context = {"result": [_brush(drawn == k, label) for k, label in enumerate(LABELS)]}
    asked = f"/api/ml/{model['id']}/interactive-annotating"
    answer = _ok(studio.post(asked, json={"task": task["id"], "context": context}))["data"]
    print(f"model {model['state']}, score {answer['score']}", flush=True)
    version = {"task": task["id"], "model_version": answer["model_version"]}
    _ok(studio.post("/api/predictions", json=version | {"result": answer["result"]}))
    path = f"/api/tasks/{task['id']}/annotations"
    _ok(studio.post(path, json={"result": answer["result"]}))
    from label_studio_converter.brush import decode_rle

    (region,) = (one["value"] for one in answer["result"] if one["value"]["brushlabels"] == ["cat"])
    return decode_rle(region["rle"]).reshape(*drawn.shape, 4)[..., 3] > 0


def _brush(mask: Any, label: str) -> dict[str, Any]:
    height, width = mask.shape
    value = {"format": "rle", "rle": encode_brush(mask), "brushlabels": [label]}
    where = {"from_name": "tag", "to_name": "image", "original_width": width}
    where |= {"original_height": height, "image_rotation": 0, "origin": "manual", "id": label}
    return {"type": "brushlabels", "value": value} | where


def _exported(studio: httpx.Client, task: dict[str, Any], out: Path) -> Any:
    """The object in Label Studio's own export, as Saccade reads it."""
    from saccade.annotations import read_any_strokes

    path = out / "export.json"
    params = {"exportType": "JSON"}
    path.write_bytes(studio.get(f"/api/projects/{task['project']}/export", params=params).content)
    return read_any_strokes(path, names=LABELS).labels == 1


def _shown(its: str, task: dict[str, Any], out: Path) -> Path | None:
    """A picture of the task in the annotator's browser; None where there is no Chromium."""
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as player:
        try:
            browser = player.chromium.launch(executable_path="/usr/bin/chromium")
        except Error:
            return None
        page = browser.new_page(viewport={"width": 1400, "height": 800})
        page.goto(f"{its}/user/login/")
        page.fill("input[name=email]", ADDRESS)
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_load_state("load")
        page.goto(f"{its}/projects/{task['project']}/data?task={task['id']}")
        page.get_by_text("Regions").first.wait_for(timeout=60_000)
        page.wait_for_timeout(3000)  # it draws the region some time after
        path = out / "label-studio.png"
        page.screenshot(path=path)
        browser.close()
    return path


def _same(what: str, mask: Any, expected: Any) -> None:
    """Say how much of a mask agrees; all of it must."""
    different = int((mask != expected).sum())
    print(f"{what}: {different} of {mask.size} pixels differ", flush=True)
    if different:
        sys.exit(1)


def _ok(reply: httpx.Response) -> Any:
    if reply.is_error:
        sys.exit(f"error: {reply.request.url.path}: {reply.status_code} {reply.text[:500]}")
    return reply.json()


@contextmanager
def _servers(program: str, folder: str) -> Iterator[tuple[str, str]]:
    """Both servers, each at a port of its own; their addresses."""
    its, ours = (f"http://127.0.0.1:{_free_port()}" for _ in range(2))
    port = its.rpartition(":")[2]
    variables = os.environ | {
        "COLLECT_ANALYTICS": "false",
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "ML_BLOCK_LOCAL_IP": "false",  # the model is on this machine
        "SSRF_PROTECTION_ENABLED": "false",
        "LABEL_STUDIO_API_KEY": TOKEN,
        "HOME": folder,
    }
    start = [program, "start", "--no-browser", "--internal-host", "127.0.0.1", "--port", port]
    start += ["--username", ADDRESS, "--password", PASSWORD, "--user-token", TOKEN]
    start += ["--data-dir", str(Path(folder) / "data"), "--enable-legacy-api-token"]
    serve = [sys.executable, "-m", "saccade.cli", "serve", "--port", ours.rpartition(":")[2]]
    serve += ["--label-studio-url", its]
    with open(Path(folder) / "log.txt", "wb") as log:
        running = [
            subprocess.Popen(command, env=variables, stdout=log, stderr=log)
            for command in (start, serve)
        ]
        try:
            for process, path in zip(running, (f"{its}/health", f"{ours}/api/health"), strict=True):
                _wait_for(path, process, Path(folder) / "log.txt")
            yield its, ours
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        with suppress(httpx.HTTPError):
            if httpx.get(address, timeout=5).is_success:
                return
        time.sleep(1)
    sys.exit(f"error: {address} does not answer\n{log.read_text('utf-8', 'replace')[-2000:]}")


if __name__ == "__main__":
    sys.exit(main())
