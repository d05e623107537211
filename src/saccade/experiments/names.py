"""Which experiments there are, and which options each has. Importing this imports no NumPy.

The common options (output folder, quiet) belong to every experiment and are not listed.
"""

from dataclasses import dataclass
from difflib import get_close_matches

from saccade.errors import InputError


@dataclass(frozen=True)
class Experiment:
    """One experiment.

    Attributes:
        kind: "table" (single images), "figure" or "network" (a table of trained networks).
        text: what it shows, for people.
        options: options of ``saccade experiment KIND`` that apply to it, without the dashes.
    """

    kind: str
    text: str
    options: frozenset[str]


_TABLE = frozenset(
    {"data", "voc", "context", "scribbles", "sets", "limit", "seeds", "jobs", "preset", "features"}
    | {"subset", "clicks"}
)
_TRAINING = frozenset(
    {"data", "schedule", "backbone", "weights", "device", "subset", "epochs"} | {"crop", "freeze"}
)
_NETWORK = _TRAINING | {"seeds", "rows", "curve"}
_VOC = _NETWORK | {"voc"}
_STROKES, _MAPS = {"scribbles", "jobs"}, {"saliency", "jobs"}
_SIDE_BY_SIDE = _TRAINING | {"limit", "seed", "seeds"}
_PICTURE = frozenset({"data", "image", "seed", "seeds"})  # --seeds is the old name of --seed

EXPERIMENTS = {
    "gdc-table1": Experiment(
        "table", "GDC paper, table I: the branch against normal, dilated, deformable ones", _TABLE
    ),
    "gdc-table4": Experiment(
        "table", "GDC paper, table IV: the standard deviation of the offsets", _TABLE
    ),
    "gdc-table7": Experiment(
        "table", "GDC paper, table VII: half-Gaussian against uniform offsets", _TABLE
    ),
    "gdc-figure10": Experiment(
        "figure", "GDC paper, figure 10: where the kernel samples, on a photograph", _PICTURE
    ),
    "gdc-figure11": Experiment(
        "figure",
        "GDC paper, figure 11: feature vectors during the optimization, by t-SNE",
        _PICTURE | {"strokes", "truth", "limit"},
    ),
    "gdc-figure7": Experiment(
        "figure", "GDC paper, figure 7: pseudo labels, with a CRF too", _SIDE_BY_SIDE | {"voc"}
    ),
    "gdc-figure8": Experiment(
        "figure", "GDC paper, figure 8: masks from pseudo labels", _SIDE_BY_SIDE | {"voc"}
    ),
    "gdc-figure9": Experiment(
        "figure", "GDC paper, figure 9: Cityscapes", _SIDE_BY_SIDE | {"cityscapes"}
    ),
    "dsnet-figure4": Experiment(
        "figure", "DSNet paper, figure 4: baseline and DSNet", _SIDE_BY_SIDE | {"voc"}
    ),
    "mdc-figure6": Experiment(
        "figure", "MDC paper, figure 6: weakly and semi-supervised", _SIDE_BY_SIDE | {"voc"}
    ),
    "gdc-table5": Experiment(
        "network", "GDC paper, table V: none, ASPP, S-ASPP and GDPP on MobileNetV2", _VOC
    ),
    "gdc-table6": Experiment(
        "network",
        "GDC paper, table VI: DeepLabv3 with a Gaussian dynamic dilation",
        _NETWORK | {"cityscapes"},
    ),
    "dsnet-table1": Experiment(
        "network", "DSNet paper, table 1: pairs of low-level and high-level features", _VOC
    ),
    "dsnet-table2": Experiment(
        "network", "DSNet paper, table 2: deep supervision, flip, several scales", _VOC
    ),
    "dsnet-related": Experiment(
        "network", "DSNet paper: against deformable v2, dynamic filter, non-local sampling", _VOC
    ),
    "dsnet-table4": Experiment("network", "DSNet paper, table 4: ADE20K", _NETWORK | {"ade20k"}),
    "dsnet-table5": Experiment(
        "network", "DSNet paper, table 5: PASCAL-Context, 60 classes", _NETWORK | {"context"}
    ),
    "gdc-table2": Experiment(
        "network",
        "GDC paper, table II: networks from strokes by way of the per-image network",
        _VOC | _STROKES,
    ),
    "gdc-table3": Experiment(
        "network",
        "GDC paper, table III: the same on PASCAL-Context",
        _NETWORK | {"context"} | _STROKES,
    ),
    "mdc-table1": Experiment(
        "network", "MDC paper, table 1: networks from labels of images", _VOC | _MAPS
    ),
    "mdc-table2": Experiment(
        "network", "MDC paper, table 2: semi-supervised, beside others", _VOC | _MAPS
    ),
    "mdc-table3": Experiment(
        "network", "MDC paper, table 3: labels from each dilation and their fusion", _VOC | _MAPS
    ),
    "mdc-table4": Experiment(
        "network", "MDC paper, table 4: a share of the images has full masks", _VOC | _MAPS
    ),
    "mdc-figure5": Experiment(
        "figure",
        "MDC paper, figure 5: localization maps, and their recall and precision",
        _TRAINING | {"voc"},
    ),
    "weak-labels": Experiment(
        "network",
        "full masks, strokes and image labels, the same network and schedule",
        _VOC | _STROKES | _MAPS,
    ),
}

TABLE_OF_FIGURE = {
    "gdc-figure7": "gdc-table2",
    "gdc-figure8": "gdc-table2",
    "gdc-figure9": "gdc-table6",
    "dsnet-figure4": "dsnet-table2",
    "mdc-figure6": "mdc-table4",
}
"""Figure -> the table whose networks or labels it shows."""


def unknown_experiment(name: str) -> InputError:
    """What to raise where there is no such experiment; it names those that are spelled like it.

    >>> str(unknown_experiment("gdc-table9")).split(";")[0]
    "experiment 'gdc-table9' is unknown"
    """
    near = get_close_matches(name, EXPERIMENTS, n=4, cutoff=0.5) or list(EXPERIMENTS)[:4]
    return InputError(
        f"experiment {name!r} is unknown; `saccade experiment list` names all, among them "
        f"{', '.join(near)}"
    )


def experiment_named(name: str, kind: str) -> Experiment:
    """The experiment `name`, which must be of this kind.

    Raises:
        InputError: there is none, or it is of another kind; the message tells what there is.

    Example:
        >>> experiment_named("gdc-table4", "table").text
        'GDC paper, table IV: the standard deviation of the offsets'
    """
    if name not in EXPERIMENTS:
        raise unknown_experiment(name)
    found = EXPERIMENTS[name]
    if found.kind != kind:
        raise InputError(f"{name} is run by: saccade experiment {found.kind} {name}")
    return found


def check_options(name: str, options: list[str]) -> None:
    """Refuse options that do not apply to an experiment.

    Args:
        name: of the experiment.
        options: those that the user gave, without the dashes; common ones and options that no
            experiment has are left to the parser.

    Raises:
        InputError: the first that does not apply, with the experiments that it is for.

    Example:
        >>> check_options("gdc-figure10", ["truth"])
        Traceback (most recent call last):
        ...
        saccade.errors.InputError: --truth does not apply to gdc-figure10, only to gdc-figure11
    """
    asked = EXPERIMENTS[name]
    for option in options:
        others = [other for other, one in EXPERIMENTS.items() if option in one.options]
        if others and name not in others:
            alike = [other for other in others if EXPERIMENTS[other].kind == asked.kind]
            only = ", ".join(alike or others)
            raise InputError(f"--{option} does not apply to {name}, only to {only}")
