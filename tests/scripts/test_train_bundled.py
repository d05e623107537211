"""The training of the bundled weights runs from photographs to a file that the package reads."""

import json
import re
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from scipy import ndimage

from saccade.errors import InputError
from saccade.models import weights
from scripts.train_bundled.__main__ import main
from scripts.train_bundled.digests import digest_of_folder
from scripts.train_bundled.instances import many_episode
from scripts.train_bundled.kinds import KINDS
from scripts.train_bundled.loop import Loop, StoppedError, train
from scripts.train_bundled.recipe import read_recipe
from scripts.train_bundled.states import load_file_of
from scripts.train_bundled.tasks import Place
from tests.helpers import run_python, start_python
from tests.scripts.small_recipes import (
    CLICKS,
    FIT_AND_FUSION,
    OBJECT,
    ONE_FILE,
    ONE_OBJECT,
    write_recipe,
)

MODULE = ("-m", "scripts.train_bundled")
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def recipe(root: Path, tmp_path: Path) -> Path:
    return write_recipe(tmp_path / "recipe.toml", root, FIT_AND_FUSION + ONE_FILE)


def _weights_of(out: Path) -> dict[str, dict]:
    return {p.name.split("-")[0]: load_file_of(p)["weights"] for p in (out / "stages").glob("*.pt")}


def _assert_same(one: dict, other: dict) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        if isinstance(value, dict):
            _assert_same(value, other[name])
        else:
            assert torch.equal(value, other[name]), name


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fit", "fusion"])
def test_stage_that_was_stopped_has_the_weights_of_one_that_was_not(
    name: str, recipe: Path, root: Path, tmp_path: Path
) -> None:
    stage = read_recipe(recipe).stages[name]
    place = Place(root, tmp_path, torch.device("cpu"))
    start = {"fit": KINDS["fit"].task(stage, {}, place).module.state_dict()}

    def trained(checkpoint: str, stop_after: int) -> dict:
        task = KINDS[name].task(stage, start if name == "fusion" else {}, place)
        stopped: list[int] = []

        def report(step: int, loss: float) -> None:
            stopped.extend([1] * (step == stop_after))

        loop = Loop(tmp_path / checkpoint, 100, 0, stopped, report)
        return train(task, stage, loop).module.state_dict()

    whole = trained("whole", stop_after=0)
    for step in range(1, stage.steps):
        with pytest.raises(StoppedError):
            trained("parts", stop_after=step)
    _assert_same(trained("parts", stop_after=0), whole)


@pytest.mark.slow
def test_object_network_is_trained_on_sessions_and_packed(
    with_things: Path, tmp_path: Path
) -> None:
    fit = FIT_AND_FUSION[: FIT_AND_FUSION.rindex("[[stage]]")]
    recipe = write_recipe(tmp_path / "recipe.toml", with_things, fit + OBJECT + CLICKS + ONE_FILE)
    out = tmp_path / "out"
    assert main([str(recipe), "--data", str(with_things), "--out", str(out), "--jobs", "0"]) == 0
    path = out / "bundled.safetensors"
    bundle = weights.load_bundle(str(path))
    assert bundle.objects is not None
    provenance = json.loads(path.with_suffix(".json").read_text())
    seen = {one["set"]: one["photographs_seen"] for one in provenance["data"]}
    assert seen == {"bsds": 2, "objects": 3}
    assert provenance["initial_weights"] == "random; nothing pretrained"
    trained = _weights_of(out)["object"]["object"]
    packed = bundle.objects.state_dict()
    assert packed.keys() == trained.keys()
    for name, value in packed.items():
        torch.testing.assert_close(value, trained[name].half().float())


def test_clicks_need_an_object_network(recipe: Path, root: Path, tmp_path: Path, capsys) -> None:
    text = recipe.read_text()
    last = text.rindex("shares = { binary = 1.0 }")
    recipe.write_text(text[:last] + text[last:].replace("binary", "clicks", 1))
    run = [str(recipe), "--data", str(root), "--out", str(tmp_path / "out"), "--jobs", "0"]
    assert main(run) == 1
    assert "objects" in capsys.readouterr().err  # there is no such data set


