"""What tests of every part share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]

# The same examples in every run, and no verdict from a machine that happens to be busy.
settings.register_profile("saccade", deadline=None, derandomize=True)
settings.load_profile("saccade")


def pytest_collection_modifyitems(items):
    """Whatever drives a browser is slow."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def examples() -> Path:
    """The folder with the strokes that come with Saccade."""
    return ROOT / "examples"


@pytest.fixture
def one_thread():
    """Small convolutions wait for each other's threads, for minutes on cores that are busy."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def small_files():
    """Files end at 100 kB, as they would on a full disk."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder with the data sets that are not part of the repository; skips without it."""
    root = Path(os.environ.get("SACCADE_DATA", ROOT.parent / "shared" / "data"))
    if not root.is_dir():
        pytest.skip(f"{root} is not there; SACCADE_DATA names the folder with the data sets")
    return root
