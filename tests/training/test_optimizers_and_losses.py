"""Runs with AdamW, other losses, and an early end."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from saccade.errors import InputError
from saccade.training import loop
from saccade.training.config import config_of
from saccade.training.loop import train
from tests.training.helpers import changed

pytestmark = pytest.mark.filterwarnings("ignore")

LOSS = {"cross_entropy": 1.0, "dice": 1.0}


def weights(folder):
    return load_file(folder / "last.safetensors")


def dies_at(step):
    """A report after which a run is gone, as if its machine were."""

    def report(done, *_):
        if done == step:
            raise ConnectionError

    return report


def test_a_run_with_adamw_and_dice_is_resumed_exactly(settings, tmp_path):
    adamw = {"optimizer": "adamw", "lr": 1e-3, "epochs": 2}
    content = changed(settings, optim=adamw, run={"save_every": 1})
    config = config_of(content | {"loss": LOSS}, Path("."))
    train(config, tmp_path / "whole")
    with pytest.raises(ConnectionError):
        train(config, tmp_path / "parts", report=dies_at(3))
    trained = train(config, tmp_path / "parts")
    assert not trained.interrupted
    one, other = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_another_loss_leads_elsewhere(settings, config, tmp_path):
    train(config, tmp_path / "plain")
    train(config_of(settings | {"loss": LOSS}, Path(".")), tmp_path / "dice")
    one, other = weights(tmp_path / "plain"), weights(tmp_path / "dice")
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_a_run_ends_where_scores_grow_no_more(settings, tmp_path, monkeypatch):
    content = changed(settings, optim={"epochs": 6, "patience": 2}, run={"validate_every": 1})
    config = config_of(content, Path("."))
    real, scores = loop.validate, iter([0.3, 0.5, 0.4, 0.5, 0.9, 0.2])

    def validated(run, epoch):
        found = real(run, epoch)
        run.state.history[-1]["miou"] = next(scores)
        return found

    monkeypatch.setattr(loop, "validate", validated)
    trained = train(config, tmp_path / "run")
    assert trained.early
    assert not trained.interrupted
    assert [entry["miou"] for entry in trained.history] == [0.3, 0.5, 0.4, 0.5]
    again = changed(content, optim={"patience": 4})  # which may change
    assert train(config_of(again, Path(".")), tmp_path / "run").step == trained.steps


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"optim": {"optimizer": "adam"}}, "optimizer"),
        ({"optim": {"patience": -1}}, "patience is -1, must be at least 0"),
        ({"loss": {"huber": 1.0}}, "loss: unknown key 'huber'|huber"),
    ],
)
def test_wrong_tables_are_one_line(settings, tables, message):
    content = changed(settings, **{k: v for k, v in tables.items() if k in settings})
    content |= {k: v for k, v in tables.items() if k not in settings}
    with pytest.raises(InputError, match=message):
        config_of(content, Path("."))
