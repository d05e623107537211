"""Objects in files, one annotation each, against the formats' own readers and rules."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from saccade.errors import InputError
from saccade.formats.instances import encode_instances, yolo_data, yolo_index
from saccade.formats.masks import read_mask
from saccade.formats.polygons import fill_polygon
from saccade.objects import find_objects

OBJECTS = np.zeros((30, 40), np.uint16)
OBJECTS[2:12, 3:15] = 1
OBJECTS[5:8, 6:9] = 0  # a hole
OBJECTS[2:12, 15:20] = 2  # touches the first
OBJECTS[20:29, 30:40] = 3
VALUES = [1, 1, 2]
MASKS = hnp.arrays(
    np.int32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(0, 3)
)
RELAXED = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def loaded(fmt, instances=OBJECTS, values=VALUES, **options):
    return json.loads(encode_instances(instances, values, fmt, **options))


def filled(rings, size):
    """Pixels inside of rings by even-odd: the rule of every reader of polygons."""
    mask = np.zeros(size, bool)
    for ring in rings:
        mask ^= fill_polygon(np.asarray(ring, float), *size)
    return mask


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # of pycocotools
@pytest.mark.parametrize("fmt", ["coco", "coco-polygons"])
def test_pycocotools_reads_each_object(tmp_path, fmt, capsys):
    coco = pytest.importorskip("pycocotools.coco")
    path = tmp_path / "a.json"
    data = encode_instances(
        OBJECTS, VALUES, fmt, classes=range(4), names={1: "cell"}, image_path="x/a.png"
    )
    path.write_bytes(data)
    read = coco.COCO(path)
    capsys.readouterr()
    assert {c["id"]: c["name"] for c in read.loadCats(read.getCatIds())} == {
        1: "cell",
        2: "class 2",
        3: "class 3",
    }
    found = read.loadAnns(read.getAnnIds())
    assert [a["category_id"] for a in found] == VALUES
    for number, one in enumerate(found, start=1):
        own = number == OBJECTS
        y, x = np.nonzero(own)
        assert one["bbox"] == [x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1]
        assert one["area"] == own.sum()
        if fmt == "coco":
            np.testing.assert_array_equal(read.annToMask(one), own)
    assert read.imgs[1]["file_name"] == "a.png"


@pytest.mark.parametrize("fmt", ["coco", "coco-polygons", "labelme"])
@RELAXED
@given(MASKS)
def test_objects_read_back_to_their_classes(tmp_path, fmt, mask):
    found = find_objects(mask, separate=False)
    path = tmp_path / "a.json"
    path.write_bytes(encode_instances(found.labels, found.classes, fmt, classes=range(4)))
    if found.count:
        np.testing.assert_array_equal(read_mask(path, shape=mask.shape), mask)


def test_labelme_has_a_shape_for_each_object():
    document = loaded("labelme", names={1: "cell", 2: "dirt"}, image_path="../a.png")
    assert [shape["label"] for shape in document["shapes"]] == ["cell", "cell", "dirt"]
    assert document["shapes"][1]["points"] == [[15, 2], [19, 11]]
    assert document["imagePath"] == "../a.png"


@RELAXED
@given(MASKS)
def test_yolo_lines_hold_exactly_the_pixels(mask):
    found = find_objects(mask, separate=False)
    height, width = mask.shape
    lines = encode_instances(found.labels, found.classes, "yolo").decode().splitlines()
    assert len(lines) == found.count
    for number, line in enumerate(lines, start=1):
        index, *shares = line.split()
        assert int(index) == found.classes[number - 1] - 1
        points = np.array(shares, float).reshape(-1, 2)
        assert len(points) >= 3
        assert 0 <= points.min() <= points.max() <= 1
        corners = np.rint(points * (width, height))
        np.testing.assert_array_equal(filled([corners], mask.shape), found.labels == number)


def test_ultralytics_reads_the_lines(tmp_path):
    utils = pytest.importorskip("ultralytics.data.utils", reason="ultralytics is not installed")
    from PIL import Image

    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    Image.fromarray(np.zeros((30, 40), np.uint8)).save(tmp_path / "images" / "a.png")
    (tmp_path / "labels" / "a.txt").write_bytes(encode_instances(OBJECTS, VALUES, "yolo"))
    paths = str(tmp_path / "images" / "a.png"), str(tmp_path / "labels" / "a.txt")
    read = utils.verify_image_label((*paths, "", False, 2, 0, 0, False))
    assert read[1][:, 0].tolist() == [0, 0, 1]
    assert len(read[3]) == 3


@pytest.mark.filterwarnings("ignore")  # of the other package's own dependencies
def test_ultralytics_opens_the_data_set_from_anywhere(tmp_path, monkeypatch):
    build = pytest.importorskip("ultralytics.data.dataset", reason="ultralytics is not installed")
    from PIL import Image
    from ultralytics.data.utils import check_det_dataset

    root = tmp_path / "out" / "yolo"
    for name in ("images", "labels"):
        (root / name).mkdir(parents=True)
    Image.fromarray(np.zeros((30, 40, 3), np.uint8)).save(root / "images" / "a.png")
    (root / "labels" / "a.txt").write_bytes(encode_instances(OBJECTS, VALUES, "yolo"))
    (root / "data.yaml").write_text(yolo_data({0: "ground", 1: "cell", 2: "dirt"}))
    monkeypatch.chdir(tmp_path)
    data = check_det_dataset(str(root / "data.yaml"), autodownload=False)
    assert data["names"] == {0: "cell", 1: "dirt"}
    found = build.YOLODataset(img_path=data["train"], data=data, task="segment", augment=False)
    (label,) = found.labels
    assert label["cls"].ravel().tolist() == [value - 1 for value in VALUES]
    for number, shares in enumerate(label["segments"], start=1):
        corners = np.rint(shares * (40, 30))
        np.testing.assert_array_equal(filled([corners], OBJECTS.shape), number == OBJECTS)


def test_yolo_data_lists_every_class_from_zero():
    yaml = pytest.importorskip("yaml")
    read = yaml.safe_load(yolo_data({0: "background", 1: 'a "b": #c', 3: "é"}))
    assert read["names"] == {0: 'a "b": #c', 1: "class 2", 2: "é"}
    assert (read["train"], read["val"]) == ("images", "images")
    assert yaml.safe_load(yolo_data({}))["names"] == {}
    assert [yolo_index(value, (0, 2)) for value in range(4)] == [-1, 0, -1, 1]


@RELAXED
@given(MASKS)
def test_geojson_holds_exactly_the_pixels_and_turns_as_the_rule_says(mask):
    found = find_objects(mask, separate=False)
    document = loaded("geojson", found.labels, found.classes)
    assert document["type"] == "FeatureCollection"
    assert len(document["features"]) == found.count
    for feature in document["features"]:
        number = feature["properties"]["object"]
        assert feature["properties"]["class"] == found.classes[number - 1]
        rings = feature["geometry"]["coordinates"]
        for place, ring in enumerate(rings):
            assert ring[0] == ring[-1]
            x, y = np.array(ring[:-1], float).T
            assert ((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() > 0) == (place == 0)
        inside = filled([ring[:-1] for ring in rings], mask.shape)
        np.testing.assert_array_equal(inside, found.labels == number)


@pytest.mark.parametrize(
    ("place", "crs"),
    [(None, ""), ((10, 0, 500000, 0, -10, 4000000), "EPSG:32633"), (None, "EPSG:4326")],
)
def test_gdal_reads_a_geopackage_as_the_geojson_beside_it(tmp_path, place, crs):
    pyogrio = pytest.importorskip("pyogrio", reason="pyogrio is not installed")
    options = {"transform": place, "crs": crs, "names": {1: "zelle ä"}}
    path = tmp_path / "a.gpkg"
    path.write_bytes(encode_instances(OBJECTS, VALUES, "gpkg", **options))
    assert pyogrio.list_layers(path).tolist() == [["objects", "MultiPolygon"]]
    _, _, shapes, fields = pyogrio.raw.read(path)
    assert [column.tolist() for column in fields] == [
        [1, 2, 3], VALUES, ["zelle ä", "zelle ä", "class 2"]
    ]  # fmt: skip
    assert pyogrio.read_info(path)["crs"] == (crs or None)
    features = loaded("geojson", **options)["features"]
    for feature, shape in zip(features, shapes, strict=True):
        rings = [np.array(ring) for ring in feature["geometry"]["coordinates"]]
        counts = [len(rings), *(len(ring) for ring in rings)]
        points = np.concatenate(rings)
        assert bytes(shape)[1:5] == (6).to_bytes(4, "little")  # a MultiPolygon, of WKB
        assert len(shape) == 9 + 9 + 4 * (len(counts) - 1) + 16 * len(points)
        last = np.frombuffer(shape[-16 * counts[-1] :], "<f8").reshape(-1, 2)
        np.testing.assert_array_equal(last, rings[-1])
    bounds = pyogrio.read_info(path, force_total_bounds=True)["total_bounds"]
    found = np.concatenate([feature["geometry"]["coordinates"][0] for feature in features])
    assert bounds == (*found.min(0), *found.max(0))


def test_a_geopackage_without_objects_has_the_same_columns(tmp_path):
    pyogrio = pytest.importorskip("pyogrio", reason="pyogrio is not installed")
    (tmp_path / "a.gpkg").write_bytes(encode_instances(np.zeros((3, 4), int), [], "gpkg"))
    info = pyogrio.read_info(tmp_path / "a.gpkg")
    assert info["features"] == 0
    assert info["fields"].tolist() == ["object", "class", "class_name"]


def test_a_reference_system_that_gdal_does_not_know_is_one_line():
    pytest.importorskip("pyogrio", reason="pyogrio is not installed")
    with pytest.raises(InputError, match=r"^GeoPackage: coordinate reference system 'nonsense' "):
        encode_instances(OBJECTS, VALUES, "gpkg", crs="nonsense")


def test_a_transform_gives_coordinates_of_the_ground():
    feature = loaded("geojson", transform=(10, 0, 500000, 0, -10, 4000000))["features"][2]
    x, y = np.array(feature["geometry"]["coordinates"][0]).T
    assert (x.min(), x.max()) == (500300, 500400)
    assert (y.min(), y.max()) == (3999710, 3999800)
    assert (x[:-1] * y[1:] - x[1:] * y[:-1]).sum() > 0


@pytest.mark.parametrize(
    ("instances", "fmt", "message"),
    [
        (np.zeros((2, 2)), "coco", "instances: float64"),
        (np.full((2, 2), 4), "coco", r"up to 4, expected 0..3"),
        (OBJECTS, "png", "format 'png': expected one of coco, coco-polygons, labelme, yolo"),
    ],
)
def test_what_is_wrong_is_one_line(instances, fmt, message):
    with pytest.raises(InputError, match=message):
        encode_instances(instances, VALUES, fmt)
