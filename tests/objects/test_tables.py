"""Tables to files and back."""

import csv
from importlib.util import find_spec

import pytest

from saccade.errors import InputError
from saccade.objects import check_table, tables, write_table

ROWS = [
    {"file": "a,b.png", "slice": None, "area": 12, "mean_1": 0.5},
    {"file": 'c"d\n.png', "slice": 2, "area": 3, "mean_2": 7.25},
]


def test_csv_has_every_column_and_keeps_odd_names(tmp_path):
    path = tmp_path / "cells.csv"
    write_table(path, ROWS, ("file", "area"))
    with path.open(newline="") as file:
        read = list(csv.DictReader(file))
    assert list(read[0]) == ["file", "area", "slice", "mean_1", "mean_2"]
    assert [row["file"] for row in read] == ["a,b.png", 'c"d\n.png']
    assert (read[0]["slice"], read[0]["mean_2"], read[1]["mean_2"]) == ("", "", "7.25")


def test_a_table_without_rows_has_its_columns(tmp_path):
    write_table(tmp_path / "cells.csv", [], ("file", "area"))
    assert (tmp_path / "cells.csv").read_text() == "file,area\n"


def test_a_table_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "cells.csv"
    write_table(path, ROWS)
    before = path.read_bytes()

    def fails(file, rows, names):
        file.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tables, "_write_csv", fails)
    with pytest.raises(OSError, match="No space"):
        write_table(path, ROWS[:1])
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["cells.csv"]


@pytest.mark.skipif(find_spec("pyarrow") is None, reason="saccade[science] is not installed")
def test_parquet_reads_back_to_the_same_rows(tmp_path):
    from pyarrow import parquet

    write_table(tmp_path / "cells.parquet", ROWS)
    names = {"file", "slice", "area", "mean_1", "mean_2"}
    wanted = [dict.fromkeys(names) | row for row in ROWS]
    assert parquet.read_table(tmp_path / "cells.parquet").to_pylist() == wanted


def test_a_missing_extra_is_named_with_the_command_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'saccade\[science\]' brings it"):
        check_table(tmp_path / "cells.parquet")


def test_tables_that_cannot_be_written_are_refused_early(tmp_path):
    with pytest.raises(InputError, match=r"tables end with \.csv or \.parquet"):
        check_table(tmp_path / "cells.xls")
    with pytest.raises(InputError, match="there is no folder"):
        check_table(tmp_path / "no" / "cells.csv")
    (tmp_path / "x.csv").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        check_table(tmp_path / "x.csv")
