"""Scalars and prediction images for TensorBoard, where it is installed."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray


class Log:
    """Writes to FOLDER/tensorboard; does nothing where the package is missing or `on` is False."""

    def __init__(self, folder: Path, *, on: bool = True) -> None:
        self._writer: Any = None
        if not on:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            return
        self._writer = SummaryWriter(str(folder / "tensorboard"))

    def scalars(self, values: dict[str, float], step: int) -> None:
        """Write numbers under their names."""
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(name, value, step)

    def picture(self, name: str, picture: NDArray[np.uint8], step: int) -> None:
        """Write an (H, W, 3) picture."""
        if self._writer is not None:
            self._writer.add_image(name, torch.from_numpy(picture), step, dataformats="HWC")

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()
