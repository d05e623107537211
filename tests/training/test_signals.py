"""Ctrl-C of a terminal reaches all processes, those that read images too."""

import os
import signal
import time

import pytest
import torch

from saccade.training.samples import Order, load_batches
from saccade.training.signals import next_unless_stopped
from tests.helpers import start_python, wait_for
from tests.training.helpers import changed, toml

pytestmark = pytest.mark.filterwarnings("ignore")


class Dying(torch.utils.data.Dataset):
    """Samples whose reader ends in the way that the signal says."""

    def __init__(self, number):
        self.number = number

    def __getitem__(self, key):
        if torch.utils.data.get_worker_info() is not None:
            os.kill(os.getpid(), self.number)
            time.sleep(60)
        return torch.zeros(1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_reader_that_ends_is_an_error_unless_the_run_is_to_stop(number):
    order = Order(4, 2, 1)
    assert next_unless_stopped(load_batches(Dying(number), order, 1), [signal.SIGINT]) is None
    with pytest.raises(RuntimeError, match="worker"):
        next_unless_stopped(load_batches(Dying(number), order, 1), [])
    assert next_unless_stopped(load_batches(Dying(number), order, 0), []).shape == (2, 1)


@pytest.mark.parametrize("delay", [0, 1.5])
def test_ctrl_c_while_readers_start_is_an_interruption(settings, tmp_path, delay):
    (tmp_path / "t.toml").write_text(
        toml(changed(settings, run={"workers": 2}, optim={"epochs": 400}))
    )
    arguments = ("-m", "saccade.cli", "train", "-q", tmp_path / "t.toml", "-o", tmp_path / "run")
    process = start_python(*arguments, start_new_session=True)
    wait_for((tmp_path / "run/tensorboard").exists, process)
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate()
    assert process.returncode == 130, error
    assert error.splitlines()[-1].startswith("interrupted")
    assert "Traceback" not in error
    assert not (tmp_path / "run/lock").exists()
