"""Recipes are read, and what is wrong in one is said before anything is trained."""

import json
import re
from pathlib import Path

import pytest

from saccade.errors import InputError
from saccade.models import weights
from scripts.train_bundled.__main__ import RECIPE
from scripts.train_bundled.loop import learning_rate
from scripts.train_bundled.recipe import read_recipe
from scripts.train_bundled.run import stage_digest
from scripts.train_bundled.states import lineage
from tests.scripts.small_recipes import FIT_AND_FUSION, ONE_FILE, write_recipe

SHIPPED = json.loads(Path(weights.__file__).with_name("bundled.json").read_text())


def test_shipped_weights_say_which_stages_made_them() -> None:
    """Those of before there was a recipe list their runs in place of stages."""
    stages = SHIPPED.get("stages") or SHIPPED["runs"]
    assert stages
    if "stages" in SHIPPED:
        recipe = read_recipe(RECIPE)
        assert list(stages) == [stage.name for stage in recipe.needed(recipe.files[0].members[0])]
        for name, said in stages.items():
            assert said["kind"] == recipe.stages[name].kind


def test_recipe_knows_its_data_and_stages() -> None:
    recipe = read_recipe(RECIPE)
    kinds = [stage.kind for stage in recipe.stages.values()]
    assert kinds == ["fit", "object", "object", "fusion", "fusion", "kinds"]
    assert "iseg" not in recipe.data  # photographs with strokes of people are for scores
    assert not {"ecssd", "davis"} & set(recipe.data)


def test_the_networks_of_the_recipe_go_on_from_one_another() -> None:
    stages = read_recipe(RECIPE).stages
    found = lineage(stages["fusion"], stages)
    assert found == {"fit": {"fit"}, "object": {"object"}, "fusion": {"fusion"}}


def test_short_run_changes_all_stages_and_keeps_their_shares() -> None:
    whole, short = read_recipe(RECIPE), read_recipe(RECIPE, short=True)
    assert {s.steps for s in short.stages.values()} != {s.steps for s in whole.stages.values()}
    assert max(s.steps for s in short.stages.values()) <= 60
    assert [s.shares for s in short.stages.values()] == [s.shares for s in whole.stages.values()]
    assert short.digest() != whole.digest()


def test_learning_rate_depends_on_the_step_alone() -> None:
    stage = read_recipe(RECIPE).stages["fit"]
    rates = [learning_rate(stage, step) for step in range(stage.steps)]
    top = max(rates)
    assert rates[: stage.warm_up] == sorted(rates[: stage.warm_up])
    assert rates[stage.warm_up :] == sorted(rates[stage.warm_up :], reverse=True)
    assert 0.99 * stage.learning_rate < top <= stage.learning_rate + 1e-6
    assert rates[-1] < 1e-3 * top


def test_digest_of_a_stage_follows_what_it_comes_from(root: Path, tmp_path: Path) -> None:
    text = FIT_AND_FUSION + ONE_FILE

    def digests(text: str) -> list[str]:
        recipe = read_recipe(write_recipe(tmp_path / "recipe.toml", root, text))
        return [stage_digest(stage, recipe) for stage in recipe.stages.values()]

    fit, fusion = digests(text)
    assert digests("# a remark\n" + text) == [fit, fusion]
    other_fit, after_it = digests(text.replace("seed = 0", "seed = 1"))
    assert fit != other_fit
    assert fusion != after_it
    same_fit, other = digests(text.replace("seed = 4", "seed = 5"))
    assert fit == same_fit
    assert fusion != other


TWO_FITS = FIT_AND_FUSION + FIT_AND_FUSION.replace('"fit"\nkind', '"other"\nkind').replace(
    '"fusion"\nkind = "fusion"\nstart = ["fit"]', '"second"\nkind = "fusion"\nstart = ["other"]'
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FIT_AND_FUSION, "must have a [[stage]] and a [[file]]"),
        (FIT_AND_FUSION + ONE_FILE + "[model]\n", "'model' is no table"),
        (FIT_AND_FUSION.replace("seed = 4", "sed = 4"), "stage fusion: 'sed' is no setting"),
        (FIT_AND_FUSION.replace("steps = 4", "steps = 0"), "steps is 0, must be at least 1"),
        (FIT_AND_FUSION.replace("steps = 4", 'steps = "4"'), "steps is '4', must be of type int"),
        (FIT_AND_FUSION.replace('kind = "fit"', 'kind = "fat"'), "kind is 'fat', must be one of"),
        (FIT_AND_FUSION.replace('["fit"]', '["fusion"]'), "starts from 'fusion', which is no ear"),
        (FIT_AND_FUSION.replace('["fit"]', "[]"), "must start from a stage of kind fit"),
        (FIT_AND_FUSION.replace("binary = 1.0", "binary = 0.9"), "shares sum to 0.9, must sum to"),
        (FIT_AND_FUSION.replace("binary = 1.0", "cats = 1.0"), "'cats' is none of binary"),
        (FIT_AND_FUSION + 'hold = "3/3"\n', "hold is '3/3', must be I/N with I below N"),
        (FIT_AND_FUSION.replace("{ binary = 1.0 }", "{ object = 1.0 }", 2), "none of binary"),
        (FIT_AND_FUSION.replace('"fusion"\nkind', '"fit"\nkind'), "is there twice"),
        (FIT_AND_FUSION + ONE_FILE.replace('"fusion"', '"fission"'), "which is no stage"),
        (FIT_AND_FUSION + ONE_FILE.replace("bundled", "../bundled"), "below the folder of results"),
        (TWO_FITS + ONE_FILE.replace('"fusion"', '"fusion", "second"'), "have a different fit"),
        ("[[stage]]\n[stage\n", "no TOML"),
    ],
)
def test_what_is_wrong_in_a_recipe_is_said(text, message, root: Path, tmp_path: Path) -> None:
    path = write_recipe(tmp_path / "recipe.toml", root, text)
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        read_recipe(path)
    assert str(caught.value).startswith(str(path))
