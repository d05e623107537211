import numpy as np
import pytest

from saccade.errors import InputError
from saccade.formats.sheet import contact_sheet


def test_pictures_of_any_size_stand_in_rows():
    pictures = [np.full((20 + 10 * i, 40, 3), 10 * i, np.uint8) for i in range(5)]
    sheet = contact_sheet(pictures, columns=3, width=318)
    assert sheet.shape[1] == 318
    assert (sheet[0] == 255).all()
    assert set(np.unique(sheet)) >= {0, 10, 20, 30, 40, 255}


def test_no_pictures():
    with pytest.raises(InputError, match="at least one"):
        contact_sheet([])
