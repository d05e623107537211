"""Which strokes belong to which image: every way to give them, by every form of a name."""

import json
import os
import unicodedata

import numpy as np
import pytest
from PIL import Image

from saccade.cli.pairs import pair_up
from saccade.errors import InputError, printable
from saccade.scribbles.document import Line, StrokeClass, StrokeDocument, write_document
from tests.cli.conftest import SHAPE, tree, write_pair

NFC, NFD = "caf\u00e9", unicodedata.normalize("NFD", "caf\u00e9")
BYTES = os.fsdecode(b"caf\xe9")
FORMS = {
    "plain": ("a.png", "a"),
    "upper": ("a.JPG", "a"),
    "space": ("a b.c.png", "a b.c"),
    "nfc-nfd": (f"{NFC}.png", NFD),
    "nfd-nfc": (f"{NFD}.png", NFC),
    "bytes": (f"{BYTES}.png", BYTES),
}
H, W = SHAPE


def labelme(path, name):
    """Two strokes as labelme writes them."""
    document = StrokeDocument(
        (StrokeClass(0, "background"), StrokeClass(1, "object")),
        (
            Line("s", 0, 1.0, ((2.0, 2.0), (8.0, 2.0))),
            Line("t", 1, 1.0, ((3.0, 8.0), (12.0, 8.0))),
        ),
    )
    write_document(path, document, SHAPE, name)


def coco(path, names):
    """Two boxes on each image."""
    boxes = [[2, 2, 7, 1], [3, 8, 10, 2]]
    document = {
        "images": [
            {"id": i, "file_name": n, "height": H, "width": W} for i, n in enumerate(names, 1)
        ],
        "categories": [{"id": 1, "name": "background"}, {"id": 2, "name": "object"}],
        "annotations": [
            {"id": 10 * i + k, "image_id": i, "category_id": k, "bbox": boxes[k - 1]}
            for i in range(1, len(names) + 1)
            for k in (1, 2)
        ],
    }
    path.write_text(json.dumps(document))


def cvat(path, names):
    """Two boxes on each image."""
    boxes = '<box label="{}" xtl="{}" ytl="{}" xbr="{}" ybr="{}"/>'
    both = boxes.format("background", 2, 2, 9, 3) + boxes.format("object", 3, 8, 13, 10)
    images = "".join(
        f'<image id="{i}" name="{printable(n)}" width="{W}" height="{H}">{both}</image>'
        for i, n in enumerate(names)
    )
    path.write_text(f"<annotations><version>1.1</version>{images}</annotations>")


def label_studio(path, names):
    """Two rectangles on each task, and a task that nobody labelled."""
    tasks = [{"data": {"image": "/data/upload/1/aaaaaaaa-nobody.png"}, "annotations": []}]
    for name in names:
        result = [
            {
                "type": "rectanglelabels",
                "original_width": W,
                "original_height": H,
                "value": {"rectanglelabels": [label], "x": 10, "y": y, "width": 50, "height": 15},
            }
            for label, y in (("background", 10), ("object", 60))
        ]
        tasks.append({"data": {"image": name}, "annotations": [{"result": result}]})
    path.write_text(json.dumps(tasks))


FOR_MANY = {"coco": coco, "cvat": cvat, "label-studio": label_studio}


@pytest.fixture
def place(tmp_path):
    for name in ("images", "strokes"):
        (tmp_path / name).mkdir()
    return tmp_path


def make(place, way, form):
    """An image and its strokes in one way; returns the arguments of `segment`."""
    name, stem = FORMS[form]
    images, strokes = place / "images", place / "strokes"
    write_pair(images / name, strokes / "plain.png")
    if way == "folders":
        (strokes / "plain.png").rename(strokes / f"{stem}.png")
        return images, strokes
    if way == "page":
        labelme(strokes / f"{stem}.strokes.json", f"../images/{stem}{name[-4:]}")
        return images, strokes
    if way == "labelme beside":
        labelme(images / f"{stem}.json", name)
        (images / "notes.txt").write_text("x")
        return images, images
    if way == "page beside":
        labelme(images / f"{stem}.strokes.json", name)
        return images, images
    if way == "page, whole name":
        labelme(images / f"{stem}{name[-4:]}.strokes.json", name)
        return images, images
    kind, one = way.split(", ")
    suffix = ".xml" if kind == "cvat" else ".json"
    FOR_MANY[kind](place / f"all{suffix}", [f"train/{stem}{name[-4:]}", "train/other.png"])
    return (images / name if one == "one image" else images), place / f"all{suffix}"


WAYS = (
    "folders",
    "page",
    "labelme beside",
    "page beside",
    "page, whole name",
    *(f"{kind}, {one}" for kind in FOR_MANY for one in ("one image", "a folder")),
)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("way", WAYS)
def test_strokes_find_their_image(saccade_cli, place, way, form):
    arguments = make(place, way, form)
    result = saccade_cli("segment", *arguments, "-o", place / "out", "--no-overlay")
    assert result.exit_code == 0, result.output
    stem = FORMS[form][0].rpartition(".")[0]
    assert tree(place / "out") == {f"{stem}.png"}
    if way.endswith("a folder"):
        assert "1 entries without an image: other.png" in result.stderr
    if way == "labelme beside":
        assert "1 file left out: .txt" in result.stderr


