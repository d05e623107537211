"""Do the steps of docker/Dockerfile in a copy of a root folder, then try what they made.

    debootstrap --variant=minbase --include=python3,python3-venv bookworm root
    python -m scripts.docker root --set PIP_ARGS='torch==2.15.0' --carry /etc/pip.conf

Needs to be root, as it uses chroot and mount; ROOT stands for the image python:slim, so it must
have Python with venv. --carry copies a file or folder of this machine into it first, such as pip's
settings, certificates or a folder of wheels; variables that begin with PIP_ go along. Nothing is
said about what Docker alone does: the base image, layers, ports, volumes, and limits of a
container.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.docker.steps import Settings, Stage, as_list, read_stages

HERE = Path(__file__).resolve().parents[2]


def main() -> None:
    """Build in a temporary folder, and start what was built."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path, metavar="ROOT")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--carry", action="append", default=[], type=Path, metavar="PATH")
    args = parser.parse_args()
    arguments = dict(one.split("=", 1) for one in args.set)
    with tempfile.TemporaryDirectory(dir=args.root.resolve().parent) as name:
        roots: dict[str, Path] = {}
        for number, stage in enumerate(read_stages(HERE / "docker" / "Dockerfile")):
            root = Path(name) / str(number)
            subprocess.run(["cp", "-a", args.root, root], check=True)
            _carry(root, args.carry)
            settings = do_stage(stage, root, roots, arguments)
            roots[stage.name] = root
        size = int(subprocess.check_output(["du", "-sm", root / "opt"], text=True).split()[0])
        print(f"built: /opt has {size} MB")
        with _proc(root):
            try_server(root, stage, settings)


@contextmanager
def _proc(root: Path) -> Iterator[None]:
    """/proc, which a container has, and from which libraries learn of the processor."""
    subprocess.run(["mount", "-t", "proc", "proc", root / "proc"], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", root / "proc"], check=True)


def _carry(root: Path, paths: list[Path]) -> None:
    (root / "usr/local/bin").mkdir(parents=True, exist_ok=True)
    link = root / "usr/local/bin/python"
    if not link.exists() and not link.is_symlink():
        link.symlink_to("/usr/bin/python3")
    for path in paths:
        target = root / path.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True)
        else:
            shutil.copy(path, target)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    shutil.copy("/etc/hosts", root / "etc/hosts")


def do_stage(
    stage: Stage, root: Path, roots: dict[str, Path], arguments: dict[str, str]
) -> Settings:
    """Do the steps of a stage in its root; what they have set."""
    settings = Settings({"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"})
    for step in stage.steps:
        print(f"{step.name} {step.text[:80]}", flush=True)
        if step.name == "ARG":
            name, _, default = step.text.partition("=")
            settings.arguments[name] = arguments.get(name, "".join(shlex.split(default)))
        elif step.name == "ENV":
            for one in shlex.split(step.text):
                name, _, value = one.partition("=")
                settings.variables[name] = settings.expanded(value)
        elif step.name == "WORKDIR":
            settings.folder = step.text
            (root / step.text.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif step.name == "COPY":
            _copy(step.text, root, roots, settings)
        elif step.name == "USER":
            settings.user = step.text
        elif step.name == "RUN":
            subprocess.run(
                command(root, settings, ["/bin/sh", "-c", step.text]),
                check=True,
                env=environment(settings),
            )
    return settings


def _copy(text: str, root: Path, roots: dict[str, Path], settings: Settings) -> None:
    *sources, target = text.split()
    base = HERE
    if sources[0].startswith("--from="):
        base = roots[sources.pop(0).removeprefix("--from=")]
    place = root / os.path.join(settings.folder, target).lstrip("/")
    for source in sources:
        path = base / source.lstrip("/")
        if path.is_dir():
            shutil.copytree(path, place, symlinks=True, dirs_exist_ok=True)
        else:
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)


def command(root: Path, settings: Settings, words: list[str]) -> list[str]:
    """Words to run in a root, as the user and in the folder that were set."""
    inner = f"cd {shlex.quote(settings.folder)} && exec " + shlex.join(words)
    return ["chroot", f"--userspec={settings.user}", str(root), "/bin/sh", "-c", inner]


def environment(settings: Settings) -> dict[str, str]:
    """What a step sees of variables."""
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    return {**pip, **settings.arguments, **settings.variables, "HOME": "/tmp"}


def try_server(root: Path, stage: Stage, settings: Settings) -> None:
    """Start it as a container would, ask for a mask, stop it, and look for the strokes."""
    words = {step.name: as_list(step.text) for step in stage.steps if "[" in step.text}
    from PIL import Image
    from skimage import data

    Image.fromarray(data.cat()).save(root / "photos" / "cat.png")
    variables = environment(settings) | {"SACCADE_TOKEN": "sesame"}
    server = subprocess.Popen(
        command(root, settings, [*words["ENTRYPOINT"], *words["CMD"]]), env=variables
    )
    try:
        health = command(root, settings, words["HEALTHCHECK"])
        began = time.monotonic()
        while subprocess.run(health, env=variables, capture_output=True).returncode:
            if server.poll() is not None or time.monotonic() - began > 300:
                sys.exit("error: the server does not become healthy")
            time.sleep(1)
        print(f"healthy after {time.monotonic() - began:.0f} s")
        _draw()
    finally:
        server.terminate()
    code = server.wait(30)
    kept = root / "photos" / "cat.strokes.json"
    owner = f"{kept.stat().st_uid}:{kept.stat().st_gid}"
    if owner != settings.user or len(json.loads(kept.read_text("utf-8"))["shapes"]) != 2:
        sys.exit(f"error: {kept} is not what was drawn, or belongs to {owner}")
    print(f"stopped with {code}; the strokes are kept and belong to {owner}")


def _draw() -> None:
    """Two strokes; the mask must have both classes."""
    (image,) = _ask("GET", "images")
    session = _ask("POST", "sessions", {"image": image["id"]})
    lines = [
        {"id": str(value), "kind": "line", "value": value, "width": 9, "points": points}
        for value, points in ((0, [[20, 20], [400, 20]]), (1, [[200, 120], [220, 200]]))
    ]
    document = session["document"] | {"items": lines}
    reply = _ask("PUT", f"sessions/{session['session']}/strokes", document)
    if reply["classes"] != [0, 1]:
        sys.exit(f"error: the mask has the classes {reply['classes']}")
    print("a mask of two strokes was made")


def _ask(method: str, path: str, body: object = None) -> object:
    request = urllib.request.Request(
        f"http://127.0.0.1:8765/api/{path}",
        None if body is None else json.dumps(body).encode(),
        {"content-type": "application/json", "authorization": "Bearer sesame"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=120) as reply:
        return json.load(reply)


if __name__ == "__main__":
    main()
