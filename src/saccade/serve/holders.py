"""Who has an image open: what a browser says of itself, and from where."""

import ipaddress
import re
from dataclasses import asdict, dataclass
from typing import Any

from starlette.requests import HTTPConnection

OPENED_ELSEWHERE = "the image was opened in another window"

_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrom", "Chrome"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_WINDOW = re.compile(r"[\w-]{1,40}")


@dataclass(frozen=True)
class Holder:
    """A window of a browser, or a program.

    Attributes:
        window: what the page calls its window; "" for a program.
        browser: its name; "" where it is not known.
        system: the name of the system that it runs on; "" where it is not known.
        address: from where it asks; "" for the computer that the server runs on.
    """

    window: str = ""
    browser: str = ""
    system: str = ""
    address: str = ""


UNKNOWN = Holder()


def holder_of(request: HTTPConnection, window: str) -> Holder:
    """Who asks. What is no name of a window is left out."""
    agent = request.headers.get("user-agent", "")
    host = request.client.host if request.client is not None else ""
    return Holder(
        window if _WINDOW.fullmatch(window) else "",
        _first(agent, _BROWSERS) or ("Safari" if "Safari" in agent else ""),
        _first(agent, _SYSTEMS),
        "" if _is_here(host) else host,
    )


def closed_message(reason: str, holder: Holder | None) -> dict[str, Any]:
    """What a page is told whose image is open no longer; `holder` has it now."""
    named = None if holder is None else asdict(holder)
    return {"type": "closed", "detail": reason, "holder": named}


def _first(agent: str, names: tuple[tuple[str, str], ...]) -> str:
    return next((name for part, name in names if part in agent), "")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a socket without an address
        return not host or host == "testclient"
