"""The fewest operations and bytes of each stage of the preset ``fast``, by arithmetic."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from benchmarks.harness.text_table import aligned
from benchmarks.suites.lower_bound.traced import Trace
from saccade.interactive import color_regions
from saccade.interactive.presets import LearnedFitSettings, PottsSettings, preset_named
from saccade.models.features import INPUT_CHANNELS
from saccade.models.weights import load_bundle

FLOAT = 4  # bytes


@dataclass(frozen=True)
class Peaks:
    """What a processor does at best, a second."""

    operations: float
    bytes: float
    call: float = 0.0  # seconds that starting one call takes


# NVIDIA's data sheet for the H200 SXM: 67 Tflop/s in fp32, 4.8 TB/s. The price of a call is an
# assumption, what starting a kernel from PyTorch usually takes.
H200 = Peaks(67e12, 4.8e12, 5e-6)


@dataclass(frozen=True)
class Bound:
    """One stage: what cannot be saved as long as the stage computes what it does."""

    stage: str
    operations: float
    bytes: float


@dataclass(frozen=True)
class Row:
    """One stage, its bound beside what is."""

    stage: str
    operations: float
    bytes: float
    written_operations: float
    written_bytes: float
    calls: int
    seconds: float


def stages(size: tuple[int, int], classes: int) -> list[Bound]:
    """Stages of an image (H, W) with K classes.

    Bytes are of the maps that a stage is given and gives, each moved once; what fits the cache in
    between is free. Operations are those of the algorithm as it is, a multiply-add counts two.
    """
    preset, bundle = preset_named("fast"), load_bundle()
    assert isinstance(preset.fit, LearnedFitSettings)
    assert isinstance(preset.refine, PottsSettings)
    width = bundle.fuse.weight.shape[0]
    hidden = bundle.start["classifier"].shape[1]
    full = size[0] * size[1]
    half, quarter = (-(-size[0] // n) * -(-size[1] // n) for n in (2, 4))
    steps = preset.fit.repeats * len(next(iter(bundle.rates.values())))
    pixels = classes * max(16, 2 * preset.fit.per_class // classes)

    taps = 9
    # Multiply-adds a pixel: stem, two depthwise, three pointwise convolutions; Lab about 40.
    head = 2 * half * (27 * 32 + 9 * 32 + 32 * 16 + 16 * 96)
    head += 2 * quarter * (9 * 96 + 96 * 24) + 40 * full
    # Forward and the weights' gradient; the classifier's input needs one too.
    branches = 2 * (taps * pixels) * 2 * taps * width * width
    classifier = 2 * pixels * (taps * 2 * width * hidden + hidden * classes)
    fit = 2 * half * INPUT_CHANNELS * width + steps * (2 * branches + 3 * classifier)
    # Once: the local branch, every tap's product of the dynamic one, the classifier's share of
    # the local branch. Each draw: sums of nine rows, the classifier's share of them, the output.
    once = 2 * half * taps * width * (width + width + hidden)
    each = half * (taps * width + 2 * taps * width * hidden + 2 * hidden * classes + 36)
    maps = 1 if classes == 2 else classes  # in the partition
    project = 0 if classes == 2 else 8  # a pixel and class
    fine = preset.refine.fine_iterations
    rounds = color_regions.ROUNDS * (
        color_regions.ITERATIONS if classes == 2 else color_regions.ITERATIONS_SEVERAL
    )
    return [
        Bound("features", head, 3 * full + FLOAT * half * (INPUT_CHANNELS + 3)),
        # SLIC: every pixel is near four centres, in five dimensions, five rounds.
        Bound("superpixels", 5 * half * 4 * 15, 5 * half * 4 * FLOAT),
        Bound(
            "fit",
            fit,
            FLOAT * (half * (INPUT_CHANNELS + width) + steps * 2 * taps * taps * pixels * width),
        ),
        Bound(
            "draw",
            once + preset.draws * each,
            FLOAT * half * (width * (1 + taps) + preset.draws * (taps * width + 2 * classes)),
        ),
        # Two passes in four directions with three ways; five Gaussians of three channels.
        Bound(
            "cues",
            half * classes * (2 * 4 * 3 * 2 + 5 * 25),
            FLOAT * half * (width + 6 + classes * 10),
        ),
        Bound(
            "color regions",
            rounds * quarter * maps * (16 + project),
            FLOAT * (half * (6 + classes) + 2 * half * classes),
        ),
        Bound(
            "partition",
            (preset.refine.iterations * half + fine * full) * maps * (16 + project),
            FLOAT * (half + bool(fine) * full) * maps * 4,
        ),
        Bound("upsampling", full * classes * 12, full * (1 + FLOAT * (classes + 1) + FLOAT)),
    ]


def rows(bounds: Sequence[Bound], found: Mapping[str, Trace]) -> list[Row]:
    """Both side by side; a stage without arithmetic here is bound by what it does."""
    known = {stage.stage: stage for stage in bounds}
    result = []
    for name, trace in found.items():
        mine = known.get(name, Bound(name, trace.operations, 0.0))
        result.append(
            Row(
                stage=name,
                operations=mine.operations,
                bytes=mine.bytes,
                written_operations=trace.operations,
                written_bytes=trace.bytes,
                calls=trace.calls,
                seconds=trace.seconds,
            )
        )
    return result


def table(rows: Sequence[Row], cpu: Peaks) -> str:
    """The aligned table, with the times that the peaks allow and a sum below."""
    head = ["stage", "Mop", "MB", "CPU ms", "H200 ms", "Mop", "MB", "calls", "H200 ms", "ms"]
    over = ["", *["bound"] * 3, "predicted", *["as written"] * 3, "predicted", "measured"]
    head = [f"{word} {unit}".strip() for word, unit in zip(over, head, strict=True)]
    body = [_cells(row, cpu) for row in rows]
    total = ["sum", *(f"{sum(float(c[i]) for c in body):.4g}" for i in range(1, len(head)))]
    return aligned(head, [*body, total])


def cpu_peaks() -> Peaks:
    """The best of some matrix products and copies on this machine, in processor time."""
    a = torch.rand(768, 768)
    source, target = torch.rand(32_000_000), torch.empty(32_000_000)
    product = min(_seconds(lambda: a @ a) for _ in range(40))
    copy = min(_seconds(lambda: target.copy_(source)) for _ in range(20))
    return Peaks(2 * 768**3 / product, 2 * FLOAT * len(source) / copy)


def _cells(row: Row, cpu: Peaks) -> list[str]:
    def ms(peaks: Peaks, operations: float, moved: float, calls: int) -> float:
        return 1e3 * max(operations / peaks.operations, moved / peaks.bytes, calls * peaks.call)

    numbers = [
        row.operations / 1e6,
        row.bytes / 1e6,
        ms(cpu, row.operations, row.bytes, 0),
        ms(H200, row.operations, row.bytes, 1),
        row.written_operations / 1e6,
        row.written_bytes / 1e6,
        row.calls,
        ms(H200, row.written_operations, row.written_bytes, row.calls),
        1e3 * row.seconds,
    ]
    return [row.stage, *(f"{n:.3g}" if n < 1000 else f"{n:.0f}" for n in numbers)]


def _seconds(function: Callable[[], object]) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start
