"""Tables II, III, V and VI of the GDC paper: trained networks.

Importing this imports no PyTorch.
"""

from saccade.experiments.engine.network_tables import (
    DEEPLABV3,
    LARGEFOV,
    LARGEFOV_TITLE,
    MOBILENET_OPTIM,
    NetworkTable,
    Variant,
    cited,
)

PSEUDO, PARTIAL = "pseudo labels from strokes", "strokes, partial cross entropy"
FULL = "full masks"

TABLE2 = NetworkTable(
    name="gdc-table2",
    title="GDC paper, table II: DeepLab v1 from the per-image network's results as labels",
    paper=LARGEFOV_TITLE + ", strokes of ScribbleSup",
    rows={
        "ScribbleSup (with CRF)": cited(63.1),
        "RAWKS": cited(61.4),
        "NormalizedCutLoss": cited(62.4),
        "GraphNet-Initial": cited(63.3),
        PSEUDO: Variant({}, 64.9, labels="pseudo-strokes"),
        PARTIAL: Variant({}, labels="strokes"),
        FULL: Variant({}),
    },
    claims=((PSEUDO, PARTIAL), (FULL, PSEUDO)),
    **LARGEFOV,
)

TABLE3 = NetworkTable(
    name="gdc-table3",
    title="GDC paper, table III: the same on PASCAL-Context",
    paper="PASCAL-Context val, 59 classes, DeepLab-LargeFOV (VGG16), strokes of ScribbleSup",
    rows={
        "GraphNet-Initial": cited(33.1),
        PSEUDO: Variant({}, 34.1, labels="pseudo-strokes"),
        FULL: Variant({}),
    },
    claims=((FULL, PSEUDO),),
    **{**LARGEFOV, "layout": "context59"},
)

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
    MOBILENET_OPTIM,
    (513, 513),
)

TABLE6 = NetworkTable(
    "gdc-table6",
    "GDC paper, table VI: GDC in place of DeepLabv3's middle dilation",
    "Cityscapes val, ResNet-101 pretrained on ImageNet",
    "cityscapes",
    "resnet101",
    {
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
