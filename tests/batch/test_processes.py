"""Processes side by side: the same records, whatever happens to a process."""

import os
import signal
from pathlib import Path

import batch_workers as workers
import pytest

from saccade.batch import LocalProcesses, run_batch
from saccade.errors import InputError
from tests.helpers import start_python, wait_for

ROOT = Path(__file__).parents[2]
TWO = LocalProcesses(2)


def test_records_are_those_of_one_process():
    reported = []
    outcome = run_batch(
        [3, -1, 2, 1], workers.squares, executor=TWO, progress=lambda *call: reported.append(call)
    )
    assert outcome.done == {3: 9, 2: 4, 1: 1}
    assert outcome.failed == {-1: "-1: below 0"}
    assert [done for done, _ in reported] == [1, 2, 3, 4]


def test_each_process_makes_one_worker_and_has_one_thread():
    outcome = run_batch(range(20), workers.processes, executor=TWO)
    made, threads = zip(*outcome.done.values(), strict=True)
    assert 1 <= len(set(made)) <= 2
    assert os.getpid() not in made
    assert set(threads) == {"1"}


@pytest.mark.parametrize(
    ("executor", "count"),
    [(LocalProcesses(1), 5), (TWO, 1), (LocalProcesses(0), 1), (LocalProcesses(2, 4), 7)],
)
def test_little_work_stays_in_this_process(executor, count, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    outcome = run_batch(range(count), workers.processes, executor=executor)
    assert set(outcome.done.values()) == {(os.getpid(), "3")}


def test_a_process_that_is_killed_costs_one_item():
    outcome = run_batch(range(4), workers.killed, executor=TWO)
    assert outcome.done == {0: 0, 2: 2, 3: 3}
    assert list(outcome.failed) == [1]
    assert "ended by signal 9; is there enough memory?" in outcome.failed[1]


def test_a_setup_that_fails_is_raised_from_other_processes():
    with pytest.raises(InputError, match="abacus"):
        run_batch([1, 2], workers.none, executor=TWO)


def test_a_full_disk_ends_the_loop_in_other_processes_too():
    outcome = run_batch(range(1, 9), workers.full, executor=TWO)
    assert set(outcome.done) <= {1}  # the other process may not have begun
    assert outcome.failed == {2: "out.png: No space left on device"}
    assert outcome.fatal is not None
    assert outcome.fatal.errno == 28


def test_ctrl_c_ends_all_processes_and_leaves_whole_files(tmp_path):
    process = start_python(workers.__file__, tmp_path, cwd=ROOT, start_new_session=True)
    # Until two items are done and two are being worked on.
    wait_for(lambda: len(list(tmp_path.glob("*.begun"))) == 2, process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes alike
    output, errors = process.communicate()  # returns when all have ended that could write
    assert errors == ""
    assert output.splitlines()[-1].startswith("interrupted: 2 of 8 done")
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"0.txt", "1.txt", "2.begun", "3.begun"}
