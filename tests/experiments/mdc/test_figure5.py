import numpy as np
import pytest
from PIL import Image

from saccade.data.sets import Example, LabeledSet
from saccade.data.specs import LabelSpec
from saccade.experiments.mdc.figure5 import SHARES, WAYS, measure_maps
from saccade.weak.localization import LocalizationMaps, write_maps


def test_recall_and_precision_of_known_maps(tmp_path):
    labels = np.zeros((8, 8), np.uint8)
    labels[:, 4:] = 1
    labels[0] = 255
    Image.fromarray(labels).save(tmp_path / "a.png")
    spec = LabelSpec(("zero", "one"))
    dataset = LabeledSet("one", (Example("a", tmp_path / "a.png", tmp_path / "a.png"),), spec)
    maps = np.zeros((4, 1, 8, 8), np.float32)
    maps[0, 0, :, 6:] = 1  # half of the object
    maps[1:, 0, :, 4:] = 1  # the object, and beside it
    maps[1:, 0, :, 2:4] = 0.5
    write_maps(tmp_path / "a.npz", LocalizationMaps(maps, (1,), (1, 3, 6, 9), (8, 8)))
    counted = measure_maps(dataset, tmp_path, lambda *_: None)
    assert set(counted) == {(way, share) for way in WAYS for share in SHARES}
    assert counted["d = 1", 0.3].means()[:2] == (0.5, 1.0)
    assert counted["d = 9", 0.3].means()[:2] == pytest.approx((1.0, 28 / 42))
    assert counted["d = 9", 0.6].means()[:2] == (1.0, 1.0)
    # H = H0 + mean: 2 where both see it, 1 and 0.5 where only the dilated ones do.
    assert counted["fusion", 0.3].means()[:2] == (1.0, 1.0)
