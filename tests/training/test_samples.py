import pytest

from saccade.errors import InputError
from saccade.training.samples import Order, mix_seeds


def keys(order):
    return [key for part in order for key in part]


def test_each_epoch_sees_each_image_at_most_once_in_its_own_order():
    order = Order(10, 4, 3, seed=1)
    assert (order.steps_per_epoch, order.steps) == (2, 6)
    seen = keys(order)
    for epoch in range(3):
        indices = [i for e, i in seen if e == epoch]
        assert len(set(indices)) == 8
    assert [i for e, i in seen if e == 0] != [i for e, i in seen if e == 1]
    assert keys(Order(10, 4, 3, seed=1)) == seen != keys(Order(10, 4, 3, seed=2))


def test_a_resumed_order_is_the_rest_of_it():
    whole = list(Order(10, 4, 3, seed=1))
    assert list(Order(10, 4, 3, seed=1, start=3)) == whole[3:]


def test_processes_and_parts_share_each_batch():
    whole = list(Order(9, 8, 2, seed=1))
    shared = [list(Order(9, 8, 2, seed=1, parts=4, mine=mine)) for mine in ((0, 1), (2, 3))]
    for step, batch in enumerate(whole):
        parts = [p for mine in shared for p in mine[2 * step : 2 * step + 2]]
        assert [key for part in parts for key in part] == batch


def test_impossible_orders_are_refused():
    with pytest.raises(InputError, match="fewer than a batch"):
        Order(3, 4, 1)
    with pytest.raises(InputError, match="equal parts"):
        Order(9, 4, 1, parts=3)


def test_mixed_seeds_differ():
    seeds = {mix_seeds(a, b, c) for a in range(10) for b in range(10) for c in range(10)}
    assert len(seeds) == 1000
    assert mix_seeds(1, 2) != mix_seeds(2, 1)
    assert all(0 <= seed < 2**63 for seed in seeds)
