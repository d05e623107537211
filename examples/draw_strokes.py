"""Draws the strokes that stand beside this file, for photographs that scikit-image carries.

The lines below were placed by hand on the photographs, as somebody with a mouse would place them:
a few per class, roughly in the middle of things. Running the script writes

* ``NAME_strokes.png``: palette PNG, class index where a stroke is, 255 where nobody drew;
* ``cat_strokes.json``: the cat's strokes once more, as labelme line strips;
* ``cat_truth.png``: the cat's outline as a coarse polygon, for a sanity check, not for a table.
"""

import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from skimage import data

HERE = Path(__file__).parent
UNLABELED = 255
WIDTH = 6  # px, the width of a stroke

# Points are (x, y) in pixels. The name is that of the function in skimage.data.
STROKES: dict[str, dict[str, list[list[tuple[int, int]]]]] = {
    "cat": {
        "background": [
            [(10, 22), (14, 50), (10, 82), (12, 100)],
            [(418, 28), (425, 70), (400, 105), (380, 135), (420, 165)],
            [(430, 190), (375, 205), (350, 225), (395, 250), (430, 280)],
            [(345, 285), (375, 272)],
        ],
        "cat": [
            [(85, 60), (140, 45), (205, 60), (265, 70), (320, 80)],
            [(350, 22), (362, 45)],
            [(165, 115), (190, 122)],
            [(240, 110), (262, 160), (268, 205), (270, 228)],
            [(90, 130), (130, 165), (180, 200), (215, 235)],
            [(20, 160), (25, 215), (50, 260), (120, 275), (220, 285)],
            [(318, 185), (300, 230)],
        ],
    },
    "astronaut": {
        "background": [
            [(30, 20), (40, 100), (45, 170), (25, 240), (12, 330)],
            [(105, 40), (120, 110), (110, 160)],
            [(125, 15), (220, 8), (320, 20), (370, 15)],
            [(330, 60), (340, 150), (345, 190)],
            [(385, 130), (395, 200), (420, 130), (430, 30)],
            [(495, 80), (490, 240)],
            [(395, 310), (450, 320), (495, 350)],
            [(505, 420), (507, 470)],
            [(8, 440), (12, 480)],
        ],
        "astronaut": [
            [(170, 85), (210, 40), (265, 45), (285, 90)],
            [(205, 100), (215, 150), (235, 165), (250, 110)],
            [(165, 195), (190, 230), (225, 225), (260, 235)],
            [(140, 160), (145, 205), (190, 265), (255, 280), (290, 255)],
            [(75, 270), (55, 330), (65, 400), (100, 460)],
            [(120, 260), (170, 320), (170, 380), (210, 450)],
            [(330, 260), (325, 320), (270, 330), (265, 440)],
            [(165, 475), (180, 495)],
        ],
        "helmet": [
            [(330, 385), (310, 440), (320, 490)],
            [(360, 375), (420, 430), (440, 490)],
            [(375, 350), (425, 358), (465, 395), (488, 440)],
            [(355, 430), (360, 450)],
        ],
    },
    "coffee": {
        "table": [
            [(20, 30), (70, 30), (100, 15)],
            [(30, 120), (90, 85), (150, 40), (200, 15)],
            [(25, 180), (40, 270), (80, 340), (150, 385)],
            [(15, 350), (60, 385)],
            [(430, 30), (480, 90), (530, 150), (570, 260)],
            [(540, 20), (580, 60), (575, 110)],
            [(560, 350), (500, 340), (430, 375)],
        ],
        "cup": [
            [(186, 70), (190, 130), (230, 180), (290, 200), (350, 185), (392, 140)],
            [(230, 60), (290, 40), (350, 60)],
            [(230, 140), (290, 165), (340, 130)],
            [(195, 180), (240, 215), (300, 230), (350, 215)],
            [(275, 250), (310, 260)],
            [(232, 245), (212, 280)],
        ],
        "saucer and spoon": [
            [(160, 95), (120, 140), (100, 220), (130, 300)],
            [(160, 210), (170, 270), (190, 300)],
            [(200, 345), (280, 365), (370, 350), (430, 300), (455, 230), (430, 140)],
            [(415, 75), (410, 105)],
            [(375, 235), (355, 270), (375, 300)],
            [(395, 190), (415, 250)],
        ],
    },
}

CAT_OUTLINE = [
    (40, 0), (37, 20), (33, 45), (31, 80), (30, 105), (12, 118), (0, 127), (0, 299), (292, 299),
    (302, 280), (313, 255), (314, 235), (319, 215), (331, 200), (346, 176), (357, 156), (361, 132),
    (362, 115), (357, 96), (354, 77), (360, 68), (369, 58), (376, 40), (384, 26), (401, 0),
]  # fmt: skip


def voc_palette() -> list[int]:
    """Pascal VOC's colours, 256 x (R, G, B) in one list: the index's bits spread over RGB."""
    index = np.arange(256)
    palette = np.zeros((256, 3), dtype=np.uint8)
    for bit in range(8):
        for channel in range(3):
            value = (index >> (3 * bit + channel)) & 1
            palette[:, channel] |= (value << (7 - bit)).astype(np.uint8)
    return palette.reshape(-1).tolist()


def palette_image(shape: tuple[int, int], fill: int) -> Image.Image:
    """An image of ``shape`` (H, W) whose pixels are class indices, filled with one class."""
    image = Image.new("P", (shape[1], shape[0]), fill)
    image.putpalette(voc_palette())
    return image


def draw(shape: tuple[int, int], classes: dict[str, list[list[tuple[int, int]]]]) -> Image.Image:
    """The strokes of one photograph, class values in the order of ``classes``."""
    image = palette_image(shape, UNLABELED)
    pen = ImageDraw.Draw(image)
    for value, lines in enumerate(classes.values()):
        for line in lines:
            pen.line(line, fill=value, width=WIDTH, joint="curve")
    return image


def labelme(name: str, shape: tuple[int, int]) -> dict[str, object]:
    """The strokes of one photograph as labelme writes them."""
    shapes = [
        {
            "label": label,
            "points": [list(point) for point in line],
            "group_id": None,
            "shape_type": "linestrip",
            "flags": {},
        }
        for label, lines in STROKES[name].items()
        for line in lines
    ]
    return {
        "version": "5.5.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": f"{name}.png",
        "imageData": None,
        "imageHeight": shape[0],
        "imageWidth": shape[1],
    }


def main() -> None:
    """Write every file anew."""
    for name, classes in STROKES.items():
        shape = getattr(data, name)().shape[:2]
        draw(shape, classes).save(HERE / f"{name}_strokes.png", optimize=True)
    shape = data.cat().shape[:2]
    text = json.dumps(labelme("cat", shape), indent=1)
    (HERE / "cat_strokes.json").write_text(text + "\n", encoding="utf-8")
    truth = palette_image(shape, 0)
    ImageDraw.Draw(truth).polygon(CAT_OUTLINE, fill=1)
    truth.save(HERE / "cat_truth.png", optimize=True)


if __name__ == "__main__":
    main()
