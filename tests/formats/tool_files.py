"""Files of annotation tools with shapes of every kind they have, and the pixels that are meant."""

import base64
import io
import json

import numpy as np
from PIL import Image

from saccade.formats.brush_rle import encode_brush
from saccade.formats.rle import compress_counts, encode_mask
from tests.formats.pixels import H, W, X, Y, box, dots, ellipse, half, line, polygon

BLOB = (X - 80) ** 2 / 400 + (Y - 60) ** 2 / 100 < 1
BLOB &= X > 70
CORNERS = [[30, 20], [70, 25], [50, 60]]
LINE = [[20, 20], [80, 50], [90, 20]]
DIAMOND = [[40, 40], [60, 20], [70, 30], [50, 50]]
DOTS = [[30, 30], [60, 50]]


def png(mask):
    buffer = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


TRUTH_BOX = (40, 30, 40, 20)
TURNS = (0, 30, 90, 135, -45, 450)
RLE = {"size": [H, W], "counts": encode_mask(BLOB).tolist()}
SHORT = {"size": [H, W], "counts": compress_counts(encode_mask(BLOB))}
FLAT = [number for point in CORNERS for number in point]
COCO = {
    "polygons": ({"segmentation": [FLAT]}, polygon(CORNERS)),
    "flat polygon": ({"segmentation": FLAT}, polygon(CORNERS)),
    "pairs": ({"segmentation": CORNERS}, polygon(CORNERS)),
    "polygons of pairs": ({"segmentation": [CORNERS]}, polygon(CORNERS)),
    "an odd ring": ({"segmentation": [FLAT, [1, 2, 3]]}, polygon(CORNERS)),
    "run lengths": ({"segmentation": RLE}, BLOB),
    "compressed": ({"segmentation": SHORT}, BLOB),
    "list of both": ({"segmentation": [SHORT, FLAT]}, BLOB | polygon(CORNERS)),
    "list of run lengths": ({"segmentation": [RLE, RLE]}, BLOB),
    "empty": ({"segmentation": []}, box(*TRUTH_BOX)),
    "empty ring": ({"segmentation": [[]]}, box(*TRUTH_BOX)),
    "null": ({"segmentation": None}, box(*TRUTH_BOX)),
    "no segmentation": ({}, box(*TRUTH_BOX)),
    "crowd": ({"segmentation": RLE, "iscrowd": 1}, BLOB),
    "key points": ({"keypoints": [30, 30, 2, 60, 50, 1, 0, 0, 0]}, dots(DOTS)),
    "category as text": ({"segmentation": [FLAT], "category_id": "7"}, polygon(CORNERS)),
    "image as text": ({"segmentation": [FLAT], "image_id": "3"}, polygon(CORNERS)),
    "image as float": ({"segmentation": [FLAT], "image_id": 3.0}, polygon(CORNERS)),
    "no image": ({"segmentation": [FLAT], "image_id": None}, polygon(CORNERS)),
} | {f"box {turn}": ({"attributes": {"rotation": turn}}, box(*TRUTH_BOX, turn)) for turn in TURNS}
CVAT_POINTS = ";".join(f"{x},{y}" for x, y in CORNERS)
RUNS = encode_mask(BLOB[48:72, 68:102].T).tolist()
CVAT = (
    {
        "polygon": (f'polygon points="{CVAT_POINTS}"', polygon(CORNERS)),
        "polyline": ('polyline points="20,20;80,50;90,20"', line(LINE)),
        "points": ('points points="30,30;60,50"', dots(DOTS)),
        "mask": (
            f'mask rle="{",".join(map(str, RUNS))}" left="68" top="48" width="34" height="24"',
            BLOB,
        ),
    }
    | {
        f"box {turn}": (
            f'box xtl="40" ytl="30" xbr="80" ybr="50" rotation="{turn}"',
            box(*TRUTH_BOX, turn),
        )
        for turn in TURNS
    }
    | {
        f"ellipse {turn}": (
            f'ellipse cx="60" cy="45" rx="30" ry="12" rotation="{turn}"',
            ellipse(60, 45, 30, 12, turn),
        )
        for turn in TURNS
    }
)


def percent(points):
    return [[100 * x / W, 100 * y / H] for x, y in points]


