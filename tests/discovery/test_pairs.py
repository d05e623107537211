"""Images find their masks, whatever people call them."""

import pytest

from saccade.discovery.pairs import find_pairs
from saccade.errors import InputError
from tests.discovery.helpers import mask, photograph

FOLDERS = {
    "a word at the end": ("{}.jpg", "{}_mask.png"),
    "a word at the beginning": ("img_{}.png", "mask_{}.png"),
    "words that are glued": ("frame{}.png", "frame{}GroundTruth.png"),
    "own word at the end": ("{}.jpg", "{} farben.png"),
    "own word at the beginning": ("{}.jpg", "painted-{}.png"),
    "own words at the end": ("{}_cam.jpg", "{}_colors.png"),
    "own words at the end, one suffix": ("{}-seen.png", "{}-by hand.png"),
    "own words at the beginning": ("cam_{}.jpg", "colors_{}.png"),
    "own word, and one for masks": ("{}_cam.jpg", "{}_mask.png"),
    "suffixes": ("{}.jpg", "{}.png"),
    "two folders": ("images/{}.png", "masks/{}.png"),
    "two folders of other words": ("slides/{}.png", "drawn/{}.png"),
    "folders in folders": ("x/rgb/{}.tif", "x/labels/{}.png"),
    "SegNet's": ("train/{}.png", "trainannot/{}.png"),
    "a folder each": ("case {}/image.png", "case {}/label.png"),
    "folders of unlike names": ("701_StillsRaw/{}.png", "LabeledApproved/{}_L.png"),
}


@pytest.mark.parametrize(("image", "label"), FOLDERS.values(), ids=FOLDERS)
def test_masks_are_found(image, label, tmp_path):
    wanted = []
    for number, name in enumerate(("day 1", "day 10", "x_7")):
        pair = tmp_path / image.format(name), tmp_path / label.format(name)
        wanted.append((photograph(pair[0], number), mask(pair[1])))
    found = find_pairs(tmp_path)
    assert set(found.pairs) == set(wanted)
    assert found.rule
    assert found.others == ()


def test_images_without_a_mask_are_named(tmp_path):
    for number in range(3):
        photograph(tmp_path / f"{number}.jpg", number)
    mask(tmp_path / "0_mask.png")
    mask(tmp_path / "1_mask.png")
    found = find_pairs(tmp_path)
    assert len(found.pairs) == 2
    assert found.others == (tmp_path / "2.jpg",)


def test_photographs_of_one_name_are_no_masks(tmp_path):
    for number in range(3):
        photograph(tmp_path / "day" / f"{number}.png", number)
        photograph(tmp_path / "night" / f"{number}.png", number + 9)
    assert find_pairs(tmp_path).pairs == ()


def test_splits_are_those_of_folders(tmp_path):
    for split in ("Train", "valid", "testing"):
        photograph(tmp_path / split / "images" / "1.png")
        mask(tmp_path / split / "masks" / "1.png")
    found = find_pairs(tmp_path)
    assert sorted(found.splits) == ["test", "train", "val"]


@pytest.mark.parametrize("separator", ["\t", ",", " "])
def test_lists_name_pairs_and_splits(tmp_path, separator):
    for number, split in enumerate(("train", "val")):
        photograph(tmp_path / "a" / f"{number}.png", number)
        mask(tmp_path / "b" / f"other{number}.png")
        line = f"a/{number}.png{separator}b/other{number}.png\n"
        (tmp_path / f"{split}.txt").write_text(line)
    found = find_pairs(tmp_path)
    assert [(i.name, m.name) for i, m in found.pairs] == [
        ("0.png", "other0.png"),
        ("1.png", "other1.png"),
    ]
    assert found.splits == ("train", "val")
    assert "train.txt" in found.rule


def test_what_is_written_by_init_is_not_looked_at(tmp_path):
    photograph(tmp_path / "1.jpg")
    mask(tmp_path / "training" / "masks" / "1.png")
    assert len(find_pairs(tmp_path).pairs) == 1
    assert find_pairs(tmp_path, tmp_path / "training").pairs == ()


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        find_pairs(tmp_path / "nowhere")


def test_images_with_several_companions_have_the_masks(tmp_path):
    wanted = []
    for number in range(3):
        image = photograph(tmp_path / f"scan{number}_left.png", number)
        photograph(tmp_path / f"scan{number}_right.png", number + 9)
        wanted.append((image, mask(tmp_path / f"scan{number}_drawn.png")))
    found = find_pairs(tmp_path)
    assert len(found.pairs) == 3
    assert {label for _, label in found.pairs} == {label for _, label in wanted}
    assert "of masks '_drawn'" in found.rule
