"""Tables 1, 3 and 4 of the MDC paper: networks trained from image labels.

Importing this imports no PyTorch.
"""

from saccade.experiments.engine.network_tables import (
    LARGEFOV,
    LARGEFOV_TITLE,
    NetworkTable,
    Variant,
    cited,
)

IMAGE = "image labels (MDC)"
CRF = "deeplab-largefov"


def from_image_labels(
    labels: str,
    published: float | None = None,
    crf: str = "",
    trained_as: str = "",
    **more: float | str,
) -> Variant:
    """A row of a network that is trained on pseudo masks from localization maps.

    Online masks are restricted to the labels of the image (equation 1), not to the classes that its
    pseudo mask happens to have.

    Args:
        labels: kind of pseudo masks, a key of `map_labels.MAPS`.
        published: the paper's mIoU in percent.
        crf: name of the dense CRF's parameters, "" for none.
        trained_as: the row whose network is evaluated.
        more: settings of `SupervisionConfig`.
    """
    shares = [f"{key}-{value:.4f}" for key, value in more.items() if isinstance(value, float)]
    name = "" if labels != "maps-fusion" or crf else "-".join(["mdc", *shares])
    return Variant(
        {},
        published,
        labels=labels,
        supervision={"online": 1.0, **more},
        crf=crf,
        trained_as=trained_as,
        run=name.replace("mdc-strong-0.", "mdc-strong-"),
    )


def _strong(count: int, published: float | None = None, crf: str = "", of: str = "") -> Variant:
    """A row in which so many of the 10,582 images, chosen from VOC's own 1,464, have full masks."""
    return from_image_labels(
        "maps-fusion", published, crf, of, strong=count / 10582, strong_list="train"
    )


_RIVALS = {
    "ScribbleSup (strokes)": 63.1,
    "WSSL (boxes)": 60.6,
    "BoxSup (boxes)": 62.0,
    "What's the point (1 point)": 46.1,
    "ScribbleSup (points)": 51.6,
    "MIL-FCN": 25.7,
    "CCNN": 35.3,
    "EM-Adapt": 38.2,
    "MIL-seg (700K images)": 42.0,
    "SN_B": 41.9,
    "TransferNet (70K images)": 52.1,
    "DCSM": 44.1,
    "BFBP": 46.6,
    "SEC (image labels)": 50.7,
    "AF-MCG": 54.3,
    "STC (50K images)": 49.8,
    "Saleh et al.": 50.9,
    "Roy and Todorovic": 52.8,
    "AE-PSL (image labels)": 55.0,
    "Hong et al. (image labels, videos)": 58.1,
    "Kim et al.": 53.1,
}

TABLE1 = NetworkTable(
    name="mdc-table1",
    title="MDC paper, table 1: weakly supervised segmentation",
    paper=LARGEFOV_TITLE + "; with CRF",
    rows={
        **{label: cited(score) for label, score in _RIVALS.items()},
        IMAGE: from_image_labels("maps-fusion"),
        "image labels (MDC), CRF": from_image_labels("maps-fusion", 60.4, CRF, IMAGE),
    },
    claims=(("image labels (MDC), CRF", IMAGE),),
    **LARGEFOV,
)

TABLE3 = NetworkTable(
    name="mdc-table3",
    title="MDC paper, table 3: which localization maps the labels come from",
    paper=LARGEFOV_TITLE,
    rows={
        "d = 1": from_image_labels("maps-d1", 50.3),
        "d = 3": from_image_labels("maps-d3", 51.3),
        "d = 6": from_image_labels("maps-d6", 54.0),
        "d = 9": from_image_labels("maps-d9", 54.4),
        "average of all": from_image_labels("maps-average"),
        "four blocks of d = 1": from_image_labels("maps-ones"),
        "fusion": from_image_labels("maps-fusion", 57.1),
        "fusion (CRF)": from_image_labels("maps-fusion", 60.4, CRF, "fusion"),
    },
    claims=(
        ("d = 3", "d = 1"),
        ("d = 6", "d = 3"),
        ("d = 9", "d = 6"),
        ("fusion", "d = 9"),
        ("fusion", "average of all"),
        ("fusion (CRF)", "fusion"),
    ),
    **LARGEFOV,
)

_STRONG_NOTE = (
    "strong images are chosen from VOC's own 1,464; on other data, shares of the training images "
    "are kept"
)
_STRONG, _STRONG_CRF = "strong 1.4K", "strong 1.4K (CRF)"

TABLE2 = NetworkTable(
    name="mdc-table2",
    title="MDC paper, table 2: semi-supervised segmentation",
    paper=LARGEFOV_TITLE + "; 1,464 full masks, with CRF",
    rows={
        "BoxSup (boxes)": cited(63.5),
        "WSSL (boxes)": cited(65.1),
        "Khoreva et al. (boxes)": cited(65.8),
        "WSSL (image labels)": cited(64.6),
        _STRONG: _strong(1464, 62.7),
        _STRONG_CRF: _strong(1464, 65.7, CRF, _STRONG),
    },
    claims=((_STRONG_CRF, _STRONG),),
    notes=(_STRONG_NOTE,),
    **LARGEFOV,
)

TABLE4 = NetworkTable(
    name="mdc-table4",
    title="MDC paper, table 4: a share of the images has full masks",
    paper=LARGEFOV_TITLE + "; 500, 1,000 and 1,464 full masks",
    rows={
        "weak": from_image_labels("maps-fusion", 57.1),
        "weak (CRF)": from_image_labels("maps-fusion", 60.4, CRF, "weak"),
        "strong 500": _strong(500, 61.8),
        "strong 1K": _strong(1000, 62.2),
        _STRONG: _strong(1464, 62.7),
        _STRONG_CRF: _strong(1464, 65.7, CRF, _STRONG),
        # The paper's have val among them, so that only the server can score them.
        "strong 2.9K": from_image_labels("maps-fusion", strong=2913 / 10582),
        "strong 2.9K (CRF), test set": cited(68.5),
        "strong 1.4K (CRF), test set": cited(67.6),
    },
    claims=(
        ("strong 500", "weak"),
        ("strong 1K", "strong 500"),
        (_STRONG, "strong 1K"),
        (_STRONG_CRF, _STRONG),
    ),
    notes=(
        _STRONG_NOTE,
        "strong 2.9K: the paper's masks are VOC's train and val, scored on the test set; here they "
        "are 2,913 of the training images, so that val can be scored",
    ),
    **LARGEFOV,
)

NETWORK_TABLES = {table.name: table for table in (TABLE1, TABLE2, TABLE3, TABLE4)}
