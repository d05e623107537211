"""How many strokes all masks of a folder take, drawn where a model says, and elsewhere.

    python -m benchmarks.annotation_images ROOT --kinds nuclei-fluo --policies suggest,random

A simulated annotator has a folder of images of `fields` that the weights have not seen. The first
of the images that people stroked has their strokes; after that each round is one stroke of the true
class on one image of the folder, and `update`. Policies: suggest (`Model.suggest_images`, and
`suggest` within that image), images (that image, anywhere), places (any image, where `suggest`
says), random (any image, anywhere). The score of a round is the mean IoU over all masks of the
folder. Enough is the score of a model that has people's strokes on all five images. Written: JSON
with the machine and the table, with --csv every round.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from benchmarks.harness import command_line
from benchmarks.harness.command_line import names_of, positive

if TYPE_CHECKING:
    from benchmarks.suites.kinds.data import Example, KindOfImages
    from saccade.fitted import Model

POLICIES = ("suggest", "images", "places", "random")


@dataclass(frozen=True)
class Round:
    """All masks of a folder after a number of strokes.

    Attributes:
        kind: of the images.
        policy: that said where to draw.
        seed: of the annotator.
        strokes: drawn so far, without those of the first image.
        image: where the last one was; "" before the first.
        miou: mean IoU over one confusion matrix.
    """

    kind: str
    policy: str
    seed: int
    strokes: int
    image: str
    miou: float


@dataclass(frozen=True)
class Needed:
    """What a policy needs, over kinds and seeds, beside random strokes.

    Attributes:
        policy: its name.
        sessions: kinds times seeds.
        strokes: mean number until the score is enough; one more than there were rounds where it
            never is, so that this is a lower bound.
        reached: share of sessions in which it is.
        fewer: strokes of random ones minus those of this policy, and a 95 % interval by paired
            bootstrap over sessions.
        last: mean IoU after all rounds, minus that of random strokes, and its interval.
    """

    policy: str
    sessions: int
    strokes: float
    reached: float
    fewer: tuple[float, float, float]
    last: tuple[float, float, float]


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    from benchmarks.suites.kinds.data import FIELDS

    parser = command_line.suite_parser("annotation_images", __doc__)
    command_line.add_root(parser, "fields/")
    add = parser.add_argument
    add("--kinds", type=names_of(FIELDS), default=FIELDS, help="default: all")
    add("--policies", type=names_of(POLICIES), default=POLICIES, help="default: all")
    add("--folder", type=positive, default=8, help="images of the folder at most, default 8")
    add("--rounds", type=positive, default=8, help="strokes, default 8")
    add("--seeds", type=positive, default=1, help="annotators for each kind, default 1")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Let the annotator work on each kind, print the table, write the files."""
    from benchmarks.harness import results
    from benchmarks.suites.kinds.data import load_kind

    keys = ("kinds", "policies", "folder", "rounds", "seeds")
    settings = results.machine(args.threads) | {key: getattr(args, key) for key in keys}
    path = results.result_path(args, settings)
    done: list[Round] = []
    enough: dict[str, float] = {}
    for name in args.kinds:
        kind = load_kind(args.root, name, limit=args.folder)
        enough[name] = score(fitted(kind.stroked), kind, {})
        for seed in range(args.seeds):
            for policy in args.policies:
                done += annotate(kind, policy, rounds=args.rounds, seed=seed)
                print(line_of(done[-1], enough[name]), file=sys.stderr, flush=True)
        rows = [asdict(row) for row in compare(done, enough, args.rounds)]
        content = {"run": settings, "enough": enough, "table": rows}
        results.write_results(path, content, [asdict(x) for x in done] if args.csv else None)
    print(table(compare(done, enough, args.rounds)))
    results.report_written(path, args)


def line_of(last: Round, enough: float) -> str:
    """One session as text."""
    return (
        f"{last.kind}, seed {last.seed}, {last.policy}: {last.miou:.3f} after {last.strokes}"
        f" (enough is {enough:.3f})"
    )


def fitted(stroked: "Sequence[Example]") -> "Model":
    """A model of the strokes that people drew."""
    import saccade

    return saccade.fit([one.image for one in stroked], [one.strokes for one in stroked])


def score(model: "Model", kind: "KindOfImages", drawn: "dict[int, np.ndarray]") -> float:
    """Mean IoU of the masks of a folder, on which some images have strokes."""
    from saccade.evaluation.metrics import confusion_matrix, mean_iou

    total = np.zeros((kind.classes, kind.classes), np.int64)
    for number, one in enumerate(kind.scored):
        labels = model.predict(one.image, drawn.get(number)).labels
        total += confusion_matrix(one.truth, labels, kind.classes)
    return float(mean_iou(total))


