"""Files that are damaged or say something else than they hold: one line, and nothing is left."""

import gzip
import importlib.util
import json
import shutil

import numpy as np
import pytest
import tifffile

from saccade.errors import InputError
from saccade.images import Image, open_image
from saccade.images.readers.nifti import refuse_truncated
from tests.cli.stacks import SHAPE, noisy_values
from tests.images.test_science import write_zarr


def values(shape=SHAPE):
    return noisy_values(shape).astype(np.uint16)


def pages_of(sizes, kinds=(np.uint16,)):
    def write(path):
        with tifffile.TiffWriter(path) as file:
            for k, height in enumerate(sizes):
                plane = values((height, 56)).astype(kinds[k % len(kinds)])
                file.write(plane, contiguous=False, metadata=None)

    return write


def cut(write, share):
    def half(path):
        write(path)
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])

    return half


def ome(path):
    tifffile.imwrite(path, values(), ome=True, metadata={"axes": "ZYX"})


def plain(path):
    tifffile.imwrite(path, values())


def bad_tile(path):
    options = {"ome": True, "metadata": {"axes": "ZYX"}, "tile": (16, 16), "compression": "zlib"}
    tifffile.imwrite(path, values(), **options)
    with tifffile.TiffFile(path) as file:
        start, count = file.pages[4].dataoffsets[3], file.pages[4].databytecounts[3]
    data = bytearray(path.read_bytes())
    data[start : start + count] = bytes(count)
    path.write_bytes(data)


def zarr_with(change):
    def write(path):
        pytest.importorskip("zarr", reason="zarr is not installed")
        write_zarr(path, values(), "zyx", scale=[2, 0.5, 0.5])
        said = json.loads((path / ".zattrs").read_text())
        change(said["multiscales"][0])
        (path / ".zattrs").write_text(json.dumps(said))

    return write


def bad_chunk(path):
    pytest.importorskip("zarr", reason="zarr is not installed")
    write_zarr(path, values(), "zyx", scale=[2, 0.5, 0.5])
    for file in (path / "0").rglob("4*"):
        if file.is_file():
            file.write_bytes(b"junk")


def volume(path):
    sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")
    sitk.WriteImage(sitk.GetImageFromArray(values()), str(path))


def missing_pixels(path):
    path.write_text(
        "ObjectType = Image\nNDims = 3\nDimSize = 56 40 5\nElementType = MET_USHORT\n"
        "ElementDataFile = gone.raw\n"
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "write", "told"),
    [
        (
            "a.tif",
            pages_of((40, 40, 32)),
            "2 groups of pages of different sizes (56 x 40, 56 x 32)",
        ),
        ("a.tif", pages_of((40,) * 4, (np.uint8, np.uint16)), "groups of pages of different kinds"),
        ("a.tif", cut(plain, 0.7), "a.tif: truncated, its pixels should end at"),
        ("a.ome.tif", cut(ome, 0.5), "drawn.tif: axes ZYX (5 x 40 x 56), its image a.ome.tif has"),
        ("a.ome.tif", bad_tile, "a.ome.tif: page 5 cannot be read (tile 3 is damaged"),
        ("a.npy", lambda p: np.save(p, np.zeros((2, 3, *SHAPE))), "say which axes they are"),
        ("a.npy", lambda p: np.save(p, np.full(SHAPE, np.nan)), "has no finite values"),
        ("a.npy", lambda p: np.save(p, values().astype(complex)), "data type complex128"),
        ("a.npy", cut(lambda p: np.save(p, values()), 0.5), "a.npy: not a NumPy array"),
        ("a.zarr", zarr_with(lambda s: s["axes"].__setitem__(0, {"name": "q"})), "axis 'q' among"),
        ("a.zarr", zarr_with(lambda s: s["axes"].pop()), "axes ZY are 2, but its shape is"),
        ("a.zarr", zarr_with(lambda s: s.pop("datasets")), "OME-Zarr that cannot be read"),
        ("a.zarr", bad_chunk, "a.zarr: a part of it cannot be read"),
        ("a.nii", cut(volume, 0.7), "a.nii: NIfTI that is truncated"),
        ("a.nii.gz", cut(volume, 0.7), "a.nii.gz: NIfTI that is truncated"),
        ("a.mha", cut(volume, 0.7), "a.mha: pixels that cannot be read (File cannot be read"),
        ("a.nrrd", cut(volume, 0.7), "a.nrrd: pixels that cannot be read"),
        ("a.mhd", missing_pixels, "a.mhd: pixels that cannot be read"),
        ("a.nii", lambda p: p.write_bytes(b"junk" * 100), "a.nii: NIfTI that cannot be read"),
    ],
)
def test_a_bad_stack_is_one_line_and_leaves_nothing(
    saccade_cli, drawn, tmp_path, name, write, told
):
    write(tmp_path / name)
    table = tmp_path / "cells.csv"
    result = saccade_cli(
        "segment", tmp_path / name, drawn, "-o", tmp_path / "out", "--instances", "--table", table
    )
    assert result.exit_code == 1, result.output
    errors = [line for line in result.stderr.splitlines() if line.startswith("error")]
    assert len(errors) == 1
    assert told in errors[0]
    assert "Traceback" not in result.stderr
    assert "unexpected" not in errors[0]
    assert not (tmp_path / "out").exists()
    assert not table.exists()


