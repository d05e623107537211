"""A made-up data set on disk."""

import pytest

from tests.weak.helpers import write_set


@pytest.fixture
def folders(tmp_path):
    return write_set(tmp_path)
