"""Full disks, half files, machines that share nothing, and settings that moved."""

import errno
import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.files import digest_of
from saccade.models.checkpoint import save_checkpoint
from saccade.models.segmentation import SegmentationConfig, SegmentationNet
from saccade.training import loop
from saccade.training.config import config_of
from saccade.training.inputs import open_sets
from saccade.training.loop import train
from saccade.training.samples import Examples, Order, load_batches
from saccade.training.state import State, save_state
from tests.helpers import run_python
from tests.training.helpers import SCRIPT, TWO_PROCESSES, changed, toml

# Lightning and PyTorch warn of each other's deprecations and of CPUs without a GPU.
pytestmark = pytest.mark.filterwarnings("ignore")


def test_an_evaluation_that_fails_does_not_cost_the_epoch(config, tmp_path, monkeypatch):
    def broken(*_):
        raise InputError("0.png: damaged")

    train(config, tmp_path / "whole")
    monkeypatch.setattr(loop, "validate", broken)
    with pytest.raises(InputError, match="damaged"):
        train(config, tmp_path / "run")
    assert torch.load(tmp_path / "run/state.pt", weights_only=True)["step"] == 2
    monkeypatch.undo()
    steps = []
    train(config, tmp_path / "run", report=lambda done, _, text: steps.append((text, done)))
    assert [done for text, done in steps if text.startswith("epoch")] == [3, 4]
    histories = [(tmp_path / name / "history.json").read_text() for name in ("run", "whole")]
    assert histories[0] == histories[1]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 1])
def test_a_bad_file_is_one_line_from_whatever_process_reads_it(config, data, workers):
    path = data / "images/train/0.png"
    path.write_bytes(path.read_bytes()[:-200])
    training, _ = open_sets(config.data)
    examples = Examples(training, config.augmentation, 0)
    with pytest.raises(InputError, match=r"^[^\n]*0\.png: damaged or truncated[^\n]*$"):
        list(load_batches(examples, Order(8, 4, 1), workers))


def test_a_full_disk_is_named_with_the_file(tmp_path, small_files):
    weights = {"a": torch.zeros(10**6)}
    with pytest.raises(OSError, match="too large") as caught:
        save_state(tmp_path, State(1, weights, {}, {}, {}, -1.0, []), {})
    assert (caught.value.errno, caught.value.filename) == (
        errno.EFBIG,
        str(tmp_path / "state.pt"),
    )
    config, spec = SegmentationConfig(3, width=8), LabelSpec(("a", "b", "c"))
    with pytest.raises(OSError, match="too large") as caught:
        save_checkpoint(tmp_path / "x.safetensors", config, weights, spec, {})
    assert caught.value.filename == str(tmp_path / "x.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_checkpoints_can_be_read_by_whoever_may_read_the_rest(tmp_path):
    config, spec = SegmentationConfig(3, width=8), LabelSpec(("a", "b", "c"))
    path, plain = tmp_path / "x.safetensors", tmp_path / "plain"
    save_checkpoint(path, config, SegmentationNet(config).state_dict(), spec, {})
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode


@pytest.mark.slow
def test_a_run_goes_on_where_its_data_has_moved_and_with_other_workers(config, data, tmp_path):
    train(config, tmp_path / "run")
    moved = shutil.copytree(data, tmp_path / "moved")
    elsewhere = replace(
        config,
        data=replace(config.data, root=str(moved)),
        run=replace(config.run, workers=3, pictures=0),
    )
    (tmp_path / "run/.0123456789abcdef.part.pt").touch()
    assert train(elsewhere, tmp_path / "run").step == 4
    assert not list((tmp_path / "run").glob(".*"))
    for kind in ("images", "masks"):
        (moved / kind / "train/3.png").rename(moved / kind / "train/33.png")
    with pytest.raises(InputError, match="another set of images"):
        train(elsewhere, tmp_path / "run")


def _classes(text, data):
    (data / "classes.txt").write_text(text)


def _replace(split, data):
    path = data / "masks" / split / "1.png"
    with Image.open(path) as mask:
        Image.fromarray(2 - np.minimum(np.array(mask), 2)).save(path)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (partial(_classes, "red\nground\ngreen\n"), "list of classes"),
        (
            lambda data: (data / "classes.txt").write_text("ground\nblue\ngreen\n"),
            "list of classes",
        ),
        (partial(_classes, "2 green\n1 red\n0 ground\n"), "list of classes"),
        (partial(_classes, "0 ground\n2 red\n1 green\n"), "set of masks"),
        (partial(_replace, "train"), "set of masks"),
        (partial(_replace, "val"), "set of masks"),
    ],
)
def test_a_run_does_not_go_on_with_other_classes_or_masks(config, data, tmp_path, change, what):
    train(config, tmp_path / "run")
    before = digest_of(*sorted((tmp_path / "run").glob("*.*")))
    change(data)
    with pytest.raises(InputError, match=f"the run there has another {what}"):
        train(config, tmp_path / "run")
    assert digest_of(*sorted((tmp_path / "run").glob("*.*"))) == before


