from dataclasses import dataclass
from typing import Literal

import pytest

from saccade.data.tables import from_table
from saccade.errors import InputError
from saccade.training.optim_config import OptimConfig


@dataclass(frozen=True)
class Settings:
    name: str
    kind: Literal["one", "two"] = "one"
    rates: tuple[int, ...] = ()
    crop: tuple[int, int] = (1, 2)
    lr: float = 0.1
    on: bool = False


def test_lists_stand_for_tuples_and_whole_numbers_for_floats():
    settings = from_table(Settings, "t", {"name": "a", "rates": [1, 2, 3], "lr": 1})
    assert settings == Settings("a", rates=(1, 2, 3), lr=1.0)
    assert type(settings.lr) is float


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "t: name is missing"),
        ({"name": "a", "size": 1}, "t: 'size' is no setting; there are name, kind, rates"),
        ({"name": 1}, "t: name is 1, must be of type str"),
        ({"name": "a", "kind": "three"}, "t: kind is 'three', must be one of one, two"),
        ({"name": "a", "rates": 1}, "t: rates is 1, must be a list"),
        ({"name": "a", "rates": [1, 2.5]}, r"t: rates\[1\] is 2.5, must be of type int"),
        ({"name": "a", "crop": [1]}, r"t: crop is \[1\], must be a list of 2 numbers"),
        ({"name": "a", "lr": float("inf")}, "t: lr is inf, must be a finite number"),
        ({"name": "a", "lr": True}, "t: lr is True, must be of type float"),
        ({"name": "a", "on": 1}, "t: on is 1, must be of type bool"),
    ],
)
def test_a_wrong_value_is_named(values, message):
    with pytest.raises(InputError, match=f"^{message}"):
        from_table(Settings, "t", values)


@pytest.mark.parametrize("value", [10**400, -(10**400)])
def test_numbers_that_are_too_large_are_refused(value):
    with pytest.raises(InputError, match="must be a smaller number"):
        from_table(OptimConfig, "optim", {"lr": value})
