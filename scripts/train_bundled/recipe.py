"""Reads ``recipe.toml`` and finds what is wrong in it before anything is trained."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from saccade.data.tables import from_table
from saccade.errors import InputError
from saccade.training.config import read_toml
from scripts.train_bundled.kinds import KINDS
from scripts.train_bundled.settings import (
    DataSet,
    PackedFile,
    Recipe,
    Short,
    Stage,
    StageSettings,
)
from scripts.train_bundled.states import together

TABLES = ("data", "defaults", "stage", "file", "short")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_HOLD = re.compile(r"(\d{1,4})/(\d{1,4})")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def read_recipe(path: Path, *, short: bool = False) -> Recipe:
    """Read and check a recipe.

    Args:
        path: of the TOML file.
        short: change the stages as its table ``short`` says, and make the files named there.

    Raises:
        InputError: it is missing or no TOML, or a table, key or value in it is wrong.
    """
    content = read_toml(path)
    try:
        recipe = _recipe(path, content)
        return _shortened(recipe, _table(content, "short")) if short else recipe
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _recipe(path: Path, content: dict[str, Any]) -> Recipe:
    for name in content:
        if name not in TABLES:
            raise InputError(f"{name!r} is no table; there are {', '.join(TABLES)}")
    data = {name: _data(name, table) for name, table in _table(content, "data").items()}
    defaults = _table(content, "defaults")
    stages: dict[str, Stage] = {}
    for number, table in enumerate(_list(content, "stage"), start=1):
        where = f"stage {table.get('name', number)}"
        stage = _stage(where, table, defaults)
        _check_stage(where, stage, stages)
        stages[stage.name] = stage
    files = tuple(_file(table, stages) for table in _list(content, "file"))
    if not stages or not files:
        raise InputError("must have a [[stage]] and a [[file]] that is made of stages")
    for stage in stages.values():
        for name in KINDS[stage.kind].data(stage):
            if name not in data:
                raise InputError(f"stage {stage.name}: learns from {name}, add [data.{name}]")
    return Recipe(path, data, stages, files)


def _shortened(recipe: Recipe, table: dict[str, Any]) -> Recipe:
    short: Short = from_table(Short, "short", table)
    names = [file.name for file in recipe.files]
    for name in short.files:
        if name not in names:
            raise InputError(f"short: {name!r} is no file; there are {', '.join(names)}")
    stages = {
        name: replace(
            stage, steps=short.steps, batch=short.batch, reuse=short.reuse, warm_up=short.warm_up
        )
        for name, stage in recipe.stages.items()
    }
    for name, stage in stages.items():
        _check_numbers(f"short: {name}", stage)
    files = tuple(file for file in recipe.files if file.name in short.files)
    return replace(recipe, stages=stages, files=files, short=short)


def _table(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = content.get(name, {})
    if not isinstance(table, dict):
        raise InputError(f"{name} is {table!r}, must be a table")
    return table


def _list(content: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    tables = content.get(name, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise InputError(f"{name} must be a list of tables, [[{name}]]")
    return tables


def _data(name: str, table: Any) -> DataSet:
    where = f"data.{name}"
    if not isinstance(table, dict) or set(table) != {"what", "terms", "folders"}:
        raise InputError(f"{where}: must be a table with what, terms and folders")
    folders = _table(table, "folders")
    for folder, digest in folders.items():
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise InputError(f"{where}: folders: {folder} must have 64 hexadecimal digits")
    if not folders or not all(isinstance(table[key], str) for key in ("what", "terms")):
        raise InputError(f"{where}: needs a folder; what and terms must be strings")
    return DataSet(name, **table)


def _stage(where: str, table: dict[str, Any], defaults: Mapping[str, Any]) -> Stage:
    kind = table.get("kind")
    if kind not in KINDS:
        raise InputError(f"{where}: kind is {kind!r}, must be one of {', '.join(KINDS)}")
    values = {**_table(defaults, str(kind)), **table}
    tables = {name: _table(values, name) for name in ("shares", "options")}
    plain = {name: value for name, value in values.items() if name not in tables}
    settings: StageSettings = from_table(StageSettings, where, plain)
    return Stage(**vars(settings), shares=tables["shares"], options=tables["options"])


def _check_stage(where: str, stage: Stage, earlier: Mapping[str, Stage]) -> None:
    if not _NAME.fullmatch(stage.name):
        raise InputError(f"{where}: the name must be of letters, digits, dots, _ and -")
    if stage.name in earlier:
        raise InputError(f"{where}: is there twice, names must differ")
    for name in stage.start:
        if name not in earlier:
            raise InputError(f"{where}: starts from {name!r}, which is no earlier stage")
    known = KINDS[stage.kind].shares
    for name, share in stage.shares.items():
        if name not in known:
            raise InputError(f"{where}: shares: {name!r} is none of {', '.join(known)}")
        if isinstance(share, bool) or not isinstance(share, int | float) or share < 0:
            raise InputError(f"{where}: shares: {name} is {share!r}, must be a number from 0 on")
    if abs(sum(stage.shares.values()) - 1) > 1e-6:
        raise InputError(f"{where}: shares sum to {sum(stage.shares.values()):g}, must sum to 1")
    hold = _HOLD.fullmatch(stage.hold)
    if stage.hold and (not hold or int(hold[1]) >= int(hold[2])):
        raise InputError(f"{where}: hold is {stage.hold!r}, must be I/N with I below N")
    _check_numbers(where, stage)
    found = together(f"{where}: start", stage.start, earlier, apart=(stage.kind,))
    for kind in KINDS[stage.kind].needs:
        if kind not in found:
            raise InputError(f"{where}: must start from a stage of kind {kind} or one after it")
    KINDS[stage.kind].check(where, stage)


def _check_numbers(where: str, stage: Stage) -> None:
    least = {"seed": 0, "steps": 1, "batch": 1, "warm_up": 0, "reuse": 1, "pool": 1}
    for name, low in least.items():
        if getattr(stage, name) < low:
            raise InputError(f"{where}: {name} is {getattr(stage, name)}, must be at least {low}")
    if stage.learning_rate <= 0 or stage.weight_decay < 0:
        raise InputError(f"{where}: learning_rate must be above 0, weight_decay not below")
    if not 0 <= stage.average < 1 or not 0 <= stage.freeze_norm <= 1:
        raise InputError(f"{where}: average must be in [0, 1), freeze_norm in [0, 1]")


def _file(table: dict[str, Any], stages: Mapping[str, Stage]) -> PackedFile:
    where = f"file {table.get('name', '')}".strip()
    if set(table) != {"name", "members"}:
        raise InputError(f"{where}: must have a name and members, and nothing else")
    file: PackedFile = from_table(PackedFile, where, table)
    if not file.members or not all(file.members):
        raise InputError(f"{where}: members must be lists of stages, one at least")
    if any(part in ("", ".", "..") for part in file.name.split("/")) or "\\" in file.name:
        raise InputError(f"{where}: the name must be of a file below the folder of results")
    if not file.name.endswith(".safetensors"):
        raise InputError(f"{where}: the name must end in .safetensors")
    for name in (stage for member in file.members for stage in member):
        if name not in stages:
            raise InputError(f"{where}: is made of {name!r}, which is no stage")
    named = [name for member in file.members for name in member]
    together(f"{where}: members", named, stages, apart=[stages[name].kind for name in named])
    return file
