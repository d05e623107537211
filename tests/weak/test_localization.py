from dataclasses import replace

import numpy as np
import pytest
import torch

from saccade.data.sets import Example, LabeledSet, pair_up
from saccade.errors import InputError
from saccade.evaluation.inference import as_batch
from saccade.images import load_image
from saccade.models.mdc import MultiDilatedNet
from saccade.training.classifier import train_classifier
from saccade.weak.localization import (
    localize_all,
    localize_image,
    read_maps,
    write_maps,
)
from saccade.weak.sheet import draw_sheet, example_rows
from tests.weak.helpers import CONFIG, PRESENT, SPEC, maps_of

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("one_thread")]


@pytest.fixture
def found(folders):
    return pair_up("made up", folders.images, folders.masks, SPEC)


def test_maps_survive_their_file(tmp_path):
    maps = maps_of()
    write_maps(tmp_path / "a.npz", maps)
    found = read_maps(tmp_path / "a.npz")
    np.testing.assert_allclose(found.maps, maps.maps, atol=0.5 / 255)
    assert (found.classes, found.dilations, found.size) == ((1, 2), (1, 3, 6), (8, 10))
    (tmp_path / "b.npz").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"b\.npz: no localization maps"):
        read_maps(tmp_path / "b.npz")


def test_fused_maps_have_the_size_of_the_image_and_a_peak_of_one():
    maps = maps_of()
    fused = maps.fused()
    assert fused.shape == (2, 8, 10)
    assert fused.max((1, 2)).tolist() == [1, 1]
    assert maps.fused(0)[1].max() == 0  # nothing there stays nothing
    assert maps.fused("average")[0].argmax() == fused[0].argmax()


def test_maps_of_a_folder_are_made_once_and_drawn(found, tmp_path):
    net = train_classifier(CONFIG, found, PRESENT, tmp_path / "run").net
    localize_all(net, found, PRESENT, tmp_path / "maps")
    kept = read_maps(tmp_path / "maps/1.npz")
    assert (kept.classes, kept.size, kept.maps.shape[:2]) == ((0, 2), (60, 80), (2, 2))
    image = load_image(found.examples[1].image)
    plain, mirrored = (localize_image(net, image[:, ::s].copy(), (0, 2)).maps for s in (1, -1))
    np.testing.assert_allclose(plain, mirrored[..., ::-1], atol=1e-5)
    before = (tmp_path / "maps/1.npz").stat().st_mtime_ns
    localize_all(net, found, PRESENT, tmp_path / "maps")
    assert (tmp_path / "maps/1.npz").stat().st_mtime_ns == before
    rows = example_rows(found, PRESENT, 3)
    assert len({index for index, _ in rows}) == 3
    assert {value for _, value in rows} == {0, 1, 2}
    sheet = draw_sheet(found, tmp_path / "maps", rows, truth=True)
    assert sheet.shape[1:] == (1600, 3)
    with pytest.raises(InputError, match="no map of class 1"):
        draw_sheet(found, tmp_path / "maps", [(1, 1)])


def tiny_net(seed):
    """A classifier that sees colours; of random backbones nothing arrives at the blocks."""
    torch.manual_seed(seed)
    net = MultiDilatedNet(replace(CONFIG.network, classes=3)).eval()
    net.backbone = torch.nn.Conv2d(3, net.blocks[0].conv.in_channels, 8, stride=8)
    return net


def test_maps_belong_to_a_classifier_and_to_labels(found, tmp_path):
    nets = [tiny_net(seed) for seed in (0, 1)]

    def maps(net, present, source):
        localize_all(net, found, present, tmp_path / "maps", source=source)
        return [read_maps(tmp_path / f"maps/{n}.npz") for n in range(4)]

    first = maps(nets[0], PRESENT, "one")
    kept = maps(nets[1], PRESENT, "one")
    other = maps(nets[1], PRESENT, "two")
    for one, same, new in zip(first, kept, other, strict=True):
        assert np.array_equal(one.maps, same.maps)
        assert not np.array_equal(one.maps, new.maps)
    changed = maps(nets[1], PRESENT[::-1], "two")
    assert [one.classes for one in changed] == [(0, 1, 2), (1, 2), (0, 2), (0, 1)]
    (tmp_path / "maps/classifier.json").unlink()  # as older folders are
    again = maps(nets[0], PRESENT[::-1], "three")
    assert all(np.array_equal(a.maps, b.maps) for a, b in zip(changed, again, strict=True))


def test_maps_of_two_views_have_a_peak_of_one(found):
    net = tiny_net(1)
    image = load_image(found.examples[0].image)
    maps = localize_image(net, image, (0, 1, 2)).maps
    peaks = maps.max((2, 3))
    assert (peaks > 0).any()
    np.testing.assert_allclose(peaks[peaks > 0], 1, rtol=1e-6)
    # The mean is taken before what is below zero is lost.
    batch = as_batch(image, torch.device("cpu"))
    block = net.blocks[0]
    with torch.no_grad():
        views = [block.signed_maps(net.features(v)) for v in (batch, batch.flip(3))]
    mean = ((views[0] + views[1].flip(3)) / 2).relu()[0]
    np.testing.assert_allclose(maps[0], mean / mean.amax((1, 2), keepdim=True), atol=1e-5)


def test_examples_need_no_masks(folders, tmp_path):
    examples = tuple(Example(p.stem, p, p) for p in sorted(folders.images.iterdir()))
    found = LabeledSet("no masks", examples, SPEC)
    config = replace(CONFIG, optim=replace(CONFIG.optim, epochs=1))
    assert train_classifier(config, found, PRESENT, tmp_path / "run").step == 2
