"""Files of a made-up data set."""

import numpy as np
from PIL import Image

LABELS = np.array([[0, 1, 2], [1, 1, 255]], np.uint8)


def image(path, shape=(2, 3)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((*shape, 3), np.uint8)).save(path)


def mask(path, labels=LABELS):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(labels).save(path)


def text(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def make_folder(root):
    image(root / "images/val/a.jpg")
    mask(root / "masks/val/a.png")
    text(root / "classes.txt", "x\ny\nz\n")


def make_voc(root, masks="SegmentationClass"):
    image(root / "JPEGImages/a.jpg")
    mask(root / masks / "a.png")
    text(root / "ImageSets/Segmentation/val.txt", "a\n")


def make_cityscapes(root):
    image(root / "leftImg8bit/val/ulm/ulm_0_0_leftImg8bit.png")
    values = np.array([[7, 8, 11], [8, 8, 0]], np.uint8)
    mask(root / "gtFine/val/ulm/ulm_0_0_gtFine_labelIds.png", values)
