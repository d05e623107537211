"""Pseudo masks from localization maps of a classifier with multi-dilated convolutions (MDC paper).

FOLDER/classifier-D-D-.../ keeps the classifier and its maps, FOLDER/KIND/ the pseudo masks, each
with the settings it was made with in settings.json.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.batch import LocalProcesses
from saccade.data.image_labels import write_image_labels
from saccade.data.sets import LabeledSet
from saccade.data.transforms import Augmentation
from saccade.errors import InputError
from saccade.experiments.engine.labels import LabelSource, Progress, require_all
from saccade.experiments.engine.network_config import IMAGE_LABELS, NetworkPlan
from saccade.experiments.engine.report import write_json
from saccade.experiments.mdc.image_labels import image_labels, label_table
from saccade.experiments.mdc.tiles import cut_tiles, join_tiles
from saccade.files import atomic_write, digest_of
from saccade.models.mdc import LocalizerConfig, load_localizer
from saccade.nn.dilated import DILATIONS
from saccade.strict_json import json_text
from saccade.training.classifier import CLASSIFIER, train_classifier
from saccade.training.classifier_config import LocalizerTraining, settings_of
from saccade.training.optim_config import OptimConfig
from saccade.training.state import STATE, first_difference
from saccade.weak.fusion import Fusion
from saccade.weak.localization import localize_all
from saccade.weak.map_masks import MASKS_PER_PROCESS, MapLabeling, label_from_maps
from saccade.weak.saliency import check_saliency

SETTINGS = "settings.json"

MAPS: Mapping[str, tuple[Fusion | int, tuple[int, ...]]] = {
    "maps-d1": (0, DILATIONS),
    "maps-d3": (1, DILATIONS),
    "maps-d6": (2, DILATIONS),
    "maps-d9": (3, DILATIONS),
    "maps-average": ("average", DILATIONS),
    "maps-fusion": ("anti-noise", DILATIONS),
    "maps-ones": ("anti-noise", (1, 1, 1, 1)),
}
"""Kind of pseudo masks -> how maps are fused (a number picks one map), and the dilations."""


def check_map_labels(
    kinds: Sequence[str], dataset: LabeledSet, plan: NetworkPlan, folder: Path, progress: Progress
) -> None:
    """Compare what is in FOLDER with the settings asked for, and look at the saliency maps.

    Raises:
        InputError: a classifier or masks made with other settings, or saliency maps that are
            missing or of another size than their image.
    """
    to_make = False
    for kind in kinds:
        fusion, dilations = MAPS[kind]
        _check_classifier(classifier_folder(folder, dilations), plan, dilations)
        settings = _mask_settings(labeling_for(dataset, plan, fusion), plan)
        to_make |= not made_with(folder / kind / SETTINGS, settings)
    if to_make and plan.saliency is not None and "background" in dataset.spec.names:
        check_saliency([example.image for example in dataset.examples], plan.saliency)


def make_map_labels(
    kind: str, dataset: LabeledSet, plan: NetworkPlan, folder: Path, progress: Progress
) -> None:
    """Write FOLDER/KIND/NAME.png for each example; see `LabelSource.make`.

    Raises:
        InputError: the classifier or the masks that are there were made with other settings.
    """
    fusion, dilations = MAPS[kind]
    labelling = labeling_for(dataset, plan, fusion)
    classifier, masks = classifier_folder(folder, dilations), folder / kind
    _check_classifier(classifier, plan, dilations)
    with atomic_write(folder / IMAGE_LABELS) as path:
        write_image_labels(path, image_labels(dataset, plan)[0], dataset.spec)
    if made_with(masks / SETTINGS, _mask_settings(labelling, plan)):
        return
    trained_on, _ = make_maps(dataset, plan, classifier, dilations, progress)
    images = [example.image for example in trained_on.examples]
    tiled = trained_on is not dataset
    outcome = label_from_maps(
        images,
        classifier / "maps",
        dataset.spec,
        labelling,
        masks / "tiles" if tiled else masks,
        saliency=plan.saliency,
        executor=LocalProcesses(plan.processes, MASKS_PER_PROCESS),
        progress=lambda n, image: progress(0, f"pseudo labels, {n} of {len(images)}"),
    )
    require_all(outcome)
    if tiled:
        join_tiles(dataset, masks / "tiles", masks)
    write_json(masks / SETTINGS, _mask_settings(labelling, plan))


def note_map_labels(
    kinds: Sequence[str], plan: NetworkPlan, folders: Mapping[str, Path]
) -> tuple[str, ...]:
    """What stands in for the paper's saliency maps and image labels, as the masks' settings say."""
    settings = json.loads((folders[kinds[0]] / SETTINGS).read_text(encoding="utf-8"))
    saliency = {
        "given": f"saliency maps of the folder {settings.get('saliency_folder', '')!r}",
        "none": "no saliency: the data has no background class, the strongest map wins",
    }.get(
        settings["saliency"],
        f"**saliency substitute**: OpenCV's {settings['saliency']} in place of the network of the "
        "paper's reference 37; the least salient 30 % of an image are background, not what is "
        "below .06",
    )
    labels = {
        "voc-aug": "image labels: VOC's Annotations where they are there, else the masks' classes",
        "voc": "image labels: VOC's Annotations or image_labels.csv, else the masks' classes",
    }.get(plan.data.layout, "image labels: the classes that occur in the masks")
    return saliency, labels + "; online masks (equation 1) may have these classes"


MAP_LABELS = LabelSource(tuple(MAPS), check_map_labels, make_map_labels, note_map_labels)
"""Pseudo masks from image labels."""


def make_maps(
    dataset: LabeledSet,
    plan: NetworkPlan,
    folder: Path,
    dilations: Sequence[int],
    progress: Progress,
) -> tuple[LabeledSet, NDArray[np.bool_]]:
    """Train the classifier of a table and write its maps, FOLDER/maps; both are kept.

    Args:
        dataset: the training images.
        plan: data, schedule, device.
        folder: of the classifier, from `classifier_folder`.
        dilations: of its four blocks.
        progress: told 0, and what is being done.

    Returns:
        What it was trained on, CamVid's photographs in tiles; and (N, K) bool image labels: VOC's
        annotations where there are any, else the classes that occur in the masks.

    Raises:
        InputError: FOLDER holds a classifier with other settings.
        KeyboardInterrupt: Ctrl-C; the training goes on from there later.
    """
    if plan.data.layout == "camvid":
        dataset = cut_tiles(dataset, folder.with_name("tiles"))
    present = label_table(dataset, plan)
    classifier = folder / CLASSIFIER
    _check_classifier(folder, plan, dilations)
    if not classifier.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / SETTINGS, classifier_settings(plan, dilations))
        config = classifier_config(plan, tuple(dilations))
        trained = train_classifier(
            config,
            dataset,
            present,
            folder,
            report=lambda n, total, text: progress(0, text),
            absent=bool(plan.subset),
        )
        if trained.interrupted:
            raise KeyboardInterrupt
        (folder / STATE).unlink(missing_ok=True)
    localize_all(
        load_localizer(classifier).net,
        dataset,
        present,
        folder / "maps",
        source=digest_of(classifier),
        progress=lambda n, total: progress(0, f"maps, {n} of {total}"),
    )
    return dataset, present


def classifier_folder(labels: Path, dilations: Sequence[int]) -> Path:
    """Where the classifier of a table is kept, below its labels.

    Example:
        >>> classifier_folder(Path("labels"), (1, 3, 6, 9)).as_posix()
        'labels/classifier-1-3-6-9'
    """
    return labels / ("classifier-" + "-".join(map(str, dilations)))


def classifier_config(plan: NetworkPlan, dilations: tuple[int, ...]) -> LocalizerTraining:
    """The paper's schedule, or one that fits the plan's."""
    network = LocalizerConfig(backbone=plan.backbone or "vgg16", dilations=dilations)
    device: Any = plan.device
    config = LocalizerTraining(network, plan.weights, device=device, workers=plan.workers)
    if plan.schedule == "paper":
        # As printed: one drop after epoch 6, patches without a change of scale.
        epochs, crop = config.optim.epochs, config.augmentation.crop
        optim = replace(config.optim, drop_once=True)
    else:
        # Tiles are seen whole: a crop may not show the class that the label promises.
        epochs, batch = {"full": (30, 32), "reduced": (4, 16), "smoke": (1, 4)}[plan.schedule]
        crop = (180, 160) if plan.data.layout == "camvid" else (321, 321)
        optim = OptimConfig(batch=batch, lr=0.01, head_lr=1.0)
    optim = replace(optim, epochs=plan.epochs or epochs, freeze=plan.freeze)
    patches = plan.augmentation({"crop": crop, "scale": (1.0, 1.0)})
    return replace(config, optim=optim, augmentation=Augmentation(**patches))


def classifier_settings(plan: NetworkPlan, dilations: Sequence[int]) -> dict[str, Any]:
    """What a classifier depends on, without paths of this machine."""
    data = {"layout": plan.data.layout, "train": plan.data.train, "every": plan.data.every}
    content = settings_of(classifier_config(plan, tuple(dilations)))
    plain: dict[str, Any] = json.loads(json_text({**content, "data": data}))
    return plain


def labeling_for(dataset: LabeledSet, plan: NetworkPlan, fusion: Fusion | int) -> MapLabeling:
    """The paper's settings, as far as the data has what they need.

    Without saliency maps OpenCV's stand in, whose values do not mean the same: the least salient
    30 % are background. Without a background class there is no cue, and the strongest map wins.
    """
    if "background" not in dataset.spec.names:
        return MapLabeling(fusion, conflicts="strongest", saliency="none")
    if plan.saliency is not None:
        return MapLabeling(fusion)
    return MapLabeling(fusion, saliency="fine-grained", saliency_threshold=0.3, percentile=True)


def made_with(path: Path, settings: Mapping[str, Any]) -> bool:
    """Whether the file of settings is there; what it tells must agree with `settings`.

    Args:
        path: the file, in the folder of what was made.
        settings: what is asked for; settings that the file does not tell are newer than it, and
            nothing is known of them.

    Raises:
        InputError: it was made with other settings, or the file is damaged.
    """
    if not path.is_file():
        return False
    try:
        written = dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{path}: damaged; remove its folder, or give -o another") from error
    difference = first_difference(written, _told(written, settings))
    if difference:
        raise InputError(
            f"{path.parent}: was made with another {difference}; give -o another folder"
        )
    return True


def _told(written: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Of the settings those that are written, in tables as well."""
    return {
        key: _told(value, settings[key])
        if isinstance(value, dict) and isinstance(settings.get(key), Mapping)
        else settings.get(key)
        for key, value in written.items()
    }


def _check_classifier(folder: Path, plan: NetworkPlan, dilations: Sequence[int]) -> None:
    """Raise InputError for a classifier with other settings than those asked for."""
    settings = classifier_settings(plan, dilations)
    if made_with(folder / SETTINGS, settings) or not (folder / CLASSIFIER).is_file():
        return
    # One from before settings were kept tells its layers only.
    network = json.loads(json_text(asdict(load_localizer(folder / CLASSIFIER).net.config)))
    for key in ("backbone", "dilations", "output_stride", "width"):
        if network[key] != settings["network"][key]:
            raise InputError(f"{folder}: was made with another {key}; give -o another folder")


def _mask_settings(labelling: MapLabeling, plan: NetworkPlan) -> dict[str, Any]:
    given = plan.saliency if labelling.saliency == "given" else None
    return {**asdict(labelling), "saliency_folder": "" if given is None else given.name}