@pytest.mark.slow
def test_encoder_learns_at_its_own_rate(with_things: Path, tmp_path: Path) -> None:
    moved = {}
    for share in (0.0, 0.1, 1.0):
        stages = OBJECT.replace("encoder = 0.5", f"encoder = {share}").replace("0.9", "0.0")
        recipe = write_recipe(tmp_path / "recipe.toml", with_things, stages + ONE_OBJECT)
        stage = read_recipe(recipe).stages["object"]
        task = KINDS["object"].task(stage, {}, Place(with_things, tmp_path, torch.device("cpu")))
        before = {k: v.clone() for k, v in task.module.state_dict().items()}
        after = train(task, stage, Loop(tmp_path / str(share), 100, 0, [], lambda *_: None))
        state = after.module.state_dict()
        for part in ("encoder.stem.weight", "leave.weight"):
            moved[share, part] = (state[part] - before[part]).abs().max().item()
    assert moved[0.0, "encoder.stem.weight"] == 0
    assert 0 < moved[0.1, "encoder.stem.weight"] < 0.2 * moved[1.0, "encoder.stem.weight"]
    assert moved[0.0, "leave.weight"] > 0


@pytest.mark.slow
def test_recipe_makes_a_file_that_the_package_reads(
    recipe: Path, root: Path, tmp_path: Path, capsys
) -> None:
    out = tmp_path / "out"
    run = [str(recipe), "--data", str(root), "--out", str(out), "--jobs", "0"]
    assert main([*run, "--stage", "fit"]) == 0
    assert set(_weights_of(out)) == {"fit"}
    assert main(run) == 0
    assert "fit: done before" in capsys.readouterr().out
    path = out / "bundled.safetensors"
    shipped = load_file(Path(weights.__file__).with_name("bundled.safetensors"))
    fresh = load_file(path)
    more = ("guide1", "evidence1", "objects", "kind_")  # of stages that this recipe has not
    assert set(fresh) == {name for name in shipped if not name.startswith(more)}
    assert any(fresh[k].shape != shipped[k].shape or np.any(fresh[k] != shipped[k]) for k in fresh)
    assert len(weights.load_bundle(str(path)).ensemble) == 1
    provenance = json.loads(path.with_suffix(".json").read_text())
    assert list(provenance["stages"]) == ["fit", "fusion"]
    assert provenance["stages"]["fusion"]["steps"] == 4
    assert provenance["recipe"] == read_recipe(recipe).digest()
    [bsds] = provenance["data"]
    assert (bsds["set"], bsds["photographs_seen"], bsds["photographs_there"]) == ("bsds", 2, 2)
    assert bsds["terms"] == "made for tests"
    assert bsds["sha256"]["bsds/train/images"] == digest_of_folder(root / "bsds/train/images")
    assert provenance["without"] == []
    content = path.read_bytes()
    path.unlink()
    assert main(run) == 0  # packs what is there
    assert capsys.readouterr().out.count("done before") == 2
    assert path.read_bytes() == content
    other = recipe.with_name("other.toml")
    other.write_text(recipe.read_text().replace("seed = 4", "seed = 5"))
    assert main([str(other), *run[1:]]) == 0
    assert "fit: done before" in capsys.readouterr().out
    assert len(list((out / "stages").iterdir())) == 3  # nothing is lost


@pytest.mark.slow
def test_interrupted_run_goes_on_to_the_same_weights(
    recipe: Path, root: Path, tmp_path: Path
) -> None:
    recipe.write_text(recipe.read_text().replace("steps = 3", "steps = 12"))
    common = (*MODULE, recipe, "--data", root, "--jobs", 1, "--stage", "fit", "--out")
    out = tmp_path / "interrupted"
    process = start_python(*common, out, "--every", "1", cwd=REPOSITORY)
    while process.poll() is None and not list(out.glob("stages/fit-*.checkpoint")):
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130, said
    assert said.splitlines()[-1].startswith("stopped; the same command goes on")
    assert list(out.glob("stages/fit-*.checkpoint"))
    assert not list(out.glob("stages/fit-*.pt"))
    for folder in (out, tmp_path / "whole"):
        run_python(*common, folder, cwd=REPOSITORY)
        assert not list(folder.glob("stages/*.checkpoint"))
    _assert_same(_weights_of(out), _weights_of(tmp_path / "whole"))


HOLDING = FIT_AND_FUSION + "".join(
    f"""
[[stage]]
name = "objects-{seed}"
kind = "fusion"
start = ["fusion"]
seed = {seed}
steps = 1
batch = 1
learning_rate = 0.001
average = 0.9
hold = "0/3"
shares = {{ object = 1.0 }}
"""
    for seed in (20, 30)
)
TWO_MEMBERS = """
[[file]]
name = "folds/fold0.safetensors"
members = [["objects-20", "objects-30"], ["objects-20"]]
"""


