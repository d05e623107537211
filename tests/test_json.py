"""Whatever is written as JSON is strict JSON: by one function, which has no NaN."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

import saccade
from saccade.batch.records import read_record, write_record
from saccade.evaluation.report import write_scores
from saccade.strict_json import json_text

SOURCES = Path(saccade.__file__).parent
ODD = [math.nan, math.inf, -math.inf, np.float64("nan")]


def strict(text):
    """JSON as browsers read it."""

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [v], lambda v: (1, {"a": [v]})])
def test_what_no_json_has_is_null(odd, wrap):
    assert strict(json_text(wrap(odd))) == json.loads(json.dumps(wrap(None)))


def test_ordinary_values_are_written_as_python_does():
    content = {"a": [1, 2.5, None, True, "ü"], "b": {"c": ()}}
    assert json_text(content) == json.dumps(content)
    options = {"indent": 2, "ensure_ascii": False, "sort_keys": True}
    assert json_text(content, **options) == json.dumps(content, **options)


def test_no_module_writes_json_in_another_way():
    writers = [
        path.relative_to(SOURCES).as_posix()
        for path in SOURCES.rglob("*.py")
        if "json.dump" in path.read_text("utf-8")
    ]
    assert writers == ["strict_json.py"]


def test_scores_of_classes_that_never_occur(tmp_path):
    write_scores(tmp_path, np.array([[3, 0], [0, 0]]), ("a", "b"), np.array([0.5, np.nan]), {})
    scores = strict((tmp_path / "scores.json").read_text())
    assert scores["classes"][1]["iou"] is None


def test_records(tmp_path):
    result = tmp_path / "a.png"
    result.touch()
    (tmp_path / "records").mkdir()
    write_record(result, {"confidence": math.nan})
    strict((tmp_path / "records/a.json").read_text())
    assert read_record(result, ()) == {"confidence": None}
