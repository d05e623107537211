import numpy as np
import pytest

from saccade.errors import InputError
from saccade.experiments.engine.rows import Row, append_row, open_rows


def row(stem="a"):
    return Row(("thin", stem, "normal", 0), np.array([[5, 0], [2, 9]], np.int32), 1.25)


def test_rows_are_read_as_written(tmp_path):
    path = tmp_path / "rows.jsonl"
    assert open_rows(path, {"preset": "p"}) == {}
    append_row(path, row())
    append_row(path, row("b"))
    rows = open_rows(path, {"preset": "p"})
    assert list(rows) == [row().key, row("b").key]
    found = rows[row().key]
    np.testing.assert_array_equal(found.matrix, row().matrix)
    assert found.seconds == 1.25


def test_a_torn_line_is_cut_off(tmp_path):
    path = tmp_path / "rows.jsonl"
    open_rows(path, {})
    append_row(path, row())
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"key":["thin","b"')
    assert list(open_rows(path, {})) == [row().key]
    assert path.read_bytes() == whole
    append_row(path, row("c"))
    assert len(open_rows(path, {})) == 2


def test_other_settings_are_refused(tmp_path):
    path = tmp_path / "rows.jsonl"
    open_rows(path, {"preset": "p", "features": "f"})
    with pytest.raises(InputError, match="another preset; give -o another folder"):
        open_rows(path, {"preset": "q", "features": "f"})


@pytest.mark.parametrize("text", ["no json\n", "{}\n", '{"settings":{}}\n{"key":[1]}\n', "[]\n"])
def test_a_file_that_has_no_rows_is_refused(tmp_path, text):
    path = tmp_path / "rows.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match="not a file of rows"):
        open_rows(path, {})
