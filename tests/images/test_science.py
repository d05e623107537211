"""OME-Zarr, NIfTI, MHA, DICOM and GeoTIFF, written by their own libraries."""

import importlib.util

import numpy as np
import pytest

from saccade import InputError
from saccade.images import is_image_folder, open_image

RNG = np.random.default_rng(0)
DATA = RNG.integers(0, 4000, (5, 20, 31)).astype(np.int16)


def write_zarr(path, data, axes, *, scale=None, omero=None, version=2):
    zarr = pytest.importorskip("zarr", reason="zarr is not installed")
    kinds = {"z": "space", "y": "space", "x": "space", "c": "channel", "t": "time"}
    named = [{"name": a, "type": kinds[a]} for a in axes]
    for axis in named:
        if axis["type"] == "space":
            axis["unit"] = "micrometer"
    step = {"type": "scale", "scale": scale or [1.0] * len(axes)}
    group = zarr.open_group(str(path), mode="w", zarr_format=version)
    said = {
        "multiscales": [
            {
                "version": "0.4",
                "axes": named,
                "datasets": [{"path": p, "coordinateTransformations": [step]} for p in "01"],
            }
        ]
    }
    if omero:
        said["omero"] = omero
    chunks = (*[1] * (data.ndim - 2), 8, 8)
    for name, part in (("0", data), ("1", data[..., ::2, ::2])):
        group.create_array(name, shape=part.shape, chunks=chunks, dtype=part.dtype)[...] = part
    group.attrs.update(said if version == 2 else {"ome": said})
    return group


@pytest.mark.parametrize("version", [2, 3])
def test_ome_zarr(tmp_path, version):
    data = RNG.integers(0, 999, (5, 2, 20, 31), dtype=np.uint16)
    windows = [{"start": 10, "end": 500, "min": 0, "max": 65535}, {"start": 0, "end": 99}]
    channels = [{"label": "DAPI", "window": windows[0]}, {"label": "GFP", "window": windows[1]}]
    write_zarr(
        tmp_path / "a.ome.zarr", data, "zcyx", scale=[2, 1, 0.5, 0.25],
        omero={"channels": channels}, version=version,
    )  # fmt: skip
    image = open_image(tmp_path / "a.ome.zarr")
    assert (image.axes, image.kind, image.unit) == ("ZCYX", "ome-zarr", "um")
    assert image.pixel_size == {"Z": 2.0, "Y": 0.5, "X": 0.25}
    assert image.channels == ("DAPI", "GFP")
    assert image.window == ((10, 500), (0, 99))
    np.testing.assert_array_equal(image.plane(z=3), np.moveaxis(data[3], 0, 2))
    np.testing.assert_array_equal(image.plane(level=1)[..., 0], data[0, 0, ::2, ::2])
    assert is_image_folder(tmp_path / "a.ome.zarr")


def test_a_damaged_chunk_of_ome_zarr(tmp_path):
    write_zarr(tmp_path / "a.zarr", DATA, "zyx")
    chunk = next((tmp_path / "a.zarr" / "0").rglob("0/0/0"), None)
    chunk = chunk or tmp_path / "a.zarr" / "0" / "0.0.0"
    chunk.write_bytes(b"nothing")
    image = open_image(tmp_path / "a.zarr")
    np.testing.assert_array_equal(image.plane(z=1)[..., 0], DATA[1])
    with pytest.raises(InputError, match=r"a\.zarr: a part of it cannot be read"):
        image.plane()


def test_a_zarr_without_an_image_and_one_of_several(tmp_path):
    zarr = pytest.importorskip("zarr", reason="zarr is not installed")
    zarr.open_group(str(tmp_path / "a.zarr"), mode="w", zarr_format=2)
    with pytest.raises(InputError, match=r"a\.zarr: a Zarr group without an image"):
        open_image(tmp_path / "a.zarr")
    for name in "01":
        write_zarr(tmp_path / "a.zarr" / name, DATA + int(name), "zyx")
    assert open_image(tmp_path / "a.zarr").remarks == ("the first of 2 series",)
    second = open_image(tmp_path / "a.zarr", series=1)
    np.testing.assert_array_equal(second.plane()[..., 0], DATA[0] + 1)
    with pytest.raises(InputError, match="series 2, expected 0 to 1"):
        open_image(tmp_path / "a.zarr", series=2)


