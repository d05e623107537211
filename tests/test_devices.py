"""Which device is computed on."""

import pytest
import torch

from saccade.devices import pick_device
from saccade.errors import InputError


def test_the_automatic_device_is_one_that_is_there():
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert pick_device("auto") == torch.device(expected)
    assert pick_device("cpu") == torch.device("cpu")
    assert pick_device(torch.device("cpu")) == torch.device("cpu")


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "cpu:-3", "meta", "", None])
def test_devices_that_are_not_there_are_refused(device):
    with pytest.raises(InputError, match="cannot be used"):
        pick_device(device)
