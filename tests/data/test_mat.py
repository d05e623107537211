import io

import numpy as np
import pytest
from scipy.io import savemat

from saccade.data.mat import read_mat_array, read_mat_mask
from saccade.errors import InputError

TYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", TYPES)
def test_arrays_are_read_as_scipy_wrote_them(tmp_path, kind, packed):
    values = (np.arange(35).reshape(5, 7) % 5).astype(kind)
    savemat(tmp_path / "a.mat", {"other": "text", "LabelMap": values}, do_compression=packed)
    found = read_mat_array(tmp_path / "a.mat", "LabelMap")
    np.testing.assert_array_equal(found, values)
    assert found.dtype == values.dtype


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (5, 7)])
def test_fields_of_a_structure_are_found_by_name(tmp_path, shape, packed):
    kinds = [("Boundaries", object), ("Segmentation", object), ("CategoriesPresent", object)]
    values = np.arange(np.prod(shape)).reshape(shape).astype(np.uint8)
    cell = np.array([(np.ones((2, 2)), values, np.ones(3))], dtype=kinds)
    savemat(tmp_path / "a.mat", {"GTcls": cell}, do_compression=packed)
    np.testing.assert_array_equal(read_mat_mask(tmp_path / "a.mat"), values)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"x": np.ones((2, 2))}, "no such array"),
        ({"LabelMap": np.full((2, 2), 0.5)}, "no whole numbers"),
        ({"LabelMap": np.full((2, 2), np.nan)}, "no whole numbers"),
        ({"LabelMap": np.ones((2, 2, 2))}, "expected \\(H, W\\)"),
        ({"LabelMap": "text"}, "expected a .mat file"),
    ],
)
def test_what_is_no_mask_is_refused(tmp_path, content, message):
    savemat(tmp_path / "a.mat", content)
    with pytest.raises(InputError, match=message):
        read_mat_mask(tmp_path / "a.mat")


def test_every_cut_of_a_file_is_refused(tmp_path):
    savemat(file := io.BytesIO(), {"LabelMap": np.ones((5, 7), np.uint8)}, do_compression=True)
    for length in range(1, len(file.getvalue())):
        (tmp_path / "a.mat").write_bytes(file.getvalue()[:length])
        with pytest.raises(InputError, match=r"a\.mat"):
            read_mat_mask(tmp_path / "a.mat")
