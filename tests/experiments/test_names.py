from dataclasses import replace

import pytest

from saccade.errors import InputError
from saccade.experiments.gdc import image_tables
from saccade.experiments.names import EXPERIMENTS, check_options, experiment_named
from saccade.experiments.networks import NETWORK_TABLES
from tests.helpers import run_python


def of_kind(kind):
    return {name for name, one in EXPERIMENTS.items() if one.kind == kind}


def test_an_unknown_name_tells_near_ones():
    with pytest.raises(InputError, match=r"'gdc-table9' is unknown; .*gdc-table7"):
        experiment_named("gdc-table9", "table")


def test_an_experiment_of_another_kind_is_refused_with_its_command():
    with pytest.raises(InputError, match="saccade experiment figure gdc-figure10"):
        experiment_named("gdc-figure10", "table")


def test_an_option_without_use_is_refused_with_where_it_applies():
    check_options("gdc-figure11", ["limit", "data"])
    with pytest.raises(InputError, match="--limit does not apply to gdc-figure10, only to "):
        check_options("gdc-figure10", ["data", "limit"])
    with pytest.raises(
        InputError, match="--cityscapes does not apply to gdc-table5, only to gdc-t"
    ):
        check_options("gdc-table5", ["cityscapes"])
    check_options("gdc-table5", ["crop", "freeze"])
    for option in ("crop", "freeze"):
        with pytest.raises(InputError, match=f"--{option} does not apply to gdc-figure10, only"):
            check_options("gdc-figure10", [option])


def test_every_table_has_a_name_and_every_claim_its_branches():
    assert set(image_tables.IMAGE_TABLES) == of_kind("table")
    assert set(NETWORK_TABLES) == of_kind("network")
    for table in image_tables.IMAGE_TABLES.values():
        assert image_tables.GDC in table.branches
        assert {b for claim in table.claims for b in claim} <= set(table.branches)
        for branch in table.branches:
            assert set(table.published[branch]) == set(table.published[image_tables.GDC])


def test_the_papers_numbers_support_its_claims():
    for table in image_tables.IMAGE_TABLES.values():
        for better, worse in table.claims:
            for name in table.published[better]:
                assert table.published[better][name].miou > table.published[worse][name].miou


def test_presets_differ_from_the_papers_in_the_branch_alone():
    gdc = image_tables.preset_of(image_tables.GDC)
    assert gdc.network.sigma == 0.2
    assert image_tables.preset_of("gdc sigma 0.1").network.sigma == 0.1
    dilated = image_tables.preset_of("dilated 16")
    assert (dilated.network.branch, dilated.network.dilation) == ("dilated", 16)
    assert replace(dilated, network=gdc.network) == gdc


def test_planning_imports_no_pytorch():
    code = (
        "import sys, saccade.cli.experiment, saccade.experiments.engine.samples, "
        "saccade.experiments.gdc.image_tables; "
        "sys.exit('torch' in sys.modules)"
    )
    run_python("-c", code)