@pytest.mark.parametrize(
    ("name", "module"), [("a.zarr", "zarr"), ("a.nii.gz", "SimpleITK"), ("a.mha", "SimpleITK")]
)
def test_a_missing_extra_is_named_with_its_command(
    saccade_cli, drawn, tmp_path, monkeypatch, name, module
):
    (zarr_with(lambda said: None) if module == "zarr" else volume)(tmp_path / name)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "saccade.images.extras.find_spec", lambda one: None if one == module else find(one)
    )
    result = saccade_cli("segment", tmp_path / name, drawn, "-o", tmp_path / "out")
    assert result.exit_code == 1
    last = result.stderr.splitlines()[-1]
    assert f"needs {module}, which is not installed; pip install 'saccade[science]'" in last
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["plain", "ome", "npy"])
def test_strokes_on_other_pages_than_the_only_one(saccade_cli, drawn, tmp_path, kind):
    from PIL import Image as Picture

    Picture.fromarray(values()[0].astype(np.uint8)).save(tmp_path / "flat.png")
    labels = tifffile.imread(drawn)
    path = tmp_path / {"plain": "s.tif", "ome": "s.ome.tif", "npy": "s.npy"}[kind]
    if kind == "npy":
        np.save(path, labels)
    else:
        options = {"ome": True, "metadata": {"axes": "ZYX"}} if kind == "ome" else {}
        tifffile.imwrite(path, labels, **options)
    result = saccade_cli("segment", tmp_path / "flat.png", path, "-o", tmp_path / "out")
    assert result.exit_code == 1
    last = result.stderr.splitlines()[-1]
    assert f"{path.name}: axes ZYX (5 x 40 x 56), its image flat.png has one page" in last
    assert not (tmp_path / "out").exists()
    if kind == "plain":  # of pages that nobody calls slices the first counts, as ever
        tifffile.imwrite(path, labels[[2, 0]], photometric="minisblack")
        again = saccade_cli("segment", tmp_path / "flat.png", path, "-o", tmp_path / "out")
        assert again.exit_code == 0, again.output


def test_odd_strokes_are_named_by_their_file(saccade_cli, drawn, tmp_path):
    ome(tmp_path / "a.ome.tif")
    labels = tifffile.imread(drawn)
    for odd, told in (
        (labels.astype(np.float32), "strokes are float32"),
        (np.full(SHAPE, 255, np.uint8), "strokes are empty"),
        (np.where(labels == 1, 255, labels).astype(np.uint8), "strokes of class 0 alone"),
        (values(), "which of them means 'nobody drew' is not clear"),
    ):
        tifffile.imwrite(drawn, odd)
        result = saccade_cli("segment", tmp_path / "a.ome.tif", drawn, "-o", tmp_path / "out")
        assert result.exit_code == 1
        assert "drawn.tif: strokes" in result.stderr.splitlines()[-1]
        assert told in result.stderr.splitlines()[-1]
        assert not (tmp_path / "out").exists()


def test_pixel_sizes_that_are_none_are_said_and_not_used():
    image = Image(np.zeros(SHAPE), "ZYX", pixel_size={"Z": 0.0, "Y": float("nan"), "X": 0.5})
    assert image.pixel_size == {"X": 0.5}
    assert image.remarks == ("the pixel size along Z, Y is no number above 0 and is not used",)


@pytest.mark.parametrize("name", ["whole.nii", "whole.nii.gz"])
def test_a_whole_nifti_is_not_refused(tmp_path, name):
    volume(tmp_path / name)
    refuse_truncated(tmp_path / name)
    np.testing.assert_array_equal(open_image(tmp_path / name).array[...], values())
    data = (tmp_path / name).read_bytes()
    plain_bytes = gzip.decompress(data) if name.endswith("gz") else data
    short = plain_bytes[:-1]
    (tmp_path / name).write_bytes(gzip.compress(short) if name.endswith("gz") else short)
    with pytest.raises(InputError, match=f"truncated: {len(short)} bytes of {len(plain_bytes)}"):
        open_image(tmp_path / name).plane(z=1)


@pytest.mark.filterwarnings("ignore")
def test_a_description_that_does_not_fit_is_said(tmp_path):
    ome(tmp_path / "a.ome.tif")
    data = (tmp_path / "a.ome.tif").read_bytes()
    shutil.copy(tmp_path / "a.ome.tif", tmp_path / "b.ome.tif")
    (tmp_path / "b.ome.tif").write_bytes(data.replace(b'SizeX="56"', b'SizeX="99"'))
    said = [" ".join(open_image(tmp_path / f"{n}.ome.tif").remarks) for n in "ab"]
    assert "OME description does not fit" not in said[0]
    assert "OME description does not fit" in said[1]


def test_models_are_of_pictures(saccade_cli, drawn, tmp_path):
    ome(tmp_path / "a.ome.tif")
    model = tmp_path / "a.saccade"
    result = saccade_cli("fit", tmp_path / "a.ome.tif", drawn, "-o", model)
    assert result.exit_code == 1
    assert "a.ome.tif: is a stack, with strokes on its slices; a model" in result.stderr
    assert not model.exists()


def test_a_folder_that_is_one_image_has_masks_by_a_model(saccade_cli, drawn, tmp_path):
    from PIL import Image as Picture

    zarr_with(lambda said: None)(tmp_path / "a.zarr")
    Picture.fromarray(values()[2].astype(np.uint8)).save(tmp_path / "flat.png")
    Picture.fromarray(tifffile.imread(drawn)[2]).save(tmp_path / "s.png")
    model = tmp_path / "a.saccade"
    assert saccade_cli("fit", tmp_path / "flat.png", tmp_path / "s.png", "-o", model).exit_code == 0
    out = tmp_path / "out"
    result = saccade_cli("segment", tmp_path / "a.zarr", "--model", model, "-o", out)
    assert result.exit_code == 0, result.output
    assert open_image(out / "a.zarr").array.shape == open_image(tmp_path / "a.zarr").array.shape
    refused = saccade_cli("segment", tmp_path / "a.zarr", drawn, "--model", model, "-o", out)
    assert "a.zarr: is a stack, with strokes on its slices; leave --model out" in refused.stderr