def annotate(kind: "KindOfImages", policy: str, *, rounds: int, seed: int) -> list[Round]:
    """One session: the scores before the first stroke and after each."""
    from benchmarks.suites.kinds.data import UNKNOWN
    from saccade.scribbles.simulate import draw_through

    name = crc32(kind.name.encode())
    hand, rng = np.random.default_rng([0, seed, name]), np.random.default_rng([1, seed, name])
    model = fitted(kind.stroked[:1])
    drawn: dict[int, np.ndarray] = {}
    done = [Round(kind.name, policy, seed, 0, "", score(model, kind, drawn))]
    for count in range(1, rounds + 1):
        number = _image(model, kind, drawn, policy, rng)
        one = kind.scored[number]
        strokes = drawn.get(number, np.full(one.truth.shape, UNKNOWN, np.uint8)).copy()
        place = _place(model, one, strokes, policy, rng)
        value = one.truth[place]
        if value != UNKNOWN:
            strokes[draw_through(one.truth == value, place, hand)] = value
            drawn[number] = strokes
            model.update([one.image], [strokes])
        done.append(Round(kind.name, policy, seed, count, one.stem, score(model, kind, drawn)))
    return done


def _image(
    model: "Model",
    kind: "KindOfImages",
    drawn: "dict[int, np.ndarray]",
    policy: str,
    rng: np.random.Generator,
) -> int:
    """Which image has the next stroke; one without any, where there still are some."""
    free = [number for number in range(len(kind.scored)) if number not in drawn]
    free = free or list(range(len(kind.scored)))
    if policy in ("suggest", "images") and len(free) > 1:
        found = model.suggest_images(1, [kind.scored[number].image for number in free])
        if found:
            return free[found[0].number]
    return free[rng.integers(len(free))]


def _place(
    model: "Model", one: "Example", strokes: np.ndarray, policy: str, rng: np.random.Generator
) -> tuple[int, int]:
    """Where on that image."""
    from benchmarks.suites.kinds.data import UNKNOWN

    if policy in ("suggest", "places"):
        found = model.suggest(one.image, 1)
        if found:
            return found[0].row, found[0].column
    open_ = np.argwhere((strokes == UNKNOWN) & (one.truth != UNKNOWN))
    row, column = open_[rng.integers(len(open_))].tolist()
    return row, column


def compare(done: Sequence[Round], enough: dict[str, float], rounds: int) -> list[Needed]:
    """A row for each policy."""
    from benchmarks.suites.annotation.strokes_needed import paired_interval

    sessions = sorted({(one.kind, one.seed) for one in done})
    counts, last = {}, {}
    for policy in dict.fromkeys(one.policy for one in done):
        of = {(x.kind, x.seed, x.strokes): x.miou for x in done if x.policy == policy}
        there = [s for s in sessions if (*s, rounds) in of]
        if len(there) < len(sessions):
            continue  # this kind is not done yet
        counts[policy] = np.array(
            [
                next((n for n in range(rounds + 1) if of[*s, n] >= enough[s[0]]), rounds + 1)
                for s in sessions
            ],
            np.float64,
        )
        last[policy] = np.array([of[*s, rounds] for s in sessions])
    reference = "random" if "random" in counts else next(iter(counts))
    rows = []
    for policy, count in counts.items():
        fewer, gain = counts[reference] - count, last[policy] - last[reference]
        rows.append(
            Needed(
                policy,
                len(sessions),
                float(count.mean()),
                float((count <= rounds).mean()),
                (float(fewer.mean()), *paired_interval(fewer)),
                (float(gain.mean()), *paired_interval(gain)),
            )
        )
    return rows


def table(rows: Sequence[Needed]) -> str:
    """The rows as text."""
    from benchmarks.harness.text_table import aligned

    head = ["policy", "sessions", "strokes", "reached", "fewer", "95 %", "last IoU", "95 %"]
    body = [
        [
            row.policy,
            str(row.sessions),
            f"{row.strokes:.2f}",
            f"{row.reached:.0%}",
            f"{row.fewer[0]:+.2f}",
            f"{row.fewer[1]:+.2f} .. {row.fewer[2]:+.2f}",
            f"{row.last[0]:+.3f}",
            f"{row.last[1]:+.3f} .. {row.last[2]:+.3f}",
        ]
        for row in rows
    ]
    return aligned(head, body, left=1, group=0)


if __name__ == "__main__":
    sys.exit(main())
