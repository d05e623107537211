import json

import numpy as np
import pytest

from saccade.data.sets import Example, LabeledSet
from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.experiments import run_networks as running
from saccade.experiments.names import NETWORKS
from saccade.experiments.network_report import NetworkRow, verdict
from saccade.experiments.network_tables import NETWORK_TABLES, SCHEDULES
from saccade.experiments.run_networks import NetworkPlan, run_config, run_networks
from saccade.training.config import DataConfig

PLAN = NetworkPlan(DataConfig("camvid", "data"), "smoke", "mobilenet_v2", device="cpu")


def test_every_table_is_named_and_every_row_can_be_built():
    assert set(NETWORK_TABLES) == set(NETWORKS)
    for table in NETWORK_TABLES.values():
        for schedule in ("paper", *SCHEDULES):
            for row in table.rows.values():
                plan = NetworkPlan(DataConfig(table.layout, "x"), schedule)
                assert run_config(table, row, plan, 0).network.backbone == table.backbone
        labels = set(table.rows)
        assert {label for pair in table.claims for label in pair} <= labels
        assert {row.trained_as for row in table.rows.values()} <= {*labels, ""}


def test_the_papers_schedule_is_that_of_the_recipes():
    table = NETWORK_TABLES["gdc-table5"]
    plan = NetworkPlan(DataConfig("voc", "x"), "paper", weights="imagenet")
    config = run_config(table, table.rows["gdpp"], plan, 3)
    optim = config.optim
    assert (optim.lr, optim.batch, optim.epochs, optim.head_lr) == (0.028, 16, 100, 1.0)
    assert (config.augmentation.crop, config.run.seed) == ((513, 513), 3)
    assert config.network.output_stride == 16


@pytest.fixture
def measured(monkeypatch):
    """Runs that take no time: a better network for a later row."""
    done = []
    spec = LabelSpec(("a", "b"))
    val = LabeledSet("made up", (Example("x", None, None),), spec)
    monkeypatch.setattr(running, "open_sets", lambda data: (val, val))

    labels = list(NETWORK_TABLES["gdc-table5"].rows)

    def one(config, label, row, plan, folder, seed, val, number, progress):
        done.append((label, seed))
        if len(done) > 7:
            return None
        hits = 10 + 10 * labels.index(label) + seed
        matrix = np.array([[hits, 3], [2, hits]])
        return NetworkRow(label, seed, matrix, 100, 10, 3.5, 0.1)

    monkeypatch.setattr(running, "_one", one)
    return done


def test_report_has_ours_beside_theirs(tmp_path, measured):
    finished = run_networks("gdc-table5", PLAN, tmp_path, seeds=[0], progress=lambda *_: None)
    assert [label for label, _ in measured] == ["none", "aspp", "s-aspp", "gdpp"]
    text = finished.text
    assert "| gdpp   | 64.71 |" in text
    assert "Other data and schedule than the paper's" in text
    assert "one seed (same sign)" in text
    content = json.loads((tmp_path / "gdc-table5.json").read_text())
    assert [row["label"] for row in content["rows"]] == ["none", "aspp", "s-aspp", "gdpp"]
    assert len((tmp_path / "gdc-table5.csv").read_text().splitlines()) == 5


def test_an_interrupted_table_reports_what_there_is(tmp_path, measured):
    finished = run_networks("gdc-table5", PLAN, tmp_path, seeds=[0, 1], progress=lambda *_: None)
    assert finished.interrupted
    assert len(json.loads((tmp_path / "gdc-table5.json").read_text())["rows"]) == 7


def test_a_kept_result_of_other_settings_is_refused(tmp_path):
    table = NETWORK_TABLES["gdc-table5"]
    config = run_config(table, table.rows["none"], PLAN, 0)
    path = tmp_path / "result.json"
    path.write_text(json.dumps({"config": {"optim": 3}}))
    with pytest.raises(InputError, match="other settings"):
        running._read(path, config, "none", 0)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((2.0, 0.1, 3), "holds"),
        ((-2.0, 0.1, 3), "reversed"),
        ((0.2, 0.5, 3), "within noise (same sign)"),
        ((-0.2, float("nan"), 1), "one seed (reversed)"),
        ((float("nan"), float("nan"), 0), "not measured"),
    ],
)
def test_verdicts(values, expected):
    assert verdict(*values) == expected
