"""The labels that the tables of weak supervision train on, made once and kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from saccade.data.image_labels import as_table, labels_in_masks, voc_image_labels
from saccade.data.sets import LabelledSet
from saccade.data.transforms import Augmentation
from saccade.errors import InputError
from saccade.experiments.measure import Progress
from saccade.experiments.report import write_json
from saccade.experiments.tiles import cut, join
from saccade.formats.masks import write_mask
from saccade.models.localiser import LocaliserConfig, load_localiser
from saccade.models.mdc import DILATIONS
from saccade.scribbles.simulate import CLASSES, simulate_strokes
from saccade.training.classification import CLASSIFIER, LocalisationConfig, train_classifier
from saccade.training.config import OptimConfig
from saccade.training.run import open_sets
from saccade.training.state import STATE
from saccade.weak.fusion import Fusion
from saccade.weak.localisation import localise_all
from saccade.weak.map_masks import MapLabelling, label_from_maps
from saccade.weak.stroke_masks import StrokeLabelling, label_all, plan

if TYPE_CHECKING:
    from saccade.experiments.run_networks import NetworkPlan


def prepare_labels(kind: str, setup: "NetworkPlan", folder: Path, progress: Progress) -> Path:
    """The folder of label images of a kind, FOLDER/labels/KIND; what is there already is kept.

    Args:
        kind: of `KINDS`.
        setup: of the table.
        folder: of the table.
        progress: told what is being made; not how many runs are done, as these are none.

    Raises:
        InputError: an unknown kind, or data that cannot be used.
    """
    if kind not in KINDS:
        raise InputError(f"labels {kind!r}, expected one of {', '.join(KINDS)}")
    training, _ = open_sets(setup.data)
    home = folder / "labels" / kind
    home.mkdir(parents=True, exist_ok=True)
    KINDS[kind](training, setup, home, progress)
    return home


def _strokes(found: LabelledSet, setup: "NetworkPlan", home: Path, progress: Progress) -> None:
    """Strokes of ScribbleSup where they are given, else of the simulated annotator."""
    from saccade.annotations import read_any_strokes

    for index, example in enumerate(found.examples):
        path = home / f"{example.name}.png"
        if path.is_file():
            continue
        progress(0, f"strokes, {index + 1} of {len(found.examples)}")
        if setup.scribbles is not None:
            source = setup.scribbles / f"{example.name}.xml"
            drawn = read_any_strokes(source, names=found.spec.names)
            strokes = np.where(drawn.labels == drawn.unlabeled, 255, drawn.labels).astype(np.uint8)
        else:
            rng = np.random.default_rng([0, index])
            truth = found.labels(index)
            strokes = simulate_strokes(truth, rng, styles=CLASSES, by_component=True)
        write_mask(path, strokes, "png")


def _pseudo_strokes(
    found: LabelledSet, setup: "NetworkPlan", home: Path, progress: Progress
) -> None:
    """The per-image segmenter's masks."""
    drawn = home.with_name("strokes")
    drawn.mkdir(exist_ok=True)
    _strokes(found, setup, drawn, progress)
    pairs = [(example.image, drawn / f"{example.name}.png") for example in found.examples]
    outcome = label_all(
        plan(pairs, home),
        found.spec,
        StrokeLabelling(device=setup.device),
        processes=max(1, setup.processes),
        progress=lambda done, name: progress(0, f"pseudo labels, {done} of {len(pairs)}"),
    )
    if outcome.interrupted:
        raise KeyboardInterrupt
    if outcome.failed:
        name, why = next(iter(outcome.failed.items()))
        raise InputError(f"{len(outcome.failed)} images have no pseudo labels; {name}: {why}")


