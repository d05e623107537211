"""From what the stages wrote to the file that ships, and what is known of how it came about."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from fusion import FusionStage
from objects import held_out
from safetensors.torch import load_file, save_file

from saccade.models.weights import FILE_PARTS


def read(path: Path) -> dict:
    """What a stage has written, or the first member of a packed file with its provenance."""
    if path.suffix != ".safetensors":
        return torch.load(path, map_location="cpu")
    tensors = {k: v.float() for k, v in load_file(path).items()}
    fusion = {
        f"{part}.{k.removeprefix(f'{name}.')}": v
        for part, name in FILE_PARTS.items()
        for k, v in tensors.items()
        if k.startswith(f"{name}.")
    }
    fit = {k: v for k, v in tensors.items() if not k.startswith(tuple(FILE_PARTS.values()))}
    return {
        "fit": fit,
        "fusion": fusion,
        "runs": json.loads(path.with_suffix(".json").read_text())["runs"],
    }


def stage_with(state: dict | None) -> FusionStage:
    """With the weights of a state if it has some; packed ones have no normalisation left."""
    if not state:
        return FusionStage()
    stage = FusionStage(norm=any(".norm." in name for name in state))
    stage.load_state_dict(state)
    return stage


def mean_of(states: list[dict]) -> dict:
    """One state with the mean of the fusion stage's weights.

    Runs that went on from the same weights err in different ways, and their mean errs less.

    Raises:
        SystemExit: the states do not share the fit, or one has no fusion stage.
    """
    fit = states[0]["fit"]
    for state in states:
        if "fusion" not in state:
            raise SystemExit("pack: a file of --start has no fusion stage")
        if any(not torch.equal(value, state["fit"][name]) for name, value in fit.items()):
            raise SystemExit("pack: the files of --start are of different fits")
    fusion = {
        name: torch.stack([s["fusion"][name].float() for s in states]).mean(0)
        for name in states[0]["fusion"]
    }
    return {"fit": fit, "fusion": fusion}


def _each(runs: dict) -> list[dict]:
    """All runs of a provenance, those of means too."""
    found = []
    for run in runs.values():
        found += [r for one in run for r in _each(one)] if isinstance(run, list) else [run]
    return found


def _provenance(runs: list[dict]) -> dict:
    return runs[0] if len(runs) == 1 else {"mean of": runs}


def unseen(root: Path, runs: dict) -> set[str] | None:
    """Photographs of people's strokes that no run has seen; None where none of them was seen."""
    seen = [held_out(root, run.get("hold", "")) for run in _each(runs) if run.get("objects")]
    return set.intersection(*seen) if seen else None


def pack(args) -> None:
    """Write what was trained as one safetensors file, and where it comes from beside it.

    Normalisation is folded in. All but the features and the fusion is stored in half precision.
    The mean of the files of ``--second`` becomes another member of the ensemble; what the
    package asks first has the mean of both's weights.
    """
    states = [read(path) for path in args.start]
    state = mean_of(states)
    members = [state["fusion"]]
    others = [read(path) for path in args.second or []]
    if others:
        mean_of([*states, *others])  # refuses other fits
        members.append(mean_of(others)["fusion"])
    runs = [one["runs"] for one in states + others]
    held = [found for one in runs if (found := unseen(args.data, one)) is not None]
    tensors = {
        k: (v.half() if k.startswith("start.") else v).contiguous() for k, v in state["fit"].items()
    }
    for number, member in enumerate(members):
        for name, value in stage_with(member).folded().state_dict().items():
            part, rest = name.split(".", 1)
            tensors[f"{FILE_PARTS[part]}{number or ''}.{rest}"] = value.half().contiguous()
    save_file(tensors, args.out)
    data = [
        "BSDS500 train (Arbelaez et al., 2011): 191 photographs, one human segmentation each",
        "CamVid train (Brostow et al., 2009): 367 street scenes with 11 classes",
    ]
    strokes = "simulated, saccade.scribbles.simulate"
    if held:
        data.append(
            "GrabCut, Geodesic Star and VOC photographs with masks and strokes of people (Andrade "
            "and Carrera, 2015): 39 photographs, less those that a run held out"
        )
        strokes += "; on the last of the data also people's"
    provenance = {
        "trained_by": "python scripts/train_bundled",
        "data": data,
        "strokes": strokes,
        "initial_weights": "random; nothing pretrained",
        "runs": _provenance(runs[: len(states)]),
        **({"runs of the second member": _provenance(runs[len(states) :])} if others else {}),
        "without": sorted(set.intersection(*held)) if held else [],
        "note": args.note,
        "torch": torch.__version__,
        "parameters": {
            part: sum(v.numel() for k, v in tensors.items() if k.startswith(f"{part}."))
            for part in sorted({name.split(".")[0] for name in tensors})
        },
        "sha256": hashlib.sha256(args.out.read_bytes()).hexdigest(),
    }
    args.out.with_suffix(".json").write_text(json.dumps(provenance, indent=2) + "\n")
    print(f"{args.out}: {args.out.stat().st_size} bytes")
