"""Every operator in every round, forward and with the backward pass, by the device's clock."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from benchmarks.suites.sampled_conv.operators import Operator, Setting, operators

CUDA_CALLS = 20  # per round: one alone is shorter than the clock's resolution
PARTS = ("forward", "forward + backward")


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


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
