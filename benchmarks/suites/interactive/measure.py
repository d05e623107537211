"""The measuring loop: image by image, on each image every method in turn, only the call timed."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import results, sheet
from benchmarks.harness.datasets import Pair, image_matrix, load_pairs, num_classes, score_image
from benchmarks.harness.folds import Folds, read_folds
from benchmarks.harness.timing import limit_threads, timed
from benchmarks.peers.methods import Method, resolve
from benchmarks.suites.interactive.summary import Row, read_scores, summarize, table


@dataclass(frozen=True)
class Record:
    """One call: one method with one seed on one image."""

    set: str
    image: str
    method: str
    seed: int
    score: float  # mIoU of this image
    seconds: float


@dataclass
class Measured:
    """What the methods did on one set; lists run over images, seed by seed within an image."""

    matrices: dict[str, list[list[NDArray[np.int64]]]] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    labels: dict[str, list[NDArray[np.uint8]]] = field(default_factory=dict)  # of the first seed
    notes: list[str] = field(default_factory=list)
    failed: bool = False

    def drop(self, method: str, note: str) -> None:
        """Forget a method that failed: a mean over fewer images would not be comparable."""
        self.failed = True
        self.notes.append(note)
        self.matrices.pop(method, None)
        self.labels.pop(method, None)
        self.records = [r for r in self.records if r.method != method]


def measure_sets(args: argparse.Namespace) -> int:
    """Measure, print the table, write the files; returns the exit code."""
    folds = read_folds(args.folds)
    methods = [resolve(name, folds) for name in args.methods]
    before = read_scores(args.before) if args.before else None
    sets = {
        name: load_pairs(args.root, name, limit=args.limit, every=args.every) for name in args.sets
    }
    limit_threads(args.threads)
    keys = ("sets", "methods", "seeds", "limit", "every")
    settings = results.machine(args.threads) | {key: getattr(args, key) for key in keys}
    path = results.result_path(args, settings)
    rows: list[Row] = []
    records: list[Record] = []
    notes: list[str] = []
    failed = False
    warm: set[str] = set()
    for name, pairs in sets.items():
        measured = measure(name, pairs, methods, args.seeds, warm=warm, keep_labels=args.sheet)
        rows += _summary(name, measured, first=methods[0].name)
        records += measured.records
        notes += measured.notes + _unseen_note(name, pairs, folds)
        failed |= measured.failed
        lines = [asdict(record) for record in records] if args.csv else None
        content = {"run": settings, "table": [asdict(row) for row in rows], "notes": notes}
        results.write_results(path, content, lines)  # after every set: nothing is lost
        if args.sheet and measured.labels:
            sheet.write(path.with_name(f"{args.name}-{name}.png"), name, pairs, measured.labels)
    print(table(rows, methods[0].name, before))
    for note in notes:
        print(f"note: {note}")
    results.report_written(path, args)
    return int(failed)


def _unseen_note(name: str, pairs: Sequence[Pair], folds: Folds) -> list[str]:
    count = sum(pair.stem in folds for pair in pairs)
    text = f"{name}: {count} of {len(pairs)} images with weights that have not seen them"
    return [text] if count else []


def measure(
    name: str,
    pairs: Sequence[Pair],
    methods: Sequence[Method],
    seeds: Sequence[int],
    *,
    warm: set[str],
    keep_labels: bool = False,
) -> Measured:
    """Every method on every image of one set.

    Args:
        name: name of the set.
        pairs: its images.
        methods: the methods; those that cannot run on this set are left out with a note.
        seeds: seeds for the methods that draw; the others run once.
        warm: names of the methods that have run before; the others first run once untimed.
        keep_labels: keep the results of the first seed, for the sheet.
    """
    measured = Measured()
    active = []
    for method in methods:
        if name not in method.only:
            continue
        reason = _unfit(name, method)
        if reason:
            measured.notes.append(f"{name}: {method.name} skipped, {reason}")
            continue
        active.append(method)
        measured.matrices[method.name] = []
    for index, pair in enumerate(pairs):
        line = []
        for method in list(active):
            try:
                line.append(_one(name, pair, method, seeds, measured, warm, keep_labels))
            except Exception as error:  # a peer's bug must not cost the others' hour
                reason = f"{type(error).__name__}: {error}"
                measured.drop(method.name, f"{name}: {method.name} failed on {pair.stem}, {reason}")
                active.remove(method)
                line.append(f"{method.name} FAILED ({reason})")
        head = f"[{name} {index + 1}/{len(pairs)}] {pair.stem}: "
        print(head + ", ".join(line), file=sys.stderr, flush=True)
    return measured


def _one(
    name: str,
    pair: Pair,
    method: Method,
    seeds: Sequence[int],
    measured: Measured,
    warm: set[str],
    keep_labels: bool,
) -> str:
    """Run one method on one image with every seed; returns a piece of the progress line."""
    if method.name not in warm:
        method.on(pair.stem)(pair.image, pair.strokes, seeds[0])
        warm.add(method.name)
    matrices, scores, times = [], [], []
    for seed in seeds if method.seeded else seeds[:1]:
        strokes = pair.strokes.copy()  # a method that writes into its input harms only itself
        call = timed(partial(method.on(pair.stem), pair.image, strokes, seed))
        labels = call.result
        times.append(call.seconds)
        matrices.append(image_matrix(name, pair.truth, labels))
        scores.append(score_image(name, pair.truth, labels))
        measured.records.append(Record(name, pair.stem, method.name, seed, scores[-1], times[-1]))
        if keep_labels and seed == seeds[0]:
            measured.labels.setdefault(method.name, []).append(labels.astype(np.uint8))
    measured.matrices[method.name].append(matrices)
    return f"{method.name} {np.mean(scores):.3f} {np.median(times):.2f} s"


def _unfit(name: str, method: Method) -> str | None:
    if method.two_classes and num_classes(name) > 2:
        return "two classes only"
    missing = method.missing()
    return f"{missing} is not installed" if missing else None


def _summary(name: str, measured: Measured, first: str) -> list[Row]:
    runs = {
        method: [list(run) for run in zip(*images, strict=True)]  # image, seed -> seed, image
        for method, images in measured.matrices.items()
        if images
    }
    seconds = {m: [r.seconds for r in measured.records if r.method == m] for m in runs}
    return summarize(name, runs, seconds, first)
