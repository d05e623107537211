"""Workers of the tests; processes that are started anew must be able to import them."""

import os
import signal
import sys
import time
from pathlib import Path

from saccade.errors import InputError
from saccade.files import atomic_write


def squares():
    def work(number, report):
        report(0.5, "half")
        if number < 0:
            raise InputError(f"{number}: below 0")
        return number**2

    return work


def processes():
    """Each item's record is the process that did it, and the threads it may use."""
    made = os.getpid()

    def work(number, report):
        assert made == os.getpid()
        time.sleep(0.01)
        return made, os.environ["OMP_NUM_THREADS"]

    return work


def killed_or_squared():
    done, kill = squares(), killed()

    def work(number, report):
        kill(number, report)
        return done(number, report)

    return work


def killed():
    def work(number, report):
        if number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    return work


def none():
    raise InputError("device 'abacus' cannot be used here")


def full():
    """The disk is full at item 2; those after it are never finished."""

    def work(number, report):
        if number > 2:
            time.sleep(600)
        if number == 2:
            raise OSError(28, "No space left on device", "out.png")
        return number

    return work


def files(folder):
    """Writes a file an item; the third and those after it are never finished."""

    def work(number, report):
        with atomic_write(folder / f"{number}.txt") as path:
            path.write_text("half")
            if number >= 2:
                (folder / f"{number}.begun").touch()
                time.sleep(600)
        return number

    return work


if __name__ == "__main__":  # a program that Ctrl-C is sent to
    from functools import partial

    from saccade.batch import LocalProcesses, run_batch

    place = Path(sys.argv[1])
    outcome = run_batch(range(8), partial(files, place), executor=LocalProcesses(2), progress=print)
    print(outcome.interruption)
