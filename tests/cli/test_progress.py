"""The progress bar: only on a terminal, only after a while, and notes stay whole lines."""

from types import SimpleNamespace

import pytest

from saccade.cli import progress
from saccade.cli.progress import Bar


@pytest.fixture
def terminal(monkeypatch, capsys):
    """Make stderr look like a terminal on which everybody waits."""
    stderr = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=stderr))
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("FORCE_COLOR", "1")
    return capsys


def drive(bar):
    bar.show(0, "a.png")
    bar.note("a.png: [255] = unlabelled")
    bar.show(1, "b.png")
    bar.close()


def test_a_terminal_gets_a_bar(terminal):
    drive(Bar(2))
    out, err = terminal.readouterr()
    assert out == ""
    assert "b.png" in err
    assert "50 %" in err
    assert "a.png: [255] = unlabelled" in err


def test_quick_work_gets_no_bar(terminal, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 60.0)
    drive(Bar(2))
    assert terminal.readouterr().err == "a.png: [255] = unlabelled\n"


def test_a_pipe_gets_no_bar(monkeypatch, capsys):
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    drive(Bar(2))
    assert capsys.readouterr().err == "a.png: [255] = unlabelled\n"


def test_quiet_prints_nothing(terminal):
    drive(Bar(2, quiet=True))
    assert terminal.readouterr().err == ""


def test_a_warning_is_printed_in_quiet_too(capsys):
    bar = Bar(2, quiet=True)
    bar.warn("1 images without strokes: a.png")
    bar.note("a.png: [255] = unlabelled")
    assert capsys.readouterr().err == "1 images without strokes: a.png\n"


def test_work_of_few_long_stages_gets_a_bar_at_once(terminal, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 60.0)
    bar = Bar(1, patience=0)
    bar.show(0, "converting")
    bar.close()
    assert "converting" in terminal.readouterr().err


def test_a_stage_after_one_that_is_done_has_time_left(terminal):
    """Else "0:00:00" stands there for hours, as checking the files has come to its end."""
    bar = Bar(1, patience=0)
    for done in (0.0, 1.0):
        bar.show(done, "checking")
    bar.show(0.2, "training")
    (task,) = bar._progress.tasks
    assert not task.finished
    assert task.time_remaining != 0
    bar.close()
