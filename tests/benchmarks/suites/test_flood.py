"""A short flood: the others get their masks, and soon hear that the server is there."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "web"))

for name in ("fastapi", "httpx", "psutil", "websockets"):
    pytest.importorskip(name, reason="saccade[serve] is not installed")


@pytest.mark.slow
def test_a_flood_does_not_slow_the_others(tmp_path):
    from benchmarks.suites import flood

    # Bounds leave room for slow machines; the benchmark measures what it is on a quiet one.
    found = flood.measure(tmp_path, 4, 20, attacked=True)
    assert found["errors"] == 0
    assert found["masks"] >= 2
    assert found["health_s"]["p95"] < 2
    assert sum(found["answered_to_the_flood"].values()) > 3
