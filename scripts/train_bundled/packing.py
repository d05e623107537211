"""From the weights of stages to a file that ships, and beside it what is known of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from saccade.files import atomic_write
from saccade.models.weights import load_bundle
from scripts.train_bundled.digests import files_of
from scripts.train_bundled.kinds import KINDS
from scripts.train_bundled.scores import scores_of
from scripts.train_bundled.settings import PackedFile, Recipe, Stage
from scripts.train_bundled.states import mean_of
from scripts.train_bundled.tasks import State, Weights

RANDOM = "random; nothing pretrained"
IMAGENET = "EfficientNet-Lite0 of ImageNet (Apache-2.0) for the encoder; all else random"


def pack(
    file: PackedFile,
    recipe: Recipe,
    trained: Mapping[str, Weights],
    records: Mapping[str, Mapping[str, Any]],
    data: Path,
    path: Path,
) -> dict[str, float]:
    """Write a file of weights and the JSON beside it; returns its scores.

    The first member has the networks that all share; another one is another member of the
    ensemble. What the package asks first has the mean of the weights of all.

    Args:
        file: which stages make its members.
        recipe: they are of.
        trained: weights of the stages.
        records: what is known of how each stage went.
        data: root of the data; the scores are of photographs there, which no stage has seen
            where there are such.
        path: of the file to write.
    """
    tensors = _tensors(file, recipe.stages, trained)
    provenance = _provenance(file, recipe, records, data)
    provenance["parameters"] = {
        part: sum(v.numel() for k, v in tensors.items() if k.startswith(f"{part}."))
        for part in sorted({name.split(".")[0] for name in tensors})
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as part, atomic_write(path.with_suffix(".json")) as text:
        save_file(tensors, part)
        most = recipe.short.photographs if recipe.short else 0
        bundle = load_bundle(str(part), members=1)
        scores = scores_of(bundle, data, frozenset(provenance["without"]), most)
        provenance["scores"] = {name: round(score, 4) for name, score in scores.items()}
        provenance["sha256"] = hashlib.sha256(part.read_bytes()).hexdigest()
        text.write_text(json.dumps(provenance, indent=2) + "\n", encoding="utf-8")
    return scores


def _tensors(
    file: PackedFile, stages: Mapping[str, Stage], trained: Mapping[str, Weights]
) -> State:
    tensors: State = {}
    for number, names in enumerate(file.members):
        own = {stages[name].kind for name in names}
        for kind, state in mean_of([trained[name] for name in names]).items():
            if number == 0 or kind in own:
                tensors |= KINDS[kind].pack(state, number)
    return {name: value.contiguous() for name, value in tensors.items()}


def _provenance(
    file: PackedFile, recipe: Recipe, records: Mapping[str, Mapping[str, Any]], data: Path
) -> dict[str, Any]:
    stages = recipe.needed(name for names in file.members for name in names)
    sets, without = _photographs(recipe, stages, data)
    return {
        "trained_by": "python -m scripts.train_bundled",
        "recipe": recipe.digest(),
        "short": recipe.short is not None,
        "data": sets,
        "without": without,
        "strokes": "simulated, scripts/train_bundled; on photographs of iseg also people's",
        "initial_weights": IMAGENET if any("imagenet" in s.options for s in stages) else RANDOM,
        "members": [list(names) for names in file.members],
        "stages": {stage.name: {**_plain(stage), **records[stage.name]} for stage in stages},
        "torch": torch.__version__,
    }


def _plain(stage: Stage) -> dict[str, Any]:
    return {k: v for k, v in asdict(stage).items() if k != "name" and v not in ("", {}, ())}


def unseen(recipe: Recipe, stages: Sequence[Stage], root: Path) -> list[str]:
    """Stems of photographs that none of these stages has seen, of the sets that one has."""
    return _photographs(recipe, stages, root)[1]


def _photographs(
    recipe: Recipe, stages: Sequence[Stage], root: Path
) -> tuple[list[dict[str, Any]], list[str]]:
    """What is known of each set that a stage has seen, and the photographs that none has seen."""
    seen: dict[str, set[str]] = {}
    for stage in stages:
        for name, stems in KINDS[stage.kind].photographs(stage, root).items():
            seen.setdefault(name, set()).update(stems)
    sets: list[dict[str, Any]] = []
    without: list[str] = []
    for name, learned in seen.items():
        data = recipe.data[name]
        there = {path.stem for path in files_of(root / next(iter(data.folders)))}
        without += sorted(there - learned)
        sets.append(
            {
                "set": name,
                "what": data.what,
                "terms": data.terms,
                "photographs_seen": len(learned),
                "photographs_there": len(there),
                "sha256": dict(data.folders),
            }
        )
    return sets, without
