"""`saccade segment` for images of other channels than red, green and blue."""

import json

import numpy as np
import pytest
import tifffile

from tests.cli.conftest import SHAPE


@pytest.fixture
def stains(tmp_path, pair):
    """A file of five channels with names, and strokes for it."""
    path = tmp_path / "stains.ome.tif"
    values = np.random.default_rng(0).integers(0, 4096, (5, *SHAPE), dtype=np.uint16)
    names = {"axes": "CYX", "Channel": {"Name": ["DAPI", "GFP", "RFP", "Cy5", "BF"]}}
    tifffile.imwrite(path, values, metadata=names, ome=True)
    return path, pair[1]


def test_all_channels_are_used_and_said(saccade_cli, stains, tmp_path):
    result = saccade_cli("segment", *stains, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "5 channels; features see the first three components as colors" in result.stderr


@pytest.mark.parametrize("chosen", ["1,4", "DAPI,Cy5", "DAPI, 4"])
def test_channels_go_by_number_and_name(saccade_cli, stains, tmp_path, chosen):
    out = tmp_path / "out"
    result = saccade_cli("segment", *stains, "-o", out, "--channels", chosen)
    assert result.exit_code == 0, result.output
    assert "2 channels" in result.stderr
    (record,) = (out / "records").iterdir()
    assert json.loads(record.read_text())["channels"] == [p.strip() for p in chosen.split(",")]


def test_one_channel_is_grey_and_needs_no_word(saccade_cli, stains, tmp_path):
    result = saccade_cli("segment", *stains, "-o", tmp_path / "out", "--channels", "GFP")
    assert "channels" not in result.stderr


@pytest.mark.parametrize(
    ("chosen", "said"),
    [("6", "channel 6, expected 1 to 5 or DAPI, GFP"), ("0", "channel 0"), ("1,,2", "commas")],
)
def test_channels_that_are_not_there_are_one_line(saccade_cli, stains, tmp_path, chosen, said):
    result = saccade_cli("segment", *stains, "-o", tmp_path / "out", "--channels", chosen)
    assert result.exit_code != 0
    assert said in result.stderr.splitlines()[-1]
    assert not list((tmp_path / "out").glob("*.png"))
