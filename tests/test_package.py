"""The public face: what it has, and what it does not import."""

import sys

import pytest

import saccade
from tests.helpers import run_python

HEAVY = ("torch", "torchvision", "cv2", "lightning", "numpy", "PIL", "skimage", "scipy")
NEVER = ("torchvision", "cv2", "lightning", "timm")


def imported_after(statement: str, names: tuple[str, ...]) -> list[str]:
    code = f"import sys, saccade\n{statement}\nprint(*[n for n in {names} if n in sys.modules])"
    return run_python("-c", code).stdout.split()


def test_all_is_every_public_name():
    public = {name for name in dir(saccade) if not name.startswith("_")}
    modules = {name for name in public if f"saccade.{name}" in sys.modules}
    typing_only = {"Any", "TYPE_CHECKING", "import_module"}
    assert public - modules - typing_only | {"__version__"} == set(saccade.__all__)
    assert saccade.__all__ == sorted(saccade.__all__)


@pytest.mark.parametrize("name", saccade.__all__)
def test_every_public_name_is_there(name):
    assert getattr(saccade, name) is not None


def test_import_is_light():
    assert imported_after("", HEAVY) == []


def test_first_use_imports_only_the_core_dependencies():
    assert imported_after("saccade.segment", NEVER) == []


def test_first_use_imports_pytorch():
    assert imported_after("saccade.segment", ("torch",)) == ["torch"]


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        saccade.nope  # noqa: B018


def test_public_names_pickle_by_their_own_module():
    assert saccade.Segmentation.__module__.startswith("saccade.interactive")
    assert saccade.InputError.__module__ == "saccade.errors"
