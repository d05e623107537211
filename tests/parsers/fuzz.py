"""Seeded damage to whole files of every format, given to every reader: `make fuzz SECONDS=600`.

A file is changed by bytes, by text (numbers, keys, values that JSON, XML and TOML allow but no
reader expects) or cut, repeated and joined with another. Every input follows from the seed and its
number, so that `make fuzz SEED=0 ONLY=123` repeats one.
"""

import random
import re
import resource
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from saccade.files import digest_of
from tests.parsers.readers import outcome_of
from tests.parsers.samples import whole_files

_WORDS = [
    *(b"0", b"-1", b"1e999", b"-1e999", b"NaN", b"Infinity", b"null", b"true", b"[]", b"{}"),
    *(b'""', b"4", b"[[1]]", b'{"a": 1}', b"99999", b"2147483648", b"18446744073709551616"),
    *(b"9" * 400, b"9" * 5000, b'"' + b"A" * 5000 + b'"', b"1e7", b"-5.5", b"0.000001"),
]
_TOKEN = re.compile(rb'-?\d+(?:\.\d+)?|"[^"]{0,40}"|\[[^\[\]]{0,80}\]')
_BINARY = [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\x01\0", b"\x80", b"\r\n"]


@dataclass
class Figures:
    """What a run of the fuzz found."""

    inputs: int = 0
    calls: int = 0
    slowest: float = 0
    slowest_at: str = ""
    longest: int = 0
    faults: dict[str, str] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)


def mutated(data: bytes, other: bytes, draw: random.Random) -> bytes:
    """A file with one to four changes."""
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        place = draw.randrange(len(data) + 1)
        end = min(len(data), place + draw.choice((1, 2, 4, 8, 40)))
        kind = draw.randrange(8)
        if kind <= 2 and (tokens := list(_TOKEN.finditer(data))):
            token = draw.choice(tokens)
            data = data[: token.start()] + draw.choice(_WORDS) + data[token.end() :]
        elif kind == 3:
            data = data[:place] + draw.randbytes(end - place) + data[end:]
        elif kind == 4:
            piece = draw.choice(_BINARY)
            data = data[:place] + piece + data[place + len(piece) :]
        elif kind == 5:
            data = data[:place] if draw.random() < 0.3 else data[:place] + data[end:]
        elif kind == 6:
            data = data[:place] + data[place:end] * draw.choice((2, 50, 3000)) + data[end:]
        else:
            flipped = bytearray(data)
            for at in (draw.randrange(len(data)) for _ in range(3) if data):
                flipped[at] ^= 1 << draw.randrange(8)
            start = draw.randrange(len(other))
            joined = data[:place] + other[start : start + 200] + data[place:]
            data = bytes(flipped) if draw.random() < 0.7 else joined
    return data[:1_000_000]


def fuzz(seconds: float, seed: int, folder: Path, only: int | None = None) -> Figures:
    """Damage files and read them until the time is over; the order of files is fixed."""
    files = whole_files(folder)
    names = sorted(files)
    figures = Figures()
    number, end = only or 0, time.monotonic() + seconds
    while time.monotonic() < end:
        draw = random.Random(f"{seed}-{number}")
        name = names[number % len(names)]
        data, readers = files[name]
        path = folder / f"damaged-{name}"
        path.write_bytes(mutated(data, files[draw.choice(names)][0], draw) or b"\0")
        figures.inputs += 1
        for reader in readers:
            _note(figures, reader, path, f"seed {seed}, input {number}, {name}, {reader}")
        number += 1
        if only is not None:
            break
    return figures


def _note(figures: Figures, reader: str, path: Path, what: str) -> None:
    outcome = outcome_of(reader, path)
    figures.calls += 1
    figures.refused[reader] += bool(outcome.message)
    figures.longest = max(figures.longest, len(outcome.message))
    if outcome.seconds > figures.slowest:
        figures.slowest, figures.slowest_at = outcome.seconds, what
    if outcome.fault:
        figures.faults.setdefault(f"{reader}: {outcome.fault}", f"{what}, {digest_of(path)[:12]}")


def report(figures: Figures) -> str:
    """The figures of a run, for people."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    refused = ", ".join(f"{name} ({n} refused)" for name, n in sorted(figures.refused.items()))
    lines = [
        f"inputs       {figures.inputs} in {figures.calls} calls",
        f"readers      {refused}",
        f"exceptions   {len(figures.faults)}",
        f"slowest      {figures.slowest:.2f} s ({figures.slowest_at})",
        f"longest      {figures.longest} characters",
        f"memory       {peak} MB at most",
        *(f"  {fault}  [{where}]" for fault, where in figures.faults.items()),
    ]
    return "\n".join(lines)
