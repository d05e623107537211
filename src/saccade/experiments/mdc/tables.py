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
    labels: str, published: float | None = None, crf: str = "", trained_as: str = "", **more: float
) -> Variant:
    """A row of a network that is trained on pseudo masks from localization maps.

    The paper's equation 1 restricts the online mask to the classes of the image. Here these are the
    classes in its pseudo mask, as no row names a file of image labels ([supervision] labels): that
    would be another setting, and results with and without it must not be mixed.

    Args:
        labels: kind of pseudo masks, a key of `map_labels.MAPS`.
        published: the paper's mIoU in percent.
        crf: name of the dense CRF's parameters, "" for none.
        trained_as: the row whose network is evaluated.
        more: settings of `SupervisionConfig`.
    """
    return Variant(
        {},
        published,
        labels=labels,
        supervision={"online": 1.0, **more},
        crf=crf,
        trained_as=trained_as,
        run="mdc" if labels == "maps-fusion" and not (crf or more) else "",
    )


TABLE1 = NetworkTable(
    name="mdc-table1",
    title="MDC paper, table 1: weakly supervised segmentation",
    paper=LARGEFOV_TITLE + "; with CRF",
    rows={
        "ScribbleSup (strokes)": cited(63.1),
        "WSSL (boxes)": cited(60.6),
        "What's the point (1 point)": cited(46.1),
        "SEC (image labels)": cited(50.7),
        "AE-PSL (image labels)": cited(55.0),
        "Hong et al. (image labels, videos)": cited(58.1),
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

TABLE4 = NetworkTable(
    name="mdc-table4",
    title="MDC paper, table 4: a share of the images has full masks",
    paper=LARGEFOV_TITLE + "; 500, 1,000 and 1,464 full masks, shares that are kept on other data",
    rows={
        "strong 500": from_image_labels("maps-fusion", 61.8, strong=500 / 10582),
        "strong 1K": from_image_labels("maps-fusion", 62.2, strong=1000 / 10582),
        "strong 1.4K": from_image_labels("maps-fusion", 62.7, strong=1464 / 10582),
        "strong 1.4K (CRF)": from_image_labels(
            "maps-fusion", 65.7, CRF, "strong 1.4K", strong=1464 / 10582
        ),
    },
    claims=(
        ("strong 1K", "strong 500"),
        ("strong 1.4K", "strong 1K"),
        ("strong 1.4K (CRF)", "strong 1.4K"),
    ),
    **LARGEFOV,
)

NETWORK_TABLES = {table.name: table for table in (TABLE1, TABLE3, TABLE4)}
