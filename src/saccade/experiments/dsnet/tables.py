"""Tables 1, 2, 4 and 5 of the DSNet paper, and its related work; no PyTorch is imported."""

from saccade.experiments.engine.network_tables import DEEPLABV3, NetworkTable, Variant, cited

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
    train="trainaug",
)

_FINE = {"lr": 0.001}
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
        "+ flip + MS + FT": Variant(
            _DEEP, 83.74, _MS, optim=_FINE, start="DSNet + DS", split=("voc", "train")
        ),
    },
    (
        ("DSNet + DS", "baseline + DS"),
        ("+ flip", "DSNet + DS"),
        ("+ flip + MS", "+ flip"),
        ("+ flip + MS + FT", "+ flip + MS"),
    ),
    _OPTIM,
    (512, 512),
    train="trainaug",
    notes=(
        "FT: fine-tuned on VOC's own 1,464 masks; the paper gives neither epochs nor rate: 80 "
        "epochs, as it fine-tunes on trainval for the test set, from a tenth of the rate",
    ),
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
    train="trainaug",
)

TABLE4 = NetworkTable(
    "dsnet-table4",
    "DSNet paper, table 4: ADE20K",
    "ADE20K val, trained on 20,210 images, ResNet-101 pretrained on ImageNet",
    "ade20k",
    "resnet101",
    {
        "CascadeNet": cited(34.90),
        "RefineNet (ResNet-152)": cited(40.70),
        "PSPNet (ResNet-269)": cited(44.94),
        "EncNet": cited(44.65),
        "OCNet": cited(45.08),
        "APCNet": cited(45.38),
        "CFNet": cited(44.89),
        "baseline + DS": Variant({**DEEPLABV3, "auxiliary": True}),
        "DSNet + DS": Variant(_DEEP),
        "DSNet + DS, flip + MS": Variant(_DEEP, 46.37, _MS, "DSNet + DS"),
    },
    (("DSNet + DS", "baseline + DS"), ("DSNet + DS, flip + MS", "DSNet + DS")),
    {**_OPTIM, "epochs": 150, "batch": 24},
    (576, 576),
    notes=(
        "the paper does not say that its 46.37 is with flip and six scales; its text implies it",
    ),
)

TABLE5 = NetworkTable(
    "dsnet-table5",
    "DSNet paper, table 5: PASCAL-Context",
    "PASCAL-Context val, 60 classes, trained on 4,998 images, ResNet-101 pretrained on ImageNet",
    "context60",
    "resnet101",
    {
        "CRF-RNN": cited(39.3),
        "DeepLabv2": cited(45.7),
        "RefineNet (ResNet-152)": cited(47.3),
        "EncNet": cited(51.7),
        "DANet": cited(52.6),
        "APCNet": cited(54.7),
        "baseline + DS": Variant({**DEEPLABV3, "auxiliary": True}),
        "DSNet + DS": Variant(_DEEP),
        "DSNet + DS, flip + MS": Variant(_DEEP, 54.2, _MS, "DSNet + DS"),
    },
    (("DSNet + DS", "baseline + DS"), ("DSNet + DS, flip + MS", "DSNet + DS")),
    {**_OPTIM, "lr": 0.005},
    (512, 512),
    notes=(
        "the paper does not say that its 54.2 is with flip and six scales; its text implies it",
    ),
)

NETWORK_TABLES = {table.name: table for table in (TABLE1, TABLE2, RELATED, TABLE4, TABLE5)}
