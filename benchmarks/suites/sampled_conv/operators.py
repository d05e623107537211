"""The operators that `sampled_conv.py` measures, the measuring, and what it leaves behind."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision
from torch import Tensor
from torch.nn import functional
from torchvision.ops import deform_conv2d as torchvision_deform_conv2d

from benchmarks import report
from saccade.nn import GaussianDynamicConv2d
from saccade.ops import deform_conv2d, gaussian_conv2d, sampled_conv2d

CONV, DEFORM = "conv2d", "deform_conv2d (torchvision)"
SIGMA = 0.2  # share of the shorter side, the paper's
CUDA_CALLS = 20  # per round: one alone is shorter than the clock's resolution
PARTS = ("forward", "forward + backward")


@dataclass(frozen=True)
class Setting:
    """Where and on what the operators run: (batch, channels, height, width) to as many channels."""

    device: str
    dtype: torch.dtype
    layout: torch.memory_format
    shape: tuple[int, int, int, int]


@dataclass(frozen=True)
class Operator:
    """A convolution ready to run, and the tensors whose gradients are asked for."""

    name: str
    call: Callable[[], Tensor]
    leaves: tuple[Tensor, ...]


@dataclass(frozen=True)
class Record:
    """One operator in one round."""

    device: str
    dtype: str
    layout: str
    operator: str
    part: str
    round: int
    milliseconds: float
    memory: float  # peak, with the input, over input + output; NaN on a CPU


@dataclass(frozen=True)
class Row:
    """One operator over all rounds."""

    device: str
    dtype: str
    layout: str
    operator: str
    part: str
    milliseconds: float  # median
    to_conv: float  # times the time of conv2d
    faster_than_deform: float
    memory: float


def settings(device: str, shape: tuple[int, int, int], cuda_batch: int) -> list[Setting]:
    """float32 on a CPU; three dtypes in two layouts on CUDA."""
    if device == "cpu":
        return [Setting("cpu", torch.float32, torch.contiguous_format, (1, *shape))]
    return [
        Setting(device, dtype, layout, (cuda_batch, *shape))
        for dtype in (torch.float32, torch.float16, torch.bfloat16)
        for layout in (torch.channels_last, torch.contiguous_format)
    ]


def operators(setting: Setting) -> list[Operator]:
    """All operators on the same input and weight, 3x3 taps."""
    device, dtype = setting.device, setting.dtype
    batch, channels, height, width = setting.shape
    generator = torch.Generator().manual_seed(0)

    def made(*size: int, scale: float = 1.0, kind: torch.dtype = dtype) -> Tensor:
        drawn = torch.randn(size, generator=generator) * scale
        return drawn.to(device, kind).requires_grad_()

    x = made(*setting.shape).detach().contiguous(memory_format=setting.layout).requires_grad_()
    layer = GaussianDynamicConv2d(channels, channels, 3, SIGMA, seed=0).to(device, dtype)
    weight, bias = layer.weight, layer.bias
    assert bias is not None
    offset = made(batch, 18, height, width, scale=2.0)
    positions = layer.draw((height, width))
    sigma = SIGMA * min(height, width)
    seed = torch.tensor(0, device=device)
    leaves = (x, weight, bias)

    def gdc(backend: Any) -> Callable[[], Tensor]:
        return lambda: sampled_conv2d(x, weight, bias, positions=positions, backend=backend)

    found = [
        Operator(CONV, lambda: functional.conv2d(x, weight, bias, padding=1), leaves),
        Operator("GDC, given positions", gdc("auto"), leaves),
        Operator("GDC, drawing", lambda: layer(x), leaves),
        Operator(
            "GDC, from a seed",
            lambda: gaussian_conv2d(x, weight, bias, sigma=sigma, seed=seed),
            leaves,
        ),
        Operator(
            "deformable",
            lambda: deform_conv2d(x, offset, weight, bias, padding=1),
            (*leaves, offset),
        ),
        Operator(
            DEFORM,
            lambda: torchvision_deform_conv2d(x, offset, weight, bias, padding=1),
            (*leaves, offset),
        ),
    ]
    if device == "cuda":
        found.insert(2, Operator("GDC, given positions, plain PyTorch", gdc("chunked"), leaves))
    return found


def measure(chosen: Sequence[Setting], rounds: int) -> tuple[list[Record], list[str]]:
    """Every operator in every round; notes name those that cannot run in a setting."""
    records, notes = [], []
    for setting in chosen:
        able = []
        for operator in operators(setting):
            try:
                for part in PARTS:
                    _once(operator, part)  # the first call compiles, plans and allocates
                able.append(operator)
            except (RuntimeError, NotImplementedError) as error:
                reason = str(error).splitlines()[0]
                notes.append(f"{operator.name} cannot do {_name(setting.dtype)}: {reason}")
        for number in range(rounds):
            records += _round(setting, able, number)
    return records, notes


def _round(setting: Setting, able: Sequence[Operator], number: int) -> Iterator[Record]:
    for operator in able:
        for part in PARTS:
            timed = _cuda if setting.device == "cuda" else _cpu
            milliseconds, peak = timed(operator, part)
            kind = "channels-last" if setting.layout == torch.channels_last else "channels-first"
            yield Record(
                setting.device,
                _name(setting.dtype),
                kind,
                operator.name,
                part,
                number,
                milliseconds,
                # As many channels come out as go in.
                peak / (2 * math.prod(setting.shape) * setting.dtype.itemsize),
            )


def _once(operator: Operator, part: str) -> None:
    if part == "forward":
        with torch.no_grad():
            operator.call()
    else:
        out = operator.call()
        torch.autograd.grad(out, operator.leaves, out.detach())


def _cpu(operator: Operator, part: str) -> tuple[float, float]:
    # Of the process and not of the wall: others may be using the machine.
    start = time.process_time()
    _once(operator, part)
    return (time.process_time() - start) * 1e3, math.nan


def _cuda(operator: Operator, part: str) -> tuple[float, float]:
    """Milliseconds, and the peak of memory with the input and without what lay there else."""
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    _once(operator, part)
    torch.cuda.synchronize()
    x = operator.leaves[0]
    peak = torch.cuda.max_memory_allocated() - before + x.numel() * x.element_size()
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(CUDA_CALLS):
        _once(operator, part)
    end.record()
    torch.cuda.synchronize()
    return start.elapsed_time(end) / CUDA_CALLS, peak


def summarize(records: Sequence[Record]) -> list[Row]:
    """Medians over the rounds, in the order of the records."""
    times: dict[tuple[str, ...], dict[int, float]] = {}
    memory: dict[tuple[str, ...], float] = {}
    for record in records:
        key = (record.device, record.dtype, record.layout, record.operator, record.part)
        times.setdefault(key, {})[record.round] = record.milliseconds
        memory[key] = record.memory
    rows = []
    for key, own in times.items():
        device, dtype, layout, _, part = key
        conv = times.get((device, dtype, layout, CONV, part), {})
        deform = times.get((device, dtype, layout, DEFORM, part), {})
        rows.append(
            Row(
                *key,
                milliseconds=float(np.median(list(own.values()))),
                to_conv=_ratio(own, conv),
                faster_than_deform=_ratio(deform, own),
                memory=memory[key],
            )
        )
    return rows


def _ratio(times: Mapping[int, float], others: Mapping[int, float]) -> float:
    """Median of the rounds' ratios; NaN without a round of both."""
    ratios = [time / others[number] for number, time in times.items() if number in others]
    return float(np.median(ratios)) if ratios else math.nan


