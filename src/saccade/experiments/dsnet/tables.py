"""Tables 1 and 2 of the DSNet paper, and its related work. Importing this imports no PyTorch."""

from saccade.experiments.engine.network_tables import DEEPLABV3, NetworkTable, Variant

_OPTIM = {"epochs": 80, "batch": 32, "lr": 0.01, "head_lr": 0.1, "weight_decay": 1e-4}

_DSNET = {"network": "dsnet"}

TABLE1 = NetworkTable(
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
    _OPTIM,
    (512, 512),
)

_DEEP = {**_DSNET, "auxiliary": True}
_FLIP = {"flip": True}
_MS = {"flip": True, "scales": (0.75, 1.0, 1.25, 1.5, 1.75, 2.0)}

TABLE2 = NetworkTable(
    "dsnet-table2",
    "DSNet paper, table 2: deep supervision, mirror images, several scales",
    "PASCAL VOC 2012 val, trained on 10,582 images, ResNet-101 pretrained on ImageNet",
    "voc-aug",
    "resnet101",
    {
        "baseline + DS": Variant({**DEEPLABV3, "auxiliary": True}, 80.06),
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
    _OPTIM,
    (512, 512),
)

RELATED = NetworkTable(
    "dsnet-related",
    "DSNet paper, related work: other ways of predicting what is sampled",
    "PASCAL VOC 2012 val, trained on 10,582 images, ResNet-50 pretrained on ImageNet",
    "voc-aug",
    "resnet50",
    {
        "DSNet": Variant(_DSNET, 79.0),
        "non-local sampling": Variant({**_DSNET, "sampler": "non-local"}, 76.6),
        "deformable v2": Variant({**DEEPLABV3, "context": "deformable-v2"}, 75.4),
        "dynamic filter": Variant({**DEEPLABV3, "context": "dynamic-filter"}, 74.6),
    },
    (
        ("DSNet", "non-local sampling"),
        ("DSNet", "deformable v2"),
        ("DSNet", "dynamic filter"),
    ),
    _OPTIM,
    (512, 512),
)

NETWORK_TABLES = {table.name: table for table in (TABLE1, TABLE2, RELATED)}
