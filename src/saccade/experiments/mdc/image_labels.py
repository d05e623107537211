"""Labels of whole images for the MDC paper's experiments: which classes are in a picture."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saccade.data.image_labels import (
    as_table,
    labels_in_masks,
    read_image_labels,
    voc_image_labels,
)
from saccade.data.pascal import voc_folder
from saccade.data.sets import LabeledSet
from saccade.experiments.engine.network_config import NetworkPlan


def image_labels(
    dataset: LabeledSet, plan: NetworkPlan
) -> tuple[dict[str, tuple[int, ...]], list[str]]:
    """The classes of each training image, and the names of the images in their order.

    They are those of VOC's Annotations/, or of image_labels.csv in the folder of VOC; where neither
    is there, those that occur in the masks.

    Raises:
        InputError: an image has no label, or a file cannot be used.
    """
    names = [example.name for example in dataset.examples]
    root = voc_folder(Path(plan.data.root))
    voc, listed = plan.data.layout in ("voc", "voc-aug"), root / "image_labels.csv"
    if voc and (root / "Annotations").is_dir():
        return voc_image_labels(root, names, dataset.spec), names
    if voc and listed.is_file():
        return read_image_labels(listed, names, dataset.spec), names
    return labels_in_masks(dataset), names


def label_table(dataset: LabeledSet, plan: NetworkPlan) -> NDArray[np.bool_]:
    """(N, K) bool, which image has which class; the background has a cue of its own: False.

    Raises:
        InputError: as `image_labels`.
    """
    labels, names = image_labels(dataset, plan)
    present = as_table(labels, names, len(dataset.spec.names))
    if "background" in dataset.spec.names:
        present[:, dataset.spec.names.index("background")] = False
    return present
