"""Examples in docstrings run, and every public name has one."""

import doctest
import importlib
import inspect
import pkgutil

import numpy as np
import pytest
import torch

import saccade

PUBLIC = (
    "saccade",
    "saccade.evaluation",
    "saccade.interactive",
    "saccade.nn",
    "saccade.objects",
    "saccade.ops",
)
MODULES = sorted(
    m.name
    for m in pkgutil.walk_packages(saccade.__path__, "saccade.")
    if not m.name.endswith("__main__")
)
# Networks and loops that a reader learns from their example, though they are not public.
WITH_EXAMPLE = (
    "saccade.batch.engine",
    "saccade.batch.outcome",
    "saccade.batch.records",
    "saccade.interactive.meta_steps",
    *(
        f"saccade.models.{name}"
        for name in ("backbones", "deeplab", "dsnet", "largefov", "mdc", "segmentation")
    ),
    *(
        f"saccade.models.scribble_net.{name}"
        for name in ("at_pixels", "averaging", "batched", "gathering", "module")
    ),
)
GLOBALS = {"np": np, "torch": torch}  # known to every example
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def loaded(name):
    try:
        return importlib.import_module(name)
    except ImportError as error:
        pytest.skip(f"{name}: {error}")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_say(name, tmp_path, monkeypatch):
    module = loaded(name)
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(module, optionflags=FLAGS, extraglobs=GLOBALS)
    assert result.failed == 0
    assert result.attempted or name not in WITH_EXAMPLE


def needs_example(value):
    """Whether a public name is a function or a class that one calls; not types and errors."""
    if inspect.isclass(value):
        return not issubclass(value, Exception)
    return inspect.isroutine(value)


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_has_an_example(module):
    space = loaded(module)
    values = {name: getattr(space, name) for name in space.__all__}
    public = {name: value for name, value in values.items() if needs_example(value)}
    assert [n for n, value in public.items() if ">>>" not in (inspect.getdoc(value) or "")] == []
