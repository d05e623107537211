"""Programs that tests run, interrupt and wait for: without limits of time, one thread each."""

import os
import signal
import subprocess
import sys
import time


def one_thread_each(**variables):
    """The environment of processes that run beside others; what they print comes at once."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", **variables}


def run_python(*arguments, code=0, cwd=None, **variables):
    """Run Python to its end, which must have this exit code; variables are the environment's."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env=one_thread_each(**variables),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout[-4000:] + done.stderr[-9000:]
    return done


def start_python(*arguments, **options):
    """Start Python as somebody does who may press Ctrl-C."""
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts what runs in its background with SIGINT ignored, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **{"env": one_thread_each(), **options},
    )


def wait_for(condition, process):
    """Wait until something is true or the process ends, however long that takes."""
    while process.poll() is None and not condition():
        time.sleep(0.02)
