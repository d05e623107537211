"""Tables of networks for whole data sets: GDC paper V and VI, DSNet paper 1, 2 and related work.

Importing this imports no PyTorch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Variant:
    """One row of a table.

    Attributes:
        network: what it changes in the network, settings of `SegmentationConfig`.
        published: the paper's mIoU in percent.
        protocol: how it is asked, settings of `saccade.evaluation.inference.Protocol`.
        trained_as: the row whose network it asks, instead of training one.
        optim: what it changes in the optimizer.
        labels: what stands in for full masks, of `saccade.experiments.weak_labels.KINDS`.
        supervision: how they are used, settings of `SupervisionConfig`; a float "strong" is a
            share of the training images.
        crf: ask the dense CRF about the network's probabilities, with parameters of this name.
        run: name of its folder, so that tables share what is the same; "" goes by the label.
        literature: a number from the paper that nothing is run for.
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


@dataclass(frozen=True)
class NetworkTable:
    """A table: its rows in the paper's order, and the orders that it claims.

    Attributes:
        name: of the experiment.
        title: what it compares.
        paper: data and backbone of the paper.
        layout: of the paper's data, of `saccade.data.sets.LAYOUTS`.
        backbone: of the paper.
        rows: by label.
        claims: pairs (a, b): a is better than b.
        optim: the paper's schedule, settings of `OptimConfig`.
        crop: the paper's (height, width).
        network: what all rows share, settings of `SegmentationConfig`.
        stand_in: what replaces network and optimizer on another backbone than the paper's.
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


TABLE5_OPTIM = {"epochs": 100, "batch": 16, "lr": 0.028, "head_lr": 1.0, "weight_decay": 5e-4}
_DSNET_OPTIM = {"epochs": 80, "batch": 32, "lr": 0.01, "head_lr": 0.1, "weight_decay": 1e-4}

TABLE5 = NetworkTable(
    "gdc-table5",
    "GDC paper, table V: pyramids on MobileNetV2",
    "PASCAL VOC 2012 val, MobileNetV2 pretrained on ImageNet, 100 epochs",
    "voc",
    "mobilenet_v2",
    {
        "none": Variant({"pyramid": "none"}, 45.81),
        "aspp": Variant({"pyramid": "aspp"}, 65.03),
        "s-aspp": Variant({"pyramid": "s-aspp"}, 63.16),
        "gdpp": Variant({"pyramid": "gdpp"}, 64.71),
    },
    (
        ("aspp", "none"),
        ("s-aspp", "none"),
        ("gdpp", "none"),
        ("gdpp", "s-aspp"),
        ("aspp", "gdpp"),
    ),
    TABLE5_OPTIM,
    (513, 513),
)

_DEEPLABV3 = {"pyramid": "aspp", "rates": (6, 12, 18), "pointwise": True}

TABLE6 = NetworkTable(
    "gdc-table6",
    "GDC paper, table VI: GDC in place of DeepLabv3's middle dilation",
    "Cityscapes val, ResNet-101 pretrained on ImageNet",
    "cityscapes",
    "resnet101",
    {
        "deeplabv3": Variant(_DEEPLABV3, 80.1),
        "gdpp": Variant(
            {
                "pyramid": "gdpp",
                "rates": (6, 18),
                "base": 12,
                "separable": False,
                "pointwise": True,
            },
            80.6,
        ),
    },
    (("gdpp", "deeplabv3"),),
    {"epochs": 220, "batch": 16, "lr": 0.01, "head_lr": 1.0, "weight_decay": 5e-4},
    (768, 768),
)

_DSNET = {"network": "dsnet"}

DSNET1 = NetworkTable(
    "dsnet-table1",
    "DSNet paper, table 1: which features are sampled, and which guide",
    "PASCAL VOC 2012 val, trained on 10,582 images, ResNet-50 pretrained on ImageNet",
    "voc-aug",
    "resnet50",
    {
        "X(3), X(5)": Variant({**_DSNET, "low": 3, "guide": "x5"}, 77.4),
        "X(3), X(ASPP)": Variant({**_DSNET, "low": 3, "guide": "aspp"}, 79.0),
        "X(4), X(ASPP)": Variant({**_DSNET, "low": 4, "guide": "aspp"}, 76.7),
        "X(5), X(ASPP)": Variant({**_DSNET, "low": 5, "guide": "aspp"}, 78.1),
    },
    (
        ("X(3), X(ASPP)", "X(3), X(5)"),
        ("X(3), X(ASPP)", "X(4), X(ASPP)"),
        ("X(3), X(ASPP)", "X(5), X(ASPP)"),
    ),
    _DSNET_OPTIM,
    (512, 512),
)

_DEEP = {**_DSNET, "auxiliary": True}
_FLIP = {"flip": True}
_MS = {"flip": True, "scales": (0.75, 1.0, 1.25, 1.5, 1.75, 2.0)}

DSNET2 = NetworkTable(
    "dsnet-table2",
    "DSNet paper, table 2: deep supervision, mirror images, several scales",
    "PASCAL VOC 2012 val, trained on 10,582 images, ResNet-101 pretrained on ImageNet",
    "voc-aug",
    "resnet101",
    {
        "baseline + DS": Variant({**_DEEPLABV3, "auxiliary": True}, 80.06),
        "DSNet + DS": Variant(_DEEP, 80.98),
        "+ flip": Variant(_DEEP, 81.63, _FLIP, "DSNet + DS"),
        "+ flip + MS": Variant(_DEEP, 82.53, _MS, "DSNet + DS"),
        # Fine-tuned on the original 1,464 images, in epochs and at a rate that the paper keeps.
        "+ flip + MS + FT": Variant({}, 83.74, literature=True),
    },
    (
        ("DSNet + DS", "baseline + DS"),
        ("+ flip", "DSNet + DS"),
        ("+ flip + MS", "+ flip"),
    ),
    _DSNET_OPTIM,
    (512, 512),
)

DSNET_RELATED = NetworkTable(
    "dsnet-related",
    "DSNet paper, related work: other ways of predicting what is sampled",
    "PASCAL VOC 2012 val, trained on 10,582 images, ResNet-50 pretrained on ImageNet",
    "voc-aug",
    "resnet50",
    {
        "DSNet": Variant(_DSNET, 79.0),
        "non-local sampling": Variant({**_DSNET, "sampler": "non-local"}, 76.6),
        "deformable v2": Variant({**_DEEPLABV3, "context": "deformable-v2"}, 75.4),
        "dynamic filter": Variant({**_DEEPLABV3, "context": "dynamic-filter"}, 74.6),
    },
    (
        ("DSNet", "non-local sampling"),
        ("DSNet", "deformable v2"),
        ("DSNet", "dynamic filter"),
    ),
    _DSNET_OPTIM,
    (512, 512),
)

NETWORK_TABLES = {table.name: table for table in (TABLE5, TABLE6, DSNET1, DSNET2, DSNET_RELATED)}

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
