import numpy as np
import pytest
from PIL import Image

from saccade.data.sets import open_set
from saccade.errors import InputError
from saccade.experiments.mdc.tiles import cut_tiles, join_tiles, tile_areas


def test_tiles_join_to_what_was_cut(camvid, tmp_path):
    dataset = open_set("camvid", camvid, "train")
    tiles = cut_tiles(dataset, tmp_path / "tiles", (2, 3))
    assert len(tiles.examples) == 30
    (tmp_path / "whole").mkdir()
    join_tiles(dataset, tmp_path / "tiles/masks", tmp_path / "whole", (2, 3))
    for index, example in enumerate(dataset.examples):
        whole = np.asarray(Image.open(tmp_path / "whole" / f"{example.name}.png"))
        assert np.array_equal(whole, dataset.labels(index))
    covered = np.zeros((7, 11), int)
    for _, _, area in tile_areas(covered.shape, (2, 3)):
        covered[area] += 1
    assert (covered == 1).all()
    Image.fromarray(np.zeros((3, 3), np.uint8)).save(
        tmp_path / f"tiles/masks/{dataset.examples[0].name}-0-0.png"
    )
    with pytest.raises(InputError, match="its tile is"):
        join_tiles(dataset, tmp_path / "tiles/masks", tmp_path / "whole", (2, 3))
