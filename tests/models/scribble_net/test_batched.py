import pytest
import torch

from saccade.models.scribble_net import ScribbleNet
from saccade.models.scribble_net.batched import (
    initial_weights,
    load_weights,
    weights_of,
    whole_offsets,
)
from tests.models.scribble_net.helpers import generator


@torch.no_grad()
def test_weights_written_and_read_are_the_same_and_the_network_too():
    first, second = (
        ScribbleNet(4, 3, channels=5, hidden=6, generator=generator(seed)) for seed in (0, 1)
    )
    weights = {name: w + 0.1 for name, w in weights_of(first).items()}  # biases start at zero
    load_weights(first, weights)
    load_weights(second, weights)
    again = weights_of(second)
    assert weights.keys() == again.keys()
    for name in weights:
        assert torch.equal(weights[name], again[name]), name
    second.fuse.load_state_dict(first.fuse.state_dict())
    features = torch.randn(1, 4, 6, 5, generator=generator(1))
    expected = first(features, generator=generator(3))
    assert torch.equal(second(features, generator=generator(3)), expected)


def test_an_initial_start_is_seeded_scaled_and_shared_by_the_batch():
    weights = initial_weights(16, 3, hidden=8, batch=2, generator=generator(5))
    again = initial_weights(16, 3, hidden=8, generator=generator(5))
    for name, value in weights.items():
        assert torch.equal(value[0], value[1]), name
        assert torch.equal(value[0], again[name][0]), name
    assert weights["classifier"].std() == pytest.approx((9 * 16) ** -0.5, rel=0.05)
    assert weights["out"].shape == (2, 8, 3)
    load_weights(ScribbleNet(4, 3, channels=16, hidden=8, generator=generator()), again)


def test_offsets_are_whole_half_gaussian_and_seeded():
    first, second = (
        whole_offsets((40_000,), 5.0, generator(), torch.device("cpu")) for _ in range(2)
    )
    assert first.dtype == torch.long
    assert first.min() == 0
    assert float(first.float().mean()) == pytest.approx(5 * (2 / torch.pi) ** 0.5, rel=0.02)
    assert torch.equal(first, second)
