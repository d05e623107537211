import subprocess
import sys
from dataclasses import replace

import pytest

from saccade.errors import InputError
from saccade.experiments import gdc_tables
from saccade.experiments.names import EXPERIMENTS, TABLES, check_name


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match="'gdc-table9' is unknown; choose from gdc-table1"):
        check_name("gdc-table9")
    assert [check_name(name) for name in EXPERIMENTS] == list(EXPERIMENTS)


def test_every_table_has_a_name_and_every_claim_its_branches():
    assert set(gdc_tables.TABLES) == set(TABLES)
    for table in gdc_tables.TABLES.values():
        assert gdc_tables.GDC in table.branches
        assert {b for claim in table.claims for b in claim} <= set(table.branches)
        for branch in table.branches:
            assert set(table.published[branch]) == set(table.published[gdc_tables.GDC])


def test_the_papers_numbers_support_its_claims():
    for table in gdc_tables.TABLES.values():
        for better, worse in table.claims:
            for name in table.published[better]:
                assert table.published[better][name].miou > table.published[worse][name].miou


def test_presets_differ_from_the_papers_in_the_branch_alone():
    gdc = gdc_tables.preset_of(gdc_tables.GDC)
    assert gdc.network.sigma == 0.2
    assert gdc_tables.preset_of("gdc sigma 0.1").network.sigma == 0.1
    dilated = gdc_tables.preset_of("dilated 16")
    assert (dilated.network.branch, dilated.network.dilation) == ("dilated", 16)
    assert replace(dilated, network=gdc.network) == gdc


def test_planning_imports_no_pytorch():
    code = (
        "import sys, saccade.cli.experiment, saccade.experiments.samples, "
        "saccade.experiments.pascal, saccade.experiments.gdc_tables; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
