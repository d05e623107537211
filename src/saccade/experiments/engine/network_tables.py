"""What a table of trained networks is, and the settings that tables of several papers share.

Importing this imports no PyTorch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Variant:
    """One row of a table.

    Attributes:
        network: changes to the network, settings of `SegmentationConfig`.
        published: the paper's mIoU in percent.
        protocol: how it is evaluated, settings of `saccade.evaluation.inference.Protocol`.
        trained_as: the row whose network is evaluated, instead of training one.
        optim: what it changes in the optimizer.
        labels: the kind of label images to train on (`saccade.experiments.networks.LABELS`);
            "" for the masks of the data set.
        supervision: how they are used, settings of `SupervisionConfig`; a float "strong" is a
            share of the training images, "strong_list" a list of VOC's that they are drawn from.
        crf: name of the dense CRF's parameters that refine the probabilities; "" for none.
        run: name of the row's folder, so that tables share what is the same; "" takes the label.
        literature: a number cited from the paper, for which nothing is run.
        length: of the training, as a share of the table's epochs.
        start: the row whose network it starts from (fine-tuning).
        split: (layout, split) that it trains on instead of the table's; the row is left out on
            other data than the paper's.
        needs: a file in the folder of the data without which the row is left out; "" for none.
    """

    network: Mapping[str, Any]
    published: float | None = None
    protocol: Mapping[str, Any] = field(default_factory=dict)
    trained_as: str = ""
    optim: Mapping[str, Any] = field(default_factory=dict)
    labels: str = ""
    supervision: Mapping[str, Any] = field(default_factory=dict)
    crf: str = ""
    run: str = ""
    literature: bool = False
    length: float = 1.0
    start: str = ""
    split: tuple[str, str] = ("", "")
    needs: str = ""


@dataclass(frozen=True)
class NetworkTable:
    """A table: its rows in the paper's order, and the orders that it claims.

    Attributes:
        name: of the experiment.
        title: of the report.
        paper: data and backbone of the paper.
        layout: of the paper's data, of `saccade.data.sets.LAYOUTS`.
        backbone: of the paper.
        rows: by label.
        claims: pairs (a, b): row a is better than row b.
        optim: the paper's schedule, settings of `OptimConfig`.
        crop: the paper's (height, width).
        network: shared by all rows, settings of `SegmentationConfig`.
        stand_in: what replaces `network` and `optim` on another backbone than the paper's.
        train: the split of the paper's data that is trained on.
        augmentation: the paper's beside the crop, settings of `Augmentation`.
        notes: lines of the report on what the paper leaves open and what is done here.
    """

    name: str
    title: str
    paper: str
    layout: str
    backbone: str
    rows: Mapping[str, Variant]
    claims: tuple[tuple[str, str], ...]
    optim: Mapping[str, Any]
    crop: tuple[int, int]
    network: Mapping[str, Any] = field(default_factory=dict)
    stand_in: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    train: str = "train"
    augmentation: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


MOBILENET_OPTIM = {"epochs": 100, "batch": 16, "lr": 0.028, "head_lr": 1.0, "weight_decay": 5e-4}
"""Schedule of the GDC paper's table V."""

DEEPLABV3 = {"pyramid": "aspp", "rates": (6, 12, 18), "pointwise": True}
"""DeepLabv3's head, settings of `SegmentationConfig`."""

LARGEFOV_TITLE = "PASCAL VOC 2012 val, trained on 10,582 images, DeepLab-LargeFOV (VGG16)"

# DeepLab-LargeFOV as in its Caffe recipe, but for what the MDC paper changes: 30 images a step, 15
# epochs, and a tenth of the rate after 6 of them. Patches are cropped without a change of scale.
LARGEFOV: dict[str, Any] = {
    "layout": "voc-aug",
    "train": "trainaug",
    "backbone": "vgg16",
    "optim": {
        "epochs": 15,
        "batch": 30,
        "lr": 0.001,
        "head_lr": 10.0,
        "bias_lr": 2.0,
        "decay_norms": False,
        "weight_decay": 5e-4,
        "drop": 0.4,
        "drop_once": True,
    },
    "crop": (321, 321),
    "augmentation": {"scale": (1.0, 1.0)},
    "network": {"network": "largefov", "pyramid": "none"},
    "stand_in": {"network": {"network": "deeplab", "pyramid": "none"}, "optim": MOBILENET_OPTIM},
}
"""Settings of a `NetworkTable` that tables of networks from cheap labels share."""


# DeepLab v1 itself: 9,000 steps of 20 images, which are 17 epochs of 10,582, and a tenth of the
# rate after each third of them.
DEEPLAB_V1: dict[str, Any] = {
    **LARGEFOV,
    "optim": {**LARGEFOV["optim"], "epochs": 17, "batch": 20, "drop": 1 / 3, "drop_once": False},
}
"""Settings of a `NetworkTable` of DeepLab v1 by its own recipe."""


def cited(published: float) -> Variant:
    """A row that is cited from the paper, mIoU in percent, and not run."""
    return Variant({}, published, literature=True)


SCHEDULES: dict[str, dict[str, Any]] = {
    # CamVid's 367 images on one GPU, about as many steps as the paper's tables on VOC's 1,464.
    "full": {
        "optim": {"epochs": 200},
        "augmentation": {"crop": (352, 480)},
    },
    # What two CPU cores can do in minutes a network.
    "reduced": {
        "optim": {"epochs": 5, "batch": 8, "lr": 0.014, "head_lr": 1.0},
        "augmentation": {"crop": (320, 320), "scale": (0.75, 1.5)},
    },
    # Seconds a network: tests, and a look at whether everything is in place.
    "smoke": {
        "optim": {"epochs": 1, "batch": 2, "lr": 0.01, "head_lr": 1.0},
        "augmentation": {"crop": (64, 64), "scale": (0.5, 1.0)},
        "network": {"width": 16},
    },
}
"""What replaces the paper's settings on other data than the paper's."""
