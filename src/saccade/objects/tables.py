"""Rows to a table in a file: CSV always, Parquet where pyarrow is installed."""

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from saccade.errors import InputError
from saccade.files import atomic_write
from saccade.stores import check_writable, is_folder, is_remote

SUFFIXES = (".csv", ".parquet")
"""Of the tables that are written."""


def check_table(path: str | os.PathLike[str]) -> Path:
    """Return the path of a table that can be written; for a check before long work.

    Raises:
        InputError: another suffix, no such folder, or Parquet without pyarrow.

    Example:
        >>> check_table("cells.xlsx")
        Traceback (most recent call last):
        saccade.errors.InputError: cells.xlsx: tables end with .csv or .parquet
    """
    path = cast(Path, path) if is_remote(path) else Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path}: tables end with {' or '.join(SUFFIXES)}")
    if is_folder(path):
        raise InputError(f"{path}: is a folder, expected the name of a table to write")
    if is_remote(path):
        check_writable(path.parent)
    elif not path.parent.is_dir():
        raise InputError(f"{path}: cannot be written, there is no folder {path.parent}")
    if suffix == ".parquet" and find_spec("pyarrow") is None:
        raise InputError(
            f"{path}: Parquet needs pyarrow; pip install 'saccade[science]' brings it; or take .csv"
        )
    return path


def write_table(
    path: str | os.PathLike[str], rows: Iterable[Mapping[str, Any]], columns: Sequence[str] = ()
) -> None:
    """Write rows as a table, as a whole or not at all.

    Args:
        path: of the table, .csv or .parquet.
        rows: column -> text, number or None; a row need not have all columns.
        columns: that stand first; the others follow as rows have them.

    Raises:
        InputError: what `check_table` raises.

    Example:
        >>> write_table("cells.csv", [{"file": "a.png", "area": 12}, {"file": "b.png"}])
        >>> Path("cells.csv").read_text().split()
        ['file,area', 'a.png,12', 'b.png,']
    """
    path = check_table(path)
    table = list(rows)
    names = list(dict.fromkeys([*columns, *(name for row in table for name in row)]))
    with atomic_write(path) as temporary:
        if path.suffix.lower() == ".csv":
            _write_csv(temporary, table, names)
        else:
            _write_parquet(temporary, table, names)


def _write_csv(path: Path, rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.DictWriter(file, names, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _write_parquet(path: Path, rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
    import pyarrow
    from pyarrow import parquet

    columns = {name: [row.get(name) for row in rows] for name in names}
    parquet.write_table(pyarrow.table(columns), path)
