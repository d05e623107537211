import json
import re
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from saccade.errors import InputError
from saccade.evaluation.inference import Protocol
from saccade.models.checkpoint import load_checkpoint
from saccade.training import loop
from saccade.training.config import config_of
from saccade.training.evaluate import evaluate
from saccade.training.inputs import open_sets
from saccade.training.loop import train
from tests.helpers import run_python, start_python, wait_for
from tests.training.helpers import SCRIPT, TWO_PROCESSES, changed, toml

# Lightning and PyTorch warn of each other's deprecations and of CPUs without a GPU.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.slow
def test_a_run_learns_and_leaves_what_predict_needs(settings, tmp_path):
    content = changed(
        settings,
        network={"pyramid": "none", "output_stride": 8},
        optim={"epochs": 40, "batch": 2, "lr": 0.02, "head_lr": 1},
        augmentation={"crop": [48, 64], "scale": [1, 1]},
        run={"validate_every": 5},
    )
    config = config_of(content, Path("."))
    reported = []
    trained = train(config, tmp_path / "run", report=lambda *what: reported.append(what))
    assert (trained.step, trained.steps, trained.interrupted) == (160, 160, False)
    assert [e["epoch"] for e in trained.history] == list(range(5, 41, 5))
    assert trained.history[0]["miou"] < 0.27  # the ground alone
    assert trained.best > 0.35
    assert reported[-1][:2] == (160, 160)
    found = load_checkpoint(tmp_path / "run/best.safetensors")
    assert found.spec.names == ("ground", "red", "green")
    assert found.info["miou"] == pytest.approx(trained.best)
    assert str(tmp_path) not in json.dumps(found.info)
    _, val = open_sets(config.data)
    assert evaluate(found.net, val, trained.scores.protocol).miou == pytest.approx(trained.best)
    names = {p.name for p in (tmp_path / "run").iterdir()}
    files = {"best.safetensors", "last.safetensors", "history.json", "config.json", "state.pt"}
    assert names == files | {"tensorboard", "losses.csv"}