@pytest.mark.parametrize("kind", FOR_MANY)
def test_one_file_for_many_images_says_what_has_no_partner(place, kind):
    for stem in "abc":
        write_pair(place / "images" / f"{stem}.png", place / "strokes" / "x.png")
    FOR_MANY[kind](place / "all.json", ["a.png", "b.png", "elsewhere/d.png"])
    found = pair_up(place / "images", place / "all.json")
    assert [(p.image.name, p.entry) for p in found.pairs] == [
        (name, str(place / "images" / name)) for name in ("a.png", "b.png")
    ]
    assert found.remarks == (
        "1 images without strokes: c.png",
        "1 entries without an image: d.png",
    )


@pytest.mark.parametrize("kind", ["coco", "cvat"])
def test_entries_that_nobody_has_drawn_on_are_no_strokes(place, kind):
    for stem in "ab":
        write_pair(place / "images" / f"{stem}.png", place / "strokes" / "x.png")
    path = place / "all.json"
    FOR_MANY[kind](path, ["a.png", "b.png"])
    if kind == "coco":
        document = json.loads(path.read_text())
        document["annotations"] = [a for a in document["annotations"] if a["image_id"] == 1]
        path.write_text(json.dumps(document))
    else:
        head, _, rest = path.read_text().partition('name="b.png"')
        size = rest.partition(">")[0]
        path.write_text(f'{head}name="b.png"{size}><tag label="x"/></image></annotations>')
    found = pair_up(place / "images", path)
    assert [p.image.name for p in found.pairs] == ["a.png"]
    assert found.remarks == ("1 images without strokes: b.png",)


def test_an_entry_without_a_name_is_not_that_of_every_image(place):
    for stem in "ab":
        write_pair(place / "images" / f"{stem}.png", place / "strokes" / "x.png")
    coco(place / "all.json", [""])
    with pytest.raises(InputError, match=r"one entry .* is of 2 images in .*; give"):
        pair_up(place / "images", place / "all.json")


@pytest.mark.parametrize("kind", FOR_MANY)
def test_a_file_of_one_entry_is_of_the_image_that_it_is_given_with(place, kind):
    write_pair(place / "images" / "renamed.png", place / "strokes" / "x.png")
    FOR_MANY[kind](place / "all.json", ["before.png"])
    (pair,) = pair_up(place / "images" / "renamed.png", place / "all.json").pairs
    assert pair.entry is None


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["x.png", "y.png"], "none of its 2 entries is of an image in"),
        (["p/a.png", "q/a.png"], "has 2 entries for the image 'a.png'"),
    ],
)
@pytest.mark.parametrize("kind", FOR_MANY)
def test_files_for_other_images_are_refused(place, kind, names, message):
    write_pair(place / "images" / "a.png", place / "strokes" / "x.png")
    FOR_MANY[kind](place / "all.json", names)
    with pytest.raises(InputError, match=message):
        pair_up(place / "images", place / "all.json")


def test_a_folder_and_a_file_of_one_image_are_refused(place):
    write_pair(place / "images" / "a.png", place / "strokes" / "x.png")
    with pytest.raises(InputError, match="is a file of one image; expected"):
        pair_up(place / "images", place / "strokes" / "x.png")
    with pytest.raises(InputError, match=r"is a folder and .* is a file"):
        pair_up(place / "images" / "a.png", place / "strokes")


def test_strokes_of_an_image_that_is_gone_are_not_those_of_another(place):
    write_pair(place / "images" / "a.jpg", place / "strokes" / "x.png")
    labelme(place / "images" / "a.strokes.json", "a.png")
    with pytest.raises(InputError, match="no strokes beside them"):
        pair_up(place / "images", place / "images")


def test_two_forms_of_one_name_are_refused(place):
    for name in (f"{NFC}.png", f"{NFD}.png"):
        Image.new("RGB", SHAPE).save(place / "images" / name)
    with pytest.raises(InputError, match="have the same stem"):
        pair_up(place / "images", place / "strokes")


@pytest.mark.parametrize("kind", FOR_MANY)
def test_pseudo_masks_come_from_one_file_for_many_images(saccade_cli, place, kind):
    for number, stem in enumerate(("a", BYTES)):
        write_pair(place / "images" / f"{stem}.png", place / "strokes" / "x.png", number)
    FOR_MANY[kind](place / "all.json", ["a.png", f"{BYTES}.png", "gone.png"])
    (place / "classes.txt").write_text("background\nobject\n")
    arguments = (place / "images", place / "all.json", "-o", place / "out", "--jobs", 1)
    result = saccade_cli("pseudo-label", *arguments, "--classes", place / "classes.txt")
    assert result.exit_code == 0, result.output
    assert "1 entries without an image: gone.png" in result.stderr
    assert {path.name for path in (place / "out").glob("*.png")} == {"a.png", f"{BYTES}.png"}


def test_labels_of_another_image_are_not_taken(saccade_cli, place):
    for number, stem in enumerate("ab"):
        write_pair(place / "images" / f"{stem}.png", place / "strokes" / "x.png", number)
    coco(place / "all.json", ["a.png", "b.png"])
    document = json.loads((place / "all.json").read_text())
    for annotation in document["annotations"]:
        if annotation["image_id"] == 2:
            annotation["category_id"] = 3 - annotation["category_id"]
    (place / "all.json").write_text(json.dumps(document))
    for stem in "ab":
        one = place / stem
        saccade_cli("segment", place / "images", place / "all.json", "-o", one, "--no-overlay")
    masks = [np.asarray(Image.open(place / "a" / f"{stem}.png")) for stem in "ab"]
    assert masks[0][2, 4] != masks[1][2, 4]
