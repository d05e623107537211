import saccade.ops


def test_all_is_sorted_and_names_exist() -> None:
    names = saccade.ops.__all__
    assert names == sorted(names)
    assert all(hasattr(saccade.ops, name) for name in names)
