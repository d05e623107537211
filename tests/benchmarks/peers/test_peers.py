import importlib.util

import numpy as np
import pytest

from benchmarks import peers
from benchmarks.peers.common import EDGES, edge_ends
from benchmarks.peers.graph_cut import GAMMA, contrast_weights
from saccade.errors import InputError


def needs(function, *modules):
    missing = [m for m in modules if importlib.util.find_spec(m) is None]
    return pytest.param(
        function,
        id=function.__name__,
        marks=pytest.mark.skipif(bool(missing), reason=f"not installed: {missing}"),
    )


MANY = [
    needs(peers.nearest),
    needs(peers.geodesic),
    needs(peers.random_walker),
    needs(peers.random_forest, "sklearn"),
]
TWO = [
    needs(peers.grabcut, "cv2"),
    needs(peers.cut_histogram, "maxflow"),
    needs(peers.cut_gmm, "maxflow", "sklearn"),
]


@pytest.mark.parametrize("peer", [*MANY, *TWO])
def test_solves_an_easy_picture(peer, picture):
    image, strokes, truth = picture
    before = image.copy(), strokes.copy()
    labels = peer(image, strokes)
    assert labels.shape == strokes.shape
    assert set(np.unique(labels)) == {0, 1}
    drawn = strokes != 255
    np.testing.assert_array_equal(labels[drawn], strokes[drawn])
    # The plane alone gets about four fifths of the pixels, everybody else sees the colours.
    known = truth != 255
    accuracy = (labels == truth)[known].mean()
    assert accuracy > (0.75 if peer is peers.nearest else 0.98)
    np.testing.assert_array_equal(before[0], image)
    np.testing.assert_array_equal(before[1], strokes)


@pytest.mark.parametrize("peer", [*MANY, *TWO])
def test_class_values_and_unlabeled_are_free_to_choose(peer, picture):
    image, strokes, _ = picture
    renamed = np.select([strokes == 0, strokes == 1], [3, 9], 0).astype(np.int32)
    labels = peer(image, renamed, unlabeled=0)
    assert labels.dtype == np.int32
    expected = np.where(peer(image, strokes) == 1, 9, 3)
    np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize("peer", [*MANY, *TWO])
def test_one_class_fills_the_image(peer, picture):
    image, strokes, _ = picture
    strokes[strokes == 0] = 255
    assert (peer(image, strokes) == 1).all()


@pytest.mark.parametrize("peer", [*MANY, *TWO])
def test_no_stroke_is_an_error(peer, picture):
    image, strokes, _ = picture
    with pytest.raises(InputError, match="no class"):
        peer(image, np.full_like(strokes, 255))


@pytest.mark.parametrize("peer", MANY)
def test_three_classes(peer, picture):
    image, strokes, truth = picture
    image[:, :12] = (60, 200, 60)
    truth[:, :12] = 2
    strokes[:, :12] = 255
    strokes[5:-5, 4:6] = 2
    labels = peer(image, strokes)
    assert set(np.unique(labels)) == {0, 1, 2}
    assert (labels == truth)[truth == 2].mean() > 0.8


@pytest.mark.parametrize("peer", TWO)
def test_two_class_methods_refuse_three(peer, picture):
    image, strokes, _ = picture
    strokes[0] = 2
    with pytest.raises(InputError, match="3 classes"):
        peer(image, strokes)


def test_nearest_by_hand():
    strokes = np.full((1, 7), 255, np.uint8)
    strokes[0, 0], strokes[0, 5] = 4, 2
    labels = peers.nearest(np.zeros((1, 7, 3), np.uint8), strokes)
    assert labels.tolist() == [[4, 4, 4, 2, 2, 2, 2]]


def test_geodesic_goes_around_a_wall():
    image = np.full((41, 41, 3), 200, np.uint8)
    image[:34, 18:24] = 0  # a dark wall from the top with a gap below
    strokes = np.full((41, 41), 255, np.uint8)
    strokes[5, 2] = 0  # left, far from the wall
    strokes[5, 20] = 1  # on the wall
    labels = peers.geodesic(image, strokes)
    assert labels[5, 38] == 0  # nearer to 1 in the plane, but 0 reaches it through the gap
    assert peers.nearest(image, strokes)[5, 38] == 1


def test_forest_repeats_with_its_seed(picture):
    pytest.importorskip("sklearn")
    image, strokes, _ = picture
    noisy = np.random.default_rng(0).integers(0, 256, image.shape, dtype=np.uint8)
    first = peers.random_forest(noisy, strokes, seed=1)
    np.testing.assert_array_equal(first, peers.random_forest(noisy, strokes, seed=1))
    assert (first != peers.random_forest(noisy, strokes, seed=2)).any()


def test_contrast_weights_fall_across_an_edge():
    image = np.zeros((4, 6, 3), np.uint8)
    image[:, 3:] = 255
    across, down, falling, rising = contrast_weights(image)
    assert [w.shape for w in (across, down, falling, rising)] == [(4, 5), (3, 6), (3, 5), (3, 5)]
    np.testing.assert_allclose(down, GAMMA)
    np.testing.assert_allclose(falling[:, 0], GAMMA / np.sqrt(2))
    assert (across[:, 2] < 0.2 * across[:, 0]).all()
    flat = contrast_weights(np.zeros((3, 3, 3), np.uint8))
    np.testing.assert_allclose(flat[0], GAMMA)


@pytest.mark.parametrize("edge", EDGES)
def test_edge_ends_are_one_step_apart(edge):
    y, x = np.mgrid[:4, :5]
    (y0, y1), (x0, x1) = (edge_ends(axis, *edge) for axis in (y, x))
    assert y0.size == (4 - edge[0]) * (5 - abs(edge[1]))
    assert set((y1 - y0).ravel()) == {edge[0]}
    assert set((x1 - x0).ravel()) == {edge[1]}


@pytest.mark.parametrize("peer", [peers.grabcut, peers.cut_gmm])
def test_the_rest_may_be_a_class_without_a_stroke(peer, picture):
    pytest.importorskip("cv2" if peer is peers.grabcut else "maxflow")
    image, strokes, truth = picture
    alone = np.where(strokes == 1, 1, 255).astype(np.uint8)
    labels = peer(image, alone, rest=0)
    assert set(np.unique(labels)) == {0, 1}
    assert (labels == truth)[truth == 1].mean() > 0.9
    assert (labels == truth)[truth == 0].mean() > 0.9
    assert (labels[strokes == 1] == 1).all()
    np.testing.assert_array_equal(peer(image, strokes, rest=0), peer(image, strokes))


def test_grabcut_goes_on_from_a_mask(picture):
    pytest.importorskip("cv2")
    image, strokes, _ = picture
    noisy = np.random.default_rng(0).integers(90, 160, image.shape, dtype=np.uint8)
    before = np.zeros_like(strokes)
    before[:, :26] = 1
    anew = peers.grabcut(noisy, strokes, rest=0)
    onward = peers.grabcut(noisy, strokes, rest=0, before=before)
    assert (onward == before).mean() > (anew == before).mean()
    assert (onward[strokes != 255] == strokes[strokes != 255]).all()
    alone = np.where(strokes == 1, 1, 255).astype(np.uint8)
    everywhere = peers.grabcut(image, alone, rest=0, before=np.ones_like(strokes))
    np.testing.assert_array_equal(everywhere, peers.grabcut(image, alone, rest=0))