def localiser(
    found: LabelledSet, setup: "NetworkPlan", folder: Path, dilations: Sequence[int], run: Progress
) -> tuple[LabelledSet, NDArray[np.bool_]]:
    """Train the classifier of a table and write its maps, FOLDER/maps; both are kept.

    Returns:
        What it was trained on, CamVid's photographs in tiles; and (N, K) bool image labels: VOC's
        annotations where there are any, else the classes that occur in the masks.
    """
    if setup.data.layout == "camvid":
        found = cut(found, folder.with_name("tiles"))
    names = [example.name for example in found.examples]
    root = Path(setup.data.root)
    annotated = setup.data.layout in ("voc", "voc-aug") and (root / "Annotations").is_dir()
    labels = voc_image_labels(root, names, found.spec) if annotated else labels_in_masks(found)
    present = as_table(labels, names, len(found.spec.names))
    if "background" in found.spec.names:  # it has a cue of its own
        present[:, found.spec.names.index("background")] = False
    config = classifier_config(setup, tuple(dilations))
    maps = folder / "maps"
    if not (folder / CLASSIFIER).is_file():
        done = train_classifier(
            config, found, present, folder, report=lambda n, total, text: run(0, text)
        )
        if done.interrupted:
            raise KeyboardInterrupt
        (folder / STATE).unlink(missing_ok=True)
    net = load_localiser(folder / CLASSIFIER).net
    localise_all(
        net, found, present, maps, progress=lambda n, total: run(0, f"maps, {n} of {total}")
    )
    return found, present


def classifier_config(setup: "NetworkPlan", dilations: tuple[int, ...]) -> LocalisationConfig:
    """The paper's schedule, or one that fits the plan's."""
    network = LocaliserConfig(backbone=setup.backbone or "vgg16", dilations=dilations)
    device: Any = setup.device
    config = LocalisationConfig(network, setup.weights, device=device, workers=setup.workers)
    if setup.schedule == "paper":
        return config
    # Tiles are seen whole: a crop may not show the class that the label promises.
    epochs, batch = {"full": (30, 32), "reduced": (4, 16), "smoke": (1, 4)}[setup.schedule]
    optim = OptimConfig(epochs=epochs, batch=batch, lr=0.01, head_lr=1.0)
    crop = (180, 160) if setup.data.layout == "camvid" else (321, 321)
    return replace(config, optim=optim, augmentation=Augmentation(crop=crop, scale=(1.0, 1.0)))


def _from_maps(
    fusion: Fusion | int, dilations: Sequence[int] = DILATIONS
) -> Callable[[LabelledSet, "NetworkPlan", Path, Progress], None]:
    def make(found: LabelledSet, setup: "NetworkPlan", home: Path, progress: Progress) -> None:
        done = home / "settings.json"
        if done.is_file():
            return
        classifier = home.with_name("classifier-" + "-".join(map(str, dilations)))
        asked, _ = localiser(found, setup, classifier, dilations, progress)
        settings = map_settings(found, setup, fusion)
        images = [example.image for example in asked.examples]
        tiled = asked is not found
        label_from_maps(
            images,
            classifier / "maps",
            found.spec,
            settings,
            home / "tiles" if tiled else home,
            saliency=setup.saliency,
            progress=lambda n, image: progress(0, f"pseudo labels, {n} of {len(images)}"),
        )
        if tiled:
            join(found, home / "tiles", home)
        write_json(done, asdict(settings))

    return make


def map_settings(found: LabelledSet, setup: "NetworkPlan", fusion: Fusion | int) -> MapLabelling:
    """The paper's, as far as the data has what they need.

    Without saliency maps OpenCV's stand in, whose values do not mean the same: the least salient
    30 % are background. Without a background class there is no cue, and the strongest map wins.
    """
    if "background" not in found.spec.names:
        return MapLabelling(fusion, conflicts="strongest", saliency="none")
    if setup.saliency is not None:
        return MapLabelling(fusion)
    return MapLabelling(fusion, saliency="fine-grained", saliency_threshold=0.3, percentile=True)


KINDS: Mapping[str, Callable[[LabelledSet, "NetworkPlan", Path, Progress], None]] = {
    "strokes": _strokes,
    "pseudo-strokes": _pseudo_strokes,
    "maps-d1": _from_maps(0),
    "maps-d3": _from_maps(1),
    "maps-d6": _from_maps(2),
    "maps-d9": _from_maps(3),
    "maps-average": _from_maps("average"),
    "maps-fusion": _from_maps("anti-noise"),
    "maps-ones": _from_maps("anti-noise", (1, 1, 1, 1)),
}
"""How labels are made, by name."""
