"""The guard around readers blames the file for what a file can do, and nothing else."""

import types

import pytest

from saccade.errors import InputError
from saccade.files import reading

DAMAGE = [
    lambda: [][0],
    lambda: {}["key"],
    lambda: int("x"),
    lambda: None.get("key"),
    lambda: [].items(),
    lambda: "text" + 1,
    lambda: b"\xff".decode(),
    lambda: 1 / 0,
]


def _assert():
    assert not "a condition of our own"


MISTAKES = [
    (lambda: misspelt, NameError),  # noqa: F821
    (lambda: types.misspelt, AttributeError),
    (lambda: __import__("saccade.misspelt"), ImportError),
    (_assert, AssertionError),
]


@pytest.mark.parametrize("action", DAMAGE)
def test_what_a_damaged_file_leads_to_is_an_input_error(action):
    with pytest.raises(InputError, match=r"a\.png: damaged"), reading("a.png", "damaged"):
        action()


@pytest.mark.parametrize(("action", "kind"), MISTAKES)
def test_a_mistake_in_the_code_is_not_blamed_on_a_file(action, kind):
    with pytest.raises(kind), reading("a.png", "damaged"):
        action()


def test_an_attribute_that_an_object_of_ours_lacks_is_a_mistake():
    with pytest.raises(AttributeError), reading("a.png", "damaged"):
        _ = InputError("x").misspelt


def test_what_a_decoder_of_others_finds_wrong_is_damage():
    source = {"__name__": "decoder"}
    exec("def decode():\n    assert False, 'odd'\n", source)
    with pytest.raises(InputError, match="odd"), reading("a.png", "damaged"):
        source["decode"]()
