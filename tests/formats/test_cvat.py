import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from saccade.errors import InputError
from saccade.formats.masks import encode_mask, iter_annotations, read_mask

# pycocotools knows nothing of NumPy 2's copy keyword.
pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
RNG = np.random.default_rng(0)
BLOBS = np.kron(RNG.integers(0, 4, (6, 8)), np.ones((9, 7))).astype(np.int32)
BLOBS[10:14, 20:24] = 0
NAMES = {0: "background", 1: "cat", 2: "dog", 3: "a <b> & -- c"}


def test_cvats_own_decoder_reads_our_masks():
    masks = pytest.importorskip("cvat_sdk.masks", reason="cvat-sdk is not installed")
    root = ET.fromstring(encode_mask(BLOBS, "cvat", names=NAMES, image_path="x/photo.jpg"))
    image = root.find("image")
    assert image.attrib == {"id": "0", "name": "photo.jpg", "width": "56", "height": "54"}
    values = {name: value for value, name in NAMES.items()}
    assert [e.text for e in root.iter("name")] == ["cat", "dog", "a <b> & -- c"]
    for shape in image:
        left, top, width, height = (int(shape.get(k)) for k in ("left", "top", "width", "height"))
        runs = [int(n) for n in shape.get("rle").split(",")]
        corner = [left, top, left + width - 1, top + height - 1]
        mask = masks.decode_mask([*runs, *corner], image_width=56, image_height=54)
        np.testing.assert_array_equal(mask, values[shape.get("label")] == BLOBS)


def test_datumaro_reads_our_masks_as_a_task_of_cvat(tmp_path):
    # The SDK has readers of what a server sends, and none of files; CVAT itself has Datumaro's.
    datumaro = pytest.importorskip("datumaro", reason="datumaro is not installed")
    (tmp_path / "images").mkdir()
    Image.fromarray(np.zeros((*BLOBS.shape, 3), np.uint8)).save(tmp_path / "images/photo.png")
    data = encode_mask(BLOBS, "cvat", names=NAMES, image_path="x/photo.png")
    (tmp_path / "annotations.xml").write_bytes(data)
    found = datumaro.Dataset.import_from(str(tmp_path), "cvat")
    names = [label.name for label in found.categories()[datumaro.AnnotationType.label]]
    assert names == ["cat", "dog", "a <b> & -- c"]
    [item] = found
    assert item.id == "photo"
    values = {name: value for value, name in NAMES.items()}
    drawn = {names[one.label]: one.image for one in item.annotations}
    assert drawn.keys() == set(names)
    for name, mask in drawn.items():
        np.testing.assert_array_equal(mask, values[name] == BLOBS)


def test_a_mask_of_cvats_own_encoder_is_read(tmp_path):
    masks = pytest.importorskip("cvat_sdk.masks", reason="cvat-sdk is not installed")
    drawn = np.zeros((30, 40), bool)
    drawn[5:12, 7:20] = drawn[20, 3] = True
    *runs, left, top, right, bottom = (int(n) for n in masks.encode_mask(drawn))
    attributes = f'left="{left}" top="{top}" width="{right - left + 1}"'
    attributes += f' height="{bottom - top + 1}" rle="{", ".join(map(str, runs))}"'
    (tmp_path / "a.xml").write_text(
        '<annotations><image id="0" name="a.jpg" width="40" height="30">'
        f'<mask label="dog" {attributes}/></image></annotations>'
    )
    [found] = iter_annotations(tmp_path / "a.xml")
    value = {name: value for value, name in found.names.items()}["dog"]
    np.testing.assert_array_equal(found.labels == value, drawn)


CVAT = """<annotations><version>1.1</version>
<image id="0" name="dir/a.jpg" width="40" height="30">
  <mask label="dog" occluded="0" rle="3, 4, 2" left="2" top="5" width="3" height="3" z_order="1"/>
  <box label="cat" xtl="0" ytl="0" xbr="10" ybr="20" z_order="0"/>
  <polyline label="sky" points="20.0,25.0;35.0,25.0" z_order="0"/>
  <polygon label="sky" points="30,0;40,0;40,5;30,5" z_order="0"/>
  <tag label="sunny"/>
</image>
<image id="1" name="b.jpg" width="4" height="3"/></annotations>"""


def test_files_of_cvat_with_several_images_and_kinds_of_shapes(tmp_path):
    (tmp_path / "a.xml").write_text(CVAT)
    first, second = iter_annotations(tmp_path / "a.xml")
    assert (first.file_name, second.file_name) == ("a.jpg", "b.jpg")
    values = {name: value for value, name in first.names.items()}
    assert first.labels[6, 2:5].tolist() == [values["dog"]] * 3  # above the box
    assert first.labels[0, 0] == values["cat"]
    assert first.labels[2, 35] == values["sky"]
    assert (first.labels[20:30, 27] == values["sky"]).sum() in (9, 10, 11)
    assert not second.labels.any()
    with pytest.raises(InputError, match="has 2 images, expected 1"):
        read_mask(tmp_path / "a.xml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('width="40"', "", "without width"),
        ("<annotations>", "<!DOCTYPE x><annotations>", "document type"),
        ("<annotations>", "<annotations", "malformed XML"),
    ],
)
def test_damaged_cvat_files_are_refused(tmp_path, old, new, message):
    (tmp_path / "a.xml").write_text(CVAT.replace(old, new))
    with pytest.raises(InputError, match=message) as caught:
        list(iter_annotations(tmp_path / "a.xml"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "kind", "reason"),
    [
        ("3, 4, 2", "3, 4, 3", "mask", "sum 10, expected 3 x 3"),
        ("3, 4, 2", "3, x", "mask", "no whole numbers"),
        ('left="2"', 'left="39"', "mask", "outside of the image"),
        ("30,0;40,0;40,5;30,5", "1,1;2,nan;3,3", "polygon", "not finite"),
        ("<box", "<cuboid", "cuboid", "expected mask"),
    ],
)
def test_one_odd_shape_is_skipped_and_counted(tmp_path, old, new, kind, reason):
    (tmp_path / "a.xml").write_text(CVAT.replace(old, new))
    first, _ = iter_annotations(tmp_path / "a.xml")
    (line,) = [line for line in first.remarks if "skipped" in line]
    assert line.startswith(f"1 shape of kind '{kind}' was skipped (")
    assert reason in line
    assert len(np.unique(first.labels)) > 2
