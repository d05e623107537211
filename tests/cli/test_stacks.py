"""`saccade segment` for stacks: masks of all slices from strokes on some."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from saccade.images import open_image
from tests.cli.stacks import SHAPE, noisy_values

SIZES = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 2.0}


@pytest.fixture
def values():
    return noisy_values().astype(np.uint16)


@pytest.fixture(params=["ome", "imagej", "plain", "npy", "mha"])
def stack(request, tmp_path, values):
    """A stack in a container."""
    kind = request.param
    if kind == "npy":
        np.save(tmp_path / "cells.npy", values)
        return tmp_path / "cells.npy"
    if kind == "mha":
        sitk = pytest.importorskip("SimpleITK")
        image = sitk.GetImageFromArray(values)
        image.SetSpacing((0.5, 0.5, 2.0))
        sitk.WriteImage(image, str(tmp_path / "cells.mha"))
        return tmp_path / "cells.mha"
    path = tmp_path / ("cells.ome.tif" if kind == "ome" else "cells.tif")
    said = {
        "ome": {"ome": True, "metadata": {"axes": "ZYX", **SIZES}},
        "imagej": {
            "imagej": True,
            "resolution": (2, 2),
            "metadata": {"axes": "ZYX", "unit": "um", "spacing": 2.0},
        },
        "plain": {},
    }
    tifffile.imwrite(path, values, **said[kind])
    return path


def _mask(out):
    found = open_image(next(out.glob("cells*")))
    return found, np.asarray(found.array[...])


def test_masks_of_all_slices_keep_axes_and_sizes(saccade_cli, stack, drawn, tmp_path):
    result = saccade_cli("segment", stack, drawn, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    image, (mask, labels) = open_image(stack), _mask(tmp_path / "out")
    assert mask.axes == image.axes
    assert mask.pixel_size == pytest.approx(image.pixel_size)
    assert labels.shape == SHAPE
    assert set(np.unique(labels)) == {0, 1}
    assert labels[0, 15:25, 20:36].all()
    assert not labels[4, :5].any()
    assert not (tmp_path / "out" / "parts").exists()


@pytest.fixture
def ome(tmp_path, values):
    path = tmp_path / "cells.ome.tif"
    tifffile.imwrite(path, values, ome=True, metadata={"axes": "ZYX", **SIZES})
    return path


def test_a_mask_that_is_there_is_kept(saccade_cli, ome, drawn, tmp_path):
    out = tmp_path / "out"
    assert saccade_cli("segment", ome, drawn, "-o", out).exit_code == 0
    (mask,) = out.glob("cells*")
    mask.write_bytes(b"mine")
    again = saccade_cli("segment", ome, drawn, "-o", out, "--seed", "1")
    assert "already done" in again.stderr
    assert "made with other options" in again.stderr
    assert mask.read_bytes() == b"mine"
    assert saccade_cli("segment", ome, drawn, "-o", out, "--overwrite").exit_code == 0
    assert open_image(mask).axes == "ZYX"


def test_uncertainty_lies_beside_the_mask(saccade_cli, ome, drawn, tmp_path):
    out = tmp_path / "out"
    assert saccade_cli("segment", ome, drawn, "-o", out, "--uncertainty").exit_code == 0
    (path,) = (out / "uncertainty").iterdir()
    assert open_image(path).array.shape == SHAPE


def test_an_interrupted_run_goes_on(saccade_cli, ome, drawn, tmp_path, monkeypatch):
    from saccade.stacks import work

    monkeypatch.setattr(work, "slab_length", lambda *sizes: 2)
    whole, out, begun = tmp_path / "whole", tmp_path / "out", []
    assert saccade_cli("segment", ome, drawn, "-o", whole).exit_code == 0
    plain = work.Work._segment_slab

    def stopped(self, fit, t, slab, result):
        begun.append(slab.start)
        if len(begun) == 2:
            raise KeyboardInterrupt
        plain(self, fit, t, slab, result)

    monkeypatch.setattr(work.Work, "_segment_slab", stopped)
    result = saccade_cli("segment", ome, drawn, "-o", out)
    assert result.exit_code == 130
    assert "2 planes of cells.ome.tif are kept" in result.stderr
    assert not list(out.glob("cells*"))
    result = saccade_cli("segment", ome, drawn, "-o", out)
    assert result.exit_code == 0, result.output
    assert "2 planes are finished already" in result.stderr
    assert begun == [0, 2, 2, 4]
    masks = [_mask(folder)[1] for folder in (whole, out)]
    assert np.array_equal(*masks)


def test_other_options_do_not_go_on_with_old_slices(saccade_cli, ome, drawn, tmp_path):
    out = tmp_path / "out"
    parts = out / "parts" / ome.name
    parts.mkdir(parents=True)
    (parts / "made.json").write_text("{}")
    np.savez(parts / "0-0.npz", labels=np.full(SHAPE[1:], 9), uncertainty=np.zeros(SHAPE[1:]))
    assert saccade_cli("segment", ome, drawn, "-o", out).exit_code == 0
    assert _mask(out)[1].max() == 1


@pytest.mark.parametrize("named", [True, False])
def test_strokes_with_other_axes_are_one_line(saccade_cli, ome, values, tmp_path, named):
    drawn = tmp_path / ("drawn.tif" if named else "drawn.png")
    labels = np.full(SHAPE[1:], 255, np.uint8)
    labels[3, 4:50], labels[20, 22:34] = 0, 1
    if named:
        tifffile.imwrite(drawn, np.stack([labels] * 4), photometric="minisblack")
    else:
        Image.fromarray(labels).save(drawn)
    result = saccade_cli("segment", ome, drawn, "-o", tmp_path / "out")
    assert result.exit_code == 1
    last = result.stderr.splitlines()[-1]
    assert "axes" in last
    assert "expected ZYX (5 x 40 x 56) as those of cells.ome.tif" in last
    assert not (tmp_path / "out").exists()


def test_a_channel_that_is_not_there_leaves_nothing(saccade_cli, ome, drawn, tmp_path):
    result = saccade_cli("segment", ome, drawn, "-o", tmp_path / "out", "--channels", "2")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].endswith("channel 2, expected 1, the only one")
    assert not (tmp_path / "out").exists()


def test_options_of_pictures_are_refused(saccade_cli, ome, drawn, tmp_path):
    for option in (["--format", "coco"], ["--format", "yolo"], ["--probabilities"]):
        result = saccade_cli("segment", ome, drawn, "-o", tmp_path / "out", *option)
        assert result.exit_code == 1
        assert "is of pictures" in result.stderr


def test_a_folder_may_have_pictures_and_stacks(saccade_cli, values, drawn, tmp_path):
    images, strokes = tmp_path / "images", tmp_path / "strokes"
    images.mkdir()
    strokes.mkdir()
    tifffile.imwrite(images / "drawn.tif", values)
    drawn.rename(strokes / "drawn.tif")
    Image.fromarray(values[0].astype(np.uint8)).save(images / "photo.png")
    labels = tifffile.imread(strokes / "drawn.tif")[2]
    Image.fromarray(labels).save(strokes / "photo.png")
    out = tmp_path / "out"
    result = saccade_cli("segment", images, strokes, "-o", out, "--no-overlay")
    assert result.exit_code == 0, result.output
    assert {path.name for path in out.iterdir()} == {"drawn.tif", "photo.png", "records"}
    assert open_image(out / "drawn.tif").array.shape == SHAPE
