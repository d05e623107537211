"""Values and colors of masks become classes with names."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from saccade.data.known import CAMVID
from saccade.data.specs import read_classes
from saccade.discovery.class_files import find_class_file
from saccade.discovery.convert import converted
from saccade.discovery.meaning import meaning_of
from saccade.discovery.survey import survey
from saccade.errors import InputError
from tests.discovery.helpers import SIZE, mask, photograph

RED, GREEN, BLACK, WHITE = (255, 0, 0), (0, 128, 0), (0, 0, 0), (255, 255, 255)


def meaning(folder, *masks, file=None):
    """The meaning of masks of these values."""
    pairs = []
    for number, values in enumerate(masks):
        pair = folder / f"{number}.jpg", folder / f"{number}_mask.png"
        pairs.append((photograph(pair[0]), mask(pair[1], values)))
    return meaning_of(survey(pairs), file)


def names(found):
    return [named.name for named in found.classes]


@pytest.mark.parametrize(
    ("masks", "classes", "text"),
    [
        ([(0, 255), (0, 255)], ["background", "object"], "0 background\n255 object\n"),
        ([(0, 1)], ["background", "object"], "0 background\n1 object\n"),
        ([(0, 1, 2, 255)], ["background", "class 1", "class 2"], "0 background\n1 class 1\n"),
        ([(BLACK, WHITE)], ["background", "object"], "0 background 0 0 0\n"),
        ([(WHITE, RED, GREEN)], ["green", "red", "background"], "0 green 0 128 0\n"),
        ([(BLACK, RED), (RED, GREEN)], ["background", "green", "red"], "0 background 0 0 0\n"),
    ],
)
def test_values_and_colors_get_names(masks, classes, text, tmp_path):
    found = meaning(tmp_path, *masks)
    assert names(found) == classes
    assert found.text.startswith(text)
    (tmp_path / "classes.txt").write_text(found.text)
    spec = read_classes(tmp_path / "classes.txt")
    assert list(spec.names) == classes
    if len(masks[0]) == 4:
        assert spec.apply(np.array([[0, 2, 255]]), "x").tolist() == [[0, 2, 255]]


def test_a_little_black_among_colors_is_a_gap(tmp_path):
    found = meaning(tmp_path, [RED] * 15 + [GREEN] * 15 + [BLACK])
    assert names(found) == ["green", "red"]
    assert any("(0, 0, 0) has no class" in remark for remark in found.remarks)


def test_colors_of_camvid_have_its_names(tmp_path):
    found = meaning(tmp_path, CAMVID.palette)
    assert names(found) == list(CAMVID.names)
    assert "CamVid" in found.remarks[0]


FILES = {
    "classes.txt": "sea\nisland\n",
    "labels.txt": "0 sea\n7 island\n",
    "class_dict.csv": "name, r, g, b\nsea,0,0,255\nisland,255,255,0\n",
    "labelmap.txt": "# label:color_rgb:parts:actions\nsea:0,0,255::\nisland:255,255,0::\n",
    "label_colors.txt": "0 0 255\tsea\n255 255 0\tisland\n",
}


@pytest.mark.parametrize("name", FILES)
def test_files_name_classes(name, tmp_path):
    (tmp_path / name).write_text(FILES[name])
    values = {"classes.txt": (0, 1), "labels.txt": (0, 7)}
    found = meaning(
        tmp_path,
        values.get(name, ((0, 0, 255), (255, 255, 0))),
        file=find_class_file(tmp_path),
    )
    assert names(found) == ["sea", "island"]


def test_names_from_one_leave_nothing_the_background(tmp_path):
    (tmp_path / "classes.txt").write_text("cell\nnucleus\n")
    found = meaning(tmp_path, (0, 1, 2), file=find_class_file(tmp_path))
    assert names(found) == ["background", "cell", "nucleus"]


def test_a_file_that_names_other_values_is_refused(tmp_path):
    (tmp_path / "classes.txt").write_text("cell\nnucleus\n")
    with pytest.raises(InputError, match="but masks have 5 too"):
        meaning(tmp_path, (0, 1, 5), file=find_class_file(tmp_path))


def test_numbered_objects_become_one_class(tmp_path):
    pairs = []
    for number, count in enumerate((12, 3, 300)):
        pair = tmp_path / f"{number}.jpg", tmp_path / f"{number}_mask.png"
        pairs.append((photograph(pair[0]), mask(pair[1], range(count + 1), (24, 640))))
        Image.new("RGB", (640, 24)).save(pair[0])
    found = meaning_of(survey(pairs), None)
    assert names(found) == ["background", "object"]
    converted([(p[1], tmp_path / "out.png") for p in pairs[:1]], found)()
    assert sorted(set(np.asarray(Image.open(tmp_path / "out.png")).ravel())) == [0, 1]


def test_blurred_colors_become_the_nearest(tmp_path):
    photograph(tmp_path / "a.jpg")
    Image.new("RGB", (200, 200)).save(tmp_path / "a.jpg")
    sharp = np.zeros((200, 200, 3), np.uint8)
    sharp[:, :90], sharp[60:, 90:] = RED, (0, 0, 255)
    soft = Image.fromarray(sharp).rotate(20).filter(ImageFilter.GaussianBlur(2))
    soft.save(tmp_path / "a_mask.png")
    found = meaning_of(survey([(tmp_path / "a.jpg", tmp_path / "a_mask.png")]), None)
    assert sorted(names(found)) == ["background", "blue", "red"]
    assert found.convert == "nearest"
    converted([(tmp_path / "a_mask.png", tmp_path / "out.png")], found)()
    labels = np.asarray(Image.open(tmp_path / "out.png"))
    assert labels[100, 60] == names(found).index("red")
    assert labels[120, 130] == names(found).index("blue")


def test_photographs_are_no_masks(tmp_path):
    pair = photograph(tmp_path / "a.jpg"), photograph(tmp_path / "a_mask.png", 1)
    with pytest.raises(InputError, match="expected a few"):
        meaning_of(survey([pair]), None)


def test_masks_of_another_size_are_left_out(tmp_path):
    good = photograph(tmp_path / "a.jpg"), mask(tmp_path / "a_mask.png")
    bad = photograph(tmp_path / "b.jpg"), mask(tmp_path / "b_mask.png", size=(9, 9))
    found = survey([good, bad])
    assert found.broken == {bad[1]}
    assert (
        f"9 x 9 pixels (width x height), its image has {SIZE[1]} x {SIZE[0]}" in found.problems[0]
    )
    with pytest.raises(InputError, match="9 x 9"):
        survey([bad])


def test_one_class_is_not_enough(tmp_path):
    with pytest.raises(InputError, match="two classes"):
        meaning(tmp_path, (0,))


def test_white_that_is_much_is_a_class_and_a_little_is_none_and_both_are_said(tmp_path):
    much = meaning(tmp_path / "a", (WHITE, RED, GREEN))
    assert "background" in names(much)
    said = " ".join(much.remarks)
    assert "(255, 255, 255) covers 3" in said
    assert "% of the masks and is the class 'background'; if it means 'not labelled'" in said
    little = meaning(tmp_path / "b", [RED] * 15 + [GREEN] * 15 + [WHITE])
    assert "background" not in names(little)
    assert "with a line 'NAME 255 255 255' in classes.txt it has one" in " ".join(little.remarks)
