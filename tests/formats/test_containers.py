"""Masks in the container of their image are read back by its own libraries, metadata and all."""

from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile

from saccade import InputError
from saccade.formats.containers import mask_name, write_like
from saccade.formats.masks import read_mask
from saccade.images import Image, open_image
from tests.images.test_science import DATA, itk_image, write_dicom, write_zarr

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 3, (5, 20, 31)).astype(np.int32)


def test_ome_tiff(tmp_path):
    data = RNG.integers(0, 999, (5, 2, 20, 31), dtype=np.uint16)
    said = {"axes": "ZCYX", "PhysicalSizeX": 0.3, "PhysicalSizeY": 0.4, "PhysicalSizeZ": 1.5}
    tifffile.imwrite(tmp_path / "a.ome.tif", data, metadata=said)
    image = open_image(tmp_path / "a.ome.tif")
    assert mask_name(image) == "a.ome.tif"
    write_like(tmp_path / "mask.ome.tif", LABELS, image, axes="ZYX")
    with tifffile.TiffFile(tmp_path / "mask.ome.tif") as file:
        assert file.is_ome
        assert file.series[0].axes == "ZYX"
        np.testing.assert_array_equal(file.asarray(), LABELS)
        pixels = ElementTree.fromstring(file.ome_metadata).find(".//{*}Pixels")
    for axis, size in (("X", 0.3), ("Y", 0.4), ("Z", 1.5)):
        assert float(pixels.get(f"PhysicalSize{axis}")) == size
        assert pixels.get(f"PhysicalSize{axis}Unit") == "µm"
    again = open_image(tmp_path / "mask.ome.tif")
    assert (again.pixel_size, again.unit) == (image.pixel_size, image.unit)


def test_imagej(tmp_path):
    said = {"axes": "ZYX", "unit": "micron", "spacing": 2.0}
    data = DATA.astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", data, imagej=True, resolution=(4, 2), metadata=said)
    image = open_image(tmp_path / "a.tif")
    write_like(tmp_path / "mask.tif", LABELS, image, axes="ZYX")
    with tifffile.TiffFile(tmp_path / "mask.tif") as file:
        assert file.imagej_metadata["spacing"] == 2.0
        assert file.imagej_metadata["slices"] == 5
        np.testing.assert_array_equal(file.asarray(), LABELS)
    assert open_image(tmp_path / "mask.tif").pixel_size == {"Z": 2.0, "Y": 0.5, "X": 0.25}


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mha", "a.nrrd"])
def test_volumes(tmp_path, name):
    sitk, written = itk_image(DATA)
    sitk.WriteImage(written, str(tmp_path / name))
    image = open_image(tmp_path / name)
    mask = tmp_path / "out"
    mask.mkdir()
    write_like(mask / mask_name(image), LABELS, image, axes="ZYX")
    assert [path.name for path in mask.iterdir()] == [mask_name(image)]
    found = sitk.ReadImage(str(mask / mask_name(image)))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(found), LABELS)
    for get in ("GetSpacing", "GetOrigin", "GetDirection"):
        expected = getattr(sitk.ReadImage(str(tmp_path / name)), get)()
        np.testing.assert_allclose(getattr(found, get)(), expected, atol=1e-6)


