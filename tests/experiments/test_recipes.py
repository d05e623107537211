"""What the papers print of their experiments, to the number."""

from dataclasses import asdict, replace

import pytest

from saccade.data.known import SIZES
from saccade.data.sets import Example, LabeledSet
from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.experiments.engine import network_config
from saccade.experiments.engine import run_networks as running
from saccade.experiments.engine.network_config import NetworkPlan, chosen_rows, run_config
from saccade.experiments.engine.run_networks import run_networks
from saccade.experiments.mdc.map_labels import classifier_config
from saccade.experiments.networks import NETWORK_TABLES
from saccade.training.config import DataConfig
from saccade.training.optimizer import rate_factor

SIX = (0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
DSNET = {"lr": 0.01, "head_lr": 0.1, "momentum": 0.9, "weight_decay": 1e-4, "power": 0.9}
LARGEFOV = {"lr": 0.001, "momentum": 0.9, "weight_decay": 5e-4, "bias_lr": 2.0, "head_lr": 10.0}
RECIPES = {
    "gdc-table2": ("voc-aug", "trainaug", 321, {**LARGEFOV, "batch": 20, "epochs": 17}),
    "gdc-table3": ("context59", "train", 321, {**LARGEFOV, "batch": 20, "epochs": 17}),
    "gdc-table5": ("voc", "train", 513, {"lr": 0.028, "head_lr": 1.0, "batch": 16, "epochs": 100}),
    "gdc-table6": ("cityscapes", "train", 768, {"lr": 0.01, "head_lr": 1.0, "batch": 16}),
    "dsnet-table1": ("voc-aug", "trainaug", 512, {**DSNET, "batch": 32, "epochs": 80}),
    "dsnet-table2": ("voc-aug", "trainaug", 512, {**DSNET, "batch": 32, "epochs": 80}),
    "dsnet-related": ("voc-aug", "trainaug", 512, {**DSNET, "batch": 32, "epochs": 80}),
    "dsnet-table4": ("ade20k", "train", 576, {**DSNET, "batch": 24, "epochs": 150}),
    "dsnet-table5": ("context60", "train", 512, {**DSNET, "lr": 0.005, "batch": 32, "epochs": 80}),
    **{
        f"mdc-table{n}": ("voc-aug", "trainaug", 321, {**LARGEFOV, "batch": 30, "epochs": 15})
        for n in (1, 2, 3, 4)
    },
}


def papers_plan(table):
    return NetworkPlan(DataConfig(table.layout, "x", table.train), "paper", weights="imagenet")


def config_of(table, label, masks=None):
    return run_config(table, table.rows[label], papers_plan(table), 0, masks)


@pytest.mark.parametrize("name", [name for name in NETWORK_TABLES if name != "weak-labels"])
def test_the_recipe_of_each_table(name):
    layout, split, crop, optim = RECIPES[name]
    table = NETWORK_TABLES[name]
    label = next(n for n, row in table.rows.items() if not row.literature and row.length == 1)
    config = config_of(table, label)
    assert (config.data.layout, config.data.train, config.data.val) == (layout, split, "val")
    assert config.augmentation.crop == (crop, crop)
    jitter = (1.0, 1.0) if crop == 321 else (0.5, 2.0)
    assert config.augmentation.scale == jitter
    assert config.augmentation.flip == 0.5
    found = asdict(config.optim)
    assert {key: found[key] for key in optim} == optim
    assert found["auxiliary"] == 0.4


def rates(name, label):
    optim = config_of(NETWORK_TABLES[name], label).optim
    steps = 90 * optim.epochs
    return [rate_factor(optim, 90 * epoch, steps) for epoch in range(optim.epochs)]


def test_schedules():
    fell = rates("mdc-table3", "fusion")  # one drop, after epoch 6
    assert fell == pytest.approx([1.0] * 6 + [0.1] * 9)
    thirds = rates("gdc-table2", "full masks")  # every 3,000 of 9,000 steps
    assert thirds == pytest.approx([1.0] * 6 + [0.1] * 6 + [0.01] * 5)
    poly = rates("dsnet-table1", "X(3), X(ASPP)")
    assert poly[40] == pytest.approx(0.5**0.9)
    classifier = classifier_config(papers_plan(NETWORK_TABLES["mdc-table1"]), (1, 3, 6, 9))
    assert [rate_factor(classifier.optim, 10 * e, 150) for e in (5, 6, 12)] == pytest.approx(
        [1.0, 0.1, 0.1]
    )
    assert classifier.augmentation.scale == (1.0, 1.0)


def test_half_of_table_5_is_half_as_long():
    table = NETWORK_TABLES["gdc-table5"]
    for pyramid in ("aspp", "s-aspp", "gdpp"):
        assert config_of(table, f"{pyramid}, 50 epochs").optim.epochs == 50
    plan = replace(papers_plan(table), epochs=30)
    assert run_config(table, table.rows["gdpp, 50 epochs"], plan, 0).optim.epochs == 15


def test_rows_of_dsnet():
    table = NETWORK_TABLES["dsnet-table2"]
    assert table.rows["+ flip"].protocol == {"flip": True}
    for name in ("dsnet-table2", "dsnet-table4", "dsnet-table5"):
        rows = NETWORK_TABLES[name].rows
        assert all(rows[n].network["auxiliary"] for n in rows if n.endswith("+ DS"))
        scales = [row.protocol["scales"] for row in rows.values() if "scales" in row.protocol]
        assert scales
        assert set(scales) == {SIX}
    fine = config_of(table, "+ flip + MS + FT")
    assert (fine.data.layout, fine.data.train) == ("voc", "train")
    assert (fine.optim.lr, fine.optim.epochs) == (0.001, 80)
    assert chosen_rows(table)["+ flip + MS + FT"].start == "dsnet---ds"
    part = replace(papers_plan(table), subset="a part")
    assert "+ flip + MS + FT" not in chosen_rows(table, (), part)


def made_up(count, split="x"):
    examples = tuple(Example(str(i), None, None) for i in range(count))
    return LabeledSet(split, examples, LabelSpec(("a", "b")))


def test_strong_images_are_vocs_own_and_online_masks_have_the_image_labels(monkeypatch, tmp_path):
    monkeypatch.setattr(network_config, "open_sets", lambda data: (made_up(10582), None))
    table = NETWORK_TABLES["mdc-table4"]
    for label, count in (("strong 500", 500), ("strong 1K", 1000), ("strong 1.4K", 1464)):
        weak = config_of(table, label, tmp_path / "maps-fusion").supervision
        assert (weak.strong, weak.online) == (count, 1.0)
        assert weak.strong_list.endswith("ImageSets/Segmentation/train.txt")
        assert weak.labels == str(tmp_path / "image-labels.csv")
    more = config_of(table, "strong 2.9K", tmp_path / "maps-fusion").supervision
    assert (more.strong, more.strong_list) == (2913, "")


def test_another_number_of_images_than_the_papers_is_refused(monkeypatch, tmp_path):
    table = NETWORK_TABLES["dsnet-table1"]
    sets = {"trainaug": made_up(1464), "val": made_up(1449)}
    monkeypatch.setattr(running, "open_sets", lambda data: (sets[data.train], sets[data.val]))
    monkeypatch.setattr(running, "train", lambda *_, **__: pytest.fail("trained"))

    def run(plan):
        return run_networks(table, plan, tmp_path, seeds=[0], progress=lambda *_: None)

    wrong = "split 'trainaug' has 1,464 images, the paper has 10,582; --subset NAME"
    with pytest.raises(InputError, match=wrong):
        run(papers_plan(table))
    assert SIZES["voc-aug", "trainaug"] == 10582


def test_the_report_names_the_part_and_counts_images(monkeypatch, tmp_path):
    table = NETWORK_TABLES["dsnet-table1"]
    monkeypatch.setattr(running, "open_sets", lambda data: (made_up(7), made_up(3)))
    monkeypatch.setattr(running, "_measure", lambda *_: (_ for _ in ()).throw(InputError("no")))
    plan = replace(papers_plan(table), subset="seven of VOC")
    text = run_networks(table, plan, tmp_path, seeds=[0], progress=lambda *_: None).text
    assert "the part *seven of VOC*, 7 training images (`trainaug`), 3 images" in text
    assert "Other data and schedule than the paper's" in text


def test_masks_that_are_missing_by_mistake_are_no_reason_to_leave_images_out(monkeypatch, tmp_path):
    data = made_up(3)
    monkeypatch.setattr(network_config, "open_sets", lambda _: (data, None))
    table, masks = NETWORK_TABLES["gdc-table2"], tmp_path / "pseudo-paper"
    for folder in (masks, tmp_path / "strokes"):
        folder.mkdir()
    for name in "01":
        (masks / f"{name}.png").touch()
    label = "pseudo labels (paper)"
    assert not config_of(table, label, masks).supervision.leave_out
    (tmp_path / "strokes/left-out.txt").write_text("2\n")
    assert config_of(table, label, masks).supervision.leave_out


def test_a_part_of_the_data_has_the_papers_patches_whatever_the_schedule():
    table = NETWORK_TABLES["mdc-table3"]
    part = NetworkPlan(DataConfig("voc", "x"), "reduced", subset="a part")
    found = run_config(table, table.rows["fusion"], part, 0)
    assert (found.augmentation.crop, found.augmentation.scale) == ((320, 320), (1.0, 1.0))
    camvid = NetworkPlan(DataConfig("camvid", "x"), "reduced")
    assert run_config(table, table.rows["fusion"], camvid, 0).augmentation.scale == (0.75, 1.5)
