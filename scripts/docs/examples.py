"""A griffe extension: examples in docstrings as code, whether or not a section announces them."""

import re
from typing import Any

import griffe

RUN = re.compile(
    r"((?:^[ ]*Examples?:\n)?)((?:^[ ]*(?:>>>|\.\.\. ).*\n?(?:^[ ]*(?!>>>)\S.*\n?)*)+)", re.M
)

ROLE = re.compile(r":(?:class|func|meth|mod|data):(?=`)")  # of Sphinx; the name alone reads well


class Examples(griffe.Extension):
    """Puts a fence around each run of ``>>>`` lines, and a heading in place of ``Example:``."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of everything that has one."""
        if obj.docstring:
            obj.docstring.value = fenced(obj.docstring.value)


def fenced(text: str) -> str:
    """The docstring with its doctests as fenced code."""

    def replace(match: re.Match[str]) -> str:
        code = "\n".join(line.strip() if ">>>" in line else line for line in match[2].splitlines())
        return f"**Example**\n\n```pycon\n{code.strip()}\n```\n"

    return ROLE.sub("", RUN.sub(replace, text))
