"""Packages that come with an extra of Saccade, and the line that says so where one is missing."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from saccade.errors import InputError


def require_module(where: object, what: str, module: str, extra: str = "science") -> Any:
    """Import a module that an extra of Saccade brings.

    Args:
        where: the file that needs it.
        what: kind of the file.
        module: its name.
        extra: name of the extra.

    Raises:
        InputError: it is not installed.

    Example:
        >>> require_module("a.xyz", "XYZ", "no_such_module")
        Traceback (most recent call last):
        saccade.errors.InputError: a.xyz: XYZ needs no_such_module, which is not installed; \
pip install 'saccade[science]' brings it
    """
    if find_spec(module) is None:
        raise InputError(
            f"{where}: {what} needs {module}, which is not installed; "
            f"pip install 'saccade[{extra}]' brings it"
        )
    return import_module(module)
