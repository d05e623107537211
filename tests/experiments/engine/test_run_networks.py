import json
from dataclasses import replace

import numpy as np
import pytest

from saccade.data.sets import Example, LabeledSet
from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.experiments.engine import run_networks as running
from saccade.experiments.engine.network_config import NetworkPlan, result_settings, run_config
from saccade.experiments.engine.network_report import NetworkRow
from saccade.experiments.engine.network_tables import SCHEDULES
from saccade.experiments.engine.run_networks import run_networks
from saccade.experiments.mdc.map_labels import classifier_config
from saccade.experiments.networks import LABEL_SOURCES, NETWORK_TABLES
from saccade.nn.dilated import DILATIONS
from saccade.training.config import DataConfig

PLAN = NetworkPlan(DataConfig("camvid", "data"), "smoke", "mobilenet_v2", device="cpu")
TABLE5 = NETWORK_TABLES["gdc-table5"]


def test_every_row_of_every_table_can_be_built():
    kinds = {kind for source in LABEL_SOURCES for kind in source.kinds}
    for table in NETWORK_TABLES.values():
        for schedule in ("paper", *SCHEDULES):
            for row in table.rows.values():
                plan = NetworkPlan(DataConfig(table.layout, "x"), schedule)
                assert run_config(table, row, plan, 0).network.backbone == table.backbone
        labels = set(table.rows)
        assert {label for pair in table.claims for label in pair} <= labels
        assert {row.trained_as for row in table.rows.values()} <= {*labels, ""}
        assert {row.labels for row in table.rows.values()} <= {*kinds, ""}
        for row in table.rows.values():
            assert not row.literature or row.published
            if row.trained_as:  # the CRF changes nothing about the training
                assert row.labels == table.rows[row.trained_as].labels


def test_the_papers_schedule_is_that_of_the_recipes():
    plan = NetworkPlan(DataConfig("voc", "x"), "paper", weights="imagenet")
    config = run_config(TABLE5, TABLE5.rows["gdpp"], plan, 3)
    optim = config.optim
    assert (optim.lr, optim.batch, optim.epochs, optim.head_lr) == (0.028, 16, 100, 1.0)
    assert (config.augmentation.crop, config.run.seed) == ((513, 513), 3)
    assert config.network.output_stride == 16


def test_crop_and_freeze_change_every_row_and_the_classifier():
    plan = NetworkPlan(DataConfig("voc", "x"), "reduced", crop=96, freeze=True)
    for name in ("gdc-table5", "gdc-table2", "mdc-table3"):
        for row in NETWORK_TABLES[name].rows.values():
            config = run_config(NETWORK_TABLES[name], row, plan, 0)
            assert (config.augmentation.crop, config.augmentation.scale) == ((96, 96), (1.0, 1.0))
            assert config.optim.freeze
    for schedule in ("paper", "reduced"):
        trained = classifier_config(replace(plan, schedule=schedule), DILATIONS)
        assert (trained.augmentation.crop, trained.augmentation.scale) == ((96, 96), (1.0, 1.0))
        assert trained.optim.freeze
    assert not run_config(TABLE5, TABLE5.rows["gdpp"], PLAN, 0).optim.freeze


@pytest.fixture
def broken():
    """Label of the row that fails."""
    return []


@pytest.fixture
def measured(monkeypatch, broken):
    """Runs that take no time: a better network for a later row."""
    done = []
    spec = LabelSpec(("a", "b"))
    val = LabeledSet("made up", (Example("x", None, None),), spec)
    monkeypatch.setattr(running, "open_sets", lambda data: (val, val))

    labels = list(TABLE5.rows)

    def read(job, run):
        done.append((run.label, run.seed))
        if len(done) > 7:
            raise KeyboardInterrupt
        if broken == [run.label]:
            raise InputError("no memory")
        hits = 10 + 10 * labels.index(run.label) + run.seed
        matrix = np.array([[hits, 3], [2, hits]])
        return NetworkRow(run.label, run.seed, matrix, 100, 10, 3.5, 0.1)

    monkeypatch.setattr(running, "_measure", lambda *_: None)
    monkeypatch.setattr(running, "_read_result", read)
    return done


def test_report_has_ours_beside_theirs(tmp_path, measured):
    finished = run_networks(TABLE5, PLAN, tmp_path, seeds=[0], progress=lambda *_: None)
    assert [label for label, _ in measured] == list(TABLE5.rows)
    text = finished.text
    assert "| gdpp              | 64.71 |" in text
    assert "Other data and schedule than the paper's" in text
    assert "one seed (same sign)" in text
    content = json.loads((tmp_path / "gdc-table5.json").read_text())
    assert [row["label"] for row in content["rows"]] == list(TABLE5.rows)
    assert (content["images"], content["training_images"], content["subset"]) == (1, 1, "")
    assert len((tmp_path / "gdc-table5.csv").read_text().splitlines()) == 1 + len(TABLE5.rows)


def test_an_interrupted_table_reports_what_there_is(tmp_path, measured):
    finished = run_networks(TABLE5, PLAN, tmp_path, seeds=[0, 1], progress=lambda *_: None)
    assert finished.interruption.startswith("interrupted: 7 of 14 done")
    assert len(json.loads((tmp_path / "gdc-table5.json").read_text())["rows"]) == 7


def test_a_run_that_fails_is_reported_and_the_others_go_on(tmp_path, measured, broken):
    broken.append("aspp")
    finished = run_networks(TABLE5, PLAN, tmp_path, seeds=[0], progress=lambda *_: None)
    assert finished.failed == {"aspp, seed 0": "no memory"}
    assert "| gdpp              | 64.71 |" in finished.text


def test_a_result_of_other_settings_is_refused_before_any_training(tmp_path, monkeypatch):
    spec = LabelSpec(("a", "b"))
    val = LabeledSet("made up", (Example("x", None, None),), spec)
    monkeypatch.setattr(running, "open_sets", lambda data: (val, val))
    monkeypatch.setattr(running, "train", lambda *_, **__: pytest.fail("trained"))
    home = tmp_path / "runs/gdpp-seed0"
    home.mkdir(parents=True)
    (home / "result.json").write_text(json.dumps({"config": {"optim": 3}}))
    with pytest.raises(InputError, match="other settings"):
        run_networks(TABLE5, PLAN, tmp_path, seeds=[0], progress=lambda *_: None)


def test_a_result_from_before_a_setting_is_one_with_its_default(tmp_path):
    row = TABLE5.rows["gdpp"]
    config = run_config(TABLE5, row, PLAN, 0)
    settings = result_settings(config)
    del settings["network"]["stride_first"], settings["optim"]["freeze"]
    numbers = {"parameters": 1, "head_parameters": 1}
    speeds = {"training_images_per_second": 1.0, "seconds_per_image": 1.0}
    content = {"config": settings, "matrix": [[1, 0], [0, 1]], **numbers, **speeds}
    (tmp_path / "result.json").write_text(json.dumps(content))
    job = running._Job(row, config, tmp_path, tmp_path, "cpu")
    assert running._read_result(job, running.NetworkRun("gdpp", 0)).miou == 1
    frozen = replace(config, optim=replace(config.optim, freeze=True))
    with pytest.raises(InputError, match="other settings"):
        running._read_result(replace(job, config=frozen), running.NetworkRun("gdpp", 0))