P = {"x": 100 * 40 / W, "y": 100 * 30 / H}
SIDES = {"width": 100 * 40 / W, "height": 100 * 20 / H}
RADII = {"x": 100 * 60 / W, "y": 100 * 45 / H, "radiusX": 100 * 30 / W, "radiusY": 100 * 12 / H}
BRUSH = {"format": "rle", "rle": encode_brush(BLOB)}
STUDIO = (
    {
        "brush": (BRUSH, BLOB),
        "polygon": ({"points": percent(CORNERS), "closed": True}, polygon(CORNERS)),
        "vector": ({"vertices": [{"x": x, "y": y} for x, y in percent(LINE)]}, line(LINE)),
        "keypoint": (P | {"width": 100 * 6 / W}, dots([[40, 30]], 12)),
    }
    | {
        f"rectangle {turn}": (P | SIDES | {"rotation": turn}, box(*TRUTH_BOX, turn, (40, 30)))
        for turn in TURNS
    }
    | {
        f"ellipse {turn}": (RADII | {"rotation": turn}, ellipse(60, 45, 30, 12, turn))
        for turn in TURNS
    }
)
LABELME = {
    "polygon": (CORNERS, {}, polygon(half(CORNERS))),
    "none": (CORNERS, {"shape_type": None}, polygon(half(CORNERS))),
    "rectangle": ([[40, 30], [80, 50]], {}, box(40.5, 30.5, 40, 20)),
    "rectangle 4": ([[40, 30], [80, 30], [80, 50], [40, 50]], {}, box(40.5, 30.5, 40, 20)),
    "rectangle back": ([[80, 50], [40, 30]], {}, box(40.5, 30.5, 40, 20)),
    "oriented_rectangle": (DIAMOND, {}, polygon(half(DIAMOND))),
    "rotation": (DIAMOND, {}, polygon(half(DIAMOND))),
    "circle": ([[60, 40], [60, 60]], {}, ellipse(60.5, 40.5, 20, 20)),
    "point": ([[30, 30]], {}, dots(half([[30, 30]]))),
    "points": (DOTS, {}, dots(half(DOTS))),
    "line": (LINE[:2], {}, line(half(LINE[:2]))),
    "linestrip": (LINE, {}, line(half(LINE))),
    "linestrip wide": (LINE, {"width": 16}, line(half(LINE), 16)),
    "mask": ([[70, 50], [99, 69]], {"mask": png(BLOB[50:70, 70:100])}, BLOB),
}

KINDS = {"coco": COCO, "cvat": CVAT, "labelme": LABELME} | dict.fromkeys(
    ("studio", "plain labels", "paired by id", "min", "prediction"), STUDIO
)
"""Format -> kind of shape -> what is in the file, and the pixels that are meant."""

NAN = float("nan")
ODD_STUDIO = {
    "bitmask": {"imageDataURL": "data:image/png;base64,"},
    "two points": {"points": [[1, 1], [9, 9]]},
    "no number": P | SIDES | {"x": "here"},
    "not finite": {"points": [[1, 1], [9, NAN], [9, 9]]},
    "cut brush": {"rle": BRUSH["rle"][:20]},
    "no radius": RADII | {"radiusX": 0},
    "a number": 7,
    "text": {"start": 3, "end": 9},
}
ODD = {
    "coco": {
        "two points": {"segmentation": [[1, 2, 3, 4]]},
        "not finite": {"segmentation": [[1, 2, 3, NAN, 5, 6]]},
        "words": {"segmentation": [["a", 2, 3, 4, 5, 6]]},
        "a number": {"segmentation": 7},
        "another size": {"segmentation": {"size": [3, 4], "counts": [12]}},
        "broken runs": {"segmentation": {"size": [H, W], "counts": [5]}},
        "no category": {"category_id": None},
        "a category below 0": {"category_id": -3},
        "no area": {"bbox": [1, 2, 0, 5]},
        "no box": {"bbox": None},
    },
    "cvat": {
        "cuboid": 'cuboid xtl1="1" ytl1="2"',
        "skeleton": "skeleton",
        "two points": 'polygon points="1,1;9,9"',
        "no points": 'polyline points=""',
        "not finite": 'polygon points="1,1;9,nan;9,9"',
        "no number": 'box xtl="a" ytl="1" xbr="9" ybr="9"',
        "half a box": 'box xtl="1" ytl="1"',
        "no radius": 'ellipse cx="9" cy="9" rx="0" ry="9"',
        "mask outside": 'mask rle="1,8" left="126" top="0" width="3" height="3"',
        "runs too long": 'mask rle="1,9" left="6" top="0" width="3" height="3"',
        "outside": 'box xtl="1" ytl="1" xbr="9" ybr="9" outside="1"',
    },
    "labelme": {
        "cuboid": (CORNERS, {"shape_type": "cuboid"}),
        "type": (CORNERS, {"shape_type": 7}),
        "two points": (CORNERS[:2], {"shape_type": "polygon"}),
        "no points": ([], {"shape_type": "point"}),
        "points missing": (None, {"shape_type": "point"}),
        "not finite": ([[1, NAN]], {"shape_type": "point"}),
        "no number": ([["x", 1]], {"shape_type": "point"}),
        "3 corners": (CORNERS, {"shape_type": "rectangle"}),
        "mask": ([[1, 1], [5, 5]], {"shape_type": "mask", "mask": "!"}),
        "mask outside": ([[1, 1], [500, 5]], {"shape_type": "mask", "mask": "!"}),
        "label": (CORNERS, {"label": None}),
    },
} | dict.fromkeys(("studio", "plain labels", "paired by id", "min", "prediction"), ODD_STUDIO)
"""Format -> what is odd -> a shape that cannot be drawn."""

