"""The labels that the tables of weak supervision train on, made once and kept."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from saccade.data.image_labels import as_table, labels_in_masks, voc_image_labels
from saccade.data.sets import LabeledSet
from saccade.data.transforms import Augmentation
from saccade.errors import InputError
from saccade.experiments.measure import Progress
from saccade.experiments.report import write_json
from saccade.experiments.tiles import cut, join
from saccade.experiments.weak_strokes import check_scribbles, make_strokes
from saccade.files import digest_of
from saccade.models.mdc import LocalizerConfig, load_localizer
from saccade.nn.dilated import DILATIONS
from saccade.training.classifier import CLASSIFIER, train_classifier
from saccade.training.classifier_config import LocalizerTraining, settings_of
from saccade.training.config import OptimConfig
from saccade.training.inputs import open_sets
from saccade.training.state import STATE, first_difference
from saccade.weak.fusion import Fusion
from saccade.weak.localization import localize_all
from saccade.weak.map_masks import MapLabelling, check_saliency, label_from_maps
from saccade.weak.stroke_masks import StrokeLabelling, label_all, plan

if TYPE_CHECKING:
    from saccade.experiments.run_networks import NetworkPlan

SETTINGS = "settings.json"


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


def check_labels(
    kinds: Collection[str], setup: "NetworkPlan", folder: Path, progress: Progress
) -> None:
    """Look at the files that kinds of labels are made of, before the first is made.

    Args:
        kinds: of `KINDS`.
        setup: of the table.
        folder: of the table; labels that are there already need no files.
        progress: told what is being looked at.

    Raises:
        InputError: strokes or saliency maps that are missing or cannot be used, or labels in
            FOLDER that were made with other settings.
    """
    training, _ = open_sets(setup.data)
    labels = folder / "labels"
    if {"strokes", "pseudo-strokes"} & set(kinds):
        check_scribbles(training, setup, labels / "strokes", progress)
    asked = False
    for kind in kinds:
        if kind in FROM_MAPS:
            fusion, dilations = FROM_MAPS[kind]
            _same_classifier(classifier_folder(labels, dilations), setup, dilations)
            settings = _map_record(map_settings(training, setup, fusion), setup)
            asked |= not kept_with(labels / kind / SETTINGS, settings)
    if asked and setup.saliency is not None and "background" in training.spec.names:
        check_saliency([example.image for example in training.examples], setup.saliency)


def kept_with(path: Path, asked: Mapping[str, Any]) -> bool:
    """Whether something is there already, with the settings that its file tells.

    Raises:
        InputError: it was made with others; of settings that are newer nothing is known.
    """
    if not path.is_file():
        return False
    try:
        kept = dict(json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: damaged; remove its folder, or give -o another") from error
    differing = first_difference(kept, {key: asked.get(key) for key in kept})
    if differing:
        raise InputError(
            f"{path.parent}: was made with another {differing}; give -o another folder"
        )
    return True


def _pseudo_strokes(
    found: LabeledSet, setup: "NetworkPlan", home: Path, progress: Progress
) -> None:
    """The per-image segmenter's masks."""
    drawn = home.with_name("strokes")
    drawn.mkdir(exist_ok=True)
    make_strokes(found, setup, drawn, progress)
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


def localizer(
    found: LabeledSet, setup: "NetworkPlan", folder: Path, dilations: Sequence[int], run: Progress
) -> tuple[LabeledSet, NDArray[np.bool_]]:
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
    maps, kept = folder / "maps", folder / CLASSIFIER
    _same_classifier(folder, setup, dilations)
    if not kept.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / SETTINGS, classifier_settings(setup, dilations))
        done = train_classifier(
            config, found, present, folder, report=lambda n, total, text: run(0, text)
        )
        if done.interrupted:
            raise KeyboardInterrupt
        (folder / STATE).unlink(missing_ok=True)
    localize_all(
        load_localizer(kept).net,
        found,
        present,
        maps,
        source=digest_of(kept),
        progress=lambda n, total: run(0, f"maps, {n} of {total}"),
    )
    return found, present


def classifier_folder(labels: Path, dilations: Sequence[int]) -> Path:
    """Where the classifier of a table is kept, below its labels."""
    return labels / ("classifier-" + "-".join(map(str, dilations)))


def classifier_settings(setup: "NetworkPlan", dilations: Sequence[int]) -> dict[str, Any]:
    """What a classifier depends on, without paths of this machine."""
    data = {"layout": setup.data.layout, "train": setup.data.train, "every": setup.data.every}
    content = settings_of(classifier_config(setup, tuple(dilations)))
    plain: dict[str, Any] = json.loads(json.dumps({**content, "data": data}))
    return plain


