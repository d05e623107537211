"""Whether images of another kind are noticed by a model, and images of its own kind are not.

    python -m benchmarks.likeness ROOT --stroked 1,3,5

A model of each kind of `fields` is fitted to K images with strokes, and looks at other images of
its kind, of every other kind, of CamVid, and at photographs of `iseg`. Written for each kind and K:
the share of other images that are flagged as unlike, and of its own that are flagged wrongly.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.harness import command_line

if TYPE_CHECKING:
    from torch import Tensor

    from saccade.fitted import Model

_PHOTOGRAPHS = "iseg"


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    from benchmarks.suites.kinds.data import FIELDS

    parser = command_line.suite_parser("likeness", __doc__)
    command_line.add_root(parser, "fields/, camvid/ and iseg/")
    add = parser.add_argument
    add("--kinds", type=command_line.names_of(FIELDS), default=FIELDS, help="default: all")
    add("--stroked", type=command_line.whole_numbers, default=(1, 3, 5), help="K, default 1,3,5")
    add("--most", type=command_line.positive, default=20, help="images of a kind, default 20")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Measure kind by kind, print the table, write the files."""
    from benchmarks.harness import results
    from benchmarks.suites.kinds.data import STREET, load_kind

    settings = results.machine(args.threads) | {"most": args.most}
    path = results.result_path(args, settings)
    kinds = {name: load_kind(args.root, name) for name in args.kinds}
    street = load_kind(args.root, STREET, every=5, limit=args.most)
    images = {name: _images(args.root, name, args.most) for name in (*args.kinds, _PHOTOGRAPHS)}
    images[STREET] = [one.image for one in street.scored]
    looked_at = {name: [_look(one) for one in some] for name, some in images.items()}
    rows: list[dict[str, Any]] = []
    for name, kind in kinds.items():
        for stroked in args.stroked:
            model = _fitted(kind.stroked[:stroked])
            rows.append(row_of(model, name, stroked, looked_at))
            print(line_of(rows[-1]), file=sys.stderr, flush=True)
        results.write_results(path, {"run": settings, "table": rows}, rows if args.csv else None)
    print(summary(rows))
    results.report_written(path, args)


def _images(root: Path, name: str, most: int) -> list[np.ndarray]:
    from PIL import Image

    from saccade.suffixes import IMAGE_SUFFIXES

    folder = root / name if name == _PHOTOGRAPHS else root / "fields" / name
    files = sorted(p for p in (folder / "images").iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
    return [np.asarray(Image.open(p).convert("RGB")) for p in files[-most:]]


def _fitted(stroked: Sequence[Any]) -> "Model":
    import saccade

    return saccade.fit([one.image for one in stroked], [one.strokes for one in stroked])


def _look(image: np.ndarray) -> "tuple[str, Tensor]":
    """The digest of an image, and what is compared of it; no strokes change that."""
    from saccade.fitted.items import read_picture
    from saccade.interactive.prepared import prepare_image
    from saccade.interactive.presets import preset_named

    picture = read_picture(image)
    parts = prepare_image(picture.pixels, max_pixels=preset_named("fast").max_pixels).rich.parts
    assert parts is not None  # the bundled weights have an encoder
    return picture.digest, parts


def flagged(model: "Model", looks: "Sequence[tuple[str, Tensor]]") -> list[bool]:
    """Whether each image is unlike those of the model, but for those that it was fitted to."""
    likeness, known = model.shared.likeness, {one.digest for one in model.stroked}
    assert likeness is not None
    return [likeness.remark(parts) is not None for digest, parts in looks if digest not in known]


def row_of(
    model: "Model", name: str, stroked: int, looked_at: "dict[str, list[tuple[str, Tensor]]]"
) -> dict[str, Any]:
    """What a model says of its own kind and of the others."""
    found = {other: flagged(model, looks) for other, looks in looked_at.items()}
    shares = {other: float(np.mean(flags)) for other, flags in found.items()}
    own = shares.pop(name)
    return {
        "kind": name,
        "stroked": stroked,
        "own_images": len(found[name]),
        "own_flagged": own,
        "others_flagged": float(np.mean(list(shares.values()))),
        "of_kind": shares,
    }


def line_of(row: dict[str, Any]) -> str:
    """One row as text; which kinds are taken for its own."""
    missed = [f"{other} {share:.2f}" for other, share in row["of_kind"].items() if share < 1]
    return (
        f"{row['kind']}, {row['stroked']}: own {row['own_flagged']:.2f}, others"
        f" {row['others_flagged']:.2f}" + (f" (not all of {', '.join(missed)})" if missed else "")
    )


def summary(rows: Sequence[dict[str, Any]]) -> str:
    """Means over the kinds for each K."""
    lines = []
    for stroked in dict.fromkeys(row["stroked"] for row in rows):
        of_k = [row for row in rows if row["stroked"] == stroked]
        own, others = (
            float(np.mean([r[k] for r in of_k])) for k in ("own_flagged", "others_flagged")
        )
        lines.append(f"{stroked} with strokes: own {own:.3f}, others {others:.3f}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
