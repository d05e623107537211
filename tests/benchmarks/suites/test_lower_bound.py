import json

import pytest
import torch

from benchmarks.suites.lower_bound import __main__ as lower_bound
from benchmarks.suites.lower_bound import op_counts, traced
from benchmarks.suites.lower_bound.op_counts import Bound, Peaks
from benchmarks.suites.lower_bound.traced import Trace


def test_bounds_by_hand():
    found = {s.stage: s for s in op_counts.stages((8, 12), 2)}
    half, quarter, full = 4 * 6, 2 * 3, 8 * 12
    head = 2 * half * (864 + 288 + 512 + 1536) + 2 * quarter * (864 + 2304) + 40 * full
    assert found["features"].operations == head
    assert found["features"].bytes == 3 * full + 4 * half * 46
    assert found["partition"].operations == (40 * half + 10 * full) * 16


def test_more_classes_cost_more_but_for_the_features():
    two, eleven = ({s.stage: s for s in op_counts.stages((36, 48), k)} for k in (2, 11))
    assert two["features"] == eleven["features"]
    assert two["superpixels"] == eleven["superpixels"]
    for stage in ("fit", "draw", "cues", "partition", "upsampling"):
        assert two[stage].operations < eleven[stage].operations


def test_a_stage_without_arithmetic_needs_what_it_does():
    done = Trace(operations=5.0, bytes=7.0, calls=3, seconds=0.5)
    rows = op_counts.rows([Bound("fit", 1.0, 2.0)], {"fit": done, "fusion network": done})
    assert [(r.operations, r.bytes) for r in rows] == [(1.0, 2.0), (5.0, 0.0)]
    assert all((r.written_operations, r.calls, r.seconds) == (5.0, 3, 0.5) for r in rows)


def test_times_by_hand():
    row = op_counts.Row("fit", 2e9, 1e6, 3e9, 1e9, 10, 0.25)
    cells = op_counts.table([row], Peaks(1e9, 1e9)).splitlines()[2].split()
    # 2 Gop at 1 Gop/s; on the GPU one call, then ten, at 5 microseconds
    assert cells == ["fit", "2000", "1", "2000", "0.0299", "3000", "1000", "10", "0.208", "250"]


def test_inner_time_counts_once(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(traced.time, "process_time", lambda: now[0])
    clock = traced._Clock()
    with clock.stage("outer"):
        now[0] += 1
        with clock.stage("inner"):
            now[0] += 10
        now[0] += 100
    now[0] += 1000
    assert clock.seconds == {"outer": 101, "inner": 10}


def test_traffic_and_operations_of_a_product():
    clock = traced._Clock()
    traffic, flops = traced._Traffic(clock), traced._Operations(clock)
    a, b = torch.rand(3, 4), torch.rand(4, 5)
    with traffic, flops:
        a @ b
        with clock.stage("s"):
            (a @ b).view(5, 3)
    assert traffic.calls == {"s": 1}
    assert traffic.bytes == {"s": 4 * (12 + 20 + 15)}
    assert flops.by_stage == {"s": 2 * 3 * 4 * 5}


def test_end_to_end(root, tmp_path, capsys):
    arguments = [str(root), "--sets", "thin", "--limit", "1", "--out", str(tmp_path)]
    assert lower_bound.main(arguments) == 0
    assert "fusion network" in capsys.readouterr().out
    (file,) = tmp_path.glob("*/lower_bound.json")
    rows = {row["stage"]: row for row in json.loads(file.read_text())["thin"]}
    assert {"features", "fit", "draw", *traced.PARTS.values()} <= set(rows)
    assert rows["draw"]["calls"] > 0
    # matrix products and convolutions are all that the draw's bound is made of, nearly
    assert rows["draw"]["written_operations"] == pytest.approx(rows["draw"]["operations"], rel=0.1)


def test_a_set_without_a_size_is_refused(root):
    with pytest.raises(SystemExit):
        lower_bound.main([str(root), "--sets", "full"])