def test_tensorboard_gets_scalars_and_pictures(config, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(config, tmp_path / "run")
    events = EventAccumulator(str(tmp_path / "run/tensorboard")).Reload()
    assert {"val/miou", "val/accuracy"} <= set(events.Tags()["scalars"])
    assert events.Tags()["images"] == ["worst/0"]


def test_the_seed_decides_everything(config, tmp_path):
    other = replace(config, run=replace(config.run, seed=1))
    for name, one in (("a", config), ("b", config), ("c", other)):
        train(one, tmp_path / name)
    a, b, c = (load_file(tmp_path / name / "last.safetensors") for name in "abc")
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert not torch.equal(a["classifier.2.weight"], c["classifier.2.weight"])


@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
def test_mixed_precision_trains(settings, tmp_path, precision):
    if precision == "16-mixed" and not torch.cuda.is_available():
        pytest.skip("float16 needs a CUDA device")
    config = config_of(changed(settings, run={"precision": precision}), Path("."))
    assert train(config, tmp_path / "run").step == 4
    weights = load_file(tmp_path / "run/last.safetensors")
    assert all(w.dtype in (torch.float32, torch.int64) for w in weights.values())


@pytest.mark.slow
def test_reading_in_other_processes_changes_nothing(settings, tmp_path):
    weights = []
    for workers in (0, 2):
        config = config_of(changed(settings, run={"workers": workers}), Path("."))
        train(config, tmp_path / str(workers))
        weights.append(load_file(tmp_path / str(workers) / "last.safetensors"))
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_accumulated_parts_see_the_same_images(settings, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        loop, "supervise", lambda s, batch, *_: seen.append(batch.labels.clone()) or s.mean() * 0
    )
    for parts in (1, 2):
        config = config_of(changed(settings, optim={"epochs": 1, "accumulate": parts}), Path("."))
        train(config, tmp_path / str(parts))
    assert [len(labels) for labels in seen] == [4, 4, 2, 2, 2, 2]
    assert torch.equal(torch.cat(seen[:2]), torch.cat(seen[2:]))


@pytest.mark.slow
def test_killed_and_resumed_equals_uninterrupted(settings, tmp_path):
    content = changed(settings, optim={"epochs": 4, "ema": 0.9}, run={"save_every": 1})
    path = tmp_path / "train.toml"
    path.write_text(toml(content))
    # It waits at the end of epoch 3, should nobody have come to kill it by then.
    killed = start_python(SCRIPT, path, tmp_path / "killed", "epoch 3")
    for line in killed.stdout:
        if line.startswith("epoch 2"):  # in the middle of an epoch, while something is written
            killed.send_signal(signal.SIGKILL)
            break
    killed.wait()
    assert killed.returncode == -signal.SIGKILL
    done = {}
    for name in ("killed", "whole"):
        done[name] = run_python(SCRIPT, path, tmp_path / name).stdout.splitlines()
    assert done["killed"][-1] == done["whole"][-1]
    assert len([x for x in done["killed"] if x.startswith("epoch")]) < 8  # it went on, not anew
    ours, theirs = (load_file(tmp_path / n / "last.safetensors") for n in ("killed", "whole"))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    histories = [(tmp_path / n / "history.json").read_text() for n in ("killed", "whole")]
    assert histories[0] == histories[1]


@pytest.mark.slow
def test_ctrl_c_keeps_the_last_step(settings, tmp_path):
    path = tmp_path / "train.toml"
    path.write_text(toml(changed(settings, optim={"epochs": 500})))
    process = start_python("-m", "saccade.cli", "train", path, "-o", tmp_path / "run")
    wait_for((tmp_path / "run/state.pt").exists, process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130, errors
    assert "the same command goes on" in errors
    step = torch.load(tmp_path / "run/state.pt", weights_only=True)["step"]
    assert f"interrupted: {step} of 1000 steps done" in errors


@pytest.mark.slow
def test_two_processes_train_one_network_and_count_each_image_once(settings, tmp_path):
    path = tmp_path / "train.toml"
    path.write_text(toml(settings))
    done = run_python(*TWO_PROCESSES, SCRIPT, path, tmp_path / "two")
    lines = [line for line in done.stdout.splitlines() if line.startswith("finished")]
    assert len(lines) == 2
    assert lines[0] == lines[1]  # both processes have the matrix of all images
    assert lines[0].split()[1:4:2] == ["4", "3"]
    # The saved network on all images in one process: the very same score.
    found = load_checkpoint(tmp_path / "two/last.safetensors")
    _, val = open_sets(config_of(settings, Path(".")).data)
    scores = evaluate(found.net, val, Protocol())
    assert scores.miou == pytest.approx(float(lines[0].split()[2]), abs=1e-9)


def test_a_wrong_mask_is_named_before_the_first_step(config, data, tmp_path):
    Image.fromarray(np.full((48, 64), 7, np.uint8)).save(data / "masks/val/1.png")
    with pytest.raises(InputError, match=r"1\.png: value 7 at 3072 pixels belongs to no class"):
        train(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_cuda_without_a_device_is_refused(config, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(InputError, match="no CUDA device"):
        train(replace(config, run=replace(config.run, device="cuda")), tmp_path / "run")


def test_a_run_with_other_settings_is_not_continued(config, tmp_path):
    train(config, tmp_path / "run")
    other = replace(config, optim=replace(config.optim, lr=0.5))
    with pytest.raises(InputError, match=r"another optim\.lr"):
        train(other, tmp_path / "run")
    (tmp_path / "run/state.pt").write_bytes(b"half")
    with pytest.raises(InputError, match=r"damaged|truncated"):
        train(config, tmp_path / "run")


def test_a_full_disk_leaves_whole_files(config, tmp_path, monkeypatch):
    train(config, tmp_path / "run")
    kept = {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir() if p.is_file()}
    (tmp_path / "run/state.pt").unlink()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("saccade.training.state.torch.save", full)
    with pytest.raises(OSError, match="No space"):
        train(config, tmp_path / "run")
    assert (tmp_path / "run/last.safetensors").read_bytes() == kept["last.safetensors"]
    assert not list((tmp_path / "run").glob(".*part*"))


def test_fine_tuning_starts_from_a_checkpoint(config, tmp_path):
    train(config, tmp_path / "run")
    start = tmp_path / "run/last.safetensors"
    tiny = replace(config, start=str(start), optim=replace(config.optim, lr=1e-12, epochs=1))
    train(tiny, tmp_path / "tuned")
    ours, theirs = load_file(tmp_path / "tuned/last.safetensors"), load_file(start)
    key = "classifier.2.weight"
    torch.testing.assert_close(ours[key], theirs[key], rtol=1e-6, atol=1e-8)


def test_a_checkpoint_of_other_layers_is_refused(config, tmp_path):
    train(config, tmp_path / "run")
    start = str(tmp_path / "run/last.safetensors")
    wider = replace(config, start=start, network=replace(config.network, width=9))
    with pytest.raises(InputError, match="another width"):
        train(wider, tmp_path / "b")


def test_a_loss_that_is_no_number_ends_the_run_with_advice(config, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "supervise", lambda scores, *_: scores.mean() * float("nan"))
    with pytest.raises(InputError, match="the loss is nan in step 1"):
        train(config, tmp_path / "run")


def test_the_loss_is_among_the_progress(config, tmp_path):
    said = []
    train(config, tmp_path / "run", report=lambda done, total, text: said.append(text))
    steps = [text for text in said if text.startswith("epoch")]
    assert len(steps) == 4
    assert all(re.fullmatch(r"epoch [12], loss \d+\.\d{3}, lr [\d.e-]+", text) for text in steps)
