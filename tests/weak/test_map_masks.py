"""Pseudo masks from localization maps."""

import os
import time
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from saccade.batch import LocalProcesses
from saccade.errors import InputError
from saccade.weak.localization import (
    write_maps,
)
from saccade.weak.map_masks import MapLabeling, label_from_maps, map_mask
from tests.weak.helpers import SPEC, maps_of

pytestmark = pytest.mark.filterwarnings("ignore")

STRONGEST = MapLabeling(conflicts="strongest", saliency="none")


def test_map_masks_follow_the_merge_rules():
    maps = maps_of()
    saliency = np.zeros((8, 10), np.float32)
    saliency[:, 5:] = 1
    mask = map_mask(maps, MapLabeling(), saliency, 0)
    fused = maps.fused()
    one, two = (fused[k] >= 0.3 for k in (0, 1))
    low = saliency < 0.06
    assert (mask[one & ~two & ~low] == 1).all()
    assert (mask[two & ~one & ~low] == 2).all()
    assert (mask[low & ~one & ~two] == 0).all()
    assert (mask[(one | two) & low] == 255).all()
    assert (mask[~one & ~two & ~low] == 255).all()


def write_everything(folder, names, size=(8, 10)):
    for kind in ("images", "maps", "saliency"):
        (folder / kind).mkdir()
    for name in names:
        Image.fromarray(np.zeros((*size, 3), np.uint8)).save(folder / f"images/{name}.png")
        Image.fromarray(np.eye(*size, dtype=np.uint8)).save(folder / f"saliency/{name}.png")
        write_maps(folder / f"maps/{name}.npz", maps_of())


def test_everything_is_checked_before_a_mask_is_written(tmp_path):
    spec = replace(SPEC, names=("background", "red", "green"))
    write_everything(tmp_path, "ab")
    images = sorted((tmp_path / "images").iterdir())
    given = {"saliency": tmp_path / "saliency"}
    arguments = (images, tmp_path / "maps", spec, MapLabeling(), tmp_path / "out")
    with pytest.raises(InputError, match="the background class needs saliency maps"):
        label_from_maps(*arguments)
    Image.fromarray(np.zeros((8, 9), np.uint8)).save(tmp_path / "saliency/b.png")
    with pytest.raises(InputError, match=r"b\.png: 9 x 8 pixels"):
        label_from_maps(*arguments, **given)
    (tmp_path / "saliency/b.png").unlink()
    with pytest.raises(InputError, match=r"no saliency map b\.png"):
        label_from_maps(*arguments, **given)
    Image.fromarray(np.eye(8, 10, dtype=np.uint8)).save(tmp_path / "saliency/b.png")
    Image.fromarray(np.zeros((9, 10, 3), np.uint8)).save(tmp_path / "images/b.png")
    with pytest.raises(InputError, match=r"b\.npz: of an image of 10 x 8 pixels"):
        label_from_maps(*arguments, **given)
    assert not (tmp_path / "out").exists()
    Image.fromarray(np.zeros((8, 10, 3), np.uint8)).save(tmp_path / "images/b.png")
    label_from_maps(*arguments, **given)
    assert sorted(p.name for p in (tmp_path / "out").glob("*.png")) == ["a.png", "b.png"]


def test_masks_from_maps_go_on_and_follow_what_changed(tmp_path, monkeypatch):
    write_everything(tmp_path, "ab")
    images = sorted((tmp_path / "images").iterdir())

    def made(settings=STRONGEST, spec=SPEC):
        done = []
        label_from_maps(
            images,
            tmp_path / "maps",
            spec,
            settings,
            tmp_path / "out",
            progress=lambda n, name: done.append(name),
        )
        return done

    assert made() == ["a", "b"]
    assert made() == []
    (tmp_path / "out/a.png").unlink()
    assert made() == ["a"]
    assert made(replace(STRONGEST, share=0.5)) == ["a", "b"]
    assert made(replace(STRONGEST, share=0.5), replace(SPEC, names=("sky", "a", "b"))) == ["a", "b"]
    changed = maps_of()
    changed.maps[0, 0, 0, 0] = 1
    made()
    write_maps(tmp_path / "maps/b.npz", changed)
    assert made() == ["b"]
    later = time.time() + 5
    os.utime(images[0], (later, later))
    assert made() == ["a"]


@pytest.mark.slow
def test_processes_make_the_same_masks_from_maps(tmp_path):
    write_everything(tmp_path, "abc")
    images = sorted((tmp_path / "images").iterdir())
    one, two = (
        label_from_maps(
            images,
            tmp_path / "maps",
            SPEC,
            STRONGEST,
            tmp_path / f"out{n}",
            executor=LocalProcesses(n),
        )
        for n in (1, 2)
    )
    assert list(one.records.values()) == list(two.records.values())
    assert [record.name for record in one.records.values()] == ["a", "b", "c"]
    for name in "abc":
        both = [(tmp_path / f"out{n}/{name}.png").read_bytes() for n in (1, 2)]
        assert both[0] == both[1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fusion": "sum"}, "fusion is 'sum'"),
        ({"threshold": "half"}, "threshold is 'half'"),
        ({"conflicts": "first"}, "conflicts is 'first'"),
        ({"saliency": "maybe"}, "saliency is 'maybe'"),
        ({"share": 0.0}, "share must be"),
    ],
)
def test_settings_without_meaning_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        MapLabeling(**values)
