"""Networks to ONNX, checked by running them: the file is kept only if onnxruntime agrees."""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from saccade.errors import InputError
from saccade.files import atomic_write, one_line

TOLERANCE = 1e-3
"""Largest difference of probabilities that counts as rounding."""

HALF_TOLERANCE = 0.05
"""The same where a network computes in half precision."""

_LEAST = 32  # pixels of height and width where they are open


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        operators: the kinds of operators in the file, sorted.
        difference: largest difference of a probability between PyTorch and onnxruntime, over
            random images: one of the example's size, and where sizes are open three at once of a
            larger, a smaller and an odd one too.
        changed: share of their pixels, in [0, 1], that have another class.
    """

    operators: tuple[str, ...]
    difference: float
    changed: float = 0.0


class _Probabilities(nn.Module):
    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> Tensor:
        return torch.softmax(self.net(images), 1)


def export_onnx(
    net: nn.Module,
    path: Path,
    size: tuple[int, int],
    *,
    channels: int = 3,
    dynamic: bool = True,
    half: bool = False,
    metadata: dict[str, str] | None = None,
    progress: Callable[[int, int, str], None] = lambda done, total, text: None,
) -> Exported:
    """Write `net` in eval mode with a softmax behind it.

    Input "images": (B, C, H, W) float32 in [0, 1], RGB where C is 3. Output "probabilities":
    (B, K, H, W) float32.

    Args:
        net: images to logits, on the CPU.
        path: of the file; replaced only when the check is passed.
        size: (height, width) of the example images.
        channels: number C of channels of an image.
        dynamic: leave B, height and width open; otherwise they are 1 and `size`.
        half: compute in half precision, which halves the file; images and probabilities stay in
            single precision.
        metadata: entries for the file, class names for instance.
        progress: told how many of how many stages are done, and which is next.

    Raises:
        InputError: the packages of saccade[onnx] are missing, or onnxruntime's probabilities
            differ by more than `TOLERANCE`, in half precision by more than `HALF_TOLERANCE`.
    """
    for package in ("onnx", "onnxscript", "onnxruntime"):
        if find_spec(package) is None:
            raise InputError(f"{package} is not installed; pip install 'saccade[onnx]' brings it")
    wrapped = _Probabilities(net).eval()
    # One image alone would be traced for one image alone.
    count = 2 if dynamic else 1
    example = torch.rand(count, channels, *size, generator=torch.Generator().manual_seed(0))
    dims = torch.export.Dim
    open_axes = {0: dims("batch"), 2: dims("height", min=_LEAST), 3: dims("width", min=_LEAST)}
    shapes = [(1, channels, *size)]
    shapes += [(3, channels, *other) for other in _other_sizes(size)] if dynamic else []
    stages = 1 + len(shapes)
    progress(0, stages, "converting, which takes longest")
    with atomic_write(path) as temporary:
        model = _converted(wrapped, example, open_axes if dynamic else None)
        if half:
            model = _halved(model)
        for key, value in (metadata or {}).items():
            model.metadata_props.add(key=key, value=value)
        temporary.write_bytes(model.SerializeToString())
        found = []
        for done, shape in enumerate(shapes, 1):
            progress(done, stages, f"comparing with PyTorch at {shape[2]}x{shape[3]}")
            found.append(_compared(wrapped, temporary, shape))
        differences = [difference for difference, _ in found]
        worst = math.nan if any(map(math.isnan, differences)) else max(differences)
        most = HALF_TOLERANCE if half else TOLERANCE
        if not worst <= most:
            raise InputError(
                f"{path}: not written, onnxruntime's probabilities differ by {worst:.2g}, "
                f"more than {most:g}"
            )
    operators = sorted({node.op_type for node in _nodes(model)})
    return Exported(tuple(operators), worst, max(changed for _, changed in found))


def _other_sizes(size: tuple[int, int]) -> list[tuple[int, int]]:
    height, width = size
    larger = (height + 32, max(_LEAST, width - 32))
    smaller = (max(_LEAST, height // 2), max(_LEAST, width // 2))
    return [larger, smaller, (max(_LEAST, height - 16) | 1, max(_LEAST, width - 22) | 1)]


def _converted(net: nn.Module, example: Tensor, shapes: dict[int, Any] | None) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own deprecations
        try:
            program = torch.onnx.export(
                net,
                (example,),
                dynamo=True,
                verbose=False,
                input_names=["images"],
                output_names=["probabilities"],
                dynamic_shapes={"images": shapes} if shapes else None,
            )
        except InputError:
            raise
        except Exception as failure:
            error: BaseException = failure
            # The exporter's messages are pages long; their causes say it in a line.
            while error.__cause__ is not None:
                error = error.__cause__
            raise InputError(f"the network cannot be exported: {one_line(error)[:300]}") from error
    assert program is not None
    return program.model_proto


def _nodes(model: Any) -> list[Any]:
    functions = [node for function in model.functions for node in function.node]
    return [*model.graph.node, *functions]


def _halved(model: Any) -> Any:
    from onnxruntime.transformers.float16 import convert_float_to_float16

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numbers so small that half precision has none of them
        return convert_float_to_float16(model, keep_io_types=True)


@torch.no_grad()
def _compared(net: nn.Module, path: Path, shape: tuple[int, ...]) -> tuple[float, float]:
    """Largest difference of a probability, and share of pixels of another class."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    images = torch.rand(shape, generator=torch.Generator().manual_seed(1))
    (found,) = session.run(None, {"images": images.numpy()})
    theirs, ours = torch.from_numpy(found), net(images)
    changed = theirs.argmax(1) != ours.argmax(1)
    return float((theirs - ours).abs().max()), float(changed.float().mean())
