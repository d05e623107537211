import json

import numpy as np
import pytest

from saccade.formats.brush_rle import encode_brush
from saccade.formats.masks import iter_annotations, read_mask

# pycocotools knows nothing of NumPy 2's copy keyword.
pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")


def studio(*results, **task):
    size = {"original_width": 20, "original_height": 10, "image_rotation": 0}
    return [
        {
            "data": {"image": "/data/local-files/?d=photos/a.jpg"},
            "annotations": [{"result": [size | r for r in results]}],
        }
        | task
    ]


def test_label_studio_exports_with_other_shapes(tmp_path):
    box = {"x": 0, "y": 0, "width": 50, "height": 50, "rectanglelabels": ["cat"]}
    ring = {"points": [[50, 50], [100, 50], [100, 100], [50, 100]], "polygonlabels": ["dog"]}
    tasks = [*studio({"value": box}, {"value": ring}), {"data": {"image": "b.jpg"}}]
    (tmp_path / "a.json").write_text(json.dumps(tasks))
    (image,) = iter_annotations(tmp_path / "a.json")
    assert image.file_name == "a.jpg"
    assert image.names == {1: "cat", 2: "dog"}
    assert (image.labels[:5, :10] == 1).all()
    assert (image.labels[5:, 10:] == 2).all()
    assert (image.labels > 0).sum() == 100


def test_json_min_is_read(tmp_path):
    mask = np.zeros((10, 20), bool)
    mask[2:5, 3:9] = True
    brush = {
        "format": "rle",
        "rle": encode_brush(mask),
        "brushlabels": ["cat"],
        "original_width": 20,
        "original_height": 10,
    }
    tasks = [{"image": "/data/upload/1/a.jpg", "tag": [brush]}]
    (tmp_path / "a.json").write_text(json.dumps(tasks))
    np.testing.assert_array_equal(read_mask(tmp_path / "a.json"), mask)
