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
import time
from pathlib import Path

import numpy as np
import torch
from episodes import loader
from evidence import evidence_of, evidence_pool
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
def look(model, net, root, device, kinds=("thin", "full")):
    """Mean of foreground and background IoU on the human strokes: fitted network, evidence."""
    out = []
    for kind in kinds:
        rows = []
        for image, strokes, truth in iseg_pairs(root, kind):
            generator = torch.Generator(device).manual_seed(0)
            image_t = torch.from_numpy(image)[None].to(device)
            ev, guide, _ = evidence_of(
                model, image_t, torch.from_numpy(strokes)[None].to(device), 2, generator, 4
            )
            answers = [ev[:, :, 0]] + ([net(ev, guide)] if net is not None else [])
            row = []
            for a in answers:
                p = F.interpolate(a, truth.shape, mode="bilinear")[0].argmax(0).cpu().numpy()
                ious = [
                    ((p == c) & (truth == c)).sum()
                    / (((p == c) | (truth == c)) & (truth != 255)).sum()
                    for c in (0, 1)
                ]
                row.append(np.mean(ious))
            rows.append(row)
        out.append(f"{kind} " + "/".join(f"{v:.4f}" for v in np.mean(rows, 0)))
    return "  ".join(out)


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
                look(model, net, args.data, device),
                flush=True,
            )
            if net is not None:
                net.train()
            save(args.out, model, net)
    if net is not None:
        net.eval()
    print(
        f"end {step} {time.time() - began:.0f}s loss {running:.4f}",
        look(model, net, args.data, device),
        flush=True,
    )
    save(args.out, model, net)


def save(path, model, net):
    torch.save(
        {"fit": model.state_dict(), "evidence": net.state_dict() if net is not None else None}, path
    )


def pack(state: dict, out: Path) -> None:
    """Write what was trained as one safetensors file, evidence network in half precision."""
    fit = state["fit"]
    tensors = {k: (v.half() if k.startswith("start.") else v).contiguous() for k, v in fit.items()}
    evidence = state["evidence"] or EvidenceNet(guide=fit["fuse.weight"].shape[0] + 3).state_dict()
    for name, value in evidence.items():
        if "num_batches" not in name:
            tensors[f"evidence.{name}"] = value.half().contiguous()
    save_file(tensors, out, metadata={"trained_by": "scripts/train_bundled"})
    print(f"{out}: {out.stat().st_size} bytes")


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
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    torch.backends.cuda.matmul.allow_tf32 = True
    model = FitStart().to(args.device)
    if args.start and args.stage != "pack":
        model.load_state_dict(torch.load(args.start, map_location=args.device)["fit"])
    if args.stage == "pack":
        pack(torch.load(args.start, map_location="cpu"), args.out)
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
