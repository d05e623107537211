"""The entry of one image in files for many: every format, every way to name an image."""

import json
import unicodedata

import numpy as np
import pytest

from saccade.annotations import read_any_strokes
from saccade.errors import InputError
from saccade.formats.masks import read_annotation

H, W = 20, 30


def coco(names):
    images = [
        {"id": f"i{i}", "file_name": name, "height": H, "width": W} for i, name in enumerate(names)
    ]
    annotations = [
        {"image_id": f"i{i}", "category_id": c, "segmentation": [[x, y, x + 5, y, x + 5, y + 5]]}
        for i in range(len(names))
        for c, (x, y) in ((1, (2, 2 + i)), (2, (20, 2)))
    ]
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    return json.dumps({"images": images, "categories": categories, "annotations": annotations})


def cvat(names):
    shapes = (
        '<box label="cat" xtl="2" ytl="{y}" xbr="7" ybr="{z}"/>'
        '<box label="dog" xtl="20" ytl="2" xbr="25" ybr="7"/>'
    )
    images = [
        f'<image id="{i}" name="{name}" width="{W}" height="{H}">'
        + shapes.format(y=2 + i, z=7 + i)
        + "</image>"
        for i, name in enumerate(names)
    ]
    return f"<annotations>{''.join(images)}</annotations>"


def studio(names):
    size = {"original_width": W, "original_height": H}
    return json.dumps(
        [
            {
                "data": {"image": name},
                "annotations": [
                    {
                        "result": [
                            size | {"value": _percent(2, 2 + i) | {"rectanglelabels": ["cat"]}},
                            size | {"value": _percent(20, 2) | {"rectanglelabels": ["dog"]}},
                        ]
                    }
                ],
            }
            for i, name in enumerate(names)
        ]
    )


def _percent(x, y):
    return {"x": 100 * x / W, "y": 100 * y / H, "width": 500 / W, "height": 500 / H}


MAKERS = {"coco.json": coco, "cvat.xml": cvat, "ls.json": studio}
PREFIX = "/data/upload/3/0a1b2c3d-"
CASES = [
    (["a.png", "b.png"], "b.png", 1),
    (["train/a.png", "train/b.png"], "/photos/b.png", 1),
    (["train\\a.png", "train\\b.png"], "b.png", 1),
    (["train/b.png", "val/b.png"], "/data/val/b.png", 1),
    ([unicodedata.normalize("NFD", "é.png"), "b.png"], "é.png", 0),
    (["é.png", "b.png"], unicodedata.normalize("NFD", "é.png"), 0),
    ([PREFIX + "a.png", PREFIX + "b.png"], "b.png", 1),
    ([PREFIX + "a.png", PREFIX + "my_photo1.png"], "my photo(1).png", 1),
    (["0a1b2c3d-b.png", "b.png"], "b.png", 1),
    (["0a1b2c3d-a.png", "0a1b2c3d-b.png"], "0a1b2c3d-b.png", 1),
    (["/data/local-files/?d=x%5Ca.png", "/data/local-files/?d=x/my%20b.png"], "my b.png", 1),
    (["https://h/x/a.png?sig=1", "https://h/x/b%20c.png?sig=2"], "b c.png", 1),
    (["s3://bucket/a.png", "s3://bucket/b.png"], "b.png", 1),
    (["100% a.png", "b.png"], "100% a.png", 0),
    ([""], "b.png", 0),
]


@pytest.mark.parametrize("fmt", MAKERS)
@pytest.mark.parametrize(("names", "wanted", "entry"), CASES)
def test_the_entry_of_an_image_is_found_by_its_name(tmp_path, fmt, names, wanted, entry):
    path = tmp_path / fmt
    path.write_text(MAKERS[fmt](names), encoding="utf-8")
    image = read_annotation(path, image_name=wanted)
    strokes = read_any_strokes(path, shape=(H, W), image_name=wanted)
    first = min(image.names)
    assert int(np.nonzero(image.labels == first)[0].min()) == 2 + entry
    np.testing.assert_array_equal(strokes.labels == first, image.labels == first)


@pytest.mark.parametrize("fmt", MAKERS)
@pytest.mark.parametrize(
    ("names", "wanted", "message"),
    [
        (["a.png", "b.png"], "c.png", "has no entry for the image 'c.png', but 2 for others"),
        (["a.png"], "c.png", "has no entry for the image 'c.png', but 1 for others"),
        (["a.png", "b.jpg"], "b.png", "has no entry"),
        (["x/b.png", "y/b.png"], "b.png", "has 2 entries for the image 'b.png'"),
        (["b.png", "b.png", "a.png"], "b.png", "has 2 entries for the image 'b.png'"),
        (["0a1b2c3d-b.png", "1a1b2c3d-b.png"], "b.png", "has 2 entries"),
    ],
)
def test_no_entry_or_two_is_an_error_of_one_line(tmp_path, fmt, names, wanted, message):
    path = tmp_path / fmt
    path.write_text(MAKERS[fmt](names), encoding="utf-8")
    with pytest.raises(InputError, match=f"{fmt}: {message}") as caught:
        read_any_strokes(path, shape=(H, W), image_name=wanted)
    assert "\n" not in str(caught.value)


def test_a_task_that_is_read_again_says_the_same(tmp_path):
    tasks = json.loads(studio(["a.png", "b.png"]))
    odd = {"type": "vectorlabels", "value": {"vectorlabels": ["cat"]}, "id": "v"}
    for task in tasks:
        task["annotations"][0]["result"].append(odd)
    path = tmp_path / "ls.json"
    path.write_text(json.dumps(tasks))
    first, again = (read_annotation(path, image_name="b.png") for _ in range(2))
    assert first.remarks == again.remarks
    assert len(first.remarks) > 0