def table(rows: Sequence[Row]) -> str:
    """The aligned table."""
    head = ["device", "dtype", "layout", "operator", "part", "ms", "x conv2d", "x faster", "memory"]
    body = [
        [
            *(row.device, row.dtype, row.layout, row.operator, row.part),
            *(_number(row.milliseconds, ".3g"), _number(row.to_conv, ".2f")),
            *(_number(row.faster_than_deform, ".1f"), _number(row.memory, ".2f")),
        ]
        for row in sorted(rows, key=lambda row: (row.device, row.dtype, row.layout, row.part))
    ]
    widths = [max(len(line[i]) for line in [head, *body]) for i in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(width) if column < 5 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in [head, *body]
    ]
    note = (
        "x conv2d: times its time; x faster: than torchvision's deform_conv2d; memory: peak over "
        "input + output"
    )
    return "\n".join([*lines, note])


def machine(found: Mapping[str, Any], device: str) -> dict[str, Any]:
    """The machine of `report.machine` with the card, and what float32 means on it."""
    card = torch.cuda.get_device_name() if device == "cuda" else None
    return {
        **found,
        "torchvision": torchvision.__version__.split("+")[0],
        "card": card,
        "hardware": card or found["cpu"],
        "conv2d_tf32": torch.backends.cudnn.allow_tf32 if card else None,
    }


def write(
    target: Path,
    run: Mapping[str, Any],
    rows: Sequence[Row],
    records: Sequence[Record],
    notes: Sequence[str],
) -> None:
    """Write TARGET.csv (one line per operator and round) and TARGET.json (machine, table)."""
    fields = list(Record.__dataclass_fields__)
    report.write_csv(target, fields, [asdict(record) for record in records])
    plain = [
        {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in asdict(row).items()}
        for row in rows
    ]
    report.write_json(target, {"run": dict(run), "table": plain, "notes": list(notes)})


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _number(value: float, form: str) -> str:
    return "-" if math.isnan(value) else format(value, form)
