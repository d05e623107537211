"""Sampled convolution in use: precisions, layouts, compilation, errors."""

import pytest
import torch
from torch import Tensor

from saccade.errors import InputError
from saccade.ops import sampled_conv2d, sampled_conv2d_reference
from saccade.ops.sampled_conv import chunked
from tests.ops.helpers import FAST, assert_near, case, draw, results


class TestDtypesAndLayouts:
    @pytest.mark.parametrize("backend", [*FAST, "reference"])
    @pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
    def test_autocast_computes_in_half_precision(self, backend: str, interpolation: str) -> None:
        arguments = case(dtype=torch.float32)
        leaves = {k: v.clone().requires_grad_() for k, v in arguments.items()}
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = sampled_conv2d(**leaves, interpolation=interpolation, backend=backend)
        assert out.dtype == torch.bfloat16
        expected = sampled_conv2d(**arguments, interpolation=interpolation)
        assert_near(out, expected)
        out.float().square().mean().backward()
        assert leaves["input"].grad is not None
        assert leaves["input"].grad.dtype == torch.float32

    @pytest.mark.parametrize("backend", FAST)
    def test_autocast_leaves_double_alone(self, backend: str) -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = sampled_conv2d(**case(), backend=backend)
        assert_near(out, sampled_conv2d_reference(**case()))

    @pytest.mark.parametrize("backend", FAST)
    @pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
    def test_output_has_the_layout_of_the_input(
        self, backend: str, layout: torch.memory_format
    ) -> None:
        arguments = case()
        expected = sampled_conv2d_reference(**arguments)
        arguments["input"] = arguments["input"].contiguous(memory_format=layout)
        actual = sampled_conv2d(**arguments, backend=backend)
        assert actual.is_contiguous(memory_format=layout)
        assert_near(actual, expected)

    @pytest.mark.parametrize("backend", FAST)
    def test_strided_views_are_taken(self, backend: str) -> None:
        arguments = case(batch=2, size=(7, 5))
        wide = draw(2, 8, 14, 5, seed=9)
        arguments["input"] = wide[:, ::2, ::2]
        arguments["positions"] = arguments["positions"].flip(3)
        expected = results(arguments, "reference")
        for name, value in results(arguments, backend).items():
            assert_near(value, expected[name])

    def test_small_gradients_are_not_lost_in_half_precision(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(chunked, "_CHUNK_BYTES", {"cpu": 1})  # 64 rows, the least
        x = torch.ones(1, 1, 2, 2, dtype=torch.bfloat16, requires_grad=True)
        weight = torch.ones(1, 1, 1, 1, dtype=torch.bfloat16, requires_grad=True)
        out = sampled_conv2d(x, weight, positions=torch.zeros(1, 1, 2, 4096, 1), backend="chunked")
        upstream = torch.full_like(out, 0.5)
        upstream[:, :, :64] = 256
        # 16384 from the first chunk, where the spacing of bf16 is 128, and 63 times 32 more.
        out.backward(upstream)
        assert x.grad is not None
        assert weight.grad is not None
        assert x.grad[0, 0, 0, 0].item() == pytest.approx(18400, rel=0.005)
        assert weight.grad.item() == pytest.approx(18400, rel=0.005)


class TestCompile:
    @pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
    def test_compiles_as_one_graph(self, interpolation: str) -> None:
        arguments = case(dtype=torch.float32)

        def run(arguments: dict[str, Tensor]) -> Tensor:
            return sampled_conv2d(**arguments, interpolation=interpolation, border="zero")

        expected = {k: v.clone().requires_grad_() for k, v in arguments.items()}
        actual = {k: v.clone().requires_grad_() for k, v in arguments.items()}
        eager = run(expected)
        compiled = torch.compile(run, fullgraph=True, backend="aot_eager")(actual)
        assert_near(compiled, eager)
        eager.square().mean().backward()
        compiled.square().mean().backward()
        for name, leaf in expected.items():
            if leaf.grad is not None:
                assert_near(actual[name].grad, leaf.grad)


class TestErrors:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"input": torch.zeros(4, 7, 5)}, "input is"),
            ({"input": torch.zeros(2, 4, 7, 5).int()}, "input is"),
            ({"input": torch.zeros(2, 4, 0, 5)}, "at least one pixel"),
            ({"input": torch.zeros(2, 3, 7, 5).double()}, "with Cin 3"),
            ({"weight": torch.zeros(6, 4, 9)}, "weight is"),
            ({"weight": torch.zeros(6, 4, 3, 3)}, "weight is torch.float32"),
            ({"groups": 3}, "groups 3"),
            ({"groups": 0}, "groups 0"),
            ({"bias": torch.zeros(5).double()}, "bias is"),
            ({"bias": torch.zeros(6)}, "bias is torch.float32"),
            ({"positions": torch.zeros(2, 9, 2, 4)}, "positions is"),
            ({"positions": torch.zeros(2, 4, 2, 4, 6)}, "(B or 1, 9, 2, Ho, Wo)"),
            ({"positions": torch.zeros(3, 9, 2, 4, 6)}, "with B 2"),
            ({"mask": torch.zeros(2, 9, 4, 5)}, "mask is"),
            ({"mask": torch.zeros(3, 9, 4, 6)}, "mask is"),
            ({"interpolation": "cubic"}, "nearest, bilinear"),
            ({"border": "reflect"}, "clamp, zero"),
            ({"backend": "triton"}, "auto, chunked"),
        ],
    )
    def test_errors_name_the_argument_in_one_line(
        self, change: dict[str, object], message: str
    ) -> None:
        with pytest.raises(InputError) as caught:
            sampled_conv2d(**{**case(), **change})
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)
