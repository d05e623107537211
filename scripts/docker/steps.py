"""The instructions of a Dockerfile, as far as ours needs them."""

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

KNOWN = {
    *("ARG", "FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL"),
    *("HEALTHCHECK", "ENTRYPOINT", "CMD"),
}


@dataclass(frozen=True)
class Step:
    """One instruction: its name, and what follows on its line."""

    name: str
    text: str


@dataclass(frozen=True)
class Stage:
    """What begins with FROM.

    Attributes:
        base: the image.
        name: by which others copy from it, or empty.
        steps: what follows.
    """

    base: str
    name: str
    steps: tuple[Step, ...] = ()


@dataclass
class Settings:
    """What the steps so far have set: of the environment, the folder and the user."""

    variables: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "0:0"

    def expanded(self, text: str) -> str:
        """The text with $NAME and ${NAME} replaced."""
        known = self.arguments | self.variables

        def value(found: re.Match[str]) -> str:
            return known.get(found[1] or found[2], "")

        return re.sub(r"\$(?:(\w+)|\{(\w+)\})", value, text)


def read_stages(path: Path) -> tuple[Stage, ...]:
    """The stages of a Dockerfile.

    Raises:
        ValueError: an instruction that is not known here.
    """
    text = "\n".join(
        line for line in path.read_text("utf-8").splitlines() if not line.lstrip().startswith("#")
    )
    stages: list[Stage] = []
    for line in text.replace("\\\n", "").splitlines():
        if not line.strip():
            continue
        name, _, rest = line.strip().partition(" ")
        if name not in KNOWN:
            raise ValueError(f"{path}: {name} is not known here")
        if name == "FROM":
            base, _, called = rest.partition(" AS ")
            stages.append(Stage(base.strip(), called.strip()))
        elif stages:
            steps = (*stages[-1].steps, Step(name, rest.strip()))
            stages[-1] = replace(stages[-1], steps=steps)
    return tuple(stages)


def as_list(text: str) -> list[str]:
    """The words of an instruction in JSON's form."""
    found = json.loads(text[text.index("[") :])
    assert isinstance(found, list)
    return found