@pytest.mark.slow
def test_fold_says_what_it_has_not_seen_and_has_the_mean_of_its_runs(
    people: Path, tmp_path: Path
) -> None:
    recipe = write_recipe(tmp_path / "recipe.toml", people, HOLDING + TWO_MEMBERS)
    out = tmp_path / "out"
    assert main([str(recipe), "--data", str(people), "--out", str(out), "--jobs", "0"]) == 0
    path = out / "folds/fold0.safetensors"
    provenance = json.loads(path.with_suffix(".json").read_text())
    assert provenance["without"] == ["x"]
    seen = {data["set"]: data["photographs_seen"] for data in provenance["data"]}
    assert seen == {"bsds": 2, "iseg": 2}
    assert set(provenance["scores"]) == {"thin", "full", "dense", "thin and more"}
    parts = [
        load_file_of(p)["weights"]["fusion"]["fusion.leave.weight"].numpy()
        for p in sorted((out / "stages").glob("objects-*.pt"))
    ]
    mean, own = (load_file(path)[f"evidence{n}.leave.weight"] for n in ("", "1"))
    assert np.any(parts[0] != parts[1])
    np.testing.assert_allclose(mean, (parts[0] + parts[1]) / 2, atol=1e-3)
    np.testing.assert_allclose(own, parts[0], atol=1e-3)
    assert len(weights.load_bundle(str(path)).ensemble) == 3  # their mean, and both


def test_data_of_another_kind_are_refused_before_training(
    root: Path, tmp_path: Path, capsys
) -> None:
    text = FIT_AND_FUSION + ONE_FILE
    path = write_recipe(tmp_path / "r.toml", root, text, digests={"bsds/train/segments": "0" * 64})
    out = tmp_path / "out"
    assert main([str(path), "--data", str(root), "--out", str(out)]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    folder = root / "bsds/train/segments"
    assert f"{folder}: its digest is {digest_of_folder(folder)}" in said
    assert not out.exists()
    assert main([str(path), "--data", str(tmp_path / "none"), "--out", str(out)]) == 1
    assert "no such folder; --data must be the root" in capsys.readouterr().err
    assert main([str(path), "--data", str(root), "--out", str(out), "--stage", "fat"]) == 1
    assert "--stage fat: is no stage; there are fit, fusion" in capsys.readouterr().err


def test_digest_of_a_folder_follows_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").write_text("2")
    first = digest_of_folder(tmp_path)
    assert re.fullmatch("[0-9a-f]{64}", first)
    (tmp_path / ".hidden").write_text("3")
    assert digest_of_folder(tmp_path) == first
    (tmp_path / "b").rename(tmp_path / "c")
    renamed = digest_of_folder(tmp_path)
    (tmp_path / "c").write_text("3")
    assert len({first, renamed, digest_of_folder(tmp_path)}) == 3
    with pytest.raises(InputError, match="no such folder"):
        digest_of_folder(tmp_path / "none")


def test_damaged_file_of_a_stage_is_said(tmp_path: Path) -> None:
    path = tmp_path / "fit-1.pt"
    path.write_bytes(b"no weights")
    with pytest.raises(InputError, match=r"fit-1\.pt: cannot be read .* delete it"):
        load_file_of(path)


def test_repeated_objects_have_strokes_on_some(root: Path) -> None:
    photos = sorted((root / "bsds/train/images").iterdir())
    found = [many_episode(np.random.default_rng(i), photos, (96, 128)) for i in range(12)]
    found = [one for one in found if one is not None]
    assert len(found) >= 6
    for image, truth, strokes in found:
        assert image.shape == (96, 128, 3)
        assert image.dtype == np.uint8
        drawn = strokes != 255
        assert np.array_equal(strokes[drawn], truth[drawn])
        assert set(np.unique(strokes)) == {0, 1, 255}
        assert ndimage.label(truth)[1] >= 4
    assert np.mean([_without_stroke(truth, strokes) > 0 for _, truth, strokes in found]) > 0.8


def _without_stroke(truth: np.ndarray, strokes: np.ndarray) -> int:
    """How many connected things have none."""
    parts, count = ndimage.label(truth)
    return count - len(np.unique(parts[strokes == 1]))
