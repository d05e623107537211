"""Choices of a training against each other, at equal steps and with paired seeds.

    python -m benchmarks.training ROOT --compare finetune --seeds 0,1,2
    python -m benchmarks.training ROOT --compare losses --weights MOBILENET --name training_losses
    python -m benchmarks.training ROOT --compare networks --weights MOBILENET --seconds 600 \\
        --name training_networks

finetune: a network of CamVid's 11 classes, learned on its first half, begins a training of 5 of
them on a few images of its second half, or the same network begins from nothing. losses: AdamW
with cross entropy and Dice against SGD with cross entropy, on nuclei and on membranes. networks:
GDPP and DSNet against DeepLabV3+ and U-Net of segmentation_models.pytorch on one backbone, each
with about the same processor time: short runs show how long a step takes, and the schedule gets the
epochs that come nearest; few seconds are few epochs, which come less near. Everything is small, so
that a core does it: read the differences, not the scores. Results are written after every run.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.harness import command_line
from benchmarks.harness.command_line import positive

FIVE = ("sky", "building", "road", "tree", "car")
SIDE = 120
"""Shorter side of the images of CamVid."""

LARGER = 240
"""And where networks are compared."""

TRIED = 8, 32
"""Steps of two runs, whose difference says how long one takes."""

NETWORKS = {
    "GDPP": {"pyramid": "gdpp", "width": 128},
    "DSNet": {"network": "dsnet", "width": 128},
    "DeepLabV3+": {"network": "deeplabv3plus"},
    "U-Net": {"network": "unet"},
}

USED = {
    "finetune": ("steps", "before", "pyramid"),
    "losses": ("steps", "weights", "pyramid"),
    "networks": ("seconds", "weights"),
}
"""Options of the command line that decide something, for the result file."""

SGD = {"optimizer": "sgd", "lr": 0.007, "head_lr": 10.0}
ADAMW = {"optimizer": "adamw", "lr": 1e-3, "head_lr": 1.0}


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("training", __doc__)
    command_line.add_root(parser, "camvid/ and fields/")
    add = parser.add_argument
    add("--compare", choices=tuple(COMPARISONS), default="finetune")
    add("--seeds", default="0,1,2", help="default %(default)s")
    add("--steps", type=positive, default=60, help="of each run that is compared, default 60")
    add("--before", type=positive, default=300, help="of the 11 classes, default 300")
    add("--seconds", type=positive, default=600, help="of each of the networks, default 600")
    add("--weights", default="none", help="of the backbone, but for finetune; default none")
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
        **{name: getattr(args, name) for name in USED[args.compare]},
        **({"weights": Path(args.weights).name} if "weights" in USED[args.compare] else {}),
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
                    weights=args.weights,
                )
                yield {"data": name, "way": way, **row}


def networks(args, folder):
    """GDPP and DSNet, and what people use, with the same processor time."""
    from saccade.data.sets import open_set

    train = open_set("camvid", args.root / "camvid", "train")
    val = open_set("camvid", args.root / "camvid", "val")
    small = replace(val, examples=val.examples[::2])
    size = {"resize": LARGER, "crop": [192, 256], "scale": [0.75, 1.5]}
    for seed in seeds_of(args):
        for way, network in NETWORKS.items():
            settings = {"sets": (train, small), "augmentation": size, "network": network}
            settings["weights"] = args.weights
            per_step = seconds_a_step(args, folder / f"{way}{seed}-tried", seed, settings)
            whole = len(train.examples) // 4  # steps of an epoch
            steps = whole * max(1, round(args.seconds / per_step / whole))
            row = train_once(args, folder / f"{way}{seed}", steps, seed, ADAMW, **settings)
            checkpoint = folder / f"{way}{seed}" / "last.safetensors"
            row |= {"step_seconds": per_step, **speed(checkpoint, LARGER)}
            yield {"data": "CamVid 11", "way": way, **row}


def seconds_a_step(args, folder, seed, settings):
    """Processor seconds of a step of a training, without what is done once."""
    spent = []
    for steps in TRIED:
        few = replace(settings["sets"][0], examples=settings["sets"][0].examples[: 4 * steps])
        tried = {**settings, "sets": (few, None)}
        row = train_once(args, folder / f"{steps}", steps, seed, ADAMW, **tried)
        spent.append(row["processor"])
    return (spent[1] - spent[0]) / (TRIED[1] - TRIED[0])


def speed(checkpoint, side):
    """Parameters, and images of 4:3 a processor second, one after another, the best of five."""
    import torch

    from saccade.models.checkpoint import load_checkpoint

    net = load_checkpoint(checkpoint).net.eval()
    image = torch.rand(1, 3, side, side * 4 // 3)
    seconds = []
    with torch.inference_mode():
        for _ in range(6):
            begin = time.process_time()
            net(image)
            seconds.append(time.process_time() - begin)
    count = sum(parameter.numel() for parameter in net.parameters())
    return {"parameters": count, "images_a_second": 1 / min(seconds[1:])}


COMPARISONS = {"finetune": finetune, "losses": losses, "networks": networks}


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


def train_once(
    args,
    folder,
    steps,
    seed,
    optim,
    *,
    sets,
    augmentation,
    loss=None,
    start="",
    network=None,
    weights="none",
):
    """One run of so many steps; its scores at the end."""
    from saccade.errors import InputError
    from saccade.training.config import config_of
    from saccade.training.loop import train

    batch = 4
    per_epoch = len(sets[0].examples) // batch
    epochs = -(-steps // per_epoch)
    network = {"backbone": "mobilenet_v2", **(network or {"pyramid": args.pyramid, "width": 128})}
    config = config_of(
        {
            "data": {"layout": "folder", "root": "."},
            "network": {**network, "start": start, "weights": weights},
            "optim": {"epochs": epochs, "batch": batch, **optim},
            "loss": loss or {},
            "augmentation": augmentation,
            "run": {"seed": seed, "device": "cpu", "validate_every": epochs, "pictures": 0},
        },
        Path(),
    )
    begin = time.process_time()
    done = train(config, folder, sets=sets)
    if sets[1] is not None and not done.history:
        raise InputError(f"{folder.name}: the training was stopped after {done.step} steps")
    entry = done.history[-1] if done.history else dict.fromkeys(("miou", "accuracy", "iou"))
    return {
        "seed": seed,
        "steps": done.step,
        "images": len(sets[0].examples),
        "miou": entry["miou"],
        "accuracy": entry["accuracy"],
        "iou": entry["iou"],
        "seconds": done.seconds,
        "processor": time.process_time() - begin,
    }


if __name__ == "__main__":
    sys.exit(main())
