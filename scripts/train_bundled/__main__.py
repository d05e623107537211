"""Train the weights that ship, as a recipe says: stages in order, then the files they make.

    python -m scripts.train_bundled --data ROOT --out FOLDER
    python -m scripts.train_bundled --data ROOT --out FOLDER --short
    python -m scripts.train_bundled RECIPE --data ROOT --out FOLDER --stage fusion

ROOT is the root of the data, whose folders must have the digests of the recipe. FOLDER gets the
files, each with a JSON beside it that says where it comes from, and in stages/ the weights of each
stage. Ctrl-C keeps all steps; the same command goes on where it stopped, and does nothing twice
that was done with the same settings. Weights depend on the recipe and the data alone, not on
--jobs, --every or how often a run was stopped. docs/how-to/make-the-weights.md says more.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from saccade.errors import InputError, message_of
from saccade.training.signals import stop_on_signal
from scripts.train_bundled.loop import StoppedError
from scripts.train_bundled.recipe import read_recipe
from scripts.train_bundled.run import Options, follow
from scripts.train_bundled.short import check_better

RECIPE = Path(__file__).with_name("recipe.toml")


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.train_bundled",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("recipe", nargs="?", type=Path, default=RECIPE, help="TOML; default the one that ships")
    add("--data", type=Path, required=True, help="root of the data")
    add("--out", type=Path, required=True, help="folder of the results; made if it is missing")
    add("--stage", default="", help="train this stage and those before it, and pack nothing")
    add("--short", action="store_true", help="a few steps a stage, which must improve on the start")
    jobs = max(0, (os.cpu_count() or 1) - 1)
    add("--jobs", type=_from_0, default=jobs, help=f"processes that draw episodes ({jobs})")
    add("--threads", type=_from_1, default=1, help="of the network's steps (1)")
    add("--every", type=_from_1, default=100, help="steps between two checkpoints (100)")
    add("--resume", action=argparse.BooleanOptionalAction, default=True, help="go on (default)")
    add("--device", default="auto", help="of the networks: auto (default), cpu or cuda")
    return parser


def _from_0(text: str) -> int:
    return _number(text, 0)


def _from_1(text: str) -> int:
    return _number(text, 1)


def _number(text: str, least: int) -> int:
    if not text.isdecimal() or not text.isascii() or len(text) > 9 or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from {least} on")
    return int(text)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns the exit code."""
    args = build_parser().parse_args(argv)
    torch.set_num_threads(args.threads)
    try:
        with stop_on_signal() as stopped:
            _run(args, stopped)
    except (StoppedError, KeyboardInterrupt):
        print("stopped; the same command goes on from the last checkpoint", file=sys.stderr)
        return 130
    except (InputError, OSError) as error:
        print(f"error: {message_of(error)}", file=sys.stderr)
        return 1
    return 0


def _run(args: argparse.Namespace, stopped: Sequence[int]) -> None:
    recipe = read_recipe(args.recipe, short=args.short)
    follow(
        recipe,
        Options(
            args.data,
            args.out,
            args.stage,
            args.jobs,
            args.every,
            args.resume,
            args.device,
            stopped,
        ),
    )
    if recipe.short is not None and not args.stage:
        check_better(recipe, args.data, args.out)


if __name__ == "__main__":
    sys.exit(main())
