"""Objects to a GeoPackage (OGC 12-128r19): one layer of polygons, written by GDAL."""

import io
import warnings
from typing import Any

from saccade.errors import InputError
from saccade.images.extras import require_module
from saccade.strict_json import json_text

LAYER = "objects"
"""Name of the layer."""

_GEOMETRY = "wkb_geometry"  # as GDAL calls the column of a GeoJSON


def geopackage(collection: dict[str, Any], crs: str = "") -> bytes:
    """Return a FeatureCollection of GeoJSON as the bytes of a GeoPackage.

    Args:
        collection: Polygon and MultiPolygon features with the properties object, class and
            class_name. A layer has geometries of one type, so all become MultiPolygon.
        crs: coordinate reference system, "EPSG:n" or WKT; "": coordinates are no place on earth.

    Raises:
        InputError: `saccade[science]` is not installed, or GDAL does not know `crs`.

    Example:
        >>> geopackage({"type": "FeatureCollection", "features": []})[:15]
        b'SQLite format 3'
    """
    check_geopackage()
    import pyogrio
    from pyogrio.errors import CRSError

    features = [{**one, "geometry": _several(one["geometry"])} for one in collection["features"]]
    text = json_text({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
    table = _with_all_columns(pyogrio.read_arrow(text.encode("utf-8"))[1])
    written = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "'crs' was not provided", UserWarning)
        try:
            pyogrio.write_arrow(
                table,
                written,
                driver="GPKG",
                layer=LAYER,
                geometry_name=_GEOMETRY,
                geometry_type="MultiPolygon",
                crs=crs or None,
            )
        except CRSError as error:
            raise InputError(
                f"GeoPackage: coordinate reference system {crs!r} ({error})"
            ) from error
    return written.getvalue()


def check_geopackage() -> None:
    """Refuse a GeoPackage that could not be written; for a check before long work.

    Raises:
        InputError: `saccade[science]` is not installed.
    """
    for module in ("pyogrio", "pyarrow"):
        require_module("--format gpkg", "GeoPackage", module)


def _several(geometry: dict[str, Any]) -> dict[str, Any]:
    if geometry["type"] == "MultiPolygon":
        return geometry
    return {"type": "MultiPolygon", "coordinates": [geometry["coordinates"]]}


def _with_all_columns(table: Any) -> Any:
    """GDAL finds no properties where there is no feature."""
    import pyarrow

    if len(table):
        return table
    columns = {"object": "int32", "class": "int32", "class_name": "string", _GEOMETRY: "binary"}
    fields = [
        pyarrow.field(name, kind, metadata=_WKB if name == _GEOMETRY else None)
        for name, kind in columns.items()
    ]
    return pyarrow.schema(fields).empty_table()


_WKB = {"ARROW:extension:name": "geoarrow.wkb"}
