"""Images of one stem never share strokes, whatever comes, goes, or is written by older releases."""

import itertools
import json
import os

import pytest

from saccade.scribbles.document import Line, StrokeClass, StrokeDocument
from saccade.serve.library import Library
from saccade.serve.settings import ServeSettings
from saccade.serve.stroke_file import StrokeFile
from tests.serve.helpers import halves, png

CLASSES = (StrokeClass(0, "background"), StrokeClass(1, "object"))
SHAPE = halves().shape[:2]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos").mkdir()
    return tmp_path / "photos"


def entries(folder, library=None):
    library = library or Library(ServeSettings(paths=(folder,), home=folder.parent / "home"))
    return {entry.path.name: entry for entry in library.entries()}


def draw(entry, width):
    """Strokes that are told from others by their width."""
    file = StrokeFile(entry)
    file.read(SHAPE)
    lines = (Line("s", 1, width, ((2.0, 2.0), (5.0, 3.0))),)
    file.write(StrokeDocument(CLASSES, lines), SHAPE)


def drawn(entry):
    return [item.width for item in StrokeFile(entry).read(SHAPE).items]


NAMES = ("a.jpg", "a.png", "a.JPG", "a.tif", "a.png.jpg", "a.png.tif", "b.png")


@pytest.mark.parametrize("restart", [True, False])
@pytest.mark.parametrize("pair", list(itertools.permutations(NAMES[:5], 2)))
def test_each_keeps_its_strokes_when_the_other_comes_and_goes(folder, pair, restart):
    first, second = pair
    library = Library(ServeSettings(paths=(folder,), home=folder.parent / "home"))

    def now():
        return entries(folder, None if restart else library)

    (folder / first).write_bytes(png(halves()))
    draw(now()[first], 3.0)
    (folder / second).write_bytes(png(halves()))
    both = now()
    assert both[first].strokes != both[second].strokes
    assert (drawn(both[first]), drawn(both[second])) == ([3.0], [])
    draw(both[second], 5.0)
    (folder / first).unlink()
    assert drawn(now()[second]) == [5.0]
    draw(now()[second], 7.0)
    (folder / first).write_bytes(png(halves()))
    both = now()
    assert (drawn(both[first]), drawn(both[second])) == ([3.0], [7.0])
    (folder / second).unlink()
    assert drawn(now()[first]) == [3.0]


def test_many_of_one_stem_have_files_of_their_own(folder):
    for name in NAMES:
        (folder / name).write_bytes(png(halves()))
    found = entries(folder)
    assert len({entry.strokes for entry in found.values()}) == len(NAMES)
    assert len({entry.title for entry in found.values()}) == len(NAMES)
    for width, name in enumerate(NAMES, 1):
        draw(found[name], float(width))
    again = entries(folder)
    assert {name: drawn(again[name]) for name in NAMES} == {
        name: [float(width)] for width, name in enumerate(NAMES, 1)
    }


def test_a_stem_that_nobody_shares_keeps_the_name_it_had(folder):
    (folder / "b.png").write_bytes(png(halves()))
    assert entries(folder)["b.png"].strokes.name == "b.strokes.json"


def test_names_that_are_promised_are_promised_once(folder):
    library = Library(ServeSettings(paths=(folder,), home=folder.parent / "home"))
    (folder / "a.png").write_bytes(png(halves()))
    first = entries(folder, library)["a.png"]
    (folder / "a.png").unlink()
    (folder / "a.jpg").write_bytes(png(halves()))
    second = entries(folder, library)["a.jpg"]
    assert first.strokes != second.strokes


def test_strokes_renamed_with_their_image_stay_with_it(folder):
    (folder / "a.png").write_bytes(png(halves()))
    draw(entries(folder)["a.png"], 3.0)
    (folder / "a.png").rename(folder / "c.png")
    (folder / "a.strokes.json").rename(folder / "c.strokes.json")
    assert drawn(entries(folder)["c.png"]) == [3.0]


def test_labelmes_own_file_starts_the_image_that_it_names(folder):
    shape = {"label": "object", "points": [[2, 2], [5, 3]], "shape_type": "linestrip"}
    document = {"shapes": [shape], "imagePath": "a.png", "imageHeight": 8, "imageWidth": 8}
    height, width = SHAPE
    document |= {"imageHeight": height, "imageWidth": width}
    (folder / "a.json").write_text(json.dumps(document))
    for name in ("a.png", "a.jpg"):
        (folder / name).write_bytes(png(halves()))
    found = entries(folder)
    assert len(drawn(found["a.png"])) == 1
    assert drawn(found["a.jpg"]) == []


@pytest.mark.parametrize("name", [b"caf\xe9.png", b"\xff\xfe.jpg", "caf\u00e9.png".encode()])
def test_names_of_any_bytes_are_listed_and_keep_strokes(folder, name):
    path = os.path.join(os.fsencode(folder), name)
    with open(path, "wb") as file:
        file.write(png(halves()))
    (entry,) = entries(folder).values()
    json.dumps([entry.name, entry.folder, entry.title], ensure_ascii=False).encode()
    draw(entry, 4.0)
    (entry,) = entries(folder).values()
    assert drawn(entry) == [4.0]


def test_what_is_no_file_is_not_listed(folder):
    os.mkfifo(folder / "pipe.png")
    (folder / "folder.png").mkdir()
    (folder / "link.png").symlink_to("nowhere.png")
    (folder / "ring.png").symlink_to("ring.png")
    (folder / "._b.png").write_bytes(b"x")
    (folder / "b.png").write_bytes(png(halves()))
    assert list(entries(folder)) == ["b.png"]
