"""JSON and XML of other programs are called what they are, by every reader."""

import json

import pytest

from saccade.annotations import read_any_strokes
from saccade.data.foreign import document_kind
from saccade.errors import InputError
from saccade.formats.masks import MASK_FORMATS, encode_mask, iter_annotations, read_mask

RING = [[1, 1], [9, 1], [9, 9]]
FLAT = [1, 1, 9, 1, 9, 9]
IMAGE = {"id": 1, "height": 9, "width": 9}
REGION = {"shape_attributes": {"name": "rect"}, "region_attributes": {}}
FOREIGN = {
    "EISeg": [{"name": "cat", "labelIdx": 1, "color": [1, 2, 3], "points": RING}],
    "ISAT": {"info": {"name": "i.png"}, "objects": [{"category": "cat", "segmentation": RING}]},
    "VIA": {"i.png99": {"filename": "i.png", "size": 99, "regions": [REGION]}},
    "VGG": {"_via_settings": {}, "_via_img_metadata": {}},
    "COCO results": [{"image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5], "score": 0.9}],
    "COCO panoptic": {"images": [IMAGE], "annotations": [{"segments_info": [], "image_id": 1}]},
    "COCO captions": {"images": [IMAGE], "annotations": [{"caption": "a cat", "image_id": 1}]},
    "GeoJSON": {"type": "FeatureCollection", "features": []},
    "a list of GeoJSON": [{"type": "Feature", "geometry": {}}],
    "Supervisely": {"size": {}, "tags": [], "objects": [{"classTitle": "cat", "points": {}}]},
    "SuperAnnotate": {"metadata": {"name": "i.png"}, "instances": [{"type": "polygon"}]},
    "V7 Darwin": {"version": "2.0", "item": {"name": "i.png"}, "annotations": [{"name": "cat"}]},
    "Cityscapes": {"imgHeight": 9, "imgWidth": 9, "objects": [{"label": "cat", "polygon": RING}]},
    "Labelbox": [{"data_row": {"id": "x"}, "projects": {}}],
    "CreateML": [{"image": "i.png", "annotations": [{"label": "cat", "coordinates": {}}]}],
    "BDD100K": [{"name": "i.png", "labels": [{"category": "cat"}]}],
    "CVAT's backup": [{"version": 0, "tags": [], "shapes": [], "tracks": []}],
    "SA-1B": {"image": IMAGE, "annotations": [{"segmentation": {}, "bbox": [1, 1, 5, 5]}]},
    "Dataloop": {"filename": "i.png", "annotations": [{"label": "cat", "coordinates": []}]},
    "Hasty": {"project_name": "a", "label_classes": [], "images": []},
    "unknown annotations": {"annotations": [{"label": "cat", "points": RING}]},
    "Datumaro": {"info": {}, "categories": {}, "items": []},
    "unknown": {"hello": "world"},
    "unknown list": [1, 2, 3],
    "unknown empty": [],
    "unknown objects": [{"name": "cat"}],
}


@pytest.mark.parametrize("name", FOREIGN)
def test_json_of_other_programs_is_named(tmp_path, name):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(FOREIGN[name]))
    said = (
        "unknown kind, exp" if name.startswith("unknown") else rf"unknown kind \(.*{name}.*\), exp"
    )
    for read in (read_any_strokes, read_mask, lambda path: list(iter_annotations(path))):
        with pytest.raises(
            InputError, match=f"a.json: JSON of an {said}ected COCO, labelme"
        ) as error:
            read(path)
        assert "iter_annotations" not in str(error.value)


VIDEO = '<annotations><track id="0"><box frame="0" xtl="1"/></track></annotations>'
VOC = "<annotation><object><name>cat</name><bndbox><xmin>1</xmin></bndbox></object></annotation>"
WEB = "<annotation><object><polygon><pt><x>1</x><y>1</y></pt></polygon></object></annotation>"
XML = {
    "CVAT for videos": VIDEO,
    "CVAT without": "<annotations><version>1.1</version></annotations>",
    "Pascal VOC, boxes": VOC,
    "LabelMe web": WEB,
    "SVG": '<svg xmlns="http://www.w3.org/2000/svg"><path/></svg>',
    "HTML": "<html><body/></html>",
    "ASAP": "<ASAP_Annotations/>",
    "<gpx>": "<gpx/>",
}


@pytest.mark.parametrize("name", XML)
def test_xml_of_other_programs_is_named(tmp_path, name):
    path = tmp_path / "a.xml"
    path.write_text(XML[name])
    for read in (read_any_strokes, read_mask):
        with pytest.raises(InputError, match=f"a.xml: XML of an unknown kind.*{name}.*, expected"):
            read(path)


@pytest.mark.parametrize("fmt", [fmt for fmt in MASK_FORMATS if "json" in MASK_FORMATS[fmt].suffix])
def test_files_of_ours_are_none_of_these(fmt):
    import numpy as np

    labels = np.kron([[0, 1], [2, 1]], np.ones((8, 9), int))
    found = document_kind(json.loads(encode_mask(labels, fmt, image_path="a.png")))
    assert found == fmt.removesuffix("-polygons")
