import numpy as np
import pytest

from saccade.experiments.gdc.separation import embed, knn_purity, movement

pytest.importorskip("sklearn")


def test_movement_equals_one_by_hand():
    still = np.array([[[0.0], [2.0]]] * 4)
    assert movement(still).spread == movement(still).jump == 0
    swinging = still + np.array([1.0, -1.0, 1.0, -1.0])[:, None, None]
    found = movement(swinging)  # pixels lie 1 from their common mean, and swing by 1
    assert found.spread == pytest.approx(1)
    assert found.jump == pytest.approx(np.sqrt(2))
    rng = np.random.default_rng(0)
    drawn = movement(rng.normal(size=(400, 50, 3)) + 9 * rng.normal(size=(1, 50, 3)))
    assert drawn.jump == pytest.approx(drawn.spread, rel=0.05)


def test_purity_is_the_share_of_neighbors_of_the_same_class():
    rng = np.random.default_rng(0)
    classes = np.repeat([0, 1], 30)
    apart = rng.normal(size=(60, 4)) + 50 * classes[:, None]
    assert knn_purity(apart, classes) == 1
    assert knn_purity(rng.normal(size=(60, 4)), classes) == pytest.approx(0.5, abs=0.15)
    assert knn_purity(apart[:2], np.array([0, 1])) == 0  # the only other is of the other class


def test_embedding_keeps_groups_apart_and_takes_few_vectors():
    apart = np.repeat([0.0, 90.0], 6)[:, None] + np.random.default_rng(0).normal(size=(12, 3))
    places = embed(apart.astype(np.float32), 0)
    assert places.shape == (12, 2)
    assert knn_purity(places.astype(np.float32), np.repeat([0, 1], 6), k=3) == 1
