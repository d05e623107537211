"""``saccade serve``: the page to draw on."""

import contextlib
import ipaddress
import logging
import secrets
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from saccade.cli.errors import one_line_errors
from saccade.cli.options import Device, Preset, Seed
from saccade.cli.say import say
from saccade.errors import InputError

PORT = 8765
_TRIES = 20
_LAST_SECONDS = 10
"""For requests that are being answered when the server is stopped."""


def serve(
    images: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="IMAGES",
            help="Images and folders of images; none: a sample photograph.",
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen at; 0.0.0.0: all of them.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            max=65535,
            help=f"Port to listen at. [default: {PORT}, or the next free one]",
        ),
    ] = None,
    recursive: Annotated[
        bool,
        typer.Option("--recursive", "-r", help="Also the images in folders below the folders."),
    ] = False,
    store: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Folder for strokes; if not given they lie beside the images."
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="NAME.saccade",
            help="Model of saccade fit to begin with, or network of saccade train: its masks "
            "are there before the first stroke.",
        ),
    ] = None,
    preset: Preset = "fast",
    seed: Seed = 0,
    device: Device = "auto",
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            envvar="SACCADE_TOKEN",
            help="Word that visitors must have in their address; made up if not given and other "
            "machines can reach this one.",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Further host name under which the server is visited; may be repeated.",
        ),
    ] = None,
    max_sessions: Annotated[
        int, typer.Option(metavar="N", min=1, help="Most images that are open at once.")
    ] = 64,
    label_studio_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Label Studio whose images may be fetched, with LABEL_STUDIO_API_KEY as the key.",
        ),
    ] = None,
    open_browser: Annotated[
        bool, typer.Option("--open", help="Open the page in the browser.")
    ] = False,
) -> None:
    """Draw strokes in the browser and see the masks at once.

    Strokes are kept beside the images as NAME.strokes.json; masks are exported from the page.
    """
    with one_line_errors():
        _check_extra()
        from saccade.serve.folder_lock import folder_lock
        from saccade.serve.settings import Limits, ServeSettings

        settings = ServeSettings(
            paths=tuple(path.resolve() for path in images or ()),
            home=_home(),
            store=store,
            recursive=recursive,
            preset=preset,
            seed=seed,
            device=device,
            token=token or (None if _is_loopback(host) else secrets.token_urlsafe(12)),
            host=host,
            hosts=tuple(allow_host or ()),
            label_studio_url=label_studio_url,
            model=None if model is None else model.resolve(),
            limits=Limits(sessions=max_sessions),
        )
        _check_paths(settings.paths)
        with folder_lock(settings):
            listener = _listen(host, port)
            _run(settings, listener, open_browser=open_browser)


def _run(settings: object, listener: socket.socket, *, open_browser: bool) -> None:
    import uvicorn

    from saccade.devices import pick_device
    from saccade.serve.app import create_app
    from saccade.serve.settings import ServeSettings
    from saccade.serve.stroke_file import check_writable

    assert isinstance(settings, ServeSettings)
    pick_device(settings.device)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    app = create_app(settings)
    entries = app.state.service.library.entries()
    if settings.paths and not entries:
        listed = ", ".join(str(path) for path in settings.paths)
        raise InputError(f"{listed}: no images there (expected PNG, JPEG, TIFF, BMP, WebP, ...)")
    problems = {check_writable(entry) for entry in entries} - {None}
    if problems:
        raise InputError(f"{sorted(map(str, problems))[0]}; --store DIR keeps strokes elsewhere")
    address = _address(settings.host, listener, settings.token)
    where = settings.store or ("beside the images" if settings.paths else settings.home / "sample")
    count = len(entries)
    say(f"{count} image{'' if count == 1 else 's'} at {address}")
    say(
        f"strokes are kept in {where}"
        if settings.store or not settings.paths
        else f"strokes are kept {where}, as NAME.strokes.json"
    )
    say("Ctrl-C stops the server")
    sys.stdout.flush()
    if open_browser:
        import threading
        import webbrowser

        threading.Timer(1.0, webbrowser.open, [address]).start()
    config = uvicorn.Config(
        app,
        log_level="warning",
        ws="websockets-sansio",  # the other one of uvicorn's is built on a deprecated interface
        timeout_graceful_shutdown=_LAST_SECONDS,
        ws_max_size=settings.limits.message_bytes,
        server_header=False,
    )
    with contextlib.suppress(KeyboardInterrupt):  # the way to stop it
        uvicorn.Server(config).run(sockets=[listener])
    say("stopped; all strokes are kept")


def _check_extra() -> None:
    from importlib.util import find_spec

    missing = [
        n
        for n in (
            "fastapi",
            "filelock",
            "uvicorn",
            "websockets",
            "platformdirs",
            "prometheus_client",
            "python_multipart",
        )
        if find_spec(n) is None
    ]
    if missing:
        raise InputError(f"{missing[0]} is not installed: pip install 'saccade[serve]'")


def _home() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("saccade", appauthor=False)) / "serve"


def _check_paths(paths: tuple[Path, ...]) -> None:
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(host: str, port: int | None) -> socket.socket:
    """A socket at the port, or at the first free one after the usual one.

    Raises:
        InputError: none can be had.
    """
    ports = range(PORT, PORT + _TRIES) if port is None else (port,)
    reason = ""
    for number in ports:
        try:
            family = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0][0]
            listener = socket.socket(family, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, number))
        except OSError as error:
            reason = error.strerror or str(error)
        else:
            return listener
    raise InputError(f"cannot listen at {host}, port {ports[0]}: {reason}")


def _address(host: str, listener: socket.socket, token: str | None) -> str:
    name = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(host, host)
    name = f"[{name}]" if ":" in name else name
    address = f"http://{name}:{listener.getsockname()[1]}/"
    return address if token is None else f"{address}?token={token}"
