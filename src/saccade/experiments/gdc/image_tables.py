"""Tables I, IV and VII of the GDC paper, on single images: branches, the paper's numbers, claims.

Importing this imports no PyTorch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from saccade.interactive.presets import Preset, preset_named

GDC = "gdc sigma 0.2"


@dataclass(frozen=True)
class Published:
    """A cell of a table of the paper: mIoU and overall accuracy in [0, 1]."""

    miou: float
    accuracy: float | None = None


@dataclass(frozen=True)
class ImageTable:
    """One table: its branches in the paper's order and the orders that it claims.

    ``published`` maps a branch to its cells by set, "voc" or "context". A pair (a, b) of
    ``claims`` says that branch a is better than b. Differences are taken to `GDC`.
    """

    name: str
    title: str
    published: Mapping[str, Mapping[str, Published]]
    claims: tuple[tuple[str, str], ...]

    @property
    def branches(self) -> tuple[str, ...]:
        """The branches, keys of `BRANCHES`."""
        return tuple(self.published)


BRANCHES: dict[str, dict[str, Any]] = {
    GDC: {"branch": "gdc", "sigma": 0.2},
    "gdc sigma 0.1": {"branch": "gdc", "sigma": 0.1},
    "gdc sigma 0.3": {"branch": "gdc", "sigma": 0.3},
    "normal": {"branch": "normal"},
    "dilated 6": {"branch": "dilated", "dilation": 6},
    "dilated 16": {"branch": "dilated", "dilation": 16},
    "dilated 24": {"branch": "dilated", "dilation": 24},
    "deformable": {"branch": "deformable"},
    "uniform": {"branch": "uniform"},
}
"""Branch -> what it changes in the network of the preset."""

_CONTEXT_GDC = Published(0.6512, 0.8646)

TABLE1 = ImageTable(
    "gdc-table1",
    "GDC paper, table I: single-image segmentation with different convolutions",
    {
        "normal": {"voc": Published(0.6894, 0.8887), "context": Published(0.5341, 0.7900)},
        "dilated 6": {"voc": Published(0.7195, 0.9047), "context": Published(0.6001, 0.8327)},
        "dilated 16": {"voc": Published(0.7180, 0.9034), "context": Published(0.5986, 0.8324)},
        "dilated 24": {"voc": Published(0.7178, 0.9029), "context": Published(0.5957, 0.8308)},
        "deformable": {"voc": Published(0.6869, 0.8883), "context": Published(0.5467, 0.8003)},
        GDC: {"voc": Published(0.7406, 0.9092), "context": _CONTEXT_GDC},
    },
    (
        (GDC, "normal"),
        (GDC, "dilated 6"),
        (GDC, "dilated 16"),
        (GDC, "dilated 24"),
        (GDC, "deformable"),
        ("dilated 6", "normal"),
        ("dilated 6", "deformable"),
        ("dilated 6", "dilated 16"),
        ("dilated 16", "dilated 24"),
    ),
)

TABLE4 = ImageTable(
    "gdc-table4",
    "GDC paper, table IV: the standard deviation of the offsets",
    {
        "gdc sigma 0.1": {"context": Published(0.6397, 0.8591)},
        GDC: {"context": _CONTEXT_GDC},
        "gdc sigma 0.3": {"context": Published(0.6488, 0.8602)},
    },
    ((GDC, "gdc sigma 0.1"), (GDC, "gdc sigma 0.3"), ("gdc sigma 0.3", "gdc sigma 0.1")),
)

TABLE7 = ImageTable(
    "gdc-table7",
    "GDC paper, table VII: half-Gaussian against uniform offsets",
    {
        "normal": {"voc": Published(0.6894)},
        GDC: {"voc": Published(0.7406)},
        "uniform": {"voc": Published(0.6810)},
    },
    ((GDC, "normal"), (GDC, "uniform"), ("normal", "uniform")),
)

IMAGE_TABLES = {table.name: table for table in (TABLE1, TABLE4, TABLE7)}


TABLE_PRESETS = ("paper", "paper-literal")
"""Presets that the tables may be measured with."""


def preset_of(branch: str, preset: str = "paper", features: str = "bundled") -> Preset:
    """A preset of `TABLE_PRESETS` with the branch of `BRANCHES` and other features.

    Example:
        >>> preset_of("dilated 6", "paper-literal").network.dilation
        6
    """
    base = preset_named(preset)
    network = replace(base.network, features=features, **BRANCHES[branch])
    return replace(base, network=network)
