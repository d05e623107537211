"""Actors of Ray: the same records and files as in this process, whatever happens to an actor."""

import os

import batch_workers as workers
import numpy as np
import pytest
from PIL import Image

from saccade.batch import OnRay, run_batch
from saccade.cli.app import app
from saccade.errors import InputError
from tests.helpers import run_python

pytest.importorskip("ray")
pytestmark = [
    pytest.mark.slow,  # starting Ray takes seconds
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # its end closes its sockets
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # Ray of its own options
]


@pytest.fixture(autouse=True)
def actors_find_the_workers(monkeypatch):
    folders = [os.path.dirname(workers.__file__), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(folders))


def test_records_are_those_of_one_process_and_a_lost_actor_costs_one_item():
    items = range(-1, 99)  # so many that several go to an actor at once
    outcome = run_batch(items, workers.killed_or_squared, executor=OnRay(2))
    assert outcome.done == {item: item**2 for item in items if item not in (-1, 1)}
    assert outcome.failed == {
        -1: "-1: below 0",
        1: "the actor that worked on it was lost; is there enough memory?",
    }


def test_a_setup_that_fails_is_raised_here():
    with pytest.raises(InputError, match="abacus"):
        run_batch([1, 2], workers.none, executor=OnRay(2))


def test_a_cluster_that_is_not_there_is_one_line():
    with pytest.raises(InputError, match=r"^no Ray at 127\.0\.0\.1:1: [^\n]+$"):
        run_batch([1], workers.squares, executor=OnRay(1, "127.0.0.1:1"))


@pytest.mark.parametrize("address", ["nowhere", "ray://head", "head:x"])
def test_an_address_of_another_form_is_one_line(address):
    with pytest.raises(InputError, match=r"must be HOST:PORT, ray://HOST:PORT or auto$"):
        run_batch([1], workers.squares, executor=OnRay(1, address))


def test_an_address_needs_the_engine(capsys):
    with pytest.raises(SystemExit) as ended:
        app(["segment", "a.png", "b.png", "-o", "out", "--address", "auto"])
    assert ended.value.code == 1
    assert "--address is of --engine ray" in capsys.readouterr().err


def _folders(root, count):
    random = np.random.default_rng(0)
    for folder in ("photos", "strokes"):
        (root / folder).mkdir()
    for number in range(count):
        image = random.integers(0, 60, (40, 60, 3), np.uint8)
        image[10:30, 20:40] += 150
        strokes = np.full((40, 60), 255, np.uint8)
        strokes[2, 5:50], strokes[20, 24:36] = 0, 1
        Image.fromarray(image).save(root / f"photos/{number}.png")
        Image.fromarray(strokes).save(root / f"strokes/{number}.png")


def test_a_folder_begun_here_is_finished_on_ray_with_the_same_masks(tmp_path):
    _folders(tmp_path, 4)
    command = ("-m", "saccade.cli", "segment", "photos", "strokes", "-q", "-o")
    run_python(*command, "alone", cwd=tmp_path)
    begun, later = tmp_path / "ray", tmp_path / "later.png"
    (tmp_path / "photos/3.png").rename(later)  # an image that is not done yet, on any machine
    run_python(*command, "ray", cwd=tmp_path)
    later.rename(tmp_path / "photos/3.png")
    kept = {path: path.stat().st_mtime_ns for path in begun.glob("*.png")}
    assert len(kept) == 3
    run_python(*command, "ray", "--engine", "ray", "--jobs", "2", cwd=tmp_path)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    for path in (tmp_path / "alone").glob("*.png"):
        assert (begun / path.name).read_bytes() == path.read_bytes()
