import doctest
import importlib

import pytest
import torch

SCRIBBLE_NET = [
    f"scribble_net.{name}" for name in ("at_pixels", "averaging", "batched", "gathering", "module")
]


@pytest.mark.parametrize(
    "name", ["backbones", "deeplab", "dsnet", "largefov", "mdc", "segmentation", *SCRIBBLE_NET]
)
def test_the_examples_in_the_docstrings_hold(name: str) -> None:
    torch.manual_seed(0)
    module = importlib.import_module(f"saccade.models.{name}")
    result = doctest.testmod(module, extraglobs={"torch": torch})
    assert result.attempted
    assert not result.failed
