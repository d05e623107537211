import numpy as np
import pytest
from PIL import Image

from saccade.data import known
from saccade.data.palette import voc_palette
from saccade.data.specs import LabelSpec, class_difference, read_classes
from saccade.errors import InputError

SPEC = LabelSpec(("a", "b"))


def test_indices_pass_and_255_is_ignored():
    values = np.array([[0, 1, 255]], np.uint8)
    np.testing.assert_array_equal(SPEC.apply(values, "m.png"), values)


def test_a_mapping_is_applied_once():
    spec = LabelSpec(("a", "b"), mapping=((7, 1), (1, 0), (9, 255)), ignored=(0, 255))
    found = spec.apply(np.array([[7, 1, 9, 0, 255]], np.int32), "m.png")
    assert found.tolist() == [[1, 0, 255, 255, 255]]
    assert found.dtype == np.uint8


def test_a_value_of_no_class_is_named_with_its_pixels():
    with pytest.raises(InputError, match=r"m\.png: value 7 at 3 pixels belongs to no class"):
        SPEC.apply(np.array([[7, 7], [7, 0]], np.uint8), "m.png")
    with pytest.raises(InputError, match="value -1"):
        SPEC.apply(np.array([[-1]], np.int32), "m.png")


def test_color_masks_are_read_by_the_palette():
    colors = known.CAMVID.colors
    image = np.stack([colors[3], colors[10], [0, 0, 0]])[None]
    assert known.CAMVID.apply(image, "m.png").tolist() == [[3, 10, 255]]
    with pytest.raises(InputError, match=r"color \(1, 2, 3\) at 1 pixels"):
        known.CAMVID.apply(np.array([[[1, 2, 3]]], np.uint8), "m.png")
    voc = np.concatenate([voc_palette(21), [[224, 224, 192]]]).astype(np.uint8)[None]
    assert known.VOC.apply(voc, "m.png").tolist() == [[*range(21), 255]]


def test_known_sets_have_their_numbers_of_classes():
    counts = {"VOC": 21, "CAMVID": 11, "CITYSCAPES": 19, "CONTEXT_59": 59, "CONTEXT_60": 60}
    for name, count in {**counts, "ADE20K": 150}.items():
        assert len(getattr(known, name).names) == count
    values = np.arange(34)[None]
    labels = known.CITYSCAPES.apply(values, "m.png")[0]
    assert (labels != 255).sum() == 19
    assert (labels[7], labels[26], labels[33], labels[0]) == (0, 13, 18, 255)
    assert known.ADE20K.apply(np.array([[0, 1, 150]]), "m.png").tolist() == [[255, 0, 149]]
    assert known.CONTEXT_59.apply(np.array([[0, 1, 59]]), "m.png").tolist() == [[255, 0, 58]]
    assert known.CONTEXT_60.apply(np.array([[0, 1, 59]]), "m.png").tolist() == [[0, 1, 59]]


@pytest.mark.parametrize(
    ("text", "names", "mapping", "palette"),
    [
        ("sky\nroad\n", ("sky", "road"), (), ()),
        ("# classes\n\n3 sky\n9 tall grass\n", ("sky", "tall grass"), ((3, 0), (9, 1)), ()),
        ("0 sky 1 2 3\n1 sea 4 5 6\n", ("sky", "sea"), ((0, 0), (1, 1)), ((1, 2, 3), (4, 5, 6))),
    ],
)
def test_classes_files_give_names_values_and_colors(tmp_path, text, names, mapping, palette):
    path = tmp_path / "classes.txt"
    path.write_text(text)
    spec = read_classes(path)
    assert (spec.names, spec.mapping, spec.palette) == (names, mapping, palette)


def test_an_ignored_value_of_a_classes_file(tmp_path):
    path = tmp_path / "classes.txt"
    path.write_text("sky\nroad\nignore 77\n")
    assert read_classes(path).apply(np.array([[0, 77, 255]]), "m.png").tolist() == [[0, 255, 255]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sky\n", "1 of them"),
        ("sky\nsky\n", "'sky' stands there more than once"),
        ("1 sky\nroad\n", "some classes have a value"),
        ("1 sky\n1 road\n", "a value stands there more than once"),
        ("1 sky 1 2 3\n2 road\n", "some classes have a color"),
        ("1\n2 road\n", "line 1 has no name"),
        ("1 sky\n70000 road\n", "value 70000"),
        ("sky\nroad\nignore 70000\n", "line 3 ignores 70000, expected 0 to 65535"),
    ],
)
def test_wrong_classes_files_are_refused(tmp_path, text, message):
    path = tmp_path / "classes.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_classes(path)


def test_a_classes_file_of_another_encoding(tmp_path):
    path = tmp_path / "classes.txt"
    path.write_bytes("\ufeffsky\nroad\n".encode())
    assert read_classes(path).names == ("sky", "road")
    path.write_bytes("Himmel\nStra\u00dfe\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"classes\.txt: byte 12 is no UTF-8"):
        read_classes(path)


def test_the_first_class_that_differs_is_named():
    assert class_difference(("a", "b", "c"), ("a", "b", "c"), "voc") == ""
    middle = class_difference(("a", "b", "c"), ("a", "x", "c"), "voc")
    assert middle == "knows 3 classes, voc has 3; class 1 is 'b' there and 'x' in the data"
    longer = class_difference(("a", "b"), ("a", "b", "c"), "voc")
    assert longer == "knows 2 classes, voc has 3; class 2 is missing there and 'c' in the data"


def test_gray_masks_of_16_bits_are_read(tmp_path):
    from saccade.data.sets import read_values

    Image.fromarray(np.array([[300, 1]], np.uint16)).save(tmp_path / "m.png")
    spec = LabelSpec(("a", "b"), mapping=((300, 0), (1, 1)))
    assert spec.apply(read_values(tmp_path / "m.png"), "m.png").tolist() == [[0, 1]]
