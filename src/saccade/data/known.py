"""Classes of the data sets that segmentation papers use."""

from saccade.data.specs import LabelSpec

_VOC = """background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse
motorbike person pottedplant sheep sofa train tvmonitor"""

VOC = LabelSpec(tuple(_VOC.split()))

CAMVID = LabelSpec(
    (
        "sky",
        "building",
        "pole",
        "road",
        "pavement",
        "tree",
        "sign",
        "fence",
        "car",
        "pedestrian",
        "bicyclist",
    ),
    (
        (128, 128, 128),
        (128, 0, 0),
        (192, 192, 128),
        (128, 64, 128),
        (60, 40, 222),
        (128, 128, 0),
        (192, 128, 128),
        (64, 64, 128),
        (64, 0, 128),
        (64, 64, 0),
        (0, 128, 192),
    ),
    ignored=(11, 255),
)
"""The 11 classes of the SegNet tutorial; 11 is void."""

_CITYSCAPES = (
    (7, "road", (128, 64, 128)),
    (8, "sidewalk", (244, 35, 232)),
    (11, "building", (70, 70, 70)),
    (12, "wall", (102, 102, 156)),
    (13, "fence", (190, 153, 153)),
    (17, "pole", (153, 153, 153)),
    (19, "traffic light", (250, 170, 30)),
    (20, "traffic sign", (220, 220, 0)),
    (21, "vegetation", (107, 142, 35)),
    (22, "terrain", (152, 251, 152)),
    (23, "sky", (70, 130, 180)),
    (24, "person", (220, 20, 60)),
    (25, "rider", (255, 0, 0)),
    (26, "car", (0, 0, 142)),
    (27, "truck", (0, 0, 70)),
    (28, "bus", (0, 60, 100)),
    (31, "train", (0, 80, 100)),
    (32, "motorcycle", (0, 0, 230)),
    (33, "bicycle", (119, 11, 32)),
)

CITYSCAPES = LabelSpec(
    tuple(name for _, name, _ in _CITYSCAPES),
    tuple(color for _, _, color in _CITYSCAPES),
    tuple((value, index) for index, (value, _, _) in enumerate(_CITYSCAPES)),
    (*(v for v in range(34) if v not in {value for value, _, _ in _CITYSCAPES}), 255),
)
"""`*_gtFine_labelIds.png`: 19 of 34 values are evaluated."""

_CONTEXT = """
aeroplane bag bed bedclothes bench bicycle bird boat book bottle building bus cabinet car cat
ceiling chair cloth computer cow cup curtain dog door fence floor flower food grass ground horse
keyboard light motorbike mountain mouse person plate platform pottedplant road rock sheep shelves
sidewalk sign sky snow sofa table track train tree truck tvmonitor wall water window wood
"""
CONTEXT_CLASSES = tuple(_CONTEXT.split())
"""The 59 classes in the order of SegmentationClassContext's values 1 to 59."""

CONTEXT_59 = LabelSpec(
    CONTEXT_CLASSES, mapping=tuple((i + 1, i) for i in range(59)), ignored=(0, 255)
)
"""0, everything else, is ignored (GDC paper)."""

CONTEXT_60 = LabelSpec(("background", *CONTEXT_CLASSES))
"""0, everything else, is a class of its own (DSNet paper)."""

SIZES = {
    ("voc", "train"): 1464,
    ("voc", "val"): 1449,
    ("voc", "trainval"): 2913,
    ("voc-aug", "trainaug"): 10582,
    ("voc-aug", "val"): 1449,
    ("context59", "train"): 4998,
    ("context59", "val"): 5105,
    ("context60", "train"): 4998,
    ("context60", "val"): 5105,
    ("ade20k", "train"): 20210,
    ("ade20k", "val"): 2000,
    ("cityscapes", "train"): 2975,
    ("cityscapes", "val"): 500,
}
"""(layout, split) -> number of images that papers report on."""

ADE20K = LabelSpec(
    tuple(f"class {i}" for i in range(1, 151)),
    mapping=tuple((i, i - 1) for i in range(1, 151)),
    ignored=(0, 255),
)
"""`objectInfo150.txt` beside the images gives the names; see `saccade.data.sets`."""
