"""Which experiments there are; importable without NumPy and PyTorch."""

from saccade.errors import InputError

TABLES = {
    "gdc-table1": "GDC paper, table I: the branch against normal, dilated and deformable ones",
    "gdc-table4": "GDC paper, table IV: the standard deviation of the offsets",
    "gdc-table7": "GDC paper, table VII: half-Gaussian against uniform offsets",
}
FIGURES = {
    "gdc-figure10": "GDC paper, figure 10: where the kernel samples, on a photograph",
    "gdc-figure11": "GDC paper, figure 11: feature vectors during the optimisation, by t-SNE",
}
NETWORKS = {
    "gdc-table5": "GDC paper, table V: none, ASPP, S-ASPP and GDPP on MobileNetV2",
    "gdc-table6": "GDC paper, table VI: DeepLabv3 with a Gaussian dynamic dilation",
    "dsnet-table1": "DSNet paper, table 1: pairs of low-level and high-level features",
    "dsnet-table2": "DSNet paper, table 2: deep supervision, flip, several scales",
    "dsnet-related": "DSNet paper: against deformable v2, dynamic filter, non-local sampling",
}
"""Tables that train networks for whole data sets."""
WEAK = {
    "gdc-table2": "GDC paper, table II: networks from strokes by way of the per-image network",
    "gdc-table3": "GDC paper, table III: the same on PASCAL-Context",
    "mdc-table1": "MDC paper, table 1: networks from labels of images",
    "mdc-table3": "MDC paper, table 3: labels from each dilation and from their fusion",
    "mdc-table4": "MDC paper, table 4: a share of the images has full masks",
    "mdc-figure5": "MDC paper, figure 5: localisation maps, and their recall and precision",
    "weak-labels": "full masks, strokes and image labels, the same network and schedule",
}
"""The same from cheap labels."""
EXPERIMENTS = {**TABLES, **FIGURES, **NETWORKS, **WEAK}


def check_name(name: str) -> str:
    """Return `name` if it is an experiment.

    Raises:
        InputError: it is none; the message lists those that there are.
    """
    if name not in EXPERIMENTS:
        raise InputError(f"experiment {name!r} is unknown; choose from {', '.join(EXPERIMENTS)}")
    return name
