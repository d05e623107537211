"""Options of objects: --instances, --min-area and --table."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from saccade.cli.object_files import MODES, ObjectOptions, needs_objects
from saccade.cli.options import one_of, path_anywhere

Instances = Annotated[
    str,
    typer.Option(
        "--instances",
        metavar="[connected|separate]",
        callback=lambda text: one_of(MODES, text) if text else text,
        help="Number the objects of each class: connected parts, or, without a word too, parted "
        "where they touch.",
    ),
]
MinArea = Annotated[
    int,
    typer.Option("--min-area", metavar="PIXELS", min=1, help="Leave out objects of fewer pixels."),
]
Table = Annotated[
    Path | None,
    typer.Option(
        "--table",
        metavar="FILE.csv|FILE.parquet",
        parser=path_anywhere,
        help="Measure every object of every image: a row each, and a summary beside it. May be a "
        "URL of a store.",
    ),
]


def object_options(
    instances: str, min_area: int, table: Path | None, formats: Sequence[str]
) -> ObjectOptions | None:
    """How objects are to be found; None where nobody wants any.

    A table, YOLO, GeoJSON and GeoPackage have objects without --instances too: connected parts.

    Raises:
        InputError: a table or a GeoPackage that cannot be written.
    """
    if "gpkg" in formats:
        from saccade.formats.geopackage import check_geopackage

        check_geopackage()
    if table is not None:
        from saccade.objects.tables import check_table

        check_table(table)
    if not (instances or table is not None or needs_objects(formats)):
        return None
    return ObjectOptions(instances or "connected", min_area)
