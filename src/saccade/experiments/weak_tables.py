"""Tables of networks trained from cheap labels: GDC paper II and III, MDC paper 1, 3 and 4.

Importing this imports no PyTorch.
"""

from typing import Any

from saccade.experiments.network_tables import TABLE5_OPTIM, NetworkTable, Variant

# DeepLab-LargeFOV as in its Caffe recipe; the MDC paper has 30 images a step, 15 epochs, and a
# tenth of the rate after 6 of them.
_LARGEFOV = {"network": "largefov", "pyramid": "none"}
_OPTIM: dict[str, Any] = {
    "epochs": 15,
    "batch": 30,
    "lr": 0.001,
    "head_lr": 10.0,
    "bias_lr": 2.0,
    "decay_norms": False,
    "weight_decay": 5e-4,
    "drop": 0.4,
}
_STAND_IN = {"network": {"network": "deeplab", "pyramid": "none"}, "optim": TABLE5_OPTIM}
_COMMON: dict[str, Any] = {
    "layout": "voc-aug",
    "backbone": "vgg16",
    "optim": _OPTIM,
    "crop": (321, 321),
    "network": _LARGEFOV,
    "stand_in": _STAND_IN,
}
_VOC = "PASCAL VOC 2012 val, trained on 10,582 images, DeepLab-LargeFOV (VGG16)"
_ONLINE = {"online": 1.0}
_CRF = "deeplab-largefov"


def _cited(published: float) -> Variant:
    return Variant({}, published, literature=True)


# Equation 1 restricts the online mask to the classes of the image. Here these are the classes left
# in its pseudo mask, as no row names a file of image labels ([supervision] labels): that would be
# another setting, and results with and without it must not be mixed.
def _mdc(
    labels: str, published: float | None = None, crf: str = "", trained_as: str = "", **more: float
) -> Variant:
    return Variant(
        {},
        published,
        labels=labels,
        supervision={**_ONLINE, **more},
        crf=crf,
        trained_as=trained_as,
        run="mdc" if labels == "maps-fusion" and not (crf or more) else "",
    )


FULL, PSEUDO = "full masks", "pseudo labels from strokes"
PARTIAL, GATED = "strokes, partial cross entropy", "strokes, gated CRF loss"
IMAGE, WEIGHTED = "image labels (MDC)", ", class weights"

BALANCED = {"class_weights": "log"}
"""Strokes are as long in a pole as in a building, so they weigh classes by themselves, and masks do
not. With weights in the loss the rest of the difference is seen."""

WEAK_LABELS = NetworkTable(
    name="weak-labels",
    title="the same network and schedule from full masks, strokes and image labels",
    paper="no table of a paper; the networks are those of GDC's table II and MDC's table 1",
    rows={
        FULL: Variant({}),
        PSEUDO: Variant({}, labels="pseudo-strokes"),
        PARTIAL: Variant({}, labels="strokes"),
        GATED: Variant({}, labels="strokes", supervision={"crf": 0.1}),
        IMAGE: _mdc("maps-fusion"),
        FULL + WEIGHTED: Variant({}, optim=BALANCED),
        PSEUDO + WEIGHTED: Variant({}, labels="pseudo-strokes", optim=BALANCED),
        PARTIAL + WEIGHTED: Variant({}, labels="strokes", optim=BALANCED),
    },
    claims=(
        (FULL, PSEUDO),
        (PSEUDO, PARTIAL),
        (PSEUDO, GATED),
        (PSEUDO, IMAGE),
        (PSEUDO + WEIGHTED, PARTIAL + WEIGHTED),
        (PSEUDO + WEIGHTED, PARTIAL),
    ),
    **_COMMON,
)

GDC2 = NetworkTable(
    name="gdc-table2",
    title="GDC paper, table II: DeepLab v1 from the per-image network's results as labels",
    paper=_VOC + ", strokes of ScribbleSup",
    rows={
        "ScribbleSup (with CRF)": _cited(63.1),
        "RAWKS": _cited(61.4),
        "NormalizedCutLoss": _cited(62.4),
        "GraphNet-Initial": _cited(63.3),
        PSEUDO: Variant({}, 64.9, labels="pseudo-strokes"),
        PARTIAL: Variant({}, labels="strokes"),
        FULL: Variant({}),
    },
    claims=((PSEUDO, PARTIAL), (FULL, PSEUDO)),
    **_COMMON,
)

GDC3 = NetworkTable(
    name="gdc-table3",
    title="GDC paper, table III: the same on PASCAL-Context",
    paper="PASCAL-Context val, 59 classes, DeepLab-LargeFOV (VGG16), strokes of ScribbleSup",
    rows={
        "GraphNet-Initial": _cited(33.1),
        PSEUDO: Variant({}, 34.1, labels="pseudo-strokes"),
        FULL: Variant({}),
    },
    claims=((FULL, PSEUDO),),
    **{**_COMMON, "layout": "context59"},
)

MDC1 = NetworkTable(
    name="mdc-table1",
    title="MDC paper, table 1: weakly supervised segmentation",
    paper=_VOC + "; with CRF",
    rows={
        "ScribbleSup (strokes)": _cited(63.1),
        "WSSL (boxes)": _cited(60.6),
        "What's the point (1 point)": _cited(46.1),
        "SEC (image labels)": _cited(50.7),
        "AE-PSL (image labels)": _cited(55.0),
        "Hong et al. (image labels, videos)": _cited(58.1),
        IMAGE: _mdc("maps-fusion"),
        "image labels (MDC), CRF": _mdc("maps-fusion", 60.4, _CRF, IMAGE),
    },
    claims=(("image labels (MDC), CRF", IMAGE),),
    **_COMMON,
)

MDC3 = NetworkTable(
    name="mdc-table3",
    title="MDC paper, table 3: which localisation maps the labels come from",
    paper=_VOC,
    rows={
        "d = 1": _mdc("maps-d1", 50.3),
        "d = 3": _mdc("maps-d3", 51.3),
        "d = 6": _mdc("maps-d6", 54.0),
        "d = 9": _mdc("maps-d9", 54.4),
        "average of all": _mdc("maps-average"),
        "four blocks of d = 1": _mdc("maps-ones"),
        "fusion": _mdc("maps-fusion", 57.1),
        "fusion (CRF)": _mdc("maps-fusion", 60.4, _CRF, "fusion"),
    },
    claims=(
        ("d = 3", "d = 1"),
        ("d = 6", "d = 3"),
        ("d = 9", "d = 6"),
        ("fusion", "d = 9"),
        ("fusion", "average of all"),
        ("fusion (CRF)", "fusion"),
    ),
    **_COMMON,
)

MDC4 = NetworkTable(
    name="mdc-table4",
    title="MDC paper, table 4: a share of the images has full masks",
    paper=_VOC + "; 500, 1,000 and 1,464 full masks, shares that are kept on other data",
    rows={
        "strong 500": _mdc("maps-fusion", 61.8, strong=500 / 10582),
        "strong 1K": _mdc("maps-fusion", 62.2, strong=1000 / 10582),
        "strong 1.4K": _mdc("maps-fusion", 62.7, strong=1464 / 10582),
        "strong 1.4K (CRF)": _mdc("maps-fusion", 65.7, _CRF, "strong 1.4K", strong=1464 / 10582),
    },
    claims=(
        ("strong 1K", "strong 500"),
        ("strong 1.4K", "strong 1K"),
        ("strong 1.4K (CRF)", "strong 1.4K"),
    ),
    **_COMMON,
)

WEAK_TABLES = {table.name: table for table in (WEAK_LABELS, GDC2, GDC3, MDC1, MDC3, MDC4)}