def test_masks_may_be_written_in_another_way(config, data, tmp_path):
    train(config, tmp_path / "run")
    for path in (data / "masks/train").iterdir():
        with Image.open(path) as mask:
            mask.copy().save(path, compress_level=0)
    assert train(config, tmp_path / "run").step == 4


def test_the_state_of_a_version_without_images_classes_and_masks(config, tmp_path):
    train(config, tmp_path / "run")
    path = tmp_path / "run/state.pt"
    content = torch.load(path, weights_only=True)
    settings = json.loads(content["config"])
    for key in ("set of images", "list of classes", "set of masks"):
        del settings[key]
    torch.save({**content, "config": json.dumps(settings)}, path)
    assert train(config, tmp_path / "run").step == 4


@pytest.mark.parametrize("content", [[1, 2], {"a": torch.zeros(1)}, LabelSpec(("a", "b"))])
def test_a_state_of_something_else_is_one_line(config, tmp_path, content):
    (tmp_path / "run").mkdir()
    torch.save(content, tmp_path / "run/state.pt")
    with pytest.raises(InputError, match=r"state\.pt: damaged, or not the state") as caught:
        train(config, tmp_path / "run")
    assert len(str(caught.value)) < 300


@pytest.mark.slow
def test_machines_without_a_common_folder_go_on_together(settings, tmp_path):
    path = tmp_path / "train.json"
    path.write_text(toml(settings))
    train(config_of(settings, Path(".")), tmp_path / "0")
    content = torch.load(tmp_path / "0/state.pt", weights_only=True)
    (tmp_path / "0/state.pt").unlink()
    torch.save({**content, "history": content["history"][:-1]}, tmp_path / "0/state.pt")
    done = run_python(*TWO_PROCESSES, SCRIPT, path, tmp_path / "{rank}")
    lines = [line for line in done.stdout.splitlines() if line.startswith("finished 4")]
    assert len(lines) == 2
    assert lines[0] == lines[1]
    assert not (tmp_path / "1").exists()


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"optim": {"batch": 9}}, "batch is 9, but there are 8 training images"),
        ({"optim": {"batch": 2, "accumulate": 2}}, "leaves one image in each"),
        ({"network": {"weights": "nowhere.pt"}}, r"nowhere\.pt: no such file"),
        ({"network": {"start": "nowhere.safetensors"}}, r"nowhere\.safetensors: no such file"),
    ],
)
def test_what_cannot_begin_leaves_no_folder(settings, tmp_path, tables, message):
    with pytest.raises(InputError, match=message):
        train(config_of(changed(settings, **tables), tmp_path), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_file_in_place_of_the_folder(config, tmp_path):
    (tmp_path / "run").touch()
    with pytest.raises(InputError, match="is a file, expected a folder"):
        train(config, tmp_path / "run")
