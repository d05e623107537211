"""Train the bundled weights: feature extractor, learned start of the fit, evidence network.

    python scripts/train_bundled fit --data ROOT --out fit.pt
    python scripts/train_bundled evidence --data ROOT --start fit.pt --out evidence.pt
    python scripts/train_bundled pack --data ROOT --start evidence.pt --out bundled.safetensors

``ROOT`` holds ``bsds/train/{images,segments}`` and ``camvid/{train,trainannot}``; ``iseg`` and
``camvid/val`` beside them are only looked at. An episode is a photograph, an object made of one to
three human segments (or several segments, or street classes), and simulated strokes. ``fit``
learns features and a start from which a few gradient steps on the strokes segment the rest.
``evidence`` freezes that and learns how to combine its probabilities with distances to the strokes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from pathlib import Path

import numpy as np
import torch
from episodes import loader
from evidence import bundle_of, evidence_of, evidence_pool
from fit import FitStart, balanced_cross_entropy, dice_loss, meta_loss
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from saccade.models.evidence import EvidenceNet


def iseg_pairs(root: Path, kind: str):
    for path in sorted((root / f"iseg/scribbles_{kind}").iterdir()):
        image = next((root / "iseg/images").glob(path.stem + ".*"))
        mask = next((root / "iseg/masks").glob(path.stem + ".*"))
        yield (
            np.array(Image.open(image).convert("RGB")),
            np.array(Image.open(path)),
            np.array(Image.open(mask)),
        )


@torch.no_grad()
def look(model, net, root, kinds=("thin", "full", "dense")):
    """Mean of foreground and background IoU on human strokes: fitted network, evidence."""
    bundle = bundle_of(model)
    out = []
    for kind in kinds:
        rows = []
        if not (root / f"iseg/scribbles_{kind}").is_dir():
            continue
        for image, strokes, truth in iseg_pairs(root, kind):
            generator = torch.Generator().manual_seed(0)
            evidence, guide, _ = evidence_of(bundle, image, strokes, 2, generator)
            answers = [evidence[:, :, 0]] + ([net(evidence, guide)] if net is not None else [])
            rows.append([_score(a, truth) for a in answers])
        out.append(f"{kind} " + "/".join(f"{v:.4f}" for v in np.mean(rows, 0)))
    return "  ".join(out)


def _score(scores, truth):
    mask = F.interpolate(scores, truth.shape, mode="bilinear")[0].argmax(0).numpy()
    known = truth != 255
    ious = [
        ((mask == c) & (truth == c)).sum() / (((mask == c) | (truth == c)) & known).sum()
        for c in (0, 1)
    ]
    return np.mean(ious)


def train(args, model, net, parameters, loss_of, batches):
    device = torch.device(args.device)
    generator = torch.Generator(device).manual_seed(args.seed)
    optimizer = torch.optim.AdamW(parameters, lr=args.lr, weight_decay=1e-4)
    began, running, step = time.time(), 0.0, 0
    while (elapsed := time.time() - began) < args.seconds and step < args.steps:
        part = max(elapsed / args.seconds, step / args.steps)
        warm = min(1.0, (step + 1) / 50)
        for group in optimizer.param_groups:
            group["lr"] = args.lr * warm * 0.5 * (1 + np.cos(np.pi * part)) + 1e-6
        loss = loss_of(next(batches), device, generator)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        running = loss.item() if step == 0 else 0.98 * running + 0.02 * loss.item()
        step += 1
        if step % args.every == 0:
            if net is not None:
                net.eval()
            print(
                f"{step} {time.time() - began:.0f}s loss {running:.4f}",
                look(model, net, args.data),
                flush=True,
            )
            if net is not None:
                net.train()
            save(args, model, net, step)
    if net is not None:
        net.eval()
    print(
        f"end {step} {time.time() - began:.0f}s loss {running:.4f}",
        look(model, net, args.data),
        flush=True,
    )
    save(args, model, net, step)


def save(args, model, net, step):
    """Everything so far, with how it came about."""
    runs = dict(torch.load(args.start)["runs"]) if args.start else {}
    told = ("batch", "lr", "seed", "reuse", "pool", "seconds")
    runs[args.stage] = {"steps": step, **{name: getattr(args, name) for name in told}}
    evidence = net.state_dict() if net is not None else None
    torch.save({"fit": model.state_dict(), "evidence": evidence, "runs": runs}, args.out)


def pack(args) -> None:
    """Write what was trained as one safetensors file, and where it comes from beside it.

    The start and the evidence network are stored in half precision, which changes no mask.
    """
    state = torch.load(args.start, map_location="cpu")
    tensors = {
        k: (v.half() if k.startswith("start.") else v).contiguous() for k, v in state["fit"].items()
    }
    for name, value in state["evidence"].items():
        if "num_batches" not in name:
            tensors[f"evidence.{name}"] = value.half().contiguous()
    save_file(tensors, args.out)
    provenance = {
        "trained_by": "python scripts/train_bundled",
        "data": [
            "BSDS500 train (Arbelaez et al., 2011): 191 photographs, one human segmentation each",
            "CamVid train (Brostow et al., 2009): 367 street scenes with 11 classes",
        ],
        "strokes": "simulated, saccade.scribbles.simulate",
        "initial_weights": "random; nothing pretrained",
        "runs": state["runs"],
        "note": args.note,
        "torch": torch.__version__,
        "parameters": {
            part: sum(v.numel() for k, v in tensors.items() if k.startswith(f"{part}."))
            for part in ("head", "fuse", "start", "rates", "evidence")
        },
        "sha256": hashlib.sha256(args.out.read_bytes()).hexdigest(),
    }
    args.out.with_suffix(".json").write_text(json.dumps(provenance, indent=2) + "\n")
    print(f"{args.out}: {args.out.stat().st_size} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stage", choices=("fit", "evidence", "pack"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--start", type=Path)
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
    parser.add_argument("--note", default="", help="what else to record when packing")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    torch.backends.cuda.matmul.allow_tf32 = True
    model = FitStart().to(args.device)
    if args.start and args.stage != "pack":
        model.load_state_dict(torch.load(args.start, map_location=args.device)["fit"])
    if args.stage == "pack":
        pack(args)
        return
    if args.stage == "fit":
        train(
            args,
            model,
            None,
            list(model.parameters()),
            lambda b, d, g: meta_loss(model, b, d, g),
            loader(args),
        )
        return
    model.requires_grad_(False)
    for p in model.start.values():
        p.requires_grad_(True)  # adapt differentiates with respect to the start
    net = EvidenceNet(guide=model.fuse.weight.shape[0] + 3).to(args.device)

    def loss_of(example, device, generator):
        evidence, guide, absent, target, classes = example
        scores = net(evidence, guide).masked_fill(absent[:, :, None, None], -1e4)
        return balanced_cross_entropy(scores, target, classes) + 0.5 * dice_loss(
            scores, target, classes
        )

    train(args, model, net, list(net.parameters()), loss_of, evidence_pool(args, model))


if __name__ == "__main__":
    main()
