import numpy as np
import pytest

from saccade.images.components import MOST_COMPONENTS, fit_basis

THING = np.s_[12:28, 20:40]


def _stains(count, visible, *, seed=0, noise=1.0, step=4.0):
    """Channels of noise about 1000, a thing of another intensity in one of them."""
    values = np.random.default_rng(seed).normal(1000, noise, (40, 60, count))
    values[(*THING, visible)] += step
    return values


def _contrast(component):
    inside = np.zeros(component.shape, bool)
    inside[THING] = True
    return abs(component[inside].mean() - component[~inside].mean()) / component[~inside].std()


@pytest.mark.parametrize("count", [2, 5, 40])
def test_the_first_component_shows_what_one_channel_alone_shows(count):
    stains = _stains(count, count - 2)
    components = fit_basis([stains]).components(stains)
    assert components.shape == (40, 60, min(count, MOST_COMPONENTS))
    assert _contrast(components[..., 0]) > 3.2  # 4 in the channel itself
    spread = components.reshape(-1, components.shape[2]).std(0)
    assert spread[0] > 0.5
    assert spread[1:].max() < 0.2


def test_unit_and_order_of_channels_do_not_matter():
    stains = _stains(5, 3)
    components = fit_basis([stains]).components(stains)
    order = [4, 2, 0, 1, 3]
    other = stains[..., order] * np.array([1, 1000, 1e-3, 7, 0.5]) - 20
    found = fit_basis([other]).components(other)
    np.testing.assert_allclose(found[..., 0], components[..., 0], atol=1e-3)


def test_copies_of_a_channel_add_no_component():
    stains = _stains(2, 1)
    copied = stains[..., [0, 1, 1, 0, 1]]
    assert fit_basis([copied]).components(copied).shape[2] == 2
    assert fit_basis([np.zeros((5, 6, 7))]).components(np.zeros((5, 6, 7))).shape == (5, 6, 1)


@pytest.mark.parametrize("count", [2, 5, 40])
def test_brightness_of_the_colors_shows_the_first_component(count):
    stains = _stains(count, count - 1)
    basis = fit_basis([stains])
    colors = basis.colors(basis.components(stains))
    assert colors.dtype == np.uint8
    brightness = colors @ np.array([0.299, 0.587, 0.114])
    assert _contrast(brightness) > 1
    assert colors[..., 1].min() == 0
    assert colors[..., 1].max() == 255


@pytest.mark.parametrize(("nothing", "said"), [(np.nan, None), (-3.4e38, None), (-9999, -9999)])
def test_what_means_nothing_is_no_component(nothing, said):
    stains = _stains(5, 3)
    plain = fit_basis([stains[:, 5:]]).components(stains[:, 5:])
    stains[:, :5] = nothing
    found = fit_basis([stains], nodata=said).components(stains)
    assert (found[:, :5] == 0).all()
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[:, 5:, 0], plain[..., 0], atol=0.05)


def test_hot_pixels_do_not_set_the_scale():
    stains = np.rint(_stains(5, 3)).astype(np.uint16)
    plain = fit_basis([stains]).components(stains)
    stains[0, 0] = 65535
    found = fit_basis([stains]).components(stains)
    np.testing.assert_allclose(found[5:], plain[5:], atol=0.25)


def test_slices_of_a_stack_have_one_basis():
    stains = _stains(5, 3)
    empty = np.random.default_rng(1).normal(1000, 1, stains.shape)
    basis = fit_basis([stains, empty])
    both = [basis.components(plane) for plane in (stains, empty)]
    ground = np.ones((40, 60), bool)
    ground[THING] = False
    assert abs(both[0][ground, 0].mean() - both[1][..., 0].mean()) < 0.1


def test_a_window_that_the_file_gives_is_used():
    stains = _stains(2, 1)
    basis = fit_basis([stains], window=[(990.0, 1010.0), (0.0, 4000.0)])
    assert basis.low.tolist() == [990.0, 0.0]
    assert basis.span.tolist() == [20.0, 4000.0]
