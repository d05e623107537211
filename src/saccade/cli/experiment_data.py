"""Which images the tables and figures of ``saccade experiment`` are measured on."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from saccade.errors import InputError
from saccade.experiments.engine.samples import (
    Sample,
    SampleList,
    context_samples,
    limit_samples,
    shared_samples,
    voc_samples,
)
from saccade.files import check_readable


def table_samples(
    data: Path | None,
    voc: Path | None,
    context: Path | None,
    scribbles: Path | None,
    sets: Sequence[str],
    limit: int | None,
    part: tuple[str, Path] | None = None,
) -> SampleList:
    """The images of a table.

    Args:
        data: folder of the shared sets.
        voc: VOC 2012.
        context: PASCAL-Context.
        scribbles: ScribbleSup's strokes on both.
        sets: of the shared sets, empty for thin and camvid.
        limit: at most so many images of each set.
        part: of VOC in `voc`: its set, and the folder that its strokes are written to.

    Raises:
        InputError: no data, options that do not go together, or files that are missing.
    """
    if part is not None:
        from saccade.experiments.gdc.part_samples import part_samples

        if voc is None or context is not None or data is not None or scribbles is not None or sets:
            raise InputError("--subset is for a part of --voc, without other data and strokes")
        return part_samples(voc, part[0], part[1], limit)
    if voc is None and context is None:
        if data is None:
            raise InputError("no data: give --data, or --voc or --context with --scribbles")
        if scribbles is not None:
            raise InputError("--scribbles goes with --voc or --context, --data has its own strokes")
        lists = [shared_samples(data, sets or ("thin", "camvid"))]
    else:
        if data is not None or sets:
            raise InputError("give --data, or --voc and --context; --sets goes with --data")
        if scribbles is None:
            option = "--context" if voc is None else "--voc"
            raise InputError(f"{option} needs --scribbles, the folder of ScribbleSup's strokes")
        lists = [] if voc is None else [voc_samples(voc, scribbles)]
        lists += [] if context is None else [context_samples(context, scribbles)]
    samples = [sample for one in lists for sample in one.samples]
    remarks = tuple(remark for one in lists for remark in one.remarks)
    return SampleList(limit_samples(samples, limit), remarks)


def figure_samples(
    name: str, data: Path | None, files: tuple[Path | None, ...], limit: int | None
) -> tuple[Sample, ...]:
    """The images of a figure of the GDC paper.

    Args:
        name: of the figure.
        data: folder of the shared sets.
        files: photograph, strokes and mask; figure 10 needs the photograph only.
        limit: at most so many images of the set.

    Raises:
        InputError: a package or a file is missing, or options do not go together.
    """
    for module, package in (("matplotlib", "matplotlib"), ("sklearn", "scikit-learn")):
        if find_spec(module) is None:
            raise InputError(
                f"{package} is not installed; pip install 'saccade[experiments]' brings it"
            )
    image, strokes, truth = files
    if image is None:
        if data is None:
            more = " with --strokes and --truth" if name == "gdc-figure11" else ""
            raise InputError(f"{name} needs --data, or --image{more}")
        if strokes is not None or truth is not None:
            raise InputError("--strokes and --truth go with --image")
        return limit_samples(shared_samples(data, ("thin",)).samples, limit)
    if data is not None or limit is not None:
        raise InputError("--image is one photograph, without --data and --limit")
    if name == "gdc-figure11" and (strokes is None or truth is None):
        raise InputError(f"{name} needs --strokes and --truth beside --image")
    for path in files:
        if path is not None:
            check_readable(path)
    return (Sample("thin", image.stem, image, strokes or image, truth or image),)