IDS = {"background": 0, "cat": 7, "dog": 9}
STRIP = [[5, 3], [120, 3], [120, 8], [5, 8]]
CORNER = [[100, 70], [120, 70], [120, 90], [100, 90]]


def all_shapes(fmt):
    """Every shape of a format, as it is in a file."""
    if fmt != "labelme":
        return [shape for shape, _ in KINDS[fmt].values()]
    return [
        (points, {"shape_type": kind.partition(" ")[0]} | more)
        for kind, (points, more, _) in LABELME.items()
    ]


def document(fmt, *shapes):
    """A file with a strip of background, a box of "dog", and shapes of "cat" between them."""
    if fmt == "coco":
        return _coco(shapes)
    if fmt == "cvat":
        return _cvat(shapes)
    if fmt == "labelme":
        return _labelme(shapes)
    return _studio(fmt, shapes)


def _coco(shapes):
    common = {"image_id": 3, "category_id": 7, "bbox": list(TRUTH_BOX), "iscrowd": 0}
    annotations = [common | shape for shape in shapes]
    for name, ring in (("background", STRIP), ("dog", CORNER)):
        flat = [number for point in ring for number in point]
        annotations.append(common | {"category_id": IDS[name], "segmentation": [flat]})
    return json.dumps(
        {
            "images": [{"id": 3, "file_name": "a.png", "height": H, "width": W}],
            "categories": [{"id": value, "name": name} for name, value in IDS.items()],
            "annotations": annotations[-2:-1] + annotations[:-2] + annotations[-1:],
        }
    )


def _cvat(shapes):
    def polygon_of(name, ring):
        return f'<polygon label="{name}" points="{";".join(f"{x},{y}" for x, y in ring)}"/>'

    made = [f'<{shape} label="cat" z_order="0"/>' for shape in shapes]
    inside = polygon_of("background", STRIP) + "".join(made) + polygon_of("dog", CORNER)
    image = f'<image id="0" name="a.png" width="{W}" height="{H}">{inside}</image>'
    return f"<annotations>{image}</annotations>"


def _labelme(shapes):
    made = [("background", "polygon", STRIP, {})]
    made += [("cat", "polygon", points, more) for points, more in shapes]
    made += [("dog", "polygon", CORNER, {})]
    return json.dumps(
        {
            "imageHeight": H,
            "imageWidth": W,
            "shapes": [
                {"label": label, "shape_type": kind, "points": points} | more
                for label, kind, points, more in made
            ],
        }
    )


def _studio(fmt, shapes):
    size = {"original_width": W, "original_height": H, "image_rotation": 0}
    places = [("background", {"points": percent(STRIP)})]
    places += [("cat", shape) for shape in shapes] + [("dog", {"points": percent(CORNER)})]
    results = []
    for number, (label, value) in enumerate(places):
        result = size | {"id": f"r{number}", "value": value, "type": _studio_kind(value)}
        if not isinstance(value, dict):
            results.append(result)
        elif fmt == "min":
            results.append(size | value | {f"{result['type']}labels": [label]})
        elif fmt == "plain labels":
            results.append(result | {"value": value | {"labels": [label]}})
        elif fmt == "paired by id":
            results += [
                result,
                size | {"id": f"r{number}", "type": "labels", "value": {"labels": [label]}},
            ]
        else:
            kind = f"{result['type']}labels"
            results.append(result | {"type": kind, "value": value | {kind: [label]}})
    if fmt == "min":
        return json.dumps([{"id": 1, "image": "/data/upload/1/0a1b2c3d-a.png", "tag": results}])
    key = "predictions" if fmt == "prediction" else "annotations"
    return json.dumps([{"data": {"image": "a.png"}, key: [{"result": results}]}])


def _studio_kind(value):
    kinds = {"rle": "brush", "points": "polygon", "vertices": "vector", "radiusX": "ellipse"}
    kinds |= {"height": "rectangle", "x": "keypoint", "start": "text"}
    return (
        next((kind for key, kind in kinds.items() if key in value), "other")
        if isinstance(value, dict)
        else "other"
    )
