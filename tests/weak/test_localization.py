import os
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from saccade.data.sets import Example, LabeledSet, pair_up
from saccade.data.transforms import Augmentation
from saccade.errors import InputError
from saccade.evaluation.inference import as_batch
from saccade.images import load_image
from saccade.models import mdc
from saccade.models.mdc import LocalizerConfig, MultiDilatedNet, load_localizer
from saccade.training import classifier
from saccade.training.classifier import train_classifier
from saccade.training.classifier_config import LocalizerTraining
from saccade.training.config import OptimConfig
from saccade.weak import map_masks
from saccade.weak.localization import (
    LocalizationMaps,
    localize_all,
    localize_image,
    read_maps,
    write_maps,
)
from saccade.weak.map_masks import MapLabelling, label_from_maps, map_mask
from saccade.weak.sheet import draw_sheet, example_rows
from tests.weak.helpers import SPEC

pytestmark = pytest.mark.filterwarnings("ignore")

CONFIG = LocalizerTraining(
    LocalizerConfig(backbone="mobilenet_v2", dilations=(1, 2), width=16, output_stride=8),
    optim=OptimConfig(epochs=3, batch=2, lr=0.01, head_lr=1.0),
    augmentation=Augmentation(crop=(48, 64), scale=(1.0, 1.0)),
    device="cpu",
)


@pytest.fixture
def found(folders):
    return pair_up("made up", folders.images, folders.masks, SPEC)


@pytest.fixture(autouse=True)
def one_thread():
    """Convolutions this small wait for each other's threads, for minutes on cores that are busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


STRONGEST = MapLabelling(conflicts="strongest", saliency="none")
PRESENT = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]], bool)


def maps_of(**values):
    maps = np.zeros((3, 2, 4, 5), np.float32)
    maps[0, 0, 1, 1] = 1
    maps[1, 0, 1, 1:3] = 1, 0.5
    maps[2, 1, 3, 4] = 1
    return LocalizationMaps(maps, (1, 2), (1, 3, 6), (8, 10), **values)


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


def test_a_classifier_learns_which_colours_are_there(found, tmp_path, monkeypatch):
    # One layer in place of a backbone: colours need no more, and normalising over two images is
    # noise.
    def one_layer(*_):
        return torch.nn.Sequential(torch.nn.Conv2d(3, 16, 8, stride=8), torch.nn.ReLU()), 16

    monkeypatch.setattr(mdc, "_features", one_layer)
    # The ground is in every image, and the others only where PRESENT says so.
    present = PRESENT.copy()
    present[:, 0] = True
    for row, example in zip(PRESENT, found.examples, strict=True):
        image, labels = load_image(example.image).copy(), found.labels(int(example.name))
        for value in (1, 2):
            if not row[value]:
                image[labels == value] = 60
        Image.fromarray(image).save(example.image)
    config = replace(
        CONFIG,
        optim=replace(CONFIG.optim, epochs=60, lr=0.1),
        augmentation=Augmentation(crop=(60, 80), scale=(1.0, 1.0)),
    )
    done = train_classifier(config, found, present, tmp_path / "run")
    assert done.losses[-1] < 0.1 * done.losses[0]
    batch = torch.cat([as_batch(load_image(e.image), torch.device("cpu")) for e in found.examples])
    with torch.no_grad():
        seen = done.net(batch) > 0
    assert all(np.array_equal(block, present) for block in seen.unbind(1))
    kept = load_localizer(tmp_path / "run/classifier.safetensors")
    assert (kept.net.config.dilations, kept.spec.names) == ((1, 2), SPEC.names)
    batch = torch.rand(1, 3, 40, 56)
    torch.testing.assert_close(kept.net(batch), done.net(batch))


def test_an_interrupted_classifier_goes_on_exactly(found, tmp_path, monkeypatch):
    whole = train_classifier(CONFIG, found, PRESENT, tmp_path / "whole")
    steps = []
    true_step = classifier._step

    def step(run, batch):
        if len(steps) == 3:
            raise KeyboardInterrupt
        steps.append(true_step(run, batch))
        return steps[-1]

    monkeypatch.setattr(classifier, "_step", step)
    config = replace(CONFIG, save_every=1)
    with pytest.raises(KeyboardInterrupt):
        train_classifier(config, found, PRESENT, tmp_path / "part")
    monkeypatch.setattr(classifier, "_step", true_step)
    done = train_classifier(config, found, PRESENT, tmp_path / "part")
    assert (done.step, done.steps) == (6, 6)
    for name, value in whole.net.state_dict().items():
        assert torch.equal(value, done.net.state_dict()[name]), name
    swapped = PRESENT[::-1].copy()
    with pytest.raises(InputError, match=r"another labelled set\.labels"):
        train_classifier(CONFIG, found, swapped, tmp_path / "part")
    renamed = replace(found, spec=replace(SPEC, names=("ground", "green", "red")))
    with pytest.raises(InputError, match=r"another labelled set\.classes"):
        train_classifier(CONFIG, renamed, PRESENT, tmp_path / "part")
    other = replace(CONFIG, seed=5)
    with pytest.raises(InputError, match="another seed"):
        train_classifier(other, found, PRESENT, tmp_path / "part")


def test_a_class_that_never_occurs_is_named_first(found, tmp_path):
    present = PRESENT.copy()
    present[:, 2] = False
    with pytest.raises(InputError, match="class 'green' is in no image"):
        train_classifier(CONFIG, found, present, tmp_path / "run")
    assert not (tmp_path / "run").exists()


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


def test_map_masks_follow_the_merge_rules():
    maps = maps_of()
    saliency = np.zeros((8, 10), np.float32)
    saliency[:, 5:] = 1
    mask = map_mask(maps, MapLabelling(), saliency, 0)
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
    arguments = (images, tmp_path / "maps", spec, MapLabelling(), tmp_path / "out")
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


def test_processes_make_the_same_masks_from_maps(tmp_path, monkeypatch):
    write_everything(tmp_path, "abc")
    images = sorted((tmp_path / "images").iterdir())
    monkeypatch.setattr(map_masks, "_WORTH_A_PROCESS", 1)
    one, two = (
        label_from_maps(
            images, tmp_path / "maps", SPEC, STRONGEST, tmp_path / f"out{n}", processes=n
        )
        for n in (1, 2)
    )
    assert one == two
    assert [record.name for record in one] == ["a", "b", "c"]
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
def test_settings_that_mean_nothing(values, message):
    with pytest.raises(InputError, match=message):
        MapLabelling(**values)


def test_examples_need_no_masks(folders, tmp_path):
    examples = tuple(Example(p.stem, p, p) for p in sorted(folders.images.iterdir()))
    found = LabeledSet("no masks", examples, SPEC)
    config = replace(CONFIG, optim=replace(CONFIG.optim, epochs=1))
    assert train_classifier(config, found, PRESENT, tmp_path / "run").step == 2