def test_a_series_of_dicom_becomes_a_volume_at_its_place(tmp_path):
    write_dicom(tmp_path / "ct", DATA)
    image = open_image(tmp_path / "ct")
    assert mask_name(image) == "ct.nii.gz"
    write_like(tmp_path / "ct.nii.gz", LABELS, image, axes="ZYX")
    sitk, _ = itk_image(DATA)
    files = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path / "ct"))
    expected, found = sitk.ReadImage(files), sitk.ReadImage(str(tmp_path / "ct.nii.gz"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(found), LABELS)
    np.testing.assert_allclose(found.GetSpacing(), expected.GetSpacing())
    np.testing.assert_allclose(found.GetOrigin(), expected.GetOrigin())
    np.testing.assert_allclose(found.GetDirection(), expected.GetDirection(), atol=1e-6)


def test_ome_zarr(tmp_path):
    zarr = pytest.importorskip("zarr", reason="zarr is not installed")
    data = RNG.integers(0, 999, (5, 2, 20, 31), dtype=np.uint16)
    write_zarr(tmp_path / "a.zarr", data, "zcyx", scale=[2, 1, 0.5, 0.25])
    image = open_image(tmp_path / "a.zarr")
    for _ in range(2):  # an older one is replaced
        write_like(tmp_path / "mask.zarr", LABELS, image, axes="ZYX")
    group = zarr.open_group(str(tmp_path / "mask.zarr"), mode="r")
    scale = group.attrs["multiscales"][0]
    assert [axis["name"] for axis in scale["axes"]] == ["z", "y", "x"]
    assert {axis["unit"] for axis in scale["axes"]} == {"micrometer"}
    step = scale["datasets"][0]["coordinateTransformations"]
    assert step == [{"type": "scale", "scale": [2.0, 0.5, 0.25]}]
    np.testing.assert_array_equal(group["0"][...], LABELS)
    assert open_image(tmp_path / "mask.zarr").pixel_size == image.pixel_size
    (tmp_path / "other").mkdir()
    with pytest.raises(InputError, match="is there and no OME-Zarr"):
        write_like(tmp_path / "other", LABELS, image, axes="ZYX")


def write_geotiff(path, data, **more):
    rasterio = pytest.importorskip("rasterio", reason="rasterio is not installed")
    profile = {
        "driver": "GTiff", "width": 31, "height": 20, "count": len(data), "dtype": data.dtype,
        "crs": "EPSG:32633", "nodata": 0,
        "transform": rasterio.Affine(10.0, 0, 500000.0, 0, -10.0, 5800000.0),
    }  # fmt: skip
    with rasterio.open(path, "w", **{**profile, **more}) as file:
        file.write(data)
    return rasterio


@pytest.mark.parametrize("crs", ["EPSG:32633", "EPSG:4326", "+proj=laea +lat_0=52 +lon_0=10"])
@pytest.mark.parametrize("turned", [False, True])
def test_geotiff(tmp_path, crs, turned):
    rasterio = pytest.importorskip("rasterio", reason="rasterio is not installed")
    data = np.clip(DATA, 1, None).astype(np.uint16)[:4]
    data[:, :3, :5] = 0
    transform = rasterio.Affine(10.0, 0, 50.0, 0, -10.0, 58.0)
    if turned:
        transform = transform @ rasterio.Affine.rotation(30)
    write_geotiff(tmp_path / "a.tif", data, crs=crs, transform=transform)
    image = open_image(tmp_path / "a.tif")
    missing = (image.plane() == image.nodata).all(axis=2)
    assert missing.sum() == 15
    write_like(tmp_path / "mask.tif", LABELS[0], image, missing=missing)
    with rasterio.open(tmp_path / "a.tif") as source, rasterio.open(tmp_path / "mask.tif") as mask:
        assert mask.crs == source.crs
        assert mask.transform.almost_equals(source.transform)
        assert mask.nodata == 255
        assert mask.count == 1
        found = mask.read(1)
    np.testing.assert_array_equal(found, np.where(missing, 255, LABELS[0]))
    assert image.georeference.transform == pytest.approx(tuple(transform)[:6])


def test_a_class_255_gives_no_data_another_value(tmp_path):
    rasterio = write_geotiff(tmp_path / "a.tif", np.ones((1, 20, 31), np.uint8))
    image = open_image(tmp_path / "a.tif")
    missing = np.zeros((20, 31), bool)
    missing[0, 0] = True
    write_like(tmp_path / "mask.tif", np.full((20, 31), 255), image, missing=missing)
    with rasterio.open(tmp_path / "mask.tif") as mask:
        assert (mask.nodata, mask.dtypes) == (65535, ("uint16",))
        assert mask.read(1)[0, :2].tolist() == [65535, 255]


def test_what_keeps_all_in_a_png_has_no_other_name(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((20, 31), np.uint8))
    assert mask_name(open_image(tmp_path / "a.tif")) is None
    assert mask_name(Image(np.zeros((20, 31)), "YX")) is None


@pytest.mark.filterwarnings("ignore")  # of the other package's own dependencies
@pytest.mark.parametrize("axes", ["zcyx", "tzcyx"])
def test_ngff_zarr_reads_ome_zarr(tmp_path, axes):
    ngff = pytest.importorskip("ngff_zarr", reason="ngff-zarr is not installed")
    data = np.zeros((3,) * (len(axes) - 4) + (5, 2, 20, 31), np.uint16)
    write_zarr(tmp_path / "a.zarr", data, axes, scale=[3, 2, 1, 0.5, 0.25][-len(axes) :])
    image = open_image(tmp_path / "a.zarr")
    labels = np.broadcast_to(LABELS, (*data.shape[:-4], *LABELS.shape))
    write_like(tmp_path / "mask.zarr", labels, image, axes=axes.replace("c", "").upper())
    (found, *_) = ngff.from_ngff_zarr(str(tmp_path / "mask.zarr")).images
    assert "".join(found.dims) == axes.replace("c", "")
    assert {k: v for k, v in found.scale.items() if k in "zyx"} == {"z": 2.0, "y": 0.5, "x": 0.25}
    assert found.axes_units["x"] == "micrometer"
    np.testing.assert_array_equal(np.asarray(found.data), labels)


def test_a_mask_of_a_plane_is_read_as_any_other(tmp_path):
    metadata = {"axes": "YX", "PhysicalSizeX": 0.3}
    tifffile.imwrite(tmp_path / "a.ome.tif", np.zeros((20, 31), np.uint8), metadata=metadata)
    write_like(tmp_path / "mask.tif", LABELS[0], open_image(tmp_path / "a.ome.tif"))
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.tif"), LABELS[0])


def test_labels_that_do_not_fit(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((20, 31), np.uint8))
    image = open_image(tmp_path / "a.tif")
    for labels, axes, why in (
        (LABELS, "ZYX", r"shape \(5, 20, 31\), the image has \(1, 20, 31\)"),
        (LABELS[0], "XY", "axes XY"),
        (LABELS[0] - 1, "YX", "0 to 4294967295"),
        (LABELS[0] / 2, "YX", "whole numbers"),
    ):
        with pytest.raises(InputError, match=why):
            write_like(tmp_path / "mask.tif", labels, image, axes=axes)
    assert not (tmp_path / "mask.tif").exists()


@pytest.mark.parametrize("kind", ["ome", "imagej", "mha", "zarr"])
def test_more_objects_than_16_bits_have_numbers(tmp_path, kind):
    path = tmp_path / {"ome": "a.ome.tif", "imagej": "a.tif"}.get(kind, f"a.{kind}")
    if kind == "mha":
        sitk, _ = itk_image(DATA)
        sitk.WriteImage(sitk.GetImageFromArray(np.zeros((5, 20, 31), np.uint8)), str(path))
    elif kind == "zarr":
        pytest.importorskip("zarr", reason="zarr is not installed")
        write_zarr(path, np.zeros((5, 20, 31), np.uint16), "zyx", scale=[2, 1, 1])
    else:
        options = {"imagej": True} if kind == "imagej" else {"ome": True}
        zeros = np.zeros((5, 20, 31), np.uint8)
        tifffile.imwrite(path, zeros, metadata={"axes": "ZYX"}, **options)
    many = np.arange(5 * 20 * 31).reshape(5, 20, 31) + 70000
    written = tmp_path / f"mask{path.suffix}"
    write_like(written, many, open_image(path), axes="ZYX")
    np.testing.assert_array_equal(open_image(written).array[...], many)
