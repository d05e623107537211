import dataclasses

import pytest

from saccade.errors import InputError
from saccade.interactive.presets import (
    PRESETS,
    LearnedFitSettings,
    NetworkSettings,
    PaperFitSettings,
    Preset,
    preset_named,
)
from tests.helpers import run_python


@pytest.mark.parametrize("name", PRESETS)
def test_every_name_has_settings_that_cannot_be_changed(name):
    preset = preset_named(name)
    assert preset == preset_named(name)
    with pytest.raises(dataclasses.FrozenInstanceError):
        preset.draws = 1


def test_paper_literal_departs_from_print_in_nothing_that_can_be_chosen():
    preset = preset_named("paper-literal")
    fit = PaperFitSettings(momentum=0.0, weight_decay=0.0, class_weight="paper", statistics=0)
    assert preset.fit == fit
    assert (fit.optimizer, fit.lr, fit.steps) == ("sgd", 0.01, 50)
    network = NetworkSettings(norm="none", standardize=False)
    assert preset.network == network
    assert (network.branch, network.sigma, network.features) == ("gdc", 0.2, "bundled")
    assert (preset.draws, preset.placement, preset.average) == (50, "independent", "softmax")
    assert (preset.upsampling, preset.keep_strokes) == ("bilinear", False)
    assert (preset.refine, preset.fusion, preset.objects, preset.temperature) == (
        None,
        False,
        False,
        1.0,
    )
    paper = preset_named("paper")
    assert (paper.upsampling, paper.keep_strokes) == ("guided", True)


def test_paper_is_the_network_and_optimisation_of_the_paper():
    preset = preset_named("paper")
    assert isinstance(preset.fit, PaperFitSettings)
    assert (preset.fit.steps, preset.fit.optimizer, preset.fit.lr) == (50, "sgd", 0.01)
    assert preset.fit.superpixels
    # 24 evenly placed draws for 50 independent ones: benchmarks.draws
    assert (preset.draws, preset.placement, preset.average) == (24, "even", "softmax")
    assert (preset.network.branch, preset.network.sigma) == ("gdc", 0.2)
    assert preset.refine is None
    assert not preset.fusion
    assert preset.temperature == 1
    assert preset.guided_radius > preset_named("fast").guided_radius


def test_best_spends_more_than_fast():
    fast, best = preset_named("fast"), preset_named("best")
    assert best.max_pixels > fast.max_pixels
    assert best.refine.iterations > fast.refine.iterations


def test_an_unknown_name_is_answered_with_those_there_are():
    with pytest.raises(InputError, match=r"'quick'.*fast, best, paper, paper-literal"):
        preset_named("quick")


def test_presets_are_read_without_pytorch():
    code = (
        "import sys; from saccade.interactive import preset_named; preset_named('fast'); "
        "assert 'torch' not in sys.modules"
    )
    run_python("-c", code)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"network": NetworkSettings(branch="dilated")}, "branch 'gdc'"),
        ({"network": NetworkSettings(norm="group")}, "norm 'none'"),
        ({"fit": PaperFitSettings()}, "fusion=False"),
        ({"fit": PaperFitSettings(statistics=-1), "fusion": False}, "statistics is -1"),
        ({"network": NetworkSettings(standardize=False)}, "standardized features"),
        ({"draws": 0}, "draws is 0"),
        ({"max_pixels": 0}, "max_pixels is 0"),
        ({"temperature": 0.0}, "temperature is 0.0"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"network": NetworkSettings(sigma=-0.1)}, "sigma is -0.1"),
        ({"network": NetworkSettings(sigma=float("nan"))}, "sigma is nan"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        Preset(**{"fit": LearnedFitSettings(), **settings})
