"""A page with everything in it, pictures too: one HTML file that can be sent and kept."""

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade.files import atomic_write

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #667; --line: #d5d9df;
  --bar: #3b6fb5; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --paper: #16181c; --soft: #9aa3ad;
  --line: #343a42; --bar: #6ea3ea; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 1100px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
p.soft, figcaption { color: var(--soft); } table { border-collapse: collapse; margin: .6rem 0; }
td, th { padding: .25rem .9rem .25rem 0; text-align: right; border-bottom: 1px solid var(--line); }
td:first-child, th:first-child, td:has(.meter) { text-align: left; } th { font-weight: 600; }
.chip { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .5em; }
.meter { display: inline-block; height: .7em; background: var(--bar); border-radius: 2px; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(320px, 1fr)); gap: 1rem; }
figure { margin: 0; } figure img { width: 100%; border-radius: 4px; display: block; }
figcaption { font-size: .85rem; margin-top: .25rem; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
"""


def write_page(path: Path, title: str, parts: Sequence[str], *, style: str = "") -> None:
    """Write a page; a file that is there is replaced as a whole.

    Args:
        path: of the page.
        title: in the tab of a browser.
        parts: HTML of the body.
        style: CSS beside what all pages have.
    """
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}{style}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )
    with atomic_write(path) as temporary:
        temporary.write_text(page, encoding="utf-8", errors="backslashreplace")


def chip(color: NDArray[np.uint8]) -> str:
    """A little square in the color (r, g, b) of a class.

    Example:
        >>> chip(np.array([255, 0, 0], np.uint8))
        '<span class=chip style="background:rgb(255,0,0)"></span>'
    """
    r, g, b = (int(value) for value in color)
    return f'<span class=chip style="background:rgb({r},{g},{b})"></span>'


def meter(share: float, width: int = 120) -> str:
    """A bar that is `width` pixels long where `share` is 1.

    Example:
        >>> meter(0.5)
        '<span class=meter style="width:60.0px"></span>'
    """
    return f'<span class=meter style="width:{width * share:.1f}px"></span>'


def picture(pixels: NDArray[np.uint8], alt: str = "") -> str:
    """An (H, W, 3) uint8 picture as JPEG within the page."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=82)
    return _embedded(buffer.getvalue(), "jpeg", alt)


def image_file(path: Path, alt: str = "") -> str:
    """A PNG file within the page."""
    return _embedded(path.read_bytes(), "png", alt)


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table; cells are HTML already, the words of the head are not.

    Example:
        >>> table(("a",), [("1",)])
        '<div class=scroll><table><tr><th>a</th></tr><tr><td>1</td></tr></table></div>'
    """
    top = f"<tr>{''.join(f'<th>{escape(c)}</th>' for c in head)}</tr>" if head else ""
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<div class=scroll><table>{top}{body}</table></div>"


def _embedded(data: bytes, kind: str, alt: str) -> str:
    code = base64.b64encode(data).decode()
    return f'<img alt="{escape(alt, quote=True)}" src="data:image/{kind};base64,{code}">'
