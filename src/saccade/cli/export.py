"""``saccade export``: a trained network as ONNX."""

from pathlib import Path
from typing import Annotated

import typer

from saccade.cli.errors import one_line_errors
from saccade.cli.option_values import require_packages
from saccade.cli.options import Quiet
from saccade.cli.progress import Bar
from saccade.cli.say import say
from saccade.errors import InputError
from saccade.files import refuse_to_replace
from saccade.strict_json import json_text


def export(
    checkpoint: Annotated[
        Path, typer.Argument(metavar="CHECKPOINT", help="Network, a file of `saccade train`.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE.onnx", help="File to write.")
    ],
    size: Annotated[
        str, typer.Option(metavar="HxW", help="Height and width of the example image.")
    ] = "384x512",
    fixed: Annotated[
        bool,
        typer.Option(
            "--fixed", help="Allow one image of this size only, for runtimes that need it."
        ),
    ] = False,
    half: Annotated[
        bool, typer.Option("--half", help="Compute in half precision, in a file of half the size.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Export a trained network as ONNX.

    It takes images (B, C, H, W) in [0, 1], RGB where C is 3, and gives probabilities (B, K, H, W).
    The file is written only if onnxruntime gives PyTorch's probabilities. Class names and
    colours are in its metadata, and so are channels and what is black and white in them.
    """
    with one_line_errors():
        require_packages("torchvision")
        shape = _size(size)
        if output.suffix != ".onnx":
            raise InputError(f"{output}: expected a name that ends in .onnx")
        refuse_to_replace([output], [checkpoint])
        from saccade.formats.onnx import export_onnx
        from saccade.images.network_input import NetworkReading
        from saccade.models.checkpoint import load_checkpoint, reading_document
        from saccade.models.cost import measure_cost

        loaded = load_checkpoint(checkpoint)
        channels = loaded.net.config.in_channels
        about = {
            "classes": json_text(loaded.spec.names),
            "colors": json_text(loaded.spec.colors.tolist()),
        }
        if isinstance(loaded.reading, NetworkReading):
            about["images"] = json_text(reading_document(loaded.reading))
        bar = Bar(1, quiet=quiet, patience=0)  # the first stage is the longest, and reports nothing
        try:
            done = export_onnx(
                loaded.net,
                output,
                shape,
                channels=channels,
                dynamic=not fixed,
                half=half,
                metadata=about,
                progress=lambda n, of, text: bar.show(n / (of + 1), text),
            )
            bar.show(0.9, "measuring the time of an image")
            cost = measure_cost(loaded.net, shape, channels=channels)
        finally:
            bar.close()
        say(f"largest difference to PyTorch {done.difference:.1e}")
        if half:
            say(f"{done.changed:.2%} of the pixels of random images have another class")
        say(f"operators: {' '.join(done.operators)}")
        say(
            f"{cost.parameters:,} parameters, {cost.multiply_adds / 1e9:.2f} G multiply-adds and "
            f"{1000 * cost.seconds:.0f} ms in PyTorch at {shape[0]}x{shape[1]}"
        )
        say(f"written: {output}")


def _size(text: str) -> tuple[int, int]:
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(p.isdecimal() and int(p) >= 32 for p in parts):
        raise InputError(f"--size is {text!r}, expected HxW like 384x512, at least 32 each")
    return int(parts[0]), int(parts[1])
