"""`saccade info`, and `--window` where images are read."""

import json

import numpy as np
import tifffile
from PIL import Image

from tests.cli.conftest import SHAPE, write_pair


def test_info_prints_what_was_understood(saccade_cli, tmp_path):
    said = {
        "axes": "ZCYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 2,
        "Channel": {"Name": ["DAPI", "GFP"]},
    }  # fmt: skip
    stack = np.arange(5 * 2 * 20 * 30, dtype=np.uint16).reshape(5, 2, 20, 30)
    tifffile.imwrite(tmp_path / "a.ome.tif", stack, metadata=said)
    result = saccade_cli("info", tmp_path / "a.ome.tif")
    assert result.exit_code == 0
    lines = [line.split(maxsplit=1) for line in result.stdout.splitlines()[1:]]
    assert dict(lines) == {
        "kind": "ome-tiff",
        "size": "30 x 20 pixels (width x height)",
        "axes": "ZCYX, 5 x 2 x 20 x 30",
        "channels": "2: DAPI, GFP",
        "type": "uint16",
        "window": "2400 to 2999, 3000 to 3599 (of its values, which leave most of their range "
        "unused; slice 3)",
        "pixel": "size x 0.5, y 0.5, z 2 um",
        "pages": "5",
    }


def test_info_as_json(saccade_cli, tmp_path):
    Image.new("RGB", (30, 20)).save(tmp_path / "a.png")
    np.save(tmp_path / "b.npy", np.zeros((9, 20, 30), np.float32))
    result = saccade_cli("info", tmp_path / "a.png", tmp_path / "b.npy", "--json")
    picture, stack = json.loads(result.stdout)
    assert (picture["axes"], picture["window_from"], picture["colors"]) == ("YXC", "type", True)
    assert (stack["axes"], stack["pages"], stack["shape"]) == ("ZYX", 9, [9, 20, 30])
    assert stack["remarks"] == ["axes ZYX were assumed for shape (9, 20, 30)"]
    told = saccade_cli("info", tmp_path / "b.npy", "--json", "--axes", "TYX")
    assert json.loads(told.stdout)[0]["remarks"] == []


def test_info_goes_on_after_a_bad_file(saccade_cli, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no image")
    Image.new("L", (30, 20)).save(tmp_path / "b.png")
    result = saccade_cli("info", tmp_path / "a.png", tmp_path / "b.png", tmp_path / "c.png")
    assert result.exit_code == 1
    assert "30 x 20 pixels" in result.stdout
    assert [line.partition(": ")[0] for line in result.stderr.splitlines()] == ["error"] * 2
    assert "c.png: no such file" in result.stderr


def test_segment_takes_a_window(saccade_cli, tmp_path):
    write_pair(tmp_path / "x.png", tmp_path / "s.png")
    values = np.arange(np.prod(SHAPE), dtype=np.uint16).reshape(SHAPE)
    tifffile.imwrite(tmp_path / "a.tif", values)
    arguments = ("segment", tmp_path / "a.tif", tmp_path / "s.png", "-o", tmp_path / "out")
    result = saccade_cli(*arguments, "--window", "50,100.5")
    assert result.exit_code == 0, result.output
    assert "values 50 to 100.5 were stretched to 0..255, as you said" in result.stderr
    other = saccade_cli(*arguments, "--window", "0,100")
    assert "1 of the masks there were made with another preset" in other.stderr
    assert "--window" in other.stderr
    same = saccade_cli(*arguments, "--window=50,100.5")
    assert "were made with another" not in same.stderr


def test_what_is_no_window(saccade_cli, tmp_path):
    write_pair(tmp_path / "x.png", tmp_path / "s.png")
    for text in ("5", "5,4", "a,b", "1,2,3", "nan,3", "0,inf"):
        result = saccade_cli(
            "segment", tmp_path / "x.png", tmp_path / "s.png", "-o", tmp_path / "out",
            "--window", text,
        )  # fmt: skip
        assert result.exit_code == 2
        assert "is not LOW,HIGH" in result.stderr
        assert not (tmp_path / "out").exists()
