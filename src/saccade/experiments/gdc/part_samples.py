"""Images of a part of VOC, for tables I, IV and VII where ScribbleSup's strokes are not there.

Strokes are simulated from the masks, of val; or people clicked on the objects of training images
(`saccade.experiments.gdc.click_labels`) and strokes on the ground alone are simulated.
"""

from pathlib import Path

import numpy as np

from saccade.data.pascal import voc_folder
from saccade.data.sets import LabeledSet, open_set
from saccade.data.specs import IGNORE
from saccade.experiments.engine.samples import Sample, SampleList, limit_samples
from saccade.experiments.gdc.click_labels import FILE, draw_clicks, read_clicks
from saccade.files import read_json
from saccade.formats.masks import write_mask
from saccade.scribbles.simulate import CLASSES, simulate_strokes

SIMULATED, CLICKS = "voc-simulated", "voc-clicks"


def part_samples(root: Path, name: str, folder: Path, limit: int | None) -> SampleList:
    """The images of a part of VOC, with strokes written below `folder`.

    Args:
        root: VOC 2012, or a part of it.
        name: `SIMULATED` for val, `CLICKS` for the training images that have clicks.
        folder: FOLDER/strokes/NAME/ID.png is written where it is not there.
        limit: at most so many images, evenly spread; None for all.

    Raises:
        InputError: files that are missing or cannot be used.
    """
    data = open_set("voc", root, "val" if name == SIMULATED else "train")
    home = folder / "strokes" / name
    clicked = read_json(voc_folder(root) / FILE) if name == CLICKS else None
    places = {example.name: index for index, example in enumerate(data.examples)}
    samples = [
        Sample(name, e.name, e.image, home / f"{e.name}.png", e.mask)
        for e in data.examples
        if clicked is None or clicked.get(e.name)
    ]
    chosen = limit_samples(samples, limit)
    home.mkdir(parents=True, exist_ok=True)
    for sample in chosen:
        if not sample.strokes.is_file():
            write_mask(sample.strokes, _strokes(data, places[sample.stem], root, name), "png")
    count = len(data.examples)
    return SampleList(chosen, (f"{name}: {len(chosen)} of {count} images of the part",))


def _strokes(data: LabeledSet, index: int, root: Path, name: str) -> np.ndarray:
    truth = data.labels(index)
    rng = np.random.default_rng([0, index])
    strokes = simulate_strokes(truth, rng, styles=CLASSES, by_component=True).astype(np.uint8)
    if name == SIMULATED:
        return strokes
    strokes[strokes > 0] = IGNORE
    stem = data.examples[index].name
    clicks = read_clicks(voc_folder(root) / FILE, [stem], len(data.spec.names))[stem]
    drawn = draw_clicks(clicks, (truth.shape[0], truth.shape[1]))
    return np.where(drawn == IGNORE, strokes, drawn)