def _same_classifier(folder: Path, setup: "NetworkPlan", dilations: Sequence[int]) -> None:
    """Raise InputError for a classifier with other settings than those asked for."""
    asked = classifier_settings(setup, dilations)
    if kept_with(folder / SETTINGS, asked) or not (folder / CLASSIFIER).is_file():
        return
    # One from before settings were kept tells its layers only.
    network = json.loads(json.dumps(asdict(load_localizer(folder / CLASSIFIER).net.config)))
    for key in ("backbone", "dilations", "output_stride", "width"):
        if network[key] != asked["network"][key]:
            raise InputError(f"{folder}: was made with another {key}; give -o another folder")


def classifier_config(setup: "NetworkPlan", dilations: tuple[int, ...]) -> LocalizerTraining:
    """The paper's schedule, or one that fits the plan's."""
    network = LocalizerConfig(backbone=setup.backbone or "vgg16", dilations=dilations)
    device: Any = setup.device
    config = LocalizerTraining(network, setup.weights, device=device, workers=setup.workers)
    if setup.schedule == "paper":
        return config
    # Tiles are seen whole: a crop may not show the class that the label promises.
    epochs, batch = {"full": (30, 32), "reduced": (4, 16), "smoke": (1, 4)}[setup.schedule]
    optim = OptimConfig(epochs=epochs, batch=batch, lr=0.01, head_lr=1.0)
    crop = (180, 160) if setup.data.layout == "camvid" else (321, 321)
    return replace(config, optim=optim, augmentation=Augmentation(crop=crop, scale=(1.0, 1.0)))


def _from_maps(
    fusion: Fusion | int, dilations: Sequence[int] = DILATIONS
) -> Callable[[LabeledSet, "NetworkPlan", Path, Progress], None]:
    def make(found: LabeledSet, setup: "NetworkPlan", home: Path, progress: Progress) -> None:
        settings = map_settings(found, setup, fusion)
        classifier = classifier_folder(home.parent, dilations)
        _same_classifier(classifier, setup, dilations)
        if kept_with(home / SETTINGS, _map_record(settings, setup)):
            return
        asked, _ = localizer(found, setup, classifier, dilations, progress)
        images = [example.image for example in asked.examples]
        tiled = asked is not found
        label_from_maps(
            images,
            classifier / "maps",
            found.spec,
            settings,
            home / "tiles" if tiled else home,
            saliency=setup.saliency,
            processes=max(1, setup.processes),
            progress=lambda n, image: progress(0, f"pseudo labels, {n} of {len(images)}"),
        )
        if tiled:
            join(found, home / "tiles", home)
        write_json(home / SETTINGS, _map_record(settings, setup))

    return make


def _map_record(settings: MapLabelling, setup: "NetworkPlan") -> dict[str, Any]:
    given = settings.saliency == "given" and setup.saliency is not None
    folder = setup.saliency.name if given and setup.saliency else ""
    return {**asdict(settings), "saliency_folder": folder}


def map_settings(found: LabeledSet, setup: "NetworkPlan", fusion: Fusion | int) -> MapLabelling:
    """The paper's, as far as the data has what they need.

    Without saliency maps OpenCV's stand in, whose values do not mean the same: the least salient
    30 % are background. Without a background class there is no cue, and the strongest map wins.
    """
    if "background" not in found.spec.names:
        return MapLabelling(fusion, conflicts="strongest", saliency="none")
    if setup.saliency is not None:
        return MapLabelling(fusion)
    return MapLabelling(fusion, saliency="fine-grained", saliency_threshold=0.3, percentile=True)


FROM_MAPS: Mapping[str, tuple[Fusion | int, Sequence[int]]] = {
    "maps-d1": (0, DILATIONS),
    "maps-d3": (1, DILATIONS),
    "maps-d6": (2, DILATIONS),
    "maps-d9": (3, DILATIONS),
    "maps-average": ("average", DILATIONS),
    "maps-fusion": ("anti-noise", DILATIONS),
    "maps-ones": ("anti-noise", (1, 1, 1, 1)),
}
"""Labels from localization maps: their fusion, and the dilations of the classifier."""

KINDS: Mapping[str, Callable[[LabeledSet, "NetworkPlan", Path, Progress], None]] = {
    "strokes": make_strokes,
    "pseudo-strokes": _pseudo_strokes,
    **{kind: _from_maps(*how) for kind, how in FROM_MAPS.items()},
}
"""How labels are made, by name."""
