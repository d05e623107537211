"""Presets of the per-image segmenter: frozen settings, importable without PyTorch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal

from saccade.errors import InputError

Branch = Literal["gdc", "normal", "dilated", "deformable", "uniform"]
Norm = Literal["none", "batch", "group"]
ClassWeight = Literal["inverse", "paper", "none"]
Average = Literal["softmax", "logits", "vote"]
Placement = Literal["independent", "even"]
Upsampling = Literal["guided", "bilinear"]
Conflict = Literal["unlabeled", "majority"]


@dataclass(frozen=True)
class NetworkSettings:
    """The light network of the GDC paper's figure 3.

    ``features`` is ``"bundled"``, ``"random"`` or the path of a torchvision ``mobilenet_v2``
    checkpoint; ``standardize`` brings each of their channels to mean 0 and variance 1.
    ``sigma`` is a share of the shortest side of the half-size map, ``dilation`` is in its pixels;
    each matters to its own branch only.
    """

    features: str = "bundled"
    branch: Branch = "gdc"
    sigma: float = 0.2
    dilation: int = 6
    channels: int = 16
    hidden: int = 16
    norm: Norm = "none"
    standardize: bool = True


@dataclass(frozen=True)
class PaperFitSettings:
    """Optimisation from a random start, section V-A of the GDC paper.

    ``statistics`` is how many pixels beside the labelled ones and their neighbours a
    normalisation is estimated from; 0 takes the whole map.
    """

    optimizer: Literal["sgd", "adam"] = "sgd"
    steps: int = 50
    lr: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 5e-4
    class_weight: ClassWeight = "inverse"
    superpixels: bool = True
    pixels_per_superpixel: int = 400
    compactness: float = 10.0
    conflict: Conflict = "unlabeled"
    statistics: int = 1024


@dataclass(frozen=True)
class LearnedFitSettings:
    """A few steps from the bundled start, with the bundled step sizes.

    After the bundled schedule its last step size is used for ``repeats - 1`` more rounds of the
    same length. ``per_class`` pixels of each of two classes make a step.
    """

    per_class: int = 64
    repeats: int = 1


@dataclass(frozen=True)
class PottsSettings:
    """Weighted total variation after the network; see :func:`saccade.refine.potts`.

    ``iterations`` are spent at half the working size, ``fine_iterations`` after that at the
    working size, where a border is twice as many pixels long and ``strength`` half of it. It is
    the price between two classes; among K that somebody drew it is 2 / K of that.
    """

    strength: float = 4.0
    contrast: float = 1.0
    iterations: int = 60
    fine_iterations: int = 0


@dataclass(frozen=True)
class Preset:
    """All that determines a segmentation besides the image, the strokes and the seed.

    Attributes:
        fit: from the learned start, or as the GDC paper does.
        network: the light network.
        draws: of the sampling positions, over which its answer is averaged.
        placement: whether the offsets of the draws are independent of each other or spread evenly,
            see :mod:`saccade.ops.quasi`.
        average: what is averaged over the draws.
        fusion: whether the fusion network joins that answer with colors and distances.
        objects: whether the object network is asked, whose answer the fusion network reads too.
        ensemble: how many fusion networks are asked, of those in the weights: the first, which has
            the mean of the others' weights, or these as well.
        refine: borders to image edges; None leaves them.
        refine_several: the same with more than two classes, whose iterations cost by the class;
            None is as with two.
        max_pixels: bound of the working size. Larger images are segmented at that size and the
            probabilities follow the full image's edges from there.
        weights: ``"bundled"``, or a file that ``scripts/train_bundled`` packed.
        guided_radius: of the windows in which upsampled probabilities follow the image, pixels.
        temperature: above 1 makes probabilities less sure, and changes no mask.
        upsampling: whether probabilities follow the image's edges on their way to its size.
        keep_strokes: whether pixels of strokes get their own class, whatever the network says.

    >>> from dataclasses import replace
    >>> replace(preset_named("fast"), draws=4).draws
    4
    """

    fit: LearnedFitSettings | PaperFitSettings
    network: NetworkSettings = field(default_factory=NetworkSettings)
    draws: int = 6
    placement: Placement = "independent"
    average: Average = "softmax"
    fusion: bool = True
    objects: bool = True
    refine: PottsSettings | None = field(default_factory=PottsSettings)
    refine_several: PottsSettings | None = None
    max_pixels: int = 640_000
    weights: str = "bundled"
    ensemble: int = 1
    guided_radius: int = 1
    temperature: float = 1.0
    upsampling: Upsampling = "guided"
    keep_strokes: bool = True

    def refine_of(self, classes: int) -> PottsSettings | None:
        """How borders are refined between so many classes that somebody drew.

        >>> fast = preset_named("fast")
        >>> fast.refine_of(2).iterations, fast.refine_of(3).iterations
        (40, 20)
        """
        several = classes > 2 and self.refine is not None and self.refine_several is not None
        return self.refine_several if several else self.refine

    def __post_init__(self) -> None:
        """Refuse settings that cannot work or would be ignored.

        Raises:
            InputError: a number out of range, or settings that do not go together.
        """
        for name, value, least in (
            ("draws", self.draws, 1),
            ("max_pixels", self.max_pixels, 1),
            ("ensemble", self.ensemble, 1),
            ("guided_radius", self.guided_radius, 1),
            ("sigma", self.network.sigma, 0),
        ):
            if not value >= least:
                raise InputError(f"preset: {name} is {value}, must be at least {least}")
        if not 0 < self.temperature < math.inf:
            raise InputError(f"preset: temperature is {self.temperature}, must be above 0")
        if isinstance(self.fit, PaperFitSettings):
            if self.fusion:
                raise InputError(
                    "preset: fusion belongs to LearnedFitSettings, use fusion=False with "
                    "PaperFitSettings"
                )
            if self.fit.statistics < 0:
                raise InputError(f"preset: statistics is {self.fit.statistics}, must be at least 0")
        elif not self.network.standardize:
            raise InputError(
                "preset: LearnedFitSettings start from standardized features, use "
                "PaperFitSettings for standardize=False"
            )
        elif (self.network.branch, self.network.norm) != ("gdc", "none"):
            raise InputError(
                "preset: LearnedFitSettings start from branch 'gdc' and norm 'none', "
                f"use PaperFitSettings for {self.network.branch!r} and {self.network.norm!r}"
            )


PRESETS = ("fast", "best", "paper", "paper-literal")
MENU = PRESETS[:3]
"""Those that the page and napari offer: `paper-literal` is for comparing with the paper."""
_CALIBRATED = 1.5  # near the best for two classes and for eleven, see docs/notes/uncertainty.md


def preset_named(name: str) -> Preset:
    """The settings behind a preset's name.

    >>> preset_named("fast").draws
    2

    Raises:
        InputError: no preset has that name.
    """
    # Two evenly placed draws carry the mask as well as six independent ones. More would not help
    # `best`: their spread is a cue, and has to mean what it meant when the network was trained.
    learned = Preset(fit=LearnedFitSettings(), draws=2, placement="even", temperature=_CALIBRATED)
    if name == "fast":
        refine = PottsSettings(iterations=40, fine_iterations=10)
        several = PottsSettings(iterations=20)
        return replace(learned, refine=refine, refine_several=several, max_pixels=320_000)
    if name == "best":
        refine = PottsSettings(iterations=100, fine_iterations=40)
        return replace(learned, refine=refine)
    if name == "paper":
        return Preset(
            fit=PaperFitSettings(),
            # The paper names no normalisation, the authors' blocks have it; it is worth 4 points.
            network=NetworkSettings(norm="batch"),
            # As near to the mean of infinitely many as the paper's 50 independent ones; measured
            # by benchmarks.draws.
            draws=24,
            placement="even",
            fusion=False,
            objects=False,
            refine=None,
            guided_radius=4,  # nothing else smooths what one network says
        )
    if name == "paper-literal":
        # As printed, where the paper prints something: no choice of ours that is worth points.
        return Preset(
            fit=PaperFitSettings(
                momentum=0.0, weight_decay=0.0, class_weight="paper", statistics=0
            ),
            network=NetworkSettings(norm="none", standardize=False),
            draws=50,
            placement="independent",
            fusion=False,
            objects=False,
            refine=None,
            upsampling="bilinear",
            keep_strokes=False,
        )
    raise InputError(f"preset {name!r} is unknown, use one of {', '.join(PRESETS)}")
