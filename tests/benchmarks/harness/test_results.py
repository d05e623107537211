import json
from argparse import Namespace

from benchmarks.harness import results


def test_results_lie_in_the_folder_of_the_machine(tmp_path):
    args = Namespace(out=tmp_path, name="scaling")
    run = {"cpu": "AMD EPYC", "cpu_count": 2}
    assert results.result_path(args, run) == tmp_path / "amd-epyc-2cpu" / "scaling.json"
    run["card"] = "NVIDIA H200"
    assert results.result_path(args, run) == tmp_path / "nvidia-h200" / "scaling.json"


def test_the_machine_has_no_paths_and_no_host_name(tmp_path):
    found = results.machine(3)
    assert found["threads"] == 3
    assert found["torch"]
    assert not any("/" in str(value) for value in found.values())


def test_json_gets_no_nan_and_csv_all_columns(tmp_path):
    path = tmp_path / "m" / "a.json"
    lines = [{"a": 1.0, "b": 1e-7 / 3}, {"a": 2, "c": "x"}]
    results.write_results(path, {"a": [1.0, float("nan")], "b": (float("nan"),)}, lines)
    assert json.loads(path.read_text()) == {"a": [1.0, None], "b": [None]}
    assert path.with_suffix(".csv").read_text().split() == ["a,b,c", "1,3.33333e-08,", "2,,x"]
