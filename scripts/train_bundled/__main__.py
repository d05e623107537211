"""Train the bundled weights: feature extractor, learned start of the fit, fusion network.

    python scripts/train_bundled fit --data ROOT --out fit.pt
    python scripts/train_bundled fusion --data ROOT --start fit.pt --out fusion.pt
    python scripts/train_bundled fusion --data ROOT --start bundled.safetensors --objects 0.4
        --hold 0/3 --out fold0.pt
    python scripts/train_bundled pack --data ROOT --start fusion.pt [MORE.pt ...]
        [--second OTHER.pt ...] --out bundled.safetensors

``ROOT`` holds ``bsds/train/{images,segments}`` and ``camvid/{train,trainannot}``; ``iseg`` and
``camvid/val`` beside them are only looked at. An episode is a photograph, an object made of one to
three human segments (or several segments, or street classes), and simulated strokes. ``fit``
learns features and a start from which a few gradient steps on the strokes segment the rest.
``fusion`` freezes that and learns to fuse its probabilities with colors and the distances to the
strokes; it goes on from weights that were packed, too. With ``--objects`` a share of its
episodes are photographs of ``iseg`` with people's or simulated strokes. Then scores on these say
nothing, unless ``--hold I/N`` leaves out every N-th and looks at those alone. With ``--many`` a
share shows repeated objects of which a few have strokes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from episodes import batches
from fit import FitStart, meta_loss
from fusion import examples
from loop import look, train
from objects import held_out
from packing import pack, read, stage_with


def saver(args, model, stage_of):
    """Tell how far it is, and keep everything so far with how it came about."""

    only = held_out(args.data, args.hold)
    runs = dict(read(args.start[0])["runs"]) if args.start else {}
    stage = args.stage
    while stage in runs:  # a run that went on from others keeps what is known of them
        stage += "+"
    names = ("batch", "lr", "seed", "reuse", "pool", "seconds", "objects", "many", "hold")
    names += ("bfloat16",)

    def save(module, step: int, progress: str) -> None:
        fusion = stage_of(module)
        print(progress, look(model, fusion, args.data, only), flush=True)
        runs[stage] = {"steps": step, **{name: getattr(args, name) for name in names}}
        state = {"fit": model.state_dict(), "runs": runs}
        if fusion is not None:
            state["fusion"] = fusion.state_dict()
        torch.save(state, args.out)

    return save


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stage", choices=("fit", "fusion", "pack"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--start", type=Path, nargs="*", help="pack: the mean of these")
    parser.add_argument("--second", type=Path, nargs="+", help="pack: another member")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--seconds", type=float, default=480)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--every", type=int, default=300)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--workers", type=int, default=14)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reuse", type=int, default=4, help="how often an episode is seen")
    parser.add_argument("--pool", type=int, default=500, help="batches kept for reuse")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bfloat16", action="store_true", help="where the processor has it")
    parser.add_argument("--note", default="", help="what else to record when packing")
    parser.add_argument("--objects", type=float, default=0.0, help="share of episodes of iseg")
    parser.add_argument("--many", type=float, default=0.0, help="share of repeated objects")
    parser.add_argument("--hold", default="", help="I/N: train without this fold of iseg")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    torch.backends.cuda.matmul.allow_tf32 = True
    model = FitStart().to(args.device)
    if args.stage == "pack":
        pack(args)
        return
    if args.start and len(args.start) > 1:
        parser.error("--start: only pack takes more than one file")
    start = read(args.start[0]) if args.start else {}
    if start:
        model.load_state_dict(start["fit"])
    if args.stage == "fit":
        save = saver(args, model, lambda _: None)
        train(args, model, lambda b, d, g: meta_loss(model, b, d, g), batches(args), save)
        return
    model.requires_grad_(False)
    for p in model.start.values():
        p.requires_grad_(True)  # the steps differentiate with respect to the start
    fusion = stage_with(start.get("fusion")).to(args.device)
    train(args, fusion, fusion.loss, examples(args, model), saver(args, model, lambda m: m))


if __name__ == "__main__":
    main()
