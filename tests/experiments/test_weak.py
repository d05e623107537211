"""Tables of weak supervision: what they say, and one run of everything on a made-up CamVid."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from saccade.cli.app import app
from saccade.data.known import CAMVID, CONTEXT_CLASSES
from saccade.data.sets import Example, LabeledSet, open_set
from saccade.errors import InputError
from saccade.experiments import run_networks as running
from saccade.experiments import weak_labels
from saccade.experiments.mdc_figure5 import SHARES, WAYS, measure_maps, run_figure5
from saccade.experiments.names import WEAK
from saccade.experiments.run_networks import NetworkPlan, count_runs, run_config, run_networks
from saccade.experiments.tiles import areas, cut, join
from saccade.experiments.weak_labels import (
    KINDS,
    check_labels,
    classifier_config,
    prepare_labels,
)
from saccade.experiments.weak_tables import WEAK_TABLES
from saccade.training.config import DataConfig
from saccade.weak.localization import LocalizationMaps, write_maps

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def camvid(tmp_path_factory):
    """Five photographs of stripes and boxes to train on, two to evaluate on."""
    root = tmp_path_factory.mktemp("shared") / "camvid"
    root.mkdir()
    generator = np.random.default_rng(0)
    for split, count in (("train", 5), ("val", 2)):
        for number in range(count):
            labels = np.repeat(np.arange(11, dtype=np.uint8), 10)[:, None].repeat(120, 1)
            labels[20:60, 30:60] = generator.integers(0, 11)
            labels[:3] = 11
            noise = generator.integers(-12, 12, (*labels.shape, 3))
            image = np.clip(CAMVID.colors[labels % 11] + noise, 0, 255).astype(np.uint8)
            for folder, array in ((split, image), (f"{split}annot", labels)):
                (root / folder).mkdir(exist_ok=True)
                Image.fromarray(array).save(root / folder / f"{split}{number}.png")
    return root


@pytest.fixture
def setup(camvid):
    return NetworkPlan(DataConfig("camvid", str(camvid)), "smoke", "mobilenet_v2", device="cpu")


def test_tables_are_whole():
    assert {*WEAK_TABLES, "mdc-figure5"} == set(WEAK)
    for table in WEAK_TABLES.values():
        labels = set(table.rows)
        assert {label for pair in table.claims for label in pair} <= labels
        assert {row.trained_as for row in table.rows.values()} <= {*labels, ""}
        assert {row.labels for row in table.rows.values()} <= {*KINDS, ""}
        for row in table.rows.values():
            assert not row.literature or row.published
            if row.trained_as:  # the CRF changes nothing about the training
                assert row.labels == table.rows[row.trained_as].labels
    assert count_runs("gdc-table2", [0, 1]) == 6  # four rows are cited


def test_the_papers_run_is_largefov_as_in_its_recipe(monkeypatch, tmp_path):
    found = LabeledSet("VOC", tuple(Example(str(i), None, None) for i in range(10582)), CAMVID)
    monkeypatch.setattr(running, "open_sets", lambda data: (found, found))
    table = WEAK_TABLES["mdc-table4"]
    setup = NetworkPlan(DataConfig("voc-aug", "x"), "paper", weights="imagenet")
    for label, count in (("strong 500", 500), ("strong 1K", 1000), ("strong 1.4K", 1464)):
        config = run_config(table, table.rows[label], setup, 0, tmp_path)
        assert (config.supervision.strong, config.supervision.online) == (count, 1.0)
    assert (config.network.network, config.network.backbone) == ("largefov", "vgg16")
    optim = config.optim
    assert (optim.epochs, optim.batch, optim.lr, optim.bias_lr) == (15, 30, 0.001, 2.0)
    assert optim.drop * optim.epochs == pytest.approx(6)
    assert config.augmentation.crop == (321, 321)
    paper = classifier_config(setup, (1, 3, 6, 9))
    assert (paper.network.backbone, paper.optim.epochs, paper.optim.batch) == ("vgg16", 15, 30)


def test_tiles_join_to_what_was_cut(camvid, tmp_path):
    found = open_set("camvid", camvid, "train")
    tiles = cut(found, tmp_path / "tiles", (2, 3))
    assert len(tiles.examples) == 30
    (tmp_path / "whole").mkdir()
    join(found, tmp_path / "tiles/masks", tmp_path / "whole", (2, 3))
    for index, example in enumerate(found.examples):
        whole = np.asarray(Image.open(tmp_path / "whole" / f"{example.name}.png"))
        assert np.array_equal(whole, found.labels(index))
    covered = np.zeros((7, 11), int)
    for _, _, area in areas(covered.shape, (2, 3)):
        covered[area] += 1
    assert (covered == 1).all()
    Image.fromarray(np.zeros((3, 3), np.uint8)).save(
        tmp_path / f"tiles/masks/{found.examples[0].name}-0-0.png"
    )
    with pytest.raises(InputError, match="its tile is"):
        join(found, tmp_path / "tiles/masks", tmp_path / "whole", (2, 3))


def test_recall_and_precision_of_known_maps(tmp_path):
    labels = np.zeros((8, 8), np.uint8)
    labels[:, 4:] = 1
    labels[0] = 255
    Image.fromarray(labels).save(tmp_path / "a.png")
    spec = CAMVID.__class__(("zero", "one"))
    found = LabeledSet("one", (Example("a", tmp_path / "a.png", tmp_path / "a.png"),), spec)
    maps = np.zeros((4, 1, 8, 8), np.float32)
    maps[0, 0, :, 6:] = 1  # half of the object
    maps[1:, 0, :, 4:] = 1  # the object, and beside it
    maps[1:, 0, :, 2:4] = 0.5
    write_maps(tmp_path / "a.npz", LocalizationMaps(maps, (1,), (1, 3, 6, 9), (8, 8)))
    counted = measure_maps(found, tmp_path, lambda *_: None)
    assert set(counted) == {(way, share) for way in WAYS for share in SHARES}
    assert counted["d = 1", 0.3].means()[:2] == (0.5, 1.0)
    assert counted["d = 9", 0.3].means()[:2] == pytest.approx((1.0, 28 / 42))
    assert counted["d = 9", 0.6].means()[:2] == (1.0, 1.0)
    # H = H0 + mean: 2 where both see it, 1 and 0.5 where only the dilated ones do.
    assert counted["fusion", 0.3].means()[:2] == (1.0, 1.0)


def test_every_kind_of_labels_trains_a_network(setup, tmp_path):
    told = []
    done = run_networks(
        "weak-labels", setup, tmp_path, seeds=[0], progress=lambda n, text: told.append(text)
    )
    assert not done.interrupted
    assert {p.name for p in (tmp_path / "labels").iterdir()} >= {
        "strokes",
        "pseudo-strokes",
        "maps-fusion",
        "classifier-1-3-6-9",
        "tiles",
    }
    rows = json.loads((tmp_path / "weak-labels.json").read_text())["rows"]
    assert [row["label"] for row in rows] == list(WEAK_TABLES["weak-labels"].rows)
    assert "| image labels (MDC)" in done.text
    strokes = np.asarray(Image.open(tmp_path / "labels/strokes/train0.png"))
    pseudo = np.asarray(Image.open(tmp_path / "labels/pseudo-strokes/train0.png"))
    assert (strokes != 255).sum() < 0.5 * (pseudo != 255).sum()
    # The paper's table shares the network from image labels and asks it with a CRF.
    told.clear()
    table1 = run_networks(
        "mdc-table1", setup, tmp_path, seeds=[0], progress=lambda n, text: told.append(text)
    )
    assert not any("epoch" in text for text in told)
    assert "| SEC (image labels)" in table1.text
    # And so does the figure, which needs the classifier alone.
    text, files = run_figure5(setup, tmp_path, progress=lambda *_: None, rows=3)
    assert all(path.is_file() for path in files)
    assert "| fusion" in text


def test_unknown_labels(setup, tmp_path):
    with pytest.raises(InputError, match="expected one of strokes"):
        prepare_labels("dreams", setup, tmp_path, lambda *_: None)


def voc_tree(root, stems=("a", "b"), layout="voc"):
    """A tree of VOC 2012, or of PASCAL-Context, with ScribbleSup's strokes of it."""
    context = layout != "voc"
    base = root / ("VOC2010" if context else "VOC2012")
    masks = "SegmentationClassContext" if context else "SegmentationClassAug"
    lists = base / "ImageSets" / ("SegmentationContext" if context else "Segmentation")
    part = root / "scribble_annotation" / ("pascal_context" if context else "pascal_2012")
    for folder in (base / "JPEGImages", base / masks, lists, part):
        folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    labels = np.zeros((48, 64), np.uint8)
    labels[:, 32:] = 1
    for stem in stems:
        image = np.where(labels[..., None] == 1, 200, 60) + generator.integers(-9, 9, (48, 64, 3))
        Image.fromarray(image.astype(np.uint8)).save(base / f"JPEGImages/{stem}.jpg")
        Image.fromarray(labels + 1 if context else labels).save(base / f"{masks}/{stem}.png")
        write_scribbles(part / f"{stem}.xml", "bag" if context else "background", "plane")
    for split in ("train", "val"):
        (lists / f"{split}.txt").write_text("\n".join(stems))
    return base


