"""List the suites: python -m benchmarks."""

import importlib.util
import pkgutil

from benchmarks import suites


def suite_names() -> list[str]:
    """Names of the suites, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(suites.__path__))


def summary(name: str) -> str:
    """What a suite measures: the first line of its text, read without running it."""
    found = importlib.util.find_spec(f"benchmarks.suites.{name}")
    if found is not None and found.submodule_search_locations:
        found = importlib.util.find_spec(f"benchmarks.suites.{name}.__main__")
    assert found is not None
    assert found.origin is not None
    with open(found.origin, encoding="utf-8") as file:
        return file.readline().strip().removeprefix('"""')


if __name__ == "__main__":
    for name in suite_names():
        print(f"python -m benchmarks.{name:16} {summary(name)}")
