import pytest
import torch

from saccade.errors import InputError
from saccade.training.loop import train
from saccade.training.state import first_difference


def test_first_difference_names_the_setting():
    assert first_difference({"a": {"b": 1}, "c": 2}, {"a": {"b": 1}, "c": 2}) == ""
    assert first_difference({"a": {"b": 1}}, {"a": {"b": 2}}) == "a.b"
    assert first_difference({"a": 1}, {}) == "a"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("key", ["weights", "optimizer"])
def test_a_state_that_lacks_something_is_refused_in_one_line(config, tmp_path, key):
    train(config, tmp_path / "run")
    path = tmp_path / "run/state.pt"
    torch.save({**torch.load(path, weights_only=True), key: {}}, path)
    with pytest.raises(InputError, match=r"state\.pt: does not fit its network") as caught:
        train(config, tmp_path / "run")
    assert len(str(caught.value)) <= 300
