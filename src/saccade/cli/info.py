"""``saccade info``: what is understood of image files."""

from pathlib import Path
from typing import Annotated, Any

import typer

from saccade.cli.errors import one_line_errors
from saccade.cli.say import say
from saccade.errors import InputError, message_of

_ORIGINS = {
    "file": "the file says so",
    "type": "of its data type",
    "values": "of its values, which leave most of their range unused",
}


def info(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Image files, or folders that are one.")
    ],
    series: Annotated[
        int | None,
        typer.Option(
            "--series", metavar="N", min=0, help="Which of several images of a file, from 0."
        ),
    ] = None,
    axes: Annotated[
        str | None,
        typer.Option(
            "--axes", metavar="LETTERS", help="A letter of TZCYX for each dimension, as ZCYX."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a list with one object for each file.")
    ] = False,
) -> None:
    """Print what is understood of image files.

    Size, axes, channels, intensities, pixel size, and place on the earth.
    """
    with one_line_errors():
        from saccade.images import open_image
        from saccade.images.describe import image_document

        found, wrong = [], []
        for file in files:
            try:
                found.append(image_document(open_image(file, series=series, axes=axes)))
            except InputError as error:
                wrong.append(message_of(error))
        if as_json:
            from saccade.strict_json import json_text

            say(json_text(found, ensure_ascii=False))
        else:
            for document in found:
                for line in _lines(document):
                    say(line)
        for line in wrong[:-1]:
            say(f"error: {line}", err=True)
        if wrong:
            raise InputError(wrong[-1])


def _lines(said: dict[str, Any]) -> list[str]:
    counts = " x ".join(str(count) for count in said["shape"])
    rows = {
        "kind": said["kind"],
        "size": f"{said['width']} x {said['height']} pixels (width x height)",
        "axes": f"{said['axes']}, {counts}",
        "channels": _channels(said),
        "type": said["dtype"],
        "window": _window(said),
        "no data": "" if said["nodata"] is None else f"{said['nodata']:g}",
        "pixel size": _pixel_size(said),
        "place": _place(said["georeference"]),
        "pages": str(said["pages"]) if said["pages"] > 1 else "",
        "levels": ", ".join(" x ".join(map(str, level)) for level in said["levels"]),
    }
    lines = [str(said["file"])]
    lines += [f"  {name:<11}{text}" for name, text in rows.items() if text]
    return lines + [f"  {'remark':<11}{line}" for line in said["remarks"]]


def _channels(said: dict[str, Any]) -> str:
    names = said["channels"]
    if said["colors"]:
        return "red, green, blue" if len(names) == 3 else f"{len(names)}, colors first"
    if not names:
        return ""
    named = ", ".join(name or str(index) for index, name in enumerate(names))
    return f"{len(names)}: {named}" if any(names) else str(len(names))


def _window(said: dict[str, Any]) -> str:
    if not said["window"]:
        return "none, there are no values"
    spans = ", ".join(f"{low:.6g} to {high:.6g}" for low, high in said["window"])
    part = f"; {said['window_of']}" if said["window_of"] else ""
    return f"{spans} ({_ORIGINS[said['window_from']]}{part})"


def _pixel_size(said: dict[str, Any]) -> str:
    sizes = said["pixel_size"]
    named = [f"{axis.lower()} {sizes[axis]:.6g}" for axis in "XYZ" if axis in sizes]
    return f"{', '.join(named)} {said['unit']}".rstrip()


def _place(place: dict[str, Any] | None) -> str:
    if place is None:
        return ""
    a, b, c, d, e, f = place["transform"]
    crs = place["crs"].splitlines()[0][:60] or "unknown reference system"
    turned = "" if b == d == 0 else ", turned"
    return f"{crs}; upper left {c:.10g}, {f:.10g}; pixel {a:.6g} x {e:.6g}{turned}"
