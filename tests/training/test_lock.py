"""Only one process trains in a folder, and one that died hinders nobody."""

import signal

import pytest

from saccade.data.sets import pair_up
from saccade.errors import InputError
from saccade.training.classifier import train_classifier
from saccade.training.lock import LOCK, locked
from saccade.training.loop import train
from tests.helpers import run_python, start_python, wait_for
from tests.training.helpers import SCRIPT, TWO_PROCESSES, toml
from tests.weak.helpers import CONFIG, PRESENT, SPEC, write_set

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.slow
def test_a_second_process_is_refused_until_the_first_ends(settings, config, tmp_path):
    path, run = tmp_path / "train.toml", tmp_path / "run"
    path.write_text(toml(settings))
    first = start_python(SCRIPT, path, run, "epoch")
    try:
        wait_for((run / "config.json").exists, first)
        with pytest.raises(InputError, match=f"another process trains there .{first.pid}."):
            train(config, run)
        done = run_python(*TWO_PROCESSES, SCRIPT, path, run, code=1)
        assert "another process trains there" in done.stderr
    finally:
        first.send_signal(signal.SIGKILL)
        first.communicate()
    assert (run / LOCK).read_text() == f"{first.pid}\n"
    assert train(config, run).step == 4
    assert not (run / LOCK).exists()


def test_a_classifier_too_trains_alone(tmp_path):
    folders = write_set(tmp_path)
    found = pair_up("made up", folders.images, folders.masks, SPEC)
    with (
        locked(tmp_path / "run"),
        pytest.raises(InputError, match="another process trains there"),
    ):
        train_classifier(CONFIG, found, PRESENT, tmp_path / "run")


def test_a_folder_made_for_nothing_is_removed(tmp_path):
    with pytest.raises(InputError), locked(tmp_path / "a/b"):
        raise InputError("no data")
    assert list(tmp_path.iterdir()) == []
