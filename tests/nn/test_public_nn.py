import saccade.nn


def test_all_is_sorted_and_names_exist() -> None:
    names = saccade.nn.__all__
    assert names == sorted(names)
    assert all(hasattr(saccade.nn, name) for name in names)
