"""All tables of trained networks, and the kinds of label images that they train on.

The table ``weak-labels`` is here as it compares the labels of two papers.
"""

from saccade.experiments.dsnet.tables import NETWORK_TABLES as DSNET_TABLES
from saccade.experiments.engine.labels import LabelSource
from saccade.experiments.engine.network_tables import LARGEFOV, NetworkTable, Variant
from saccade.experiments.gdc.click_labels import CLICK_LABELS
from saccade.experiments.gdc.network_tables import FULL, PARTIAL, PSEUDO
from saccade.experiments.gdc.network_tables import NETWORK_TABLES as GDC_TABLES
from saccade.experiments.gdc.stroke_labels import STROKE_LABELS
from saccade.experiments.mdc.map_labels import MAP_LABELS
from saccade.experiments.mdc.tables import IMAGE, from_image_labels
from saccade.experiments.mdc.tables import NETWORK_TABLES as MDC_TABLES

GATED, WEIGHTED = "strokes, gated CRF loss", ", class weights"

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
        IMAGE: from_image_labels("maps-fusion"),
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
    **LARGEFOV,
)

NETWORK_TABLES: dict[str, NetworkTable] = {
    **GDC_TABLES,
    **DSNET_TABLES,
    **MDC_TABLES,
    WEAK_LABELS.name: WEAK_LABELS,
}
"""Name of the experiment -> its table."""

LABEL_SOURCES: tuple[LabelSource, ...] = (STROKE_LABELS, CLICK_LABELS, MAP_LABELS)
"""Where label images come from that stand in for full masks (`Variant.labels`)."""
