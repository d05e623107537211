"""Images and masks that somebody names by patterns."""

import pytest

from saccade.discovery.globs import pairs_of_globs
from saccade.errors import InputError
from tests.discovery.helpers import mask, photograph


@pytest.fixture
def folder(tmp_path):
    for day in ("mon", "tue"):
        for number in (1, 2):
            photograph(tmp_path / f"{day}/raw/{number}_x.png", number)
            mask(tmp_path / f"{day}/drawn/final-{number}.tif")
            mask(tmp_path / f"{day}/drawn/draft-{number}.tif")
    photograph(tmp_path / "mon/raw/3_x.png")
    return tmp_path


def test_what_stars_stand_for_makes_pairs(folder):
    found = pairs_of_globs(folder, "*/raw/*_x.png", "*/drawn/final-*.tif")
    assert [tuple(p.relative_to(folder).as_posix() for p in pair) for pair in found.pairs] == [
        (f"{day}/raw/{n}_x.png", f"{day}/drawn/final-{n}.tif")
        for day in ("mon", "tue")
        for n in (1, 2)
    ]
    assert [path.name for path in found.others] == ["3_x.png"]


def test_two_stars_are_any_folders(folder):
    assert len(pairs_of_globs(folder, "**/*_x.png", "**/*_x.png").pairs) == 5
    mask(folder / "out/deep/1.png")
    photograph(folder / "out/deep/1.jpg")
    assert len(pairs_of_globs(folder, "**/*.jpg", "**/*.png").pairs) == 1


@pytest.mark.parametrize(
    ("images", "masks", "words"),
    [
        ("a.png", "b.png", "expected as many"),
        ("*/raw/*.png", "drawn/*.png", "expected as many"),
        ("raw/*.png", "drawn/*.png", "--images raw/.* matches no image"),
        ("*/raw/*_x.png", "*/masks/*.png", "--masks .* matches no image"),
        ("mon/raw/*_x.png", "mon/drawn/*.tif", "no mask fits an image"),
    ],
)
def test_patterns_that_pair_nothing_are_refused(folder, images, masks, words):
    with pytest.raises(InputError, match=words):
        pairs_of_globs(folder, images, masks)
