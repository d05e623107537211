"""Choices of a training against each other, at equal steps and with paired seeds.

    python -m benchmarks.training ROOT --compare finetune --seeds 0,1,2
    python -m benchmarks.training ROOT --compare losses --name training_losses

finetune: a network of CamVid's 11 classes, learned on its first half, begins a training of 5 of
them on a few images of its second half, or the same network begins from nothing. losses: AdamW
with cross entropy and Dice against SGD with cross entropy, on nuclei and on membranes. Everything
is small, so that a core does it: read the differences, not the scores. Results are written after
every run.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.harness import command_line
from benchmarks.harness.command_line import positive

FIVE = ("sky", "building", "road", "tree", "car")
SIDE = 120
"""Shorter side of the images of CamVid."""

SGD = {"optimizer": "sgd", "lr": 0.007, "head_lr": 10.0}
ADAMW = {"optimizer": "adamw", "lr": 1e-3, "head_lr": 1.0}


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("training", __doc__)
    command_line.add_root(parser, "camvid/ and fields/")
    add = parser.add_argument
    add("--compare", choices=("finetune", "losses"), default="finetune")
    add("--seeds", default="0,1,2", help="default %(default)s")
    add("--steps", type=positive, default=60, help="of each run that is compared, default 60")
    add("--before", type=positive, default=300, help="of the 11 classes, default 300")
    add("--pyramid", default="gdpp", help="default %(default)s")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Train, print and write the results."""
    import torch

    from benchmarks.harness import results

    torch.set_num_threads(args.threads)
    settings = results.machine(args.threads) | {
        "compare": args.compare,
        "seeds": args.seeds,
        "steps": args.steps,
        **({"before": args.before} if args.compare == "finetune" else {}),
        "pyramid": args.pyramid,
    }
    path = results.result_path(args, settings)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for row in COMPARISONS[args.compare](args, Path(folder)):
            rows.append(row)
            print(json.dumps(row), flush=True)
            results.write_results(
                path, {"run": settings, "rows": rows, "differences": differences(rows)}
            )
    for line in differences(rows):
        print(json.dumps(line))
    results.report_written(path, args)


def differences(rows):
    """Means of each way, and the mean and range of the paired differences of two ways."""
    lines = []
    for data in dict.fromkeys(row["data"] for row in rows):
        scores = {}
        for row in rows:
            if row["data"] == data and row["way"] != "before":
                scores.setdefault(row["way"], {})[row["seed"]] = 100 * row["miou"]
        line = {"data": data} | {w: statistics.mean(s.values()) for w, s in scores.items()}
        ways = list(scores)
        if len(ways) == 2:
            common = scores[ways[0]].keys() & scores[ways[1]].keys()
            gains = [scores[ways[1]][seed] - scores[ways[0]][seed] for seed in sorted(common)]
            if gains:
                line["gain"] = statistics.mean(gains)
                line["gains"] = gains
        if scores:
            lines.append(line)
    return lines


def finetune(args, folder):
    """From nothing, and from a checkpoint of other classes."""
    from saccade.data.known import CAMVID
    from saccade.data.sets import open_set

    train = open_set("camvid", args.root / "camvid", "train")
    val = open_set("camvid", args.root / "camvid", "val")
    mapping = tuple((CAMVID.names.index(name), k) for k, name in enumerate(FIVE))
    rest = tuple(v for v in range(12) if v not in {value for value, _ in mapping})
    five = replace(
        CAMVID,
        names=FIVE,
        palette=tuple(CAMVID.palette[value] for value, _ in mapping),
        mapping=mapping,
        ignored=(*rest, 255),
    )
    half = len(train.examples) // 2
    first = replace(train, examples=train.examples[:half])
    few = replace(train, examples=train.examples[half::5], spec=five)
    small = replace(val, examples=val.examples[::3])
    held = replace(small, spec=five)
    crop = {"resize": SIDE, "crop": [112, 144], "scale": [0.75, 1.5]}
    settings = {"sets": (first, small), "augmentation": crop}
    row = train_once(args, folder / "before", args.before, 0, ADAMW, **settings)
    yield {"data": "CamVid 11", "way": "before", **row}
    start = str(folder / "before" / "last.safetensors")
    for seed in seeds_of(args):
        for way, begin in (("from nothing", ""), ("from 11 classes", start)):
            row = train_once(
                *(args, folder / f"{way}{seed}", args.steps, seed, ADAMW),
                sets=(few, held),
                augmentation=crop,
                start=begin,
            )
            yield {"data": "CamVid 5", "way": way, **row}


def losses(args, folder):
    """SGD with cross entropy, and AdamW with cross entropy and Dice."""
    for name, every in (("nuclei-fluo", 3), ("membranes", 3)):
        sets = fields_sets(args.root / "fields" / name, every)
        crop = {"crop": [128, 128], "scale": [0.75, 1.25]}
        for seed in seeds_of(args):
            for way, optim, loss in (
                ("SGD, cross entropy", SGD, {}),
                ("AdamW, cross entropy and Dice", ADAMW, {"dice": 1.0}),
            ):
                row = train_once(
                    *(args, folder / f"{name}{way}{seed}", args.steps, seed, optim),
                    sets=sets,
                    augmentation=crop,
                    loss=loss,
                )
                yield {"data": name, "way": way, **row}


COMPARISONS = {"finetune": finetune, "losses": losses}


def seeds_of(args):
    """The seeds of the command line."""
    return [int(seed) for seed in args.seeds.split(",")]


def fields_sets(root, every):
    """Images to train on, and every n-th, which is held out."""
    from saccade.data.pairing import pair_up
    from saccade.data.specs import LabelSpec

    spec = LabelSpec(("ground", "structure"))
    data = pair_up(root.name, root / "images", root / "masks", spec)
    held = data.examples[::every]
    kept = tuple(example for example in data.examples if example not in held)
    return replace(data, examples=kept), replace(data, examples=held)


def train_once(args, folder, steps, seed, optim, *, sets, augmentation, loss=None, start=""):
    """One run of so many steps; its scores at the end."""
    from saccade.training.config import config_of
    from saccade.training.loop import train

    batch = 4
    per_epoch = len(sets[0].examples) // batch
    epochs = -(-steps // per_epoch)
    network = {"backbone": "mobilenet_v2", "pyramid": args.pyramid, "width": 128}
    config = config_of(
        {
            "data": {"layout": "folder", "root": "."},
            "network": {**network, "start": start},
            "optim": {"epochs": epochs, "batch": batch, **optim},
            "loss": loss or {},
            "augmentation": augmentation,
            "run": {"seed": seed, "device": "cpu", "validate_every": epochs, "pictures": 0},
        },
        Path(),
    )
    done = train(config, folder, sets=sets)
    entry = done.history[-1]
    return {
        "seed": seed,
        "steps": done.step,
        "images": len(sets[0].examples),
        "miou": entry["miou"],
        "accuracy": entry["accuracy"],
        "iou": entry["iou"],
        "seconds": done.seconds,
    }


if __name__ == "__main__":
    sys.exit(main())
