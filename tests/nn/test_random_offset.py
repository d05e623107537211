"""Where the randomness of the dynamic layers comes from, what copies keep, what is refused."""

import copy
import io
import pickle
from collections.abc import Callable

import pytest
import torch

from saccade.errors import InputError
from saccade.nn import GaussianDynamicConv2d, UniformDynamicConv2d
from tests.nn.helpers import LAYERS, Layer, image


class TestRandomness:
    @pytest.mark.parametrize("cls", LAYERS)
    @pytest.mark.parametrize("seed", [None, 3])
    def test_global_state_is_untouched(self, cls: Layer, seed: int | None) -> None:
        before = torch.random.get_rng_state()
        layer = cls(2, 3, seed=seed)
        layer(image(1, 2, 5, 5))
        assert torch.equal(torch.random.get_rng_state(), before)

    def test_global_seed_changes_nothing(self) -> None:
        x = image(1, 2, 16, 16)
        outputs = []
        with torch.random.fork_rng():
            for seed in (0, 1):
                torch.manual_seed(seed)
                outputs.append(GaussianDynamicConv2d(2, 3, seed=7)(x))
        assert torch.equal(*outputs)

    def test_seed_decides_weights_and_draws(self) -> None:
        one, same, other = (GaussianDynamicConv2d(2, 3, seed=s) for s in (7, 7, 8))
        assert torch.equal(one.weight, same.weight)
        assert not torch.equal(one.weight, other.weight)
        assert torch.equal(one.draw((9, 9)), same.draw((9, 9)))
        assert not torch.equal(one.draw((9, 9)), other.draw((9, 9)))

    def test_weights_start_as_those_of_conv2d(self) -> None:
        layer = GaussianDynamicConv2d(32, 64, groups=2, seed=7)
        bound = (16 * 9) ** -0.5
        for parameter in layer.parameters():
            assert parameter.abs().max() <= bound
            assert parameter.std().item() == pytest.approx(bound / 3**0.5, rel=0.15)

    def test_without_a_seed_every_layer_differs(self) -> None:
        one, other = GaussianDynamicConv2d(2, 3), GaussianDynamicConv2d(2, 3)
        assert not torch.equal(one.weight, other.weight)
        assert not torch.equal(one.draw((9, 9)), other.draw((9, 9)))

    @pytest.mark.parametrize("rounding", ["nearest", "floor", "none"])
    def test_seed_of_the_call(self, rounding: str) -> None:
        layer = GaussianDynamicConv2d(2, 3, rounding=rounding, scale="axis", seed=7)
        x = image(2, 2, 6, 9)
        positions = layer.draw(x, seed=5)
        assert torch.equal(layer.draw((6, 9), seed=torch.tensor(5)), positions)
        torch.testing.assert_close(layer(x, seed=5), layer(x, positions=positions))
        assert not torch.equal(layer.draw(x, seed=6), positions)
        twin = GaussianDynamicConv2d(2, 3, rounding=rounding, scale="axis", seed=7)
        assert torch.equal(layer.draw(x), twin.draw(x))  # its own stream has not moved

    def test_reseed_starts_again(self) -> None:
        layer = GaussianDynamicConv2d(2, 3, seed=7)
        first = layer.draw((9, 9))
        assert not torch.equal(layer.draw((9, 9)), first)
        layer.reseed(7)
        assert torch.equal(layer.draw((9, 9)), first)
        layer.reseed(8)
        assert not torch.equal(layer.draw((9, 9)), first)

    def test_generator_of_the_caller_leaves_the_own_one_alone(self) -> None:
        layer, twin = (GaussianDynamicConv2d(2, 3, seed=7) for _ in range(2))
        layer.draw((9, 9), torch.Generator().manual_seed(0))
        assert torch.equal(layer.draw((9, 9)), twin.draw((9, 9)))


class TestCopies:
    @pytest.mark.parametrize("cls", LAYERS)
    @pytest.mark.parametrize(
        "clone", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))]
    )
    def test_copies_start_from_the_seed(self, cls: Layer, clone: Callable[[Layer], Layer]) -> None:
        layer = cls(2, 3, seed=7)
        x = image(1, 2, 9, 9)
        first = layer(x)
        twin = clone(layer)
        assert torch.equal(twin(x), first)
        assert twin.weight is not layer.weight
        assert not torch.equal(layer(x), first)  # its own stream went on

    def test_copies_without_a_seed_draw_apart(self) -> None:
        layer = GaussianDynamicConv2d(2, 3)
        layer.draw((9, 9))
        assert not torch.equal(copy.deepcopy(layer).draw((9, 9)), layer.draw((9, 9)))

    def test_state_dict_has_weights_only(self) -> None:
        layer = GaussianDynamicConv2d(2, 3, seed=7)
        layer.draw((4, 4))
        assert set(layer.state_dict()) == {"weight", "bias"}
        file = io.BytesIO()
        torch.save(layer.state_dict(), file)
        file.seek(0)
        other = GaussianDynamicConv2d(2, 3, seed=8)
        other.load_state_dict(torch.load(file, weights_only=True))
        positions = layer.draw((9, 9))
        x = image(1, 2, 9, 9)
        assert torch.equal(other(x, positions=positions), layer(x, positions=positions))


class TestErrors:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"sigma": -1.0}, "sigma"),
            ({"sigma": float("nan")}, "sigma"),
            ({"groups": 2}, "groups"),
            ({"kernel_size": 0}, "kernel_size"),
            ({"granularity": "pixel"}, "granularity"),
            ({"scale": "longest"}, "scale"),
            ({"rounding": "ceil"}, "rounding"),
            ({"border": "wrap"}, "border"),
        ],
    )
    def test_wrong_options_are_refused_at_construction(
        self, options: dict[str, object], message: str
    ) -> None:
        with pytest.raises(InputError, match=message):
            GaussianDynamicConv2d(3, 4, **options)

    def test_an_inverted_uniform_range_is_refused(self) -> None:
        with pytest.raises(InputError, match="low must not exceed high"):
            UniformDynamicConv2d(3, 4, low=1.0, high=0.0)

    def test_input_of_other_channels_is_refused(self) -> None:
        with pytest.raises(InputError, match="Cin 2"):
            GaussianDynamicConv2d(3, 4)(image(1, 2, 5, 5))