def itk_image(data):
    sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")
    image = sitk.GetImageFromArray(data)
    image.SetSpacing((0.5, 0.75, 2.0))
    image.SetOrigin((-10.0, 20.0, 30.0))
    image.SetDirection((0, 1, 0, 1, 0, 0, 0, 0, -1))
    return sitk, image


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mha", "a.nrrd"])
@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.float32])
def test_volumes(tmp_path, name, dtype):
    sitk, written = itk_image(DATA.astype(dtype))
    sitk.WriteImage(written, str(tmp_path / name))
    image = open_image(tmp_path / name)
    assert (image.axes, image.unit, image.array.dtype) == ("ZYX", "mm", dtype)
    assert image.pixel_size == {"X": 0.5, "Y": 0.75, "Z": 2.0}
    np.testing.assert_allclose(image.metadata["direction"], written.GetDirection(), atol=1e-6)
    np.testing.assert_allclose(image.metadata["origin"], written.GetOrigin())
    np.testing.assert_array_equal(image.plane(z=3)[..., 0], DATA[3].astype(dtype))


def write_dicom(folder, data, *, rescale=("1", "-1024"), name="s"):
    sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    folder.mkdir(exist_ok=True)
    for z, part in enumerate(data):
        image = sitk.GetImageFromArray(part)
        image.SetSpacing((0.5, 0.75))
        tags = {
            "0008|0060": "CT", "0020|000e": "1.2.826.0.1.3680043.2.1125.1", "0020|000d": "1.2.3",
            "0020|0032": f"-10\\20\\{30 + 2 * z}", "0020|0037": "1\\0\\0\\0\\1\\0",
            "0020|0013": str(z), "0028|1050": "100\\5", "0028|1051": "400\\7",
            "0028|1052": rescale[1], "0028|1053": rescale[0],
        }  # fmt: skip
        for key, value in tags.items():
            image.SetMetaData(key, value)
        writer.SetFileName(str(folder / f"{name}{len(data) - z}.dcm"))  # not in their order
        writer.Execute(image)


def test_a_series_of_dicom(tmp_path):
    write_dicom(tmp_path / "ct", DATA)
    image = open_image(tmp_path / "ct")
    assert (image.axes, image.kind, image.unit) == ("ZYX", "dicom", "mm")
    assert image.pixel_size == {"X": 0.5, "Y": 0.75, "Z": 2.0}
    assert image.window == ((-100, 300),)
    np.testing.assert_array_equal(np.asarray(image.array), DATA)
    assert image.metadata["origin"] == (-10, 20, 30)
    assert is_image_folder(tmp_path / "ct")
    single = open_image(tmp_path / "ct" / "s5.dcm")
    assert (single.axes, single.size) == ("YX", (20, 31))


def test_a_series_of_mixed_sizes(tmp_path):
    write_dicom(tmp_path / "ct", DATA)
    write_dicom(tmp_path / "ct", DATA[:1, :10], name="other")
    with pytest.raises(
        InputError, match=r"ct: slices of different sizes, .* 31 x .0 and .* 31 x .0"
    ):
        open_image(tmp_path / "ct")


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mha", "a.nrrd", "a.dcm"])
def test_damaged_headers(tmp_path, name):
    pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")
    (tmp_path / name).write_bytes(bytes(range(256)) * 4)
    with pytest.raises(InputError, match=rf"{name}: .* that cannot be read \(") as caught:
        open_image(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "what", "module"),
    [("a.nii.gz", "NIfTI", "SimpleITK"), ("a.dcm", "DICOM", "SimpleITK"),
     ("a.zarr", "OME-Zarr", "zarr")],
)  # fmt: skip
def test_a_missing_extra_is_named(tmp_path, monkeypatch, name, what, module):
    if name == "a.zarr":
        (tmp_path / name).mkdir()
        (tmp_path / name / ".zgroup").write_text("{}")
    else:
        (tmp_path / name).write_bytes(b"something")
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "saccade.images.extras.find_spec", lambda wanted: None if wanted == module else find(wanted)
    )
    message = rf"{what} needs {module}, .*pip install 'saccade\[science\]' brings it"
    with pytest.raises(InputError, match=message):
        open_image(tmp_path / name)


def test_a_folder_that_is_no_image(tmp_path):
    assert not is_image_folder(tmp_path)
    with pytest.raises(InputError, match="is a folder, expected a file, OME-Zarr or a DICOM"):
        open_image(tmp_path)


def test_a_geotiff(tmp_path):
    rasterio = pytest.importorskip("rasterio", reason="rasterio is not installed")
    transform = rasterio.Affine(10.0, 0, 500000.0, 0, -10.0, 5800000.0)
    profile = {
        "driver": "GTiff", "width": 31, "height": 20, "count": 4, "dtype": "uint16",
        "crs": "EPSG:32633", "transform": transform, "nodata": 0,
    }  # fmt: skip
    with rasterio.open(tmp_path / "a.tif", "w", **profile) as file:
        file.write(np.stack([DATA[i].astype(np.uint16) for i in range(4)]))
    image = open_image(tmp_path / "a.tif")
    assert image.georeference.crs == "EPSG:32633"
    assert image.georeference.transform == tuple(transform)[:6]
    assert image.nodata == 0
    assert image.count("C") == 4
    np.testing.assert_array_equal(image.plane()[..., 3], DATA[3])
