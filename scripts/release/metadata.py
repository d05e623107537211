"""Where the project lives, told when a release is built: addresses, and the README's links.

``SACCADE_HOME=https://HOST/OWNER/saccade python -m build`` gives the package its addresses, and
the README that package indexes show links and pictures of that release. Without it neither is
there, as in a checkout, where relative links are right. hatchling calls this by its file.
"""

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

VARIABLE = "SACCADE_HOME"


class Addresses(MetadataHookInterface):  # type: ignore[misc]
    """Sets ``readme`` and ``urls``."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Called by hatchling with the fields of ``[project]``."""
        text = (Path(self.root) / "README.md").read_text("utf-8")
        home = os.environ.get(VARIABLE, "").rstrip("/")
        if home:
            metadata["urls"] = addresses(home)
            text = with_absolute_links(text, home, f"v{metadata['version']}")
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def addresses(home: str) -> dict[str, str]:
    """What an index shows beside the description.

    >>> addresses("https://example.org/saccade")["Issues"]
    'https://example.org/saccade/issues'
    """
    return {
        "Homepage": home,
        "Documentation": f"{home}/tree/main/docs",
        "Changelog": f"{home}/blob/main/CHANGELOG.md",
        "Issues": f"{home}/issues",
    }


def with_absolute_links(text: str, home: str, version: str) -> str:
    """Markdown whose relative links and pictures are those of a version.

    >>> with_absolute_links("![A](a.jpg), [b](b.md#c), [d](https://e.f)", "https://h/s", "v1")
    '![A](https://h/s/raw/v1/a.jpg), [b](https://h/s/blob/v1/b.md#c), [d](https://e.f)'
    """

    def absolute(link: re.Match[str]) -> str:
        mark, name, target = link.groups()
        if re.match(r"[a-z]+:|#", target):
            return link[0]
        return f"{mark}[{name}]({home}/{'raw' if mark else 'blob'}/{version}/{target})"

    return re.sub(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)", absolute, text)
