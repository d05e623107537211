"""The time left is that of the steps so far, by kind of stage."""

import pytest

from scripts.train_bundled import progress
from scripts.train_bundled.progress import Progress, duration
from scripts.train_bundled.settings import Stage


def _stage(name: str, kind: str, steps: int) -> Stage:
    return Stage(name, kind, seed=0, steps=steps, batch=1, learning_rate=1.0)


def test_time_left_follows_the_kinds(monkeypatch, capsys) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    stages = [_stage("a", "fit", 10), _stage("b", "fusion", 10), _stage("c", "fit", 20)]
    told = Progress(stages, {"a": 4, "c": 15})
    told.begin()
    for step in range(5, 11):  # 2 seconds a step, of which four were done before
        now[0] += 2
        told.report(step, 0.5)
    assert told.seconds_left(10) == pytest.approx(2 * (10 + 5))  # b is taken to cost as much
    assert capsys.readouterr().out == "a: 10/10, loss 0.5000, 0 s left (30 s for 3 stages)\n"
    told.end()
    now[0] += 1000  # between stages no step is done
    told.begin()
    now[0] += 30
    told.report(1, 0.5)
    assert told.seconds_left(1) == pytest.approx(30 * 9 + 2 * 5)
    assert "b: 1/10" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (89, "89 s"), (600, "10 min"), (3700, "1 h 2 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
