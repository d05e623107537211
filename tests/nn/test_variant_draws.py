"""Where the dilations of the variant come from, and graphs without a draw."""

import copy
import io
import pickle
from collections.abc import Callable

import pytest
import torch
from torch import nn

from saccade.nn import VariantGaussianDynamicConv2d
from tests.nn.helpers import image


class TestRandomness:
    @pytest.mark.parametrize("seed", [None, 3])
    def test_global_state_is_untouched(self, seed: int | None) -> None:
        before = torch.random.get_rng_state()
        VariantGaussianDynamicConv2d(2, 3, seed=seed)(image(1, 2, 5, 5))
        assert torch.equal(torch.random.get_rng_state(), before)

    def test_global_seed_changes_nothing(self) -> None:
        drawn = []
        with torch.random.fork_rng():
            for seed in (0, 1):
                torch.manual_seed(seed)
                layer = VariantGaussianDynamicConv2d(2, 3, sigma=50.0, seed=7)
                drawn.append((layer.draw(), layer.weight.sum().item()))
        assert drawn[0] == drawn[1]

    def test_seed_decides_weights_and_draws(self) -> None:
        one, same, other = (
            VariantGaussianDynamicConv2d(2, 3, sigma=50.0, seed=s) for s in (7, 7, 8)
        )
        assert torch.equal(one.weight, same.weight)
        assert not torch.equal(one.weight, other.weight)
        first = one.draw()
        assert first == same.draw() != other.draw()
        one.reseed(7)
        assert one.draw() == first

    def test_without_a_seed_every_layer_differs(self) -> None:
        one, other = (VariantGaussianDynamicConv2d(2, 3, sigma=1e5) for _ in range(2))
        assert not torch.equal(one.weight, other.weight)
        assert one.draw() != other.draw()

    def test_generator_of_the_caller_leaves_the_own_one_alone(self) -> None:
        layer, twin = (VariantGaussianDynamicConv2d(2, 3, sigma=50.0, seed=7) for _ in range(2))
        layer.draw(torch.Generator().manual_seed(0))
        assert layer.draw() == twin.draw()


class TestCopies:
    @pytest.mark.parametrize(
        "clone", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))]
    )
    def test_copies_start_from_the_seed(
        self, clone: Callable[[nn.Module], VariantGaussianDynamicConv2d]
    ) -> None:
        layer = VariantGaussianDynamicConv2d(2, 3, sigma=50.0, seed=7)
        first = layer.draw()
        twin = clone(layer)
        assert twin.draw() == first
        assert torch.equal(twin.weight, layer.weight)
        assert twin.weight is not layer.weight
        assert layer.draw() != first  # its own stream went on

    def test_state_dict_has_weights_only_and_suits_conv2d(self) -> None:
        layer = VariantGaussianDynamicConv2d(2, 3, base=2, seed=7).eval()
        layer.draw()
        file = io.BytesIO()
        torch.save(layer.state_dict(), file)
        file.seek(0)
        plain = nn.Conv2d(2, 3, 3, padding=2, dilation=2)
        plain.load_state_dict(torch.load(file, weights_only=True))
        x = image(1, 2, 9, 9)
        assert torch.equal(plain(x), layer(x))


class TestGraphs:
    def test_fullgraph_in_eval_mode(self) -> None:
        layer = VariantGaussianDynamicConv2d(2, 3, base=2, seed=0).eval()
        x = image(1, 2, 7, 7)
        compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
        torch.testing.assert_close(compiled(x), layer(x))

    def test_fullgraph_in_training_with_given_dilations(self) -> None:
        layer = VariantGaussianDynamicConv2d(2, 3, seed=0)
        x = image(1, 2, 7, 7)
        compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
        for dilation in ((1, 2), (3, 1), (2, 4)):
            torch.testing.assert_close(compiled(x, dilation=dilation), layer(x, dilation=dilation))

    def test_compiled_training_goes_on_drawing(self) -> None:
        layer, twin = (VariantGaussianDynamicConv2d(2, 3, base=2, seed=0) for _ in range(2))
        x = image(1, 2, 12, 12)
        compiled = torch.compile(layer, backend="aot_eager")
        outputs = [compiled(x) for _ in range(4)]
        for out in outputs:
            torch.testing.assert_close(out, twin(x))
        assert not all(torch.equal(out, outputs[0]) for out in outputs)

    def test_exports_as_one_ordinary_convolution_of_any_size(self) -> None:
        layer = VariantGaussianDynamicConv2d(2, 3, base=4, seed=0).eval()
        dimensions = {axis: torch.export.Dim(name) for axis, name in ((0, "B"), (2, "H"), (3, "W"))}
        program = torch.export.export(layer, (image(2, 2, 9, 9),), dynamic_shapes=(dimensions,))
        calls = [node for node in program.graph.nodes if node.op == "call_function"]
        assert [node.target for node in calls] == [torch.ops.aten.conv2d.default]
        assert calls[0].args[3:] == ([1, 1], [4, 4], [4, 4])
        x = image(3, 2, 5, 12)
        torch.testing.assert_close(program.module()(x), layer(x))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_draws_what_the_cpu_draws() -> None:
    layer, twin = (VariantGaussianDynamicConv2d(2, 3, seed=7) for _ in range(2))
    layer.cuda()
    assert [layer.draw() for _ in range(5)] == [twin.draw() for _ in range(5)]
    x = image(1, 2, 40, 40)
    torch.testing.assert_close(layer(x.cuda()).cpu(), twin(x), rtol=1e-3, atol=1e-3)
