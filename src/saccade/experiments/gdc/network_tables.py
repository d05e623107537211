"""Tables II, III, V and VI of the GDC paper: trained networks.

Importing this imports no PyTorch.
"""

from saccade.experiments.engine.network_tables import (
    DEEPLAB_V1,
    DEEPLABV3,
    LARGEFOV_TITLE,
    MOBILENET_OPTIM,
    NetworkTable,
    Variant,
    cited,
)

PAPER, LITERAL = "pseudo labels (paper)", "pseudo labels (paper-literal)"
CLICKS = "pseudo labels from clicks"
PSEUDO, PARTIAL = "pseudo labels from strokes", "strokes, partial cross entropy"
FULL = "full masks"

_NOTES = (
    "`pseudo labels from strokes` is the preset `fast`, whose networks have seen masks of other "
    "images; those of `paper` and `paper-literal` are fitted to the strokes of the image alone",
)

TABLE2 = NetworkTable(
    name="gdc-table2",
    title="GDC paper, table II: DeepLab v1 from the per-image network's results as labels",
    paper=LARGEFOV_TITLE + ", strokes of ScribbleSup",
    rows={
        "ScribbleSup (with CRF)": cited(63.1),
        "RAWKS": cited(61.4),
        "NormalizedCutLoss": cited(62.4),
        "GraphNet-Initial": cited(63.3),
        PAPER: Variant({}, 64.9, labels="pseudo-paper"),
        LITERAL: Variant({}, labels="pseudo-paper-literal"),
        PSEUDO: Variant({}, labels="pseudo-strokes"),
        CLICKS: Variant({}, labels="pseudo-clicks", needs="clicks.json"),
        PARTIAL: Variant({}, labels="strokes"),
        FULL: Variant({}),
    },
    claims=((PAPER, LITERAL), (PSEUDO, PAPER), (PAPER, PARTIAL), (FULL, PAPER)),
    notes=_NOTES,
    **DEEPLAB_V1,
)

TABLE3 = NetworkTable(
    name="gdc-table3",
    title="GDC paper, table III: the same on PASCAL-Context",
    paper="PASCAL-Context val, 59 classes, DeepLab-LargeFOV (VGG16), strokes of ScribbleSup",
    rows={
        "GraphNet-Initial": cited(33.1),
        PAPER: Variant({}, 34.1, labels="pseudo-paper"),
        LITERAL: Variant({}, labels="pseudo-paper-literal"),
        PSEUDO: Variant({}, labels="pseudo-strokes"),
        FULL: Variant({}),
    },
    claims=((PAPER, LITERAL), (PSEUDO, PAPER), (FULL, PAPER)),
    notes=_NOTES,
    **{**DEEPLAB_V1, "layout": "context59", "train": "train"},
)

TABLE5 = NetworkTable(
    "gdc-table5",
    "GDC paper, table V: pyramids on MobileNetV2",
    "PASCAL VOC 2012 val, MobileNetV2 pretrained on ImageNet, 100 epochs",
    "voc",
    "mobilenet_v2",
    {
        "none": Variant({"pyramid": "none"}, 45.81),
        "aspp, 50 epochs": Variant({"pyramid": "aspp"}, 63.01, length=0.5),
        "aspp": Variant({"pyramid": "aspp"}, 65.03),
        "s-aspp, 50 epochs": Variant({"pyramid": "s-aspp"}, 62.29, length=0.5),
        "s-aspp": Variant({"pyramid": "s-aspp"}, 63.16),
        "gdpp, 50 epochs": Variant({"pyramid": "gdpp"}, 62.44, length=0.5),
        "gdpp": Variant({"pyramid": "gdpp"}, 64.71),
    },
    (
        ("aspp", "none"),
        ("s-aspp", "none"),
        ("gdpp", "none"),
        ("gdpp", "s-aspp"),
        ("aspp", "gdpp"),
        ("aspp", "aspp, 50 epochs"),
        ("s-aspp", "s-aspp, 50 epochs"),
        ("gdpp", "gdpp, 50 epochs"),
        ("gdpp, 50 epochs", "s-aspp, 50 epochs"),
    ),
    MOBILENET_OPTIM,
    (513, 513),
    notes=(
        "rows of 50 epochs are trainings of half the length with a schedule of their own, on "
        "other schedules too",
        "`none` has no number of epochs in the paper; it is trained as long as the others",
        "the table's 5.9e5 parameters of S-ASPP and GDPP are 601,024 by arithmetic",
    ),
)

TABLE6 = NetworkTable(
    "gdc-table6",
    "GDC paper, table VI: GDC in place of DeepLabv3's middle dilation",
    "Cityscapes val, ResNet-101 pretrained on ImageNet",
    "cityscapes",
    "resnet101",
    {
        "PSPNet": cited(77.8),
        "PSANet": cited(79.1),
        "BiSeNet": cited(80.3),
        "DenseASPP (DenseNet-121)": cited(76.6),
        "deeplabv3": Variant(DEEPLABV3, 80.1),
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

NETWORK_TABLES = {table.name: table for table in (TABLE2, TABLE3, TABLE5, TABLE6)}
