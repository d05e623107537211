"""Small files that ask for much work: drawn in seconds and in little memory, or refused."""

import json
import subprocess
import sys

import numpy as np
import pytest

from saccade.errors import InputError
from saccade.formats.masks import read_annotation
from saccade.formats.rle import encode_mask

SIDE = 8000
ALL = SIDE * SIDE
# Seconds of a slow processor: what is refused here would take minutes.
SECONDS, MEGABYTES, BYTES = 15, 1000, 1_000_000


def coco(count, *segmentations):
    many = [segmentations[i % len(segmentations)] for i in range(count)]
    annotations = [{"category_id": 1 + i % 2, "segmentation": s} for i, s in enumerate(many)]
    image = {"height": SIDE, "width": SIDE}
    return json.dumps({"images": [image], "categories": [], "annotations": annotations})


def cvat(count, *shapes):
    many = [f'<{shapes[i % len(shapes)]} label="c{i % 2}"/>' for i in range(count)]
    image = f'<image name="a" width="{SIDE}" height="{SIDE}">{"".join(many)}</image>'
    return f"<annotations>{image}</annotations>"


def studio(count, value):
    size = {"original_width": SIDE, "original_height": SIDE}
    results = [size | {"value": value | {"labels": ["ab"[i % 2]]}} for i in range(count)]
    return json.dumps([{"data": {"image": "a"}, "annotations": [{"result": results}]}])


def labelme(count, kind, points, **more):
    shapes = [
        {"label": "ab"[i % 2], "shape_type": kind, "points": points} | more for i in range(count)
    ]
    return json.dumps({"imageHeight": SIDE, "imageWidth": SIDE, "shapes": shapes})


def scribblesup(count, *points):
    inside = "".join(f"<point><X>{x}</X><Y>{y}</Y></point>" for x, y in points)
    strokes = [
        f"<polygon><tag>{('cat', 'dog')[i % 2]}</tag>{inside}</polygon>" for i in range(count)
    ]
    size = f"<size><width>{SIDE}</width><height>{SIDE}</height></size>"
    return f"<annotation>{size}{''.join(strokes)}</annotation>"


WHOLE = [0, 0, SIDE, 0, SIDE, SIDE]
ZIGZAG = [number for i in range(60_000) for number in (i % SIDE, SIDE * (i % 2))]
FULL = {"size": [SIDE, SIDE], "counts": [0, ALL]}
SMALL = {"size": [SIDE, SIDE], "counts": [5, 1, ALL - 6]}
MANY = {
    "triangles": coco(15_000, [[0, 0, 9, 0, 9, 9]], [[9, 9, 20, 9, 20, 20]]),
    "rings": coco(2, [[0, 0, 9, 0, 9, 9]] * 29_000, [[9, 9, 20, 9, 20, 20]]),
    "polygons": coco(9000, [WHOLE]),
    "zigzag": coco(2, [[1, 1, 2, 2, 1, 2]], [ZIGZAG]),
    "run lengths": coco(9000, FULL),
    "small run lengths": coco(9000, SMALL, FULL | {"counts": [90, 1, ALL - 91]}),
    "mixed": coco(9000, SMALL, FULL, [WHOLE]),
    "boxes": cvat(9000, f'box xtl="0" ytl="0" xbr="{SIDE}" ybr="{SIDE}" rotation="9"'),
    "lines": cvat(9000, f'polyline points="0,0;{SIDE},{SIDE}"'),
    "dots": cvat(90, f'points points="{";".join(["3,3"] * 2000)}"', 'points points="900,900"'),
    "ellipses": cvat(9000, 'ellipse cx="9" cy="9" rx="9999999" ry="9999999"'),
    "masks": cvat(7000, f'mask rle="0,{ALL}" left="0" top="0" width="{SIDE}" height="{SIDE}"'),
    "small mixed": cvat(
        9000,
        'polygon points="0,0;9,9;9,0"',
        'mask rle="0,4" left="50" top="0" width="2" height="2"',
    ),
    "rectangles": studio(6000, {"x": 0, "y": 0, "width": 100, "height": 100, "rotation": 1}),
    "key points": studio(6000, {"x": 50, "y": 50, "width": 100}),
    "circles": labelme(9000, "circle", [[4000, 4000], [9000, 9000]]),
    "large circles": labelme(9000, "circle", [[4000, 4000], [999_999, 0]]),
    "strips": labelme(9000, "linestrip", [[0, 0], [SIDE, SIDE]]),
    "wide dots": labelme(9000, "point", [[4000, 4000]], width=9999),
    "corners": labelme(2, "polygon", [[i % SIDE, SIDE * (i % 2)] for i in range(30_000)]),
    "strokes": scribblesup(8000, (0, 0), (SIDE, SIDE)),
}


MEASURED = """
import pathlib, re, sys, time
from saccade.annotations import read_any_strokes
from saccade.errors import InputError
from saccade.formats.masks import read_annotation
path, reader = sys.argv[1:]
start = time.process_time()
try:
    message = str({"strokes": read_any_strokes, "mask": read_annotation}[reader](path).remarks)
except InputError as error:
    message = str(error)
status = pathlib.Path("/proc/self/status")  # that of this program alone, unlike getrusage
peak = re.search(r"VmHWM:\\s*(\\d+)", status.read_text()) if status.exists() else None
print(time.process_time() - start, int(peak[1]) // 1024 if peak else 0)
print(message)
"""


@pytest.mark.parametrize("name", MANY)
def test_no_small_file_takes_long_or_much_memory(tmp_path, name):
    path = tmp_path / "a"
    path.write_text(MANY[name])
    assert path.stat().st_size < BYTES
    # A mask is part of the strokes, but in labelme's files.
    for reader in ("strokes", "mask") if '"shapes"' in MANY[name] else ("strokes",):
        command = [sys.executable, "-c", MEASURED, str(path), reader]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        figures, message = done.stdout.splitlines()
        seconds, megabytes = map(float, figures.split())
        assert seconds < SECONDS
        assert megabytes < MEGABYTES
        if "a: " in message:
            assert "too much" in message or "only one class" in message


@pytest.mark.parametrize("shape", [None, (20_000, 20_000)])
def test_a_small_file_is_not_believed_that_its_image_is_huge(tmp_path, shape):
    path = tmp_path / "a.json"
    path.write_text(coco(1, [[0, 0, 9, 0, 9, 9]]).replace(str(SIDE), "20000"))
    if shape is None:
        with pytest.raises(InputError, match="above 64 megapixels, is read with its image only"):
            read_annotation(path)
    else:
        assert read_annotation(path, shape=shape).labels.shape == shape


def test_many_classes_of_a_large_image_are_no_attack(tmp_path):
    """What Saccade itself writes of 21 classes, each over the whole image."""
    runs = {"size": [4000, 3000], "counts": encode_mask(np.ones((4000, 3000), bool)).tolist()}
    document = json.loads(coco(21, runs))
    document["images"] = [{"height": 4000, "width": 3000}]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document))
    assert read_annotation(path).labels.all()
