"""What `saccade serve` can be told."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Limits:
    """Bounds that keep one visitor from hurting the others.

    Attributes:
        sessions: open at once.
        queue: fits waiting at once.
        upload_bytes: of one uploaded file.
        uploads_bytes: of all uploads together.
        message_bytes: of one request or message with strokes.
        predict_bytes: of one request of Label Studio for masks.
        notice_bytes: of other requests of Label Studio.
        request_bytes: of any other request.
        pixels: of one image, asked of its header before it is decoded, and of all patches in one
            document together, counted where they are set.
        side: of one image in pixels, which is as far as a browser draws.
        items: strokes in one document.
        points: vertices in one document.
        drawing: pixels that are painted to draw one document: for each line its points times its
            width squared, and its length times its width.
        values: pixels times classes of one fit, which takes some ten bytes for each.
        cache_bytes: features, masks and pixels that are kept; beyond, those of the session that
            has waited longest are dropped and computed again when it comes back.
        idle_seconds: after which a session that nobody uses is closed.
        grace_seconds: after which a session is closed whose page is gone.
        send_seconds: how long a client may take to read a message.
    """

    sessions: int = 64
    queue: int = 128
    upload_bytes: int = 100 * 2**20
    uploads_bytes: int = 4 * 2**30
    message_bytes: int = 16 * 2**20
    predict_bytes: int = 32 * 2**20
    notice_bytes: int = 4 * 2**20
    request_bytes: int = 64 * 2**10
    pixels: int = 100_000_000
    side: int = 32_767
    items: int = 20_000
    points: int = 250_000
    drawing: int = 3_000_000_000
    values: int = 400_000_000
    cache_bytes: int = 3 * 2**30
    idle_seconds: float = 1800.0
    grace_seconds: float = 30.0
    send_seconds: float = 30.0


@dataclass(frozen=True)
class ServeSettings:
    """One server.

    Attributes:
        paths: images and folders of images; none: the sample photograph.
        home: folder for uploads, and for strokes on the sample.
        store: folder for stroke files; None: beside the images.
        recursive: whether folders below the folders count.
        preset: of new sessions.
        seed: of new sessions.
        device: of all sessions.
        token: what visitors must show; None: nothing, which is for loopback only.
        host: address that the server is bound to.
        hosts: further names under which it may be visited.
        workers: fits at once.
        label_studio_url: address of a Label Studio whose images may be fetched.
        model: file of a fitted model to begin with; None: the folder's strokes alone.
        limits: see `Limits`.
    """

    paths: tuple[Path, ...] = ()
    home: Path = Path("saccade-serve")
    store: Path | None = None
    recursive: bool = False
    preset: str = "fast"
    seed: int = 0
    device: str = "auto"
    token: str | None = None
    host: str = "127.0.0.1"
    hosts: tuple[str, ...] = ()
    workers: int = 2
    label_studio_url: str | None = None
    model: Path | None = None
    limits: Limits = field(default_factory=Limits)