def write_scribbles(path, left, right):
    line = (
        "<polygon><tag>{}</tag><point><X>{}</X><Y>20</Y></point>"
        "<point><X>{}</X><Y>20</Y></point></polygon>"
    )
    lines = line.format(left, 3, 20) + line.format(right, 40, 60)
    size = "<size><height>48</height><width>64</width></size>"
    path.write_text(f"<annotation>{size}{lines}</annotation>")


@pytest.mark.parametrize(
    ("name", "layout", "option", "value"),
    [
        ("gdc-table2", "voc", "--voc", 1),
        ("gdc-table3", "context59", "--context", CONTEXT_CLASSES.index("aeroplane")),
    ],
)
def test_gdc_tables_on_a_tree_like_the_papers(tmp_path, monkeypatch, name, layout, option, value):
    base = voc_tree(tmp_path, layout=layout)
    options = ("--schedule", "smoke", "--device", "cpu", "--backbone", "mobilenet_v2")
    options = (*options, "--weights", "none", "--rows", "pseudo-labels-from-strokes")
    given = (option, base, "--scribbles", tmp_path)
    done = ask(name, *given, *options, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output + done.stderr
    strokes = np.asarray(Image.open(tmp_path / "out/labels/strokes/a.png"))
    assert strokes[20, 50] == value
    assert strokes[0, 0] == 255
    assert np.asarray(Image.open(tmp_path / "out/labels/pseudo-strokes/b.png"))[20, 50] == value


def test_strokes_of_all_images_are_read_before_the_first_label_is_made(tmp_path):
    base = voc_tree(tmp_path)
    options = ("--schedule", "smoke", "--device", "cpu", "--weights", "none")
    part = tmp_path / "scribble_annotation/pascal_2012"

    def said(scribbles=tmp_path):
        options_ = ("--voc", base, "--scribbles", scribbles, *options, "-o", tmp_path / "out")
        done = ask("gdc-table2", *options_)
        assert done.exit_code == 1
        assert not list((tmp_path / "out").rglob("*.png"))
        return done.output + done.stderr

    write_scribbles(part / "b.xml", "background", "spaceship")
    assert "b.xml: unknown tag 'spaceship'" in said()
    (part / "b.xml").unlink()
    assert "1 of 2 training images have no strokes, b.xml for one" in said()
    assert "no folder pascal_2012 there" in said(tmp_path / "VOC2012")


def test_saliency_maps_of_another_size_are_found_first(tmp_path, monkeypatch):
    base = voc_tree(tmp_path)
    (tmp_path / "saliency").mkdir()
    for stem, width in (("a", 64), ("b", 63)):
        Image.fromarray(np.zeros((48, width), np.uint8)).save(tmp_path / f"saliency/{stem}.png")
    monkeypatch.setattr(weak_labels, "train_classifier", lambda *_, **__: pytest.fail("trained"))
    options = ("--schedule", "smoke", "--device", "cpu", "--weights", "none")
    given = ("--voc", base, "--saliency", tmp_path / "saliency")
    done = ask("mdc-table1", *given, *options, "-o", tmp_path / "out")
    assert done.exit_code == 1
    assert "b.png: 63 x 48 pixels (width x height), its image has 64 x 48" in done.stderr


def test_labels_made_with_other_settings_are_refused(setup, tmp_path):
    def figure(plan):
        return run_figure5(plan, tmp_path, progress=lambda *_: None, rows=3)

    def labels(plan, kind="maps-fusion"):
        check_labels([kind], plan, tmp_path, lambda *_: None)
        return prepare_labels(kind, plan, tmp_path, lambda *_: None)

    _, files = figure(setup)
    assert json.loads(files[2].read_text())["settings"]["optim"]["epochs"] == 1
    for other, what in (
        (replace(setup, schedule="reduced"), r"another optim\.batch"),
        (replace(setup, weights="some.pth"), "another weights"),
    ):
        with pytest.raises(InputError, match=what):
            figure(other)
        with pytest.raises(InputError, match=what):
            labels(other)
    home = labels(setup)
    settings = json.loads((home / "settings.json").read_text())
    (home / "settings.json").write_text(json.dumps({**settings, "share": 0.5}))
    with pytest.raises(InputError, match=r"maps-fusion: was made with another share"):
        labels(setup)


def test_results_from_before_settings_were_kept_go_on(setup, tmp_path, monkeypatch):
    home = prepare_labels("maps-fusion", setup, tmp_path, lambda *_: None)
    classifier = tmp_path / "labels/classifier-1-3-6-9"
    (classifier / "settings.json").unlink()
    (classifier / "maps/classifier.json").unlink()
    settings = json.loads((home / "settings.json").read_text())
    del settings["saliency_folder"]
    (home / "settings.json").write_text(json.dumps(settings))
    monkeypatch.setattr(weak_labels, "train_classifier", lambda *_, **__: pytest.fail("trained"))
    monkeypatch.setattr(weak_labels, "label_from_maps", lambda *_, **__: pytest.fail("made"))
    other = replace(setup, schedule="reduced")  # nobody can tell
    check_labels(["maps-fusion"], other, tmp_path, lambda *_: None)
    assert prepare_labels("maps-fusion", other, tmp_path, lambda *_: None) == home
    with pytest.raises(InputError, match="another backbone"):
        check_labels(
            ["maps-fusion"], replace(setup, backbone="resnet50"), tmp_path, lambda *_: None
        )


def ask(*arguments):
    return CliRunner().invoke(app, ["experiment", *map(str, arguments)], catch_exceptions=False)


def test_the_command_line_knows_them(camvid, tmp_path):
    options = ("--data", camvid.parent, "--schedule", "smoke", "--device", "cpu")
    done = ask("mdc-figure5", *options, "-o", tmp_path)
    assert done.exit_code == 0, done.output
    assert "mobilenet_v2, weights none, schedule `smoke`" in done.output
    assert (tmp_path / "mdc-figure5.jpg").is_file()
    done = ask("gdc-table2", "--voc", camvid, "-o", tmp_path / "x", "--device", "cpu")
    assert done.exit_code == 1
    assert "gdc-table2 needs --scribbles" in done.output + done.stderr
    done = ask("gdc-table3", "-o", tmp_path / "x")
    assert "gdc-table3 needs --context, or --data with camvid/ in it" in done.output + done.stderr
