"""The operators' benchmark: ratios, what is written, and the refusals without a GPU."""

import csv
import json
import math
from pathlib import Path

import pytest
import torch

from benchmarks.suites.sampled_conv import __main__ as sampled_conv
from benchmarks.suites.sampled_conv import operators, report
from benchmarks.suites.sampled_conv.measure import Record
from benchmarks.suites.sampled_conv.operators import CONV, DEFORM


def record(operator: str, number: int, milliseconds: float) -> Record:
    return Record("cpu", "float32", "any", operator, "forward", number, milliseconds, math.nan)


def test_ratios_are_medians_of_the_rounds_own_ratios() -> None:
    times = {CONV: [1.0, 10.0, 2.0], "ours": [2.0, 50.0, 6.0], DEFORM: [20.0, 100.0, 60.0]}
    rows = report.summarize(
        [record(name, n, t) for name, line in times.items() for n, t in enumerate(line)]
    )
    ours = next(row for row in rows if row.operator == "ours")
    assert ours.milliseconds == 6
    assert ours.to_conv == 3  # of 2, 5, 3
    assert ours.faster_than_deform == 10  # of 10, 2, 10


def test_without_a_peer_there_is_no_ratio() -> None:
    (row,) = report.summarize([record("ours", 0, 2.0)])
    assert math.isnan(row.to_conv)
    assert "-" in report.table([row])


def test_operators_compute_what_they_are_called() -> None:
    setting = operators.Setting("cpu", torch.float32, torch.contiguous_format, (1, 4, 6, 7))
    results = {o.name: o.call() for o in operators.operators(setting)}
    assert {tuple(out.shape) for out in results.values()} == {(1, 4, 6, 7)}
    torch.testing.assert_close(results["deformable"], results[DEFORM])


@pytest.mark.skipif(torch.cuda.is_available(), reason="takes the CUDA device")
def test_run_on_a_cpu(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    threads = torch.get_num_threads()
    try:
        code = sampled_conv.main(
            f"--channels 4 --height 6 --width 7 --rounds 2 --csv --out {tmp_path}".split()
        )
    finally:
        torch.set_num_threads(threads)
    assert code == 0
    assert "x conv2d" in capsys.readouterr().out
    (path,) = tmp_path.glob("*/sampled_conv.json")
    content = json.loads(path.read_text())
    assert content["run"]["torch"] == torch.__version__.split("+")[0]
    assert len(content["table"]) == 12
    with path.with_suffix(".csv").open() as file:
        assert len(list(csv.DictReader(file))) == 24


@pytest.mark.skipif(torch.cuda.is_available(), reason="takes the CUDA device")
@pytest.mark.parametrize("option", ["--check", "--tune"])
def test_says_that_there_is_no_device(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sampled_conv.main([option, "--out", str(tmp_path)]) == 1
    assert "NVIDIA" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
