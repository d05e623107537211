"""Figures 7, 8 and 9 of the GDC paper, 4 of DSNet's, 6 of MDC's: masks side by side."""

from saccade.experiments.engine.comparison import ComparisonFigure

COMPARISONS = {
    figure.name: figure
    for figure in (
        ComparisonFigure(
            "gdc-figure7",
            "GDC paper, figure 7: pseudo ground truth of training images",
            "gdc-table2",
            labels={"pseudo": "pseudo-paper"},
            refined=True,
        ),
        ComparisonFigure(
            "gdc-figure8",
            "GDC paper, figure 8: full masks and pseudo labels",
            "gdc-table2",
            rows={"full masks": "full masks", "pseudo labels": "pseudo labels (paper)"},
        ),
        ComparisonFigure(
            "gdc-figure9",
            "GDC paper, figure 9: Cityscapes",
            "gdc-table6",
            rows={"DeepLabv3": "deeplabv3", "GDPP": "gdpp"},
        ),
        ComparisonFigure(
            "dsnet-figure4",
            "DSNet paper, figure 4: baseline and DSNet",
            "dsnet-table2",
            rows={"baseline": "baseline + DS", "DSNet": "DSNet + DS"},
        ),
        ComparisonFigure(
            "mdc-figure6",
            "MDC paper, figure 6: weakly and semi-supervised",
            "mdc-table4",
            rows={"weakly": "weak (CRF)", "semi": "strong 1.4K (CRF)"},
        ),
    )
}
"""Name of the experiment -> what it shows."""
